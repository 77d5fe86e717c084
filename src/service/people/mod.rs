//! People: their accounts and keys, their sessions at consoles, and who acts.

mod accounts;
mod desk;
mod grants;
mod session_table;
mod sessions;

pub use accounts::{AccountStanding, appoint, release_at_box};
pub use desk::{Acting, AtDesk};
pub use grants::GrantOrder;
pub use session_table::Asked;
pub use sessions::{BANNER, Begun, SessionView};

pub(super) use session_table::{Session, Sessions};
