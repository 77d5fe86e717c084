//! The ledger: store, vault, log and gallery under one writer, so that what is acknowledged is
//! durable, logged and findable.
//!
//! One thread changes the state folder (`writer`). Whoever wants a change gives it a decision
//! (`write`), which runs there on what its transaction will find. Opening the folder is the
//! recovery (`start`). Everything else reads.

mod accounts;
mod alarms;
mod audits;
mod bookings;
mod clock;
mod copies;
mod core;
mod error;
mod expire;
mod faces;
mod generation;
mod handle;
mod in_order;
mod inquiries;
mod inquiry_keys;
mod load;
mod log;
mod next_model;
mod progress;
mod purge;
mod rate_limit;
mod read_ahead;
mod records;
mod restore;
mod setup;
mod start;
mod stopped;
mod switch;
mod unfinished;
mod waits;
mod write;
mod writer;

pub use accounts::Grant;
pub use audits::Drawn;
pub use clock::{Clock, SystemClock};
pub use error::{Fate, Fated, LedgerError};
pub use faces::{Enrolled, Faces, NextFace};
pub use generation::{Generation, ModelSet};
pub use handle::Ledger;
pub use progress::{Progress, StartStage, Started};
pub use records::{OpenedLeaf, Record, StandingBooking, Taken, Witnessing};
pub use restore::{KeptLog, Restored, open_origin, origin_of, restore};
pub use setup::{LedgerSetup, VERSION};
pub use stopped::StoppedSetup;
pub use switch::{ModelStanding, SwitchState};

pub(crate) use accounts::{Code, Member, open_member, put_member};
#[cfg(test)]
pub(crate) use clock::tests::SetClock;
pub(crate) use clock::{ClockStep, LastLook, behind};
pub(crate) use core::Core;
pub(crate) use faces::next_face;
pub(crate) use inquiries::Kept;
pub(crate) use rate_limit::Reads;
pub(crate) use stopped::StoppedFolder;
pub(crate) use switch::UNREADABLE;
pub(crate) use waits::WaitCount;
pub(crate) use write::{Decision, Group, NewLeaf, Subject, Write};
