//! The bytes that a security key and a browser return, taken apart.
//!
//! Authenticator data (WebAuthn, section 6.1), big-endian as the standard has it:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 32 | SHA-256 of the relying party's id |
//! | 32 | 1 | flags |
//! | 33 | 4 | counter |
//! | 37 | 16 | AAGUID, where a credential is attested |
//! | 53 | 2 | length L of its id |
//! | 55 | L | its id |
//! | 55 + L | | its COSE_Key |
//! | | | a map of extensions, where their flag is set |

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bytes::clip;
use super::cbor::{Malformed, Reader};
use super::error::TouchError;
use super::relying_party::RelyingParty;
use crate::ids::Digest;

pub(super) const PRESENT: u8 = 0x01;
pub(super) const VERIFIED: u8 = 0x04;
pub(super) const BACKUP_ELIGIBLE: u8 = 0x08;
pub(super) const BACKED_UP: u8 = 0x10;
pub(super) const ATTESTED: u8 = 0x40;
pub(super) const EXTENSIONS: u8 = 0x80;
const RESERVED: u8 = 0x22;

/// What a security key says of itself and of what it was asked.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'b> {
    rp_id_hash: &'b [u8],
    flags: u8,
    pub(super) count: u32,
    pub(super) attested: Option<Attested<'b>>,
}

/// A new credential.
#[derive(Debug)]
pub(super) struct Attested<'b> {
    pub(super) aaguid: [u8; 16],
    pub(super) id: &'b [u8],
    pub(super) public_key: &'b [u8],
}

/// What a browser says that it asked a security key.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<IgnoredAny>,
    #[serde(rename = "tokenBinding")]
    token_binding: Option<TokenBinding>,
}

#[derive(Deserialize)]
struct TokenBinding {
    status: String,
}

impl ClientData {
    fn answers(&self, challenge: &[u8; 32]) -> bool {
        self.challenge == URL_SAFE_NO_PAD.encode(challenge)
    }
}

impl<'b> AuthenticatorData<'b> {
    /// Takes the bytes apart to the last one.
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, TouchError> {
        let short = || TouchError::AuthenticatorData("it is shorter than 37 bytes");
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or_else(short)?;
        let (&[flags, c0, c1, c2, c3], mut rest) = rest.split_first_chunk().ok_or_else(short)?;
        let attested = if flags & ATTESTED == 0 {
            None
        } else {
            let (attested, after) = Attested::parse(rest)?;
            rest = after;
            Some(attested)
        };
        if flags & EXTENSIONS != 0 {
            let mut reader = Reader::new(rest);
            let is_map = Reader::new(rest).map().is_ok();
            if !is_map || reader.skip().is_err() {
                return Err(TouchError::AuthenticatorData(
                    "its extensions are no map in canonical CBOR",
                ));
            }
            rest = reader.rest();
        }
        if !rest.is_empty() {
            return Err(TouchError::AuthenticatorData("bytes stand behind its end"));
        }
        Ok(Self { rp_id_hash, flags, count: u32::from_be_bytes([c0, c1, c2, c3]), attested })
    }

    /// Checks what must hold of touches and registrations alike, in the order of the standard.
    pub(super) fn check(&self, relying_party: &RelyingParty) -> Result<(), TouchError> {
        let has = |flag: u8| self.flags & flag != 0;
        if self.rp_id_hash != Digest::of(relying_party.id().as_bytes()).0 {
            return Err(TouchError::RelyingPartyId);
        }
        if !has(PRESENT) {
            return Err(TouchError::NotPresent);
        }
        if !has(VERIFIED) {
            return Err(TouchError::NotVerified);
        }
        if has(BACKUP_ELIGIBLE) {
            return Err(TouchError::BackupEligible);
        }
        if has(BACKED_UP) {
            return Err(TouchError::BackedUp);
        }
        if has(RESERVED) {
            Err(TouchError::ReservedFlags { found: self.flags & RESERVED })
        } else {
            Ok(())
        }
    }
}

impl<'b> Attested<'b> {
    /// A credential and what stands behind it.
    fn parse(bytes: &'b [u8]) -> Result<(Self, &'b [u8]), TouchError> {
        let short = || TouchError::AuthenticatorData("its credential is cut short");
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let (id, rest) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(short)?;
        let mut reader = Reader::new(rest);
        let public_key = reader
            .skip()
            .map_err(|Malformed| TouchError::PublicKey("it is no COSE_Key in canonical CBOR"))?;
        Ok((Self { aaguid: *aaguid, id, public_key }, reader.rest()))
    }
}

/// An attestation object, taken apart: what a security key says of a new credential, and how its
/// maker vouches for that.
pub(super) struct AttestationObject<'b> {
    pub(super) format: &'b str,
    /// The statement, in the form that its format has.
    pub(super) statement: &'b [u8],
    /// The authenticator data.
    pub(super) data: &'b [u8],
}

impl<'b> AttestationObject<'b> {
    pub(super) fn parse(object: &'b [u8]) -> Result<Self, TouchError> {
        let malformed = |Malformed| TouchError::AttestationObject("it is no map in canonical CBOR");
        let mut reader = Reader::new(object);
        let (mut format, mut statement, mut data) = (None, None, None);
        for _ in 0..reader.map().map_err(malformed)? {
            let again = match reader.text().map_err(malformed)? {
                "fmt" => format.replace(reader.text().map_err(malformed)?).is_some(),
                "attStmt" => statement.replace(reader.skip().map_err(malformed)?).is_some(),
                "authData" => data.replace(reader.bytes().map_err(malformed)?).is_some(),
                _ => {
                    reader.skip().map_err(malformed)?;
                    false
                }
            };
            if again {
                return Err(TouchError::AttestationObject("it says the same twice"));
            }
        }
        if !reader.rest().is_empty() {
            return Err(TouchError::AttestationObject("bytes stand behind its end"));
        }
        match (format, statement, data) {
            (Some(format), Some(statement), Some(data)) => Ok(Self { format, statement, data }),
            _ => Err(TouchError::AttestationObject(
                "it lacks one of format, statement and authenticator data",
            )),
        }
    }
}

/// Whether a browser's client data names this challenge, whatever else it says.
pub(super) fn names_challenge(json: &[u8], challenge: &[u8; 32]) -> bool {
    serde_json::from_slice::<ClientData>(json).is_ok_and(|data| data.answers(challenge))
}

/// Checks a browser's client data: which ceremony, for which challenge, asked by which page.
pub(super) fn check_client_data(
    json: &[u8],
    ceremony: &'static str,
    challenge: &[u8; 32],
    relying_party: &RelyingParty,
) -> Result<(), TouchError> {
    // A list would do for serde, and is none of what browsers write.
    if json.first() != Some(&b'{') {
        return Err(TouchError::ClientData { reason: "it is no JSON object".to_owned() });
    }
    let data: ClientData = serde_json::from_slice(json)
        .map_err(|e| TouchError::ClientData { reason: clip(&e.to_string()) })?;
    if data.ceremony != ceremony {
        return Err(TouchError::Type { found: clip(&data.ceremony), wanted: ceremony });
    }
    if !data.answers(challenge) {
        return Err(TouchError::Challenge);
    }
    if data.origin != relying_party.origin() {
        return Err(TouchError::Origin {
            found: clip(&data.origin),
            wanted: relying_party.origin().to_owned(),
        });
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(TouchError::CrossOrigin);
    }
    if data.token_binding.is_some_and(|binding| binding.status == "present") {
        Err(TouchError::TokenBinding)
    } else {
        Ok(())
    }
}
