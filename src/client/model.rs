//! The model's verbs: the models in use, a switch to others, and waiting for its end.

use std::time::{Duration, Instant};

use super::connection::Client;
use super::error::ClientError;
use crate::api::wire::{ModelState, ModelSwitchRequest, ModelView};
use crate::limits::{FEED_PATIENCE_SECONDS, SWITCH_LOOK_MS};

/// End of a model switch, or the state in which it needs a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchEnd {
    /// Searches use the new models.
    Switched(ModelView),
    /// It waits until somebody asks for it again or cancels it.
    Blocked(ModelView),
    /// The server's configuration no longer names the new models.
    Absent(ModelView),
    /// Somebody cancelled it.
    Cancelled(ModelView),
}

impl Client {
    /// The models in use, and those of a switch under way.
    pub fn model(&self) -> Result<ModelView, ClientError> {
        self.get_json("/v1/model")
    }

    /// Begins a switch to other models, or changes how many failed bookings it accepts.
    pub fn switch_model(&self, order: &ModelSwitchRequest) -> Result<ModelView, ClientError> {
        self.post_json("/v1/model/switch", order)
    }

    /// Cancels the switch under way.
    pub fn cancel_switch(&self) -> Result<ModelView, ClientError> {
        Self::read_json(self.agent().delete(self.url("/v1/model/switch")).call())
    }

    /// Polls the switch to `model` until it has ended or needs a decision. Calls `progress` with
    /// each state, and with the error while the server restarts.
    ///
    /// Errors: a server that is away for over `FEED_PATIENCE_SECONDS`, one that refuses.
    pub fn follow_switch(
        &self,
        model: &str,
        progress: &mut dyn FnMut(Result<&ModelView, &ClientError>),
    ) -> Result<SwitchEnd, ClientError> {
        let mut seen = Instant::now();
        loop {
            match self.model() {
                Ok(view) => {
                    seen = Instant::now();
                    progress(Ok(&view));
                    if let Some(end) = end(model, view) {
                        return Ok(end);
                    }
                }
                Err(e)
                    if e.passes()
                        && seen.elapsed() < Duration::from_secs(FEED_PATIENCE_SECONDS) =>
                {
                    progress(Err(&e))
                }
                Err(e) => return Err(e),
            }
            std::thread::sleep(Duration::from_millis(SWITCH_LOOK_MS));
        }
    }
}

fn end(model: &str, view: ModelView) -> Option<SwitchEnd> {
    match (view.next.is_some(), view.state) {
        (false, _) if view.active == model => Some(SwitchEnd::Switched(view)),
        (false, _) => Some(SwitchEnd::Cancelled(view)),
        (true, ModelState::Blocked) => Some(SwitchEnd::Blocked(view)),
        (true, ModelState::Absent) => Some(SwitchEnd::Absent(view)),
        (true, _) => None,
    }
}
