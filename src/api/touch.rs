//! Touches: what a person's key is asked to answer, and its answer.

use serde::{Deserialize, Serialize};

use crate::audit::touch::{Touch, lower_hex};
use crate::service::{Asked, Service, ServiceError};

/// What a person's key is to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeView {
    /// What names the challenge when the answer comes, hexadecimal.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// What the key signs, hexadecimal.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub challenge: [u8; 32],
    /// The relying party's id.
    pub rp_id: String,
    /// The key that is to answer, base64url; none where a new one is made.
    pub key: Option<String>,
    /// Until when it is answered, in seconds since 1970-01-01 UTC.
    pub expires: u64,
}

/// A key's answer.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    /// The challenge that it answers.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

impl ChallengeView {
    /// What a key is to answer, for the page that asks it.
    pub(super) fn of(
        service: &Service,
        asked: Result<Asked, ServiceError>,
    ) -> Result<Self, ServiceError> {
        let Asked { nonce, challenge, key, expires } = asked?;
        let rp_id = service.console_name().unwrap_or_default().to_owned();
        Ok(Self { nonce, challenge, rp_id, key: key.map(|key| key.to_string()), expires })
    }
}
