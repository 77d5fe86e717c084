//! Errors of security keys: why a touch or a registration is refused.

use crate::limits::{CREDENTIAL_ID_BYTES_MAX, CREDENTIAL_ID_BYTES_MIN};
use crate::rule::Rule;

/// Why a security key's answer is refused. Each check has its own variant; the first that fails is
/// named, in the order of the standard.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TouchError {
    /// The name that keys are bound to can't be one.
    #[error(
        "'{found}' is not an origin of the form https://name or https://name:port with a host name \
         in small letters: {reason}"
    )]
    RelyingParty {
        /// What was given.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another key answered than was asked.
    #[error("the touch is by another security key than was asked for")]
    Credential,
    /// The client data is no JSON of the standard's form.
    #[error("the client data is not what a browser writes: {reason}")]
    ClientData {
        /// What is wrong with it.
        reason: String,
    },
    /// The client data is of another ceremony.
    #[error("the client data is of type '{found}', wanted '{wanted}'")]
    Type {
        /// Type found.
        found: String,
        /// Type wanted.
        wanted: &'static str,
    },
    /// The challenge isn't the one of this request.
    #[error("the touch is for another request, or for this one before it was changed")]
    Challenge,
    /// The page that asked isn't ours.
    #[error("the touch was asked for by '{found}', wanted {wanted}")]
    Origin {
        /// Origin found.
        found: String,
        /// Origin wanted.
        wanted: String,
    },
    /// The page was a frame in another's.
    #[error("the touch was asked for by a page within another's page")]
    CrossOrigin,
    /// The client claims a binding to TLS that isn't there.
    #[error("the client data claims a token binding, and this connection has none")]
    TokenBinding,
    /// The authenticator data is malformed.
    #[error("the authenticator data is malformed: {0}")]
    AuthenticatorData(&'static str),
    /// The key signed for another relying party.
    #[error("the security key answered for another name than ours")]
    RelyingPartyId,
    /// Nobody touched the key.
    #[error("the security key says that nobody touched it")]
    NotPresent,
    /// The key didn't verify who touched it.
    #[error("the security key says that it did not verify its user, by PIN or finger")]
    NotVerified,
    /// The key may be copied to other devices.
    #[error(
        "the security key can be copied to other devices, wanted one that stays in its hardware"
    )]
    BackupEligible,
    /// The key claims a backup that it can't have.
    #[error("the security key claims to be backed up, and not to be eligible for it")]
    BackedUp,
    /// Flags are set that mean nothing.
    #[error("the authenticator data has reserved flags set ({found:#04x})")]
    ReservedFlags {
        /// The flags found.
        found: u8,
    },
    /// An assertion carries a credential.
    #[error("the authenticator data of a touch carries a new credential")]
    AttestedInTouch,
    /// A registration carries none.
    #[error("the authenticator data of a registration carries no credential")]
    NotAttested,
    /// The signature isn't the key's over these bytes.
    #[error("the signature is not by this security key over this request")]
    Signature,
    /// The counter didn't rise: the key may have been copied.
    #[error(
        "the security key's counter is {found}, wanted more than {kept}: it may have been copied"
    )]
    Counter {
        /// Counter found.
        found: u32,
        /// Counter at the last touch.
        kept: u32,
    },
    /// The attestation object is malformed.
    #[error("the attestation object is malformed: {0}")]
    AttestationObject(&'static str),
    /// Nobody vouches for the key.
    #[error(
        "nobody vouches for the security key: its browser hid who made it, or it doesn't say; \
         wanted a statement of its maker, which the browser must be allowed to pass on"
    )]
    NoStatement,
    /// The key vouches for itself alone.
    #[error("the security key vouches for itself alone, wanted its maker's certificate")]
    SelfAttested,
    /// The key is of U2F.
    #[error(
        "the security key answered by U2F, which verifies no user and names no model; wanted a key \
         of FIDO2"
    )]
    U2f,
    /// The statement is of another format.
    #[error("the security key's statement is of the format '{found}', wanted 'packed'")]
    StatementFormat {
        /// The format found.
        found: String,
    },
    /// The statement is malformed.
    #[error("the security key's statement is wrong: {0}")]
    Statement(&'static str),
    /// The statement isn't signed by its certificate.
    #[error("the security key's statement is not signed by the certificate that it shows")]
    StatementSignature,
    /// The certificate isn't one for attestation.
    #[error("the certificate of the security key's maker is wrong: {0}")]
    MakerCertificate(&'static str),
    /// The key says that it is of another model than its maker says.
    #[error("the security key says that it is of the model {found}, and its maker says another")]
    OtherAaguid {
        /// What the key says.
        found: String,
    },
    /// The maker isn't listed.
    #[error("the security key's maker is not listed: its certificate was issued by '{found}'")]
    UnknownMaker {
        /// Who issued the certificate.
        found: String,
    },
    /// The model isn't listed.
    #[error("security keys of the model {found} are not listed for their maker")]
    UnlistedModel {
        /// The model.
        found: String,
    },
    /// The credential's id is too short or too long.
    #[error(
        "the credential's id has {found} bytes, wanted {CREDENTIAL_ID_BYTES_MIN} to \
         {CREDENTIAL_ID_BYTES_MAX}"
    )]
    CredentialId {
        /// Bytes found.
        found: usize,
    },
    /// The key is of another algorithm.
    #[error("the security key's algorithm is {found}, wanted -7 (ES256) or -8 (EdDSA)")]
    Algorithm {
        /// COSE's number of it.
        found: i64,
    },
    /// The public key can't be one.
    #[error("the security key's public key is malformed: {0}")]
    PublicKey(&'static str),
}

impl TouchError {
    /// The rule by which the answer is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::RelyingParty { .. } => Rule::NoConsoleName,
            Self::Credential => Rule::WrongKey,
            Self::Challenge => Rule::WrongChallenge,
            Self::Origin { .. } | Self::CrossOrigin | Self::RelyingPartyId => Rule::WrongPage,
            Self::NotPresent => Rule::NotPresent,
            Self::NotVerified => Rule::NotVerified,
            Self::BackupEligible | Self::BackedUp => Rule::KeyCanBeCopied,
            Self::Signature => Rule::WrongSignature,
            Self::Counter { .. } => Rule::CounterBack,
            Self::NoStatement
            | Self::SelfAttested
            | Self::U2f
            | Self::StatementFormat { .. }
            | Self::Statement(_)
            | Self::StatementSignature
            | Self::MakerCertificate(_)
            | Self::OtherAaguid { .. } => Rule::KeyNotVouchedFor,
            Self::UnknownMaker { .. } | Self::UnlistedModel { .. } => Rule::KeyNotListed,
            Self::ClientData { .. }
            | Self::Type { .. }
            | Self::TokenBinding
            | Self::AuthenticatorData(_)
            | Self::ReservedFlags { .. }
            | Self::AttestedInTouch
            | Self::NotAttested
            | Self::AttestationObject(_)
            | Self::CredentialId { .. }
            | Self::Algorithm { .. }
            | Self::PublicKey(_) => Rule::MalformedTouch,
        }
    }
}
