//! Doors and their keys: who is calling.

pub mod authority;
pub mod files;
