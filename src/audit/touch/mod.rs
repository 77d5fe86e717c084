//! A human's touch of a security key: WebAuthn assertions and registrations, checked on the box and
//! again by whoever audits it. Pure: no I/O, no clock.
//!
//! Invariant: a touch holds for one request. The challenge that the key signs is SHA-256 over the
//! canonical form of an approval ([`SearchApproval`], [`ActApproval`]), which is computed anew from
//! what is stored when the touch comes in; approval, touch and credential lie in the leaf's detail,
//! so that anybody to whom it is opened computes and verifies the same without the box.
//!
//! Who owns what: this module says whether bytes are a touch for a challenge. That an approval
//! isn't over, that its nonce is used once, that a credential is whose it should be and unknown
//! before it is registered, and that its counter is kept, is the caller's.
//!
//! What kind of key it is, its maker says: [`KeyModels`] takes a registration only with a statement
//! that is signed by a certificate which leads to a maker that the site lists. That somebody holds
//! the credential's private key, the maker vouches for, too.
//!
//! Source: W3C Web Authentication, Level 2 and 3, sections 7.1 (registration) and 7.2 (assertion);
//! stricter where the standard leaves it to us: the page is never a frame, the user is always
//! verified, no key can be copied, flags without a meaning are not set.

mod approval;
mod attestation;
mod bytes;
mod cbor;
mod credential;
mod data;
mod error;
mod relying_party;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use approval::{ActApproval, Canonical, Challenge, FaceBox, SearchApproval, Verb};
pub use attestation::{KeyModel, KeyModels, SecurityKeys};
pub use bytes::{Base64Url, lower_hex};
pub use credential::{Aaguid, Credential, CredentialId, PublicKey};
pub use error::TouchError;
pub use relying_party::RelyingParty;

use crate::ids::Digest;
use crate::limits::{
    ATTESTATION_OBJECT_BYTES_MAX, AUTHENTICATOR_DATA_BYTES_MAX, CLIENT_DATA_BYTES_MAX,
    TOUCH_SIGNATURE_BYTES_MAX,
};
use data::{AttestationObject, AuthenticatorData, check_client_data, names_challenge};

const CREATE: &str = "webauthn.create";
const GET: &str = "webauthn.get";

/// A security key's answer to one challenge, byte for byte as the browser gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    /// Which credential answered; base64url.
    #[schema(value_type = String)]
    pub credential: CredentialId,
    /// The authenticator data; base64url.
    #[schema(value_type = String)]
    pub authenticator_data: Base64Url<AUTHENTICATOR_DATA_BYTES_MAX>,
    /// The client data JSON; base64url.
    #[schema(value_type = String)]
    pub client_data: Base64Url<CLIENT_DATA_BYTES_MAX>,
    /// The signature over the authenticator data and SHA-256 of the client data; base64url.
    #[schema(value_type = String)]
    pub signature: Base64Url<TOUCH_SIGNATURE_BYTES_MAX>,
}

/// A security key's new credential, byte for byte as the browser gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The client data JSON; base64url.
    #[schema(value_type = String)]
    pub client_data: Base64Url<CLIENT_DATA_BYTES_MAX>,
    /// The attestation object; base64url.
    #[schema(value_type = String)]
    pub attestation_object: Base64Url<ATTESTATION_OBJECT_BYTES_MAX>,
}

/// Checks that the credential answered this challenge on our page, touched by a person whom the key
/// verified.
///
/// Returns the counter to keep in place of `credential.sign_count`.
///
/// Errors: one for each check, in the order of the standard. The counter is looked at last, so
/// `TouchError::Counter` means that the signature holds: somebody has the key or a copy of it.
pub fn verify(
    touch: &Touch,
    challenge: &Challenge,
    credential: &Credential,
    relying_party: &RelyingParty,
) -> Result<u32, TouchError> {
    if touch.credential != credential.id {
        return Err(TouchError::Credential);
    }
    check_client_data(touch.client_data.as_bytes(), GET, challenge, relying_party)?;
    let data = AuthenticatorData::parse(touch.authenticator_data.as_bytes())?;
    data.check(relying_party)?;
    if data.attested.is_some() {
        return Err(TouchError::AttestedInTouch);
    }
    if !has_signed(touch, credential) {
        return Err(TouchError::Signature);
    }
    // A key that doesn't count says 0 for ever.
    let counts = data.count != 0 || credential.sign_count != 0;
    if counts && data.count <= credential.sign_count {
        return Err(TouchError::Counter { found: data.count, kept: credential.sign_count });
    }
    Ok(data.count)
}

/// Whether the credential's own key signed an answer to this challenge, whatever else is wrong with
/// it: then somebody has the key. An answer to another challenge proves nothing, since whoever read
/// it once can show it again.
pub fn is_signed(touch: &Touch, challenge: &Challenge, credential: &Credential) -> bool {
    names_challenge(touch.client_data.as_bytes(), challenge) && has_signed(touch, credential)
}

fn has_signed(touch: &Touch, credential: &Credential) -> bool {
    let hash = Digest::of(touch.client_data.as_bytes());
    let signed = [touch.authenticator_data.as_bytes(), &hash.0].concat();
    credential.public_key.verifies(&signed, touch.signature.as_bytes())
}

/// Checks a new credential that was made for this challenge on our page, and gives what is to be
/// kept of it.
///
/// Who made the key isn't looked at: [`KeyModels::model_of`] does. That the credential is nobody's
/// yet is for the caller to check.
///
/// Errors: one for each check, in the order of the standard.
pub fn verify_registration(
    registration: &Registration,
    challenge: &Challenge,
    relying_party: &RelyingParty,
) -> Result<Credential, TouchError> {
    check_client_data(registration.client_data.as_bytes(), CREATE, challenge, relying_party)?;
    let object = AttestationObject::parse(registration.attestation_object.as_bytes())?;
    let data = AuthenticatorData::parse(object.data)?;
    data.check(relying_party)?;
    let attested = data.attested.ok_or(TouchError::NotAttested)?;
    let public_key = PublicKey::from_cose(attested.public_key)?;
    Credential::new(attested.id, public_key, data.count, Aaguid(attested.aaguid))
}
