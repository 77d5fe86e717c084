//! The machine against its model.

use super::refusal::ActionError;

pub(super) fn removed(_: &ActionError) -> bool {
    false
}
