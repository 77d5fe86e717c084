//! Names of inquiries and searches, and digests: fixed numbers of bytes that are written as lower-case hexadecimal digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::request::InquiryError;

/// A type of so many bytes that displays, debugs, serialises and parses as hexadecimal digits.
macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Parses twice as many hexadecimal digits as there are bytes.
            ///
            /// Errors: `InquiryError::Name`.
            pub fn parse(found: &str) -> Result<Self, InquiryError> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(found, &mut bytes).map_err(|_| InquiryError::Name { wanted: $what, digits: 2 * $bytes })?;
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
            type Err = InquiryError;

            fn from_str(found: &str) -> Result<Self, InquiryError> {
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
    /// SHA-256 of a file: a probe, a report.
    Digest,
    32,
    "a SHA-256 digest"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_digests_are_read_as_they_are_written() {
        let id = InquiryId([0xa7; 16]);
        assert_eq!(InquiryId::parse(&id.to_string()), Ok(id));
        assert_eq!(serde_json::to_string(&Digest([1; 32])).unwrap(), format!("\"{}\"", "01".repeat(32)));
        for wrong in ["", "a7", &"a7".repeat(17), &"g7".repeat(16)] {
            assert!(InquiryId::parse(wrong).is_err() && serde_json::from_str::<SearchId>(&format!("\"{wrong}\"")).is_err(), "{wrong}");
        }
        assert_eq!(Digest::parse("00").unwrap_err().to_string(), "a SHA-256 digest is not 64 hexadecimal digits");
    }
}
