//! Following a switch of the model from outside, to its end.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::api::wire::{ModelState, ModelView};
use crate::limits::{FEED_PATIENCE_SECONDS, SWITCH_LOOK_MS};

/// How a switch ended, as far as it is for somebody outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchEnd {
    /// Searches are answered by the wanted models.
    Switched(ModelView),
    /// It waits to be asked for again, or to be given up.
    Blocked(ModelView),
    /// The server's configuration doesn't offer the wanted models any more.
    Absent(ModelView),
    /// Somebody gave it up.
    GivenUp(ModelView),
}

impl Client {
    /// Looks at the switch to `model` until it has ended or waits for somebody; tells `tell` each
    /// look, and why there is none while the server restarts.
    ///
    /// Errors: a server that is away for over `FEED_PATIENCE_SECONDS`, one that refuses.
    pub fn follow_switch(
        &self,
        model: &str,
        tell: &mut dyn FnMut(Result<&ModelView, &ClientError>),
    ) -> Result<SwitchEnd, ClientError> {
        let mut seen = Instant::now();
        loop {
            match self.model() {
                Ok(view) => {
                    seen = Instant::now();
                    tell(Ok(&view));
                    if let Some(end) = end(model, view) {
                        return Ok(end);
                    }
                }
                Err(e)
                    if e.passes()
                        && seen.elapsed() < Duration::from_secs(FEED_PATIENCE_SECONDS) =>
                {
                    tell(Err(&e))
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
        (false, _) => Some(SwitchEnd::GivenUp(view)),
        (true, ModelState::Blocked) => Some(SwitchEnd::Blocked(view)),
        (true, ModelState::Absent) => Some(SwitchEnd::Absent(view)),
        (true, _) => None,
    }
}
