//! A newer revocation list, brought by a caller.

use super::appliance::Service;
use super::credentials::BroughtList;
use super::error::ServiceError;
use crate::audit::{Actor, Detail};
use crate::ids::Digest;
use crate::roster::Caller;

impl Service {
    /// Takes a newer revocation list that the site's authority signed, from whoever stands in the
    /// roster: who brings it doesn't matter, since nobody else can have made it.
    ///
    /// Errors: a caller that isn't listed; a list that the authority did not sign, or that is not
    /// newer than the one in force.
    pub fn bring_list(&self, caller: &Caller, list: &[u8]) -> Result<BroughtList, ServiceError> {
        self.admitted(caller, self.roster.lists(caller, self.today()))?;
        let credentials = &self.guard.credentials;
        let read = credentials.read_list(list).map_err(|why| ServiceError::ListUnfit { why });
        let list = self.logged(read, |rule, reason| {
            let actor = Actor::from(caller);
            Detail::CallerRefused { actor, rule, reason }
        })?;
        if list.is_new {
            let taken = Detail::ListTaken {
                actor: Actor::from(caller),
                list_sha256: Digest::of(&list.der).to_string(),
                number: list.number.clone(),
                ends_cs: list.ends,
                revoked: list.revoked,
            };
            self.ledger.note(Vec::new(), Vec::new(), taken)?;
            credentials.put_in_force(&list).map_err(|why| ServiceError::ListNotKept { why })?;
        }
        Ok(list)
    }
}
