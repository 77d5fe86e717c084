//! What a record writes in a form of its own: names and digests as lower-case hexadecimal digits,
//! numbers to their last bit.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::invalid::InquiryError;

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
                hex::decode_to_slice(found,
                    &mut bytes).map_err(|_| InquiryError::Name { wanted: $what, digits: 2 * $bytes
                    })?;
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

/// Numbers as strings: a number in JSON may come back changed in its last bit, and a record is read
/// and written again at every step.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(in crate::inquiry) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(in crate::inquiry) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        let number = String::deserialize(deserializer)?.parse().ok();
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| D::Error::custom("wanted a finite number in a string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_digests_are_read_as_they_are_written() {
        let id = InquiryId([0xa7; 16]);
        assert_eq!(InquiryId::parse(&id.to_string()), Ok(id));
        assert_eq!(
            serde_json::to_string(&Digest([1; 32])).unwrap(),
            format!("\"{}\"", "01".repeat(32))
        );
        for wrong in ["", "a7", &"a7".repeat(17), &"g7".repeat(16)] {
            assert!(
                InquiryId::parse(wrong).is_err()
                    && serde_json::from_str::<SearchId>(&format!("\"{wrong}\"")).is_err(),
                "{wrong}"
            );
        }
        assert_eq!(
            Digest::parse("00").unwrap_err().to_string(),
            "a SHA-256 digest is not 64 hexadecimal digits"
        );
    }

    #[test]
    fn a_number_comes_back_to_its_last_bit_and_one_that_is_none_not_at_all() {
        #[derive(Serialize, Deserialize)]
        struct Score(#[serde(with = "exact")] f64);
        for at in 1..2_000_u64 {
            let score = 0.3
                + f64::from_bits(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12 | 0x3ff0 << 48) / 8.0;
            let Score(again) =
                serde_json::from_str(&serde_json::to_string(&Score(score)).unwrap()).unwrap();
            assert_eq!(again.to_bits(), score.to_bits());
        }
        for wrong in ["\"NaN\"", "\"inf\"", "0.5", "\"\""] {
            assert!(serde_json::from_str::<Score>(wrong).is_err(), "{wrong}");
        }
    }
}
