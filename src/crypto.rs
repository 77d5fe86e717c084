//! Random bytes from the operating system's source, by aws-lc-rs.
//!
//! They stand on the ground because names, leaves and keys on every floor need them, and a build
//! for a validated module must be able to exchange their source in one place.

use aws_lc_rs::rand;

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
    fn random_bytes_differ_each_time() {
        assert_ne!(random::<16>(), random::<16>());
    }
}
