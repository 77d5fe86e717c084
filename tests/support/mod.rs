//! What the stories stand on: a site and its daemon, people at desks and in browsers, whoever calls
//! by hand, and an attacker.

pub(crate) mod attacker;
pub(crate) mod browser;
pub(crate) mod builders;
pub(crate) mod clocked;
pub(crate) mod control_room;
pub(crate) mod daemon;
pub(crate) mod desks;
pub(crate) mod door;
pub(crate) mod photos;
pub(crate) mod raw;
pub(crate) mod site;
