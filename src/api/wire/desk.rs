//! What crosses the wire between a console and the box: sessions, touches, people.

use serde::{Deserialize, Serialize};

use crate::audit::touch::{Credential, Registration, Touch, lower_hex};
use crate::booking::Identifier;
use crate::roster::{Account, Person};
use crate::service::GrantOrder;

/// The cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "__Host-smrt";

/// Who wants to log on.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogOnRequest {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
}

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

/// A log-on.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogOn {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

/// What must be acknowledged before a session begins.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Banner {
    /// In words.
    pub banner: String,
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum SessionState {
    /// There is none.
    None,
    /// The banner is yet to be acknowledged.
    Banner {
        /// By whom.
        #[schema(value_type = String)]
        person: Identifier,
    },
    /// Its screen is hidden.
    Locked {
        /// Until this person comes back.
        #[schema(value_type = String)]
        person: Identifier,
    },
    /// It stands.
    Open {
        /// Whose it is.
        #[schema(value_type = String)]
        person: Identifier,
    },
}

/// Who was appointed at the box, by which code.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The code.
    pub code: String,
}

/// The first key of somebody who was appointed at the box.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The code.
    pub code: String,
    /// The challenge by which the key was made.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The key.
    pub registration: Registration,
}

/// An account as it is shown to those who manage or audit it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountView {
    /// The account.
    #[schema(value_type = Object)]
    pub account: Account,
    /// Its key.
    #[schema(value_type = Option<Object>)]
    pub key: Option<Credential>,
    /// Whether somebody must confirm that the person still needs it.
    pub review_due: bool,
}

/// What an administrator is about to ask for.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// What.
    pub order: GrantOrder,
    /// The challenge by which the new key was made, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_nonce: Option<String>,
}

/// The same, touched.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantTouched {
    /// What.
    pub order: GrantOrder,
    /// The challenge by which the new key was made, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_nonce: Option<String>,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

/// What waits for the commander.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantView {
    /// Its id, hexadecimal.
    pub id: String,
    /// The person as it shall be.
    #[schema(value_type = Object)]
    pub person: Person,
    /// The person's new key.
    #[schema(value_type = Option<Object>)]
    pub key: Option<Credential>,
    /// Who asked for it.
    #[schema(value_type = String)]
    pub asked_by: Identifier,
    /// When, in hundredths of a second since 1970-01-01 UTC.
    pub asked_cs: u64,
}

/// A change of the roster that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAsked {
    /// Its id, hexadecimal.
    pub id: String,
}

/// Why something is declined or withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// In words.
    pub reason: String,
}
