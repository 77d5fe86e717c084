//! An administrator's verbs about the model.

use super::appliance::Service;
use super::error::ServiceError;
use crate::face::ModelId;
use crate::ledger::ModelStanding;
use crate::roster::Caller;

impl Service {
    /// Begins a switch to another model, or changes its terms: the bookings are embedded again in
    /// the background, and searches are answered by the new model once all of them are. So many of
    /// `accept_failed` may be left without; no search finds those any more.
    ///
    /// Errors: a caller that is no console with administration; as `Ledger::begin_switch`.
    pub fn switch_model(
        &self,
        caller: &Caller,
        model: ModelId,
        accept_failed: u64,
    ) -> Result<ModelStanding, ServiceError> {
        self.admitted(caller, self.roster.administrator(caller, "switch the model"))?;
        self.ledger.begin_switch(caller, model, accept_failed)?;
        self.switch_worker.ring();
        Ok(self.ledger.model_standing()?)
    }

    /// Gives the switch under way up.
    ///
    /// Errors: a caller that is no console with administration; `NoSwitch`.
    pub fn give_up_switch(&self, caller: &Caller) -> Result<ModelStanding, ServiceError> {
        self.admitted(
            caller,
            self.roster.administrator(caller, "give up the switch of the model"),
        )?;
        self.ledger.give_up_switch(caller)?;
        self.switch_worker.ring();
        Ok(self.ledger.model_standing()?)
    }

    /// The model in use, and how far a switch to another one is.
    ///
    /// Errors: a caller that is no console with administration.
    pub fn model_standing(&self, caller: &Caller) -> Result<ModelStanding, ServiceError> {
        self.admitted(
            caller,
            self.roster.administrator(caller, "look at the switch of the model"),
        )?;
        Ok(self.ledger.model_standing()?)
    }
}
