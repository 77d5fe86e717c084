//! Names drawn at random, and digests: bytes that are read and written as lower-case hexadecimal
//! digits, each of a type of its own, so that none can stand for another.

use std::io::{ErrorKind, Read};

use aws_lc_rs::digest::{Context, SHA256};
use hex::FromHex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crypto::random;

/// Digits that are no such name or digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not {wanted}, which is {digits} hexadecimal digits")]
pub struct IdError {
    /// What it should have been.
    pub wanted: &'static str,
    /// Its digits.
    pub digits: usize,
}

/// A type of so many bytes that displays, debugs, serialises and parses as hexadecimal digits.
macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Parses twice as many hexadecimal digits as there are bytes.
            pub fn parse(found: &str) -> Result<Self, IdError> {
                Self::from_hex(found).map_err(|_| IdError { wanted: $what, digits: 2 * $bytes })
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl FromHex for $name {
            type Error = hex::FromHexError;

            fn from_hex<T: AsRef<[u8]>>(digits: T) -> Result<Self, Self::Error> {
                <[u8; $bytes]>::from_hex(digits).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(found: &str) -> Result<Self, IdError> {
                Self::parse(found)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// As `hexadecimal`, of 16 bytes that can be drawn.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        hexadecimal!($(#[$doc])* $name, 16, $what);

        impl $name {
            /// Draws a name that nothing has yet.
            pub fn random() -> Self {
                Self(random())
            }
        }
    };
}

name!(
    /// A random 128-bit name of one version of one booking; it names the sealed photo too.
    VersionId,
    "a version id"
);
name!(
    /// A random 128-bit name of one inquiry.
    InquiryId,
    "an inquiry's name"
);
name!(
    /// A random 128-bit name of one search.
    SearchId,
    "a search's name"
);
name!(
    /// A random 128-bit name of one change of the roster that was asked for.
    GrantId,
    "a grant's name"
);
hexadecimal!(
    /// The name of a sealed file among the probes: that of an inquiry is its probe, another one its
    /// report.
    ProbeFileId,
    16,
    "the name of a probe's file"
);
hexadecimal!(
    /// Which models made an embedding: SHA-256 over all that decides its value.
    ModelId,
    32,
    "a model's digest"
);
hexadecimal!(
    /// A SHA-256 digest.
    Digest,
    32,
    "a SHA-256 digest"
);

impl From<InquiryId> for ProbeFileId {
    fn from(inquiry: InquiryId) -> Self {
        Self(inquiry.0)
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of these parts, one behind the other.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        parts.iter().for_each(|part| context.update(part));
        Self::finished(context)
    }

    /// The digest of everything that `from` still gives.
    ///
    /// Errors: those of reading.
    pub fn of_reader(mut from: impl Read) -> std::io::Result<Self> {
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(Self::finished(context)),
                Ok(read) => context.update(&buffer[..read]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn finished(context: Context) -> Self {
        Self(context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_digests_are_read_as_they_are_written() {
        let id = InquiryId([0xa7; 16]);
        assert_eq!(InquiryId::parse(&id.to_string()), Ok(id));
        assert_eq!(VersionId::parse(&"0f".repeat(16)), Ok(VersionId([15; 16])));
        assert_eq!(
            serde_json::to_string(&Digest([1; 32])).unwrap(),
            format!("\"{}\"", "01".repeat(32))
        );
        for wrong in ["", "a7", &"a7".repeat(17), &"g7".repeat(16)] {
            let quoted = format!("\"{wrong}\"");
            assert!(InquiryId::parse(wrong).is_err(), "{wrong}");
            assert!(serde_json::from_str::<SearchId>(&quoted).is_err(), "{wrong}");
        }
        assert_eq!(
            Digest::parse("00").unwrap_err().to_string(),
            "not a SHA-256 digest, which is 64 hexadecimal digits"
        );
    }

    #[test]
    fn names_that_are_drawn_differ_each_time() {
        assert_ne!(InquiryId::random(), InquiryId::random());
    }

    #[test]
    fn the_digest_of_bytes_is_sha_256() {
        // FIPS 180-4, example of "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(Digest::of_parts(&[b"a", b"", b"bc"]), Digest::of(b"abc"));
        assert_eq!(Digest::of_reader(&b"abc"[..]).unwrap(), Digest::of(b"abc"));
    }
}
