//! Byte strings in JSON, each in one way only, so that what is sealed and what is shown can't
//! differ.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A bounded byte string; in JSON base64url without padding, as browsers write it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Base64Url<const BYTES_MAX: usize>(Vec<u8>);

impl<const BYTES_MAX: usize> Base64Url<BYTES_MAX> {
    /// Takes bytes; none where there are too many.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        Some(Self(bytes.into())).filter(|bytes| bytes.0.len() <= BYTES_MAX)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const BYTES_MAX: usize> std::fmt::Display for Base64Url<BYTES_MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<const BYTES_MAX: usize> std::fmt::Debug for Base64Url<BYTES_MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Base64Url({self})")
    }
}

impl<const BYTES_MAX: usize> Serialize for Base64Url<BYTES_MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const BYTES_MAX: usize> Deserialize<'de> for Base64Url<BYTES_MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(&text)
            .map_err(|_| D::Error::custom("not base64url without padding"))?;
        let found = bytes.len();
        Self::new(bytes).ok_or_else(|| {
            D::Error::custom(format!("{found} bytes, at most {BYTES_MAX} are accepted"))
        })
    }
}

/// Digests and ids of a fixed length: lower-case hexadecimal in JSON.
pub mod lower_hex {
    use hex::FromHex;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the digits.
    pub fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    /// Reads the digits; capital ones are refused.
    pub fn deserialize<'de, D: Deserializer<'de>, T: FromHex>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let small = digits.bytes().all(|digit| !digit.is_ascii_uppercase());
        let read = T::from_hex(&digits).ok().filter(|_| small);
        read.ok_or_else(|| {
            let digits = 2 * size_of::<T>();
            D::Error::custom(format!("not {digits} hexadecimal digits in small letters"))
        })
    }
}

/// Enough of a wrong input to recognise it, never all of it.
pub(super) fn clip(found: &str) -> String {
    found.chars().filter(|c| !c.is_control()).take(80).collect()
}
