//! People: their accounts and keys, their sessions at consoles, and who acts.

mod accounts;
mod desk;
mod session_table;
mod sessions;

pub use accounts::{AccountStanding, GrantOrder, appoint};
pub use desk::{Acting, AtDesk};
pub use session_table::Asked;
pub use sessions::{BANNER, Begun, SessionView};

pub(super) use session_table::{Digest, Session, Sessions};
