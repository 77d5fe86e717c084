//! User stories, each through the real doors.

#![allow(clippy::unwrap_used, reason = "a story that can't go on has failed")]

mod fake_disk;
mod the_power_is_cut;
