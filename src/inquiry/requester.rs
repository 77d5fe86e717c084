//! Who asks for a search.

use serde::{Deserialize, Serialize};

use super::hollow::{bare, names_nobody, says_nothing};
use super::invalid::InquiryError;
use crate::booking::{Identifier, Text};

/// The detective or officer who asks. Requesters have no account: badge and agency say who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The name.
    #[schema(value_type = String, max_length = 200)]
    pub name: Text,
    /// The badge, as the agency numbers them.
    #[schema(value_type = String, max_length = 200)]
    pub badge: Text,
    /// The agency that employs the requester.
    #[schema(value_type = String, max_length = 32)]
    pub agency: Identifier,
}

impl Requester {
    /// Refuses one who can be nobody.
    pub(super) fn check(&self) -> Result<(), InquiryError> {
        if names_nobody(self.name.as_str()) {
            return Err(InquiryError::RequesterHollow);
        }
        // Badges are short: one letter or the same digit twice may well be one, zeros and words
        // that say nothing may not.
        let badge = bare(self.badge.as_str());
        let zeros = badge.chars().all(|c| c == '0');
        if zeros
            || badge.len() > 1
                && !badge.contains(|c: char| c.is_ascii_digit())
                && says_nothing(self.badge.as_str())
        {
            return Err(InquiryError::BadgeHollow);
        }
        Ok(())
    }
}
