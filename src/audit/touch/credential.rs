//! What is kept of a security key: its id, its public key, its counter, and what it says it is.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::TouchError;
use super::bytes::Base64Url;
use super::cbor::{Malformed, Reader};
use crate::limits::{COSE_KEY_BYTES_MAX, CREDENTIAL_ID_BYTES_MAX, CREDENTIAL_ID_BYTES_MIN};

const COORDINATE_BYTES: usize = 32;
/// SEC 1's mark of a point with both coordinates.
const UNCOMPRESSED: u8 = 4;
// RFC 9053 and WebAuthn leave exactly one way to write a key of either kind: all that may stand
// there, in canonical order.
const ES256_HEAD: &[u8] = &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const ES256_BETWEEN: &[u8] = &[0x22, 0x58, 0x20];
const EDDSA_HEAD: &[u8] = &[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
const COSE_ALGORITHM: i64 = 3;
const ES256: i64 = -7;
const EDDSA: i64 = -8;
/// The points of Ed25519 whose order divides 8, by their y, without the sign of x: 0, 1, -1, the
/// two of order 8, and 0 and 1 written as numbers beyond the field. Under such a key signatures
/// hold that nobody made.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// The name of a credential, given by its security key.
pub type CredentialId = Base64Url<CREDENTIAL_ID_BYTES_MAX>;

/// What kind of security key it says it is; in JSON in the form of a UUID. All zeros where it
/// doesn't say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aaguid(pub [u8; 16]);

/// A public key of one of the two algorithms; in JSON and in bytes a COSE_Key, which has one form
/// only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256: a point of the curve, uncompressed as SEC 1 has it.
    Es256([u8; 1 + 2 * COORDINATE_BYTES]),
    /// Ed25519: the key's 32 bytes, no point of small order. Whether they are a point at all, the
    /// first signature shows.
    EdDsa([u8; COORDINATE_BYTES]),
}

/// One person's security key, as it was registered and last used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The key by which its touches are verified.
    pub public_key: PublicKey,
    /// Its counter at the last touch, or at registration.
    pub sign_count: u32,
    /// What kind of key it says it is.
    pub aaguid: Aaguid,
}

/// A credential's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    id: CredentialId,
    public_key: PublicKey,
    sign_count: u32,
    aaguid: Aaguid,
    software: bool,
}

impl Aaguid {
    /// The software key of this project, which is for tests and demonstrations.
    pub const SOFTWARE: Self = Self(*b"smrt-soft-key-01");

    /// Parses 32 digits in five groups.
    pub fn parse(found: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(found.replace('-', ""), &mut bytes).ok()?;
        Some(Self(bytes)).filter(|id| id.to_string() == found)
    }
}

impl PublicKey {
    /// Reads a COSE_Key.
    ///
    /// Errors: another algorithm, another form than the one that WebAuthn allows, a point that
    /// isn't on the curve or is of small order.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, TouchError> {
        let coordinate = |bytes: &[u8]| bytes.first_chunk::<COORDINATE_BYTES>().copied();
        if let Some(point) = bytes.strip_prefix(ES256_HEAD) {
            let x = coordinate(point);
            let y = point
                .get(COORDINATE_BYTES..)
                .and_then(|rest| rest.strip_prefix(ES256_BETWEEN))
                .filter(|y| y.len() == COORDINATE_BYTES);
            let (Some(x), Some(y)) = (x, y.and_then(coordinate)) else {
                return Err(TouchError::PublicKey("its coordinates are not 32 bytes each"));
            };
            let mut sec1 = [UNCOMPRESSED; 1 + 2 * COORDINATE_BYTES];
            sec1[1..=COORDINATE_BYTES].copy_from_slice(&x);
            sec1[1 + COORDINATE_BYTES..].copy_from_slice(&y);
            return match ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, sec1) {
                Ok(_) => Ok(Self::Es256(sec1)),
                Err(_) => Err(TouchError::PublicKey("it is no point of P-256")),
            };
        }
        if let Some(key) = bytes.strip_prefix(EDDSA_HEAD) {
            let key = key
                .try_into()
                .map_err(|_| TouchError::PublicKey("it is not 32 bytes of Ed25519"))?;
            return if small_order(&key) {
                Err(TouchError::PublicKey("its point is of small order"))
            } else {
                Ok(Self::EdDsa(key))
            };
        }
        Err(match algorithm(bytes) {
            Ok(Some(found)) if found != ES256 && found != EDDSA => TouchError::Algorithm { found },
            Ok(_) => TouchError::PublicKey(
                "it has other parameters than its algorithm's, or in another order",
            ),
            Err(Malformed) => TouchError::PublicKey("it is no COSE_Key in canonical CBOR"),
        })
    }

    /// The COSE_Key.
    pub fn to_cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(sec1) => {
                let (x, y) = sec1[1..].split_at(COORDINATE_BYTES);
                [ES256_HEAD, x, ES256_BETWEEN, y].concat()
            }
            Self::EdDsa(key) => [EDDSA_HEAD, key].concat(),
        }
    }

    /// Whether the signature is by this key over these bytes.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(sec1) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, sec1)
                .verify(message, signature)
                .is_ok(),
            Self::EdDsa(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
        }
    }
}

impl Credential {
    /// Checks a registered credential's parts.
    ///
    /// Errors: an id that is too short to be unguessable, or too long.
    pub(super) fn new(
        id: &[u8],
        public_key: PublicKey,
        sign_count: u32,
        aaguid: Aaguid,
    ) -> Result<Self, TouchError> {
        let wrong = || TouchError::CredentialId { found: id.len() };
        let id = CredentialId::new(id)
            .filter(|id| id.as_bytes().len() >= CREDENTIAL_ID_BYTES_MIN)
            .ok_or_else(wrong)?;
        Ok(Self { id, public_key, sign_count, aaguid })
    }

    /// Whether it says that it is this project's software key.
    pub fn software(&self) -> bool {
        self.aaguid == Aaguid::SOFTWARE
    }
}

impl TryFrom<Form> for Credential {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let credential =
            Self::new(form.id.as_bytes(), form.public_key, form.sign_count, form.aaguid)
                .map_err(|e| e.to_string())?;
        let wrong =
            || format!("software is {}, and the AAGUID is {}", form.software, credential.aaguid);
        if form.software == credential.software() { Ok(credential) } else { Err(wrong()) }
    }
}

impl From<Credential> for Form {
    fn from(credential: Credential) -> Self {
        let software = credential.software();
        let Credential { id, public_key, sign_count, aaguid } = credential;
        Self { id, public_key, sign_count, aaguid, software }
    }
}

impl std::fmt::Display for Aaguid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = hex::encode(self.0);
        let [a, b, c, d, e] =
            [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

impl std::fmt::Debug for Aaguid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aaguid({self})")
    }
}

impl Serialize for Aaguid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Aaguid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a UUID in small letters"))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Base64Url::<COSE_KEY_BYTES_MAX>::new(self.to_cose()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Base64Url::<COSE_KEY_BYTES_MAX>::deserialize(deserializer)?;
        Self::from_cose(bytes.as_bytes()).map_err(D::Error::custom)
    }
}

/// The algorithm that a COSE_Key of any kind names.
fn algorithm(bytes: &[u8]) -> Result<Option<i64>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut found = None;
    for _ in 0..reader.map()? {
        let key = Reader::new(reader.skip()?).number();
        let value = Reader::new(reader.skip()?).number();
        if key == Ok(COSE_ALGORITHM) {
            found = value.ok();
        }
    }
    Ok(found)
}

fn small_order(key: &[u8; COORDINATE_BYTES]) -> bool {
    let mut y = *key;
    y[COORDINATE_BYTES - 1] &= 0x7f;
    SMALL_ORDER.contains(&hex::encode(y).as_str())
}
