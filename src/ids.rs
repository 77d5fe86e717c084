//! Names drawn at random, and digests: bytes that are read and written as lower-case hexadecimal
//! digits, each of a type of its own, so that none can stand for another.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(found, &mut bytes)
                    .map_err(|_| IdError { wanted: $what, digits: 2 * $bytes })?;
                Ok(Self(bytes))
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

hexadecimal!(
    /// A random 128-bit name of one version of one booking; it names the sealed photo too.
    VersionId,
    16,
    "a version id"
);
hexadecimal!(
    /// A random 128-bit name of one inquiry.
    InquiryId,
    16,
    "an inquiry's name"
);
hexadecimal!(
    /// A random 128-bit name of one search.
    SearchId,
    16,
    "a search's name"
);
hexadecimal!(
    /// A random 128-bit name of one change of the roster that was asked for.
    GrantId,
    16,
    "a grant's name"
);
hexadecimal!(
    /// A SHA-256 digest.
    Digest,
    32,
    "a SHA-256 digest"
);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
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
    fn the_digest_of_bytes_is_sha_256() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
    }
}
