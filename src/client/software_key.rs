//! WebAuthn authenticator in software, with the browser in front of it: for tests and for the
//! demonstration, where nobody has a security key to touch.
//!
//! It answers byte for byte as a browser with a key on USB would, by a real P-256 key that lives as
//! long as this value. Its AAGUID is `Aaguid::SOFTWARE`, so that each credential and each touch in
//! the log says what it is; a maker in software vouches for it. It protects nothing: any program
//! that holds it can touch it, and it claims to have verified a PIN that it never asks for.

use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::error::ClientError;
use crate::audit::touch::{
    Aaguid, Base64Url, Challenge, CredentialId, PublicKey, Registration, RelyingParty, Touch,
};
use crate::crypto::random;
use crate::ids::Digest;
use crate::tls::key_maker::{KeyMaker, bytes as cbor_bytes};

const ID_BYTES: usize = 32;
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// An authenticator with one credential.
pub struct SoftwareKey {
    pair: EcdsaKeyPair,
    id: [u8; ID_BYTES],
    count: u32,
}

/// Behaviour of the key and of the browser in front of it. The default is correct; everything else
/// is wrong in one way, for tests of refusals.
#[derive(Clone, Debug)]
pub struct KeyBehaviour {
    /// User present (UP): somebody touched the key.
    pub present: bool,
    /// User verified (UV): the key checked a PIN or a finger.
    pub verified: bool,
    /// Backup eligible (BE): the credential may be copied to other devices.
    pub backup_eligible: bool,
    /// Backup state (BS): it was copied.
    pub backed_up: bool,
    /// Further flags of the authenticator data.
    pub more_flags: u8,
    /// A touch carries the credential, or a registration lacks it.
    pub misplaced_credential: bool,
    /// The signature counter, in place of one more than the last.
    pub count: Option<u32>,
    /// The relying party id, in place of the one that asks.
    pub rp_id: Option<String>,
    /// The page's origin, in place of the one that asks.
    pub origin: Option<String>,
    /// The page is a frame in a page of another origin.
    pub cross_origin: bool,
    /// The `type` of the client data, in place of the right one.
    pub ceremony: Option<String>,
    /// The AAGUID that it says it has, in place of the one of software keys.
    pub aaguid: Option<Aaguid>,
    /// Who vouches for it at its registration.
    pub statement: Statement,
}

/// Who vouches for a key at its registration.
#[derive(Clone, Default)]
pub enum Statement {
    /// The maker of this project's software keys.
    #[default]
    Own,
    /// Another maker.
    By(Arc<KeyMaker>),
    /// The maker of this project's software keys, over other bytes.
    OfOtherBytes,
    /// The new credential itself.
    OfItself,
    /// The maker, in the format of U2F.
    U2f,
    /// Nobody.
    None,
}

/// Client data of WebAuthn, its fields in the order in which browsers write them.
#[derive(Serialize)]
struct ClientData<'d> {
    #[serde(rename = "type")]
    ceremony: &'d str,
    challenge: String,
    origin: &'d str,
    #[serde(rename = "crossOrigin")]
    cross_origin: bool,
}

impl Default for KeyBehaviour {
    fn default() -> Self {
        Self {
            present: true,
            verified: true,
            backup_eligible: false,
            backed_up: false,
            more_flags: 0,
            misplaced_credential: false,
            count: None,
            rp_id: None,
            origin: None,
            cross_origin: false,
            ceremony: None,
            aaguid: None,
            statement: Statement::Own,
        }
    }
}

impl Debug for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Own => "Own",
            Self::By(_) => "By another maker",
            Self::OfOtherBytes => "OfOtherBytes",
            Self::OfItself => "OfItself",
            Self::U2f => "U2f",
            Self::None => "None",
        })
    }
}

impl SoftwareKey {
    /// A key with a new random credential.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn new() -> Result<Self, ClientError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .map_err(|_| ClientError::Random)?;
        Ok(Self { pair, id: random(), count: 0 })
    }

    /// The id of its credential.
    pub fn credential(&self) -> CredentialId {
        Base64Url::new(self.id).expect("it is 32 bytes")
    }

    /// Registers its credential for a challenge.
    pub fn register(&self, challenge: &Challenge, relying_party: &RelyingParty) -> Registration {
        self.register_as(challenge, relying_party, &KeyBehaviour::default())
    }

    /// Registers its credential, behaving like this.
    pub fn register_as(
        &self,
        challenge: &Challenge,
        relying_party: &RelyingParty,
        behaviour: &KeyBehaviour,
    ) -> Registration {
        let data = self.authenticator_data(
            relying_party,
            behaviour,
            behaviour.count.unwrap_or(self.count),
            !behaviour.misplaced_credential,
        );
        let client_data = client_data("webauthn.create", challenge, relying_party, behaviour);
        let signed = [&data[..], &Digest::of(&client_data).0].concat();
        let (format, statement) = self.statement(&behaviour.statement, &signed);
        let head = [b"\xa3\x63fmt", format, b"\x67attStmt"].concat();
        let object = [head, statement, b"\x68authData".to_vec(), cbor_bytes(&data)].concat();
        Registration { client_data: bounded(client_data), attestation_object: bounded(object) }
    }

    /// The name of a statement's format, and the statement, in CBOR.
    fn statement(&self, by: &Statement, signed: &[u8]) -> (&'static [u8], Vec<u8>) {
        const PACKED: &[u8] = b"\x66packed";
        let by_itself = || {
            let signature = self.pair.sign(&SystemRandom::new(), signed);
            let signature = signature.expect("the machine gave random numbers for the key");
            [b"\xa2\x63alg\x26\x63sig".to_vec(), cbor_bytes(signature.as_ref())].concat()
        };
        match by {
            Statement::Own => (PACKED, KeyMaker::own().statement(signed)),
            Statement::By(maker) => (PACKED, maker.statement(signed)),
            Statement::OfOtherBytes => (PACKED, KeyMaker::own().statement(b"other bytes")),
            Statement::OfItself => (PACKED, by_itself()),
            Statement::U2f => (b"\x68fido-u2f", KeyMaker::own().statement(signed)),
            Statement::None => (b"\x64none", b"\xa0".to_vec()),
        }
    }

    /// Touches it for a challenge; its counter rises by one.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn touch(
        &mut self,
        challenge: &Challenge,
        relying_party: &RelyingParty,
    ) -> Result<Touch, ClientError> {
        self.touch_as(challenge, relying_party, &KeyBehaviour::default())
    }

    /// Touches it, behaving like this.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn touch_as(
        &mut self,
        challenge: &Challenge,
        relying_party: &RelyingParty,
        behaviour: &KeyBehaviour,
    ) -> Result<Touch, ClientError> {
        self.count = self.count.saturating_add(1);
        let data = self.authenticator_data(
            relying_party,
            behaviour,
            behaviour.count.unwrap_or(self.count),
            behaviour.misplaced_credential,
        );
        let client_data = client_data("webauthn.get", challenge, relying_party, behaviour);
        let signed = [&data[..], &Digest::of(&client_data).0].concat();
        let signature =
            self.pair.sign(&SystemRandom::new(), &signed).map_err(|_| ClientError::Random)?;
        Ok(Touch {
            credential: bounded(self.id),
            authenticator_data: bounded(data),
            client_data: bounded(client_data),
            signature: bounded(signature.as_ref()),
        })
    }

    fn authenticator_data(
        &self,
        relying_party: &RelyingParty,
        behaviour: &KeyBehaviour,
        count: u32,
        attested: bool,
    ) -> Vec<u8> {
        let rp_id = behaviour.rp_id.as_deref().unwrap_or(relying_party.id());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(behaviour.present, PRESENT)
            | flag(behaviour.verified, VERIFIED)
            | flag(behaviour.backup_eligible, BACKUP_ELIGIBLE)
            | flag(behaviour.backed_up, BACKED_UP)
            | flag(attested, ATTESTED)
            | behaviour.more_flags;
        let mut data = Digest::of(rp_id.as_bytes()).0.to_vec();
        data.push(flags);
        data.extend(count.to_be_bytes());
        if attested {
            let point = self
                .pair
                .public_key()
                .as_ref()
                .try_into()
                .expect("a public key of P-256 is a point of 65 bytes");
            let length = u16::try_from(ID_BYTES).expect("32 fits into 16 bits");
            data.extend(behaviour.aaguid.unwrap_or(Aaguid::SOFTWARE).0);
            data.extend(length.to_be_bytes());
            data.extend(self.id);
            data.extend(PublicKey::Es256(point).to_cose());
        }
        data
    }
}

impl Debug for SoftwareKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "SoftwareKey({})", URL_SAFE_NO_PAD.encode(self.id))
    }
}

fn client_data(
    ceremony: &str,
    challenge: &Challenge,
    relying_party: &RelyingParty,
    behaviour: &KeyBehaviour,
) -> Vec<u8> {
    let data = ClientData {
        ceremony: behaviour.ceremony.as_deref().unwrap_or(ceremony),
        challenge: URL_SAFE_NO_PAD.encode(challenge),
        origin: behaviour.origin.as_deref().unwrap_or(relying_party.origin()),
        cross_origin: behaviour.cross_origin,
    };
    serde_json::to_vec(&data).expect("client data holds only strings and a truth value")
}

fn bounded<const BYTES_MAX: usize>(bytes: impl Into<Vec<u8>>) -> Base64Url<BYTES_MAX> {
    Base64Url::new(bytes).expect("what a key and a browser make is within its bounds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::touch::{Credential, TouchError, verify, verify_registration};

    const CHALLENGE: Challenge = [7; 32];

    fn console() -> RelyingParty {
        RelyingParty::new("https://smrt.fusion.example").unwrap()
    }

    fn enrolled() -> (SoftwareKey, Credential) {
        let key = SoftwareKey::new().unwrap();
        let credential =
            verify_registration(&key.register(&CHALLENGE, &console()), &CHALLENGE, &console())
                .unwrap();
        (key, credential)
    }

    /// What a touch with this behaviour is refused for, by a key that was used twice before.
    fn refused(behaviour: KeyBehaviour) -> TouchError {
        let (mut key, mut credential) = enrolled();
        for _ in 0..2 {
            credential.sign_count = verify(
                &key.touch(&CHALLENGE, &console()).unwrap(),
                &CHALLENGE,
                &credential,
                &console(),
            )
            .unwrap();
        }
        let touch = key.touch_as(&CHALLENGE, &console(), &behaviour).unwrap();
        let refused = verify(&touch, &CHALLENGE, &credential, &console()).unwrap_err();
        if behaviour.count.is_none() && behaviour.more_flags & 0x80 == 0 {
            let registration =
                SoftwareKey::new().unwrap().register_as(&CHALLENGE, &console(), &behaviour);
            let same = verify_registration(&registration, &CHALLENGE, &console()).unwrap_err();
            match (&refused, same) {
                (TouchError::AttestedInTouch, TouchError::NotAttested) => {}
                (TouchError::Type { found, .. }, TouchError::Type { found: same, .. }) => {
                    assert_eq!(*found, same)
                }
                (refused, same) => assert_eq!(*refused, same),
            }
        }
        refused
    }

    #[test]
    fn a_software_key_registers_touches_and_is_named_as_one() {
        let (mut key, credential) = enrolled();
        assert!(credential.software());
        assert_eq!(credential.sign_count, 0);
        assert_eq!(credential.aaguid.to_string(), "736d7274-2d73-6f66-742d-6b65792d3031");
        for count in 1..4 {
            let touch = key.touch(&CHALLENGE, &console()).unwrap();
            assert_eq!(verify(&touch, &CHALLENGE, &credential, &console()), Ok(count));
        }
    }

    #[test]
    fn every_wrong_behaviour_of_a_key_has_its_own_refusal() {
        let behaviour = KeyBehaviour::default;
        assert_eq!(refused(KeyBehaviour { present: false, ..behaviour() }), TouchError::NotPresent);
        assert_eq!(
            refused(KeyBehaviour { verified: false, ..behaviour() }),
            TouchError::NotVerified
        );
        assert_eq!(
            refused(KeyBehaviour { backup_eligible: true, ..behaviour() }),
            TouchError::BackupEligible
        );
        assert_eq!(
            refused(KeyBehaviour { backup_eligible: true, backed_up: true, ..behaviour() }),
            TouchError::BackupEligible
        );
        assert_eq!(refused(KeyBehaviour { backed_up: true, ..behaviour() }), TouchError::BackedUp);
        assert_eq!(
            refused(KeyBehaviour { more_flags: 0x02, ..behaviour() }),
            TouchError::ReservedFlags { found: 0x02 }
        );
        assert_eq!(
            refused(KeyBehaviour { more_flags: 0x20, ..behaviour() }),
            TouchError::ReservedFlags { found: 0x20 }
        );
        assert!(matches!(
            refused(KeyBehaviour { more_flags: 0x80, ..behaviour() }),
            TouchError::AuthenticatorData(_)
        ));
        assert_eq!(
            refused(KeyBehaviour { misplaced_credential: true, ..behaviour() }),
            TouchError::AttestedInTouch
        );
        assert_eq!(
            refused(KeyBehaviour { rp_id: Some("fusion.example".to_owned()), ..behaviour() }),
            TouchError::RelyingPartyId
        );
        assert_eq!(
            refused(KeyBehaviour { cross_origin: true, ..behaviour() }),
            TouchError::CrossOrigin
        );
        for ceremony in ["webauthn.got", "payment.get", ""] {
            let wrong =
                refused(KeyBehaviour { ceremony: Some(ceremony.to_owned()), ..behaviour() });
            assert_eq!(
                wrong,
                TouchError::Type { found: ceremony.to_owned(), wanted: "webauthn.get" }
            );
        }
        for origin in [
            "https://smrt.fusion.example:8443",
            "http://smrt.fusion.example",
            "https://smrt.fusion.example/",
            "https://evil.smrt.fusion.example",
            "https://SMRT.fusion.example",
            "null",
        ] {
            let wrong = refused(KeyBehaviour { origin: Some(origin.to_owned()), ..behaviour() });
            assert_eq!(
                wrong,
                TouchError::Origin {
                    found: origin.to_owned(),
                    wanted: console().origin().to_owned()
                }
            );
        }
    }

    #[test]
    fn a_counter_that_does_not_rise_is_refused_unless_it_never_counts() {
        for count in [0, 1, 2] {
            assert_eq!(
                refused(KeyBehaviour { count: Some(count), ..KeyBehaviour::default() }),
                TouchError::Counter { found: count, kept: 2 }
            );
        }
        let (mut key, mut credential) = enrolled();
        let never = KeyBehaviour { count: Some(0), ..KeyBehaviour::default() };
        for _ in 0..2 {
            let touch = key.touch_as(&CHALLENGE, &console(), &never).unwrap();
            assert_eq!(verify(&touch, &CHALLENGE, &credential, &console()), Ok(0));
        }
        credential.sign_count = u32::MAX;
        let touch = key
            .touch_as(
                &CHALLENGE,
                &console(),
                &KeyBehaviour { count: Some(u32::MAX), ..KeyBehaviour::default() },
            )
            .unwrap();
        let stuck = TouchError::Counter { found: u32::MAX, kept: u32::MAX };
        assert_eq!(verify(&touch, &CHALLENGE, &credential, &console()), Err(stuck));
    }

    #[test]
    fn a_touch_for_another_request_by_another_key_or_at_another_console_is_refused() {
        let (mut key, credential) = enrolled();
        let (mut other, others) = enrolled();
        let touch = key.touch(&CHALLENGE, &console()).unwrap();
        assert_eq!(verify(&touch, &[8; 32], &credential, &console()), Err(TouchError::Challenge));
        assert_eq!(verify(&touch, &CHALLENGE, &others, &console()), Err(TouchError::Credential));
        let elsewhere = RelyingParty::new("https://smrt.other.example").unwrap();
        assert!(matches!(
            verify(&touch, &CHALLENGE, &credential, &elsewhere),
            Err(TouchError::Origin { .. })
        ));
        let taken = Touch {
            credential: touch.credential.clone(),
            ..other.touch(&CHALLENGE, &console()).unwrap()
        };
        assert_eq!(verify(&taken, &CHALLENGE, &credential, &console()), Err(TouchError::Signature));
        // A registration's client data, signed as if it were a touch's.
        let wrong = KeyBehaviour {
            ceremony: Some("webauthn.create".to_owned()),
            ..KeyBehaviour::default()
        };
        let touch = key.touch_as(&CHALLENGE, &console(), &wrong).unwrap();
        assert!(matches!(
            verify(&touch, &CHALLENGE, &credential, &console()),
            Err(TouchError::Type { .. })
        ));
        assert_eq!(
            verify_registration(&key.register(&[8; 32], &console()), &CHALLENGE, &console()),
            Err(TouchError::Challenge)
        );
    }
}
