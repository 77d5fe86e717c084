//! Hash and random bytes: SHA-256 and the operating system's random source, by aws-lc-rs.
//!
//! They stand on the ground because records, leaves and keys on every floor need the same two, and
//! a build for a validated module must be able to exchange them in one place.

use aws_lc_rs::{digest, rand};

/// SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// `N` bytes from the operating system's random source, for keys, nonces, salts and ids.
///
/// Panics where the source fails: nothing that needs secrets may go on then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}

/// Fills a buffer from the operating system's random source, where the caller wipes the buffer.
///
/// Panics as [`random`] does.
pub fn fill_random(bytes: &mut [u8]) {
    rand::fill(bytes)
        .expect("the operating system's random source works, or nothing here may go on");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standard() {
        // FIPS 180-4, example of "abc".
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(sha256(b"abc")), wanted);
    }

    #[test]
    fn random_bytes_differ_each_time() {
        assert_ne!(random::<16>(), random::<16>());
    }
}
