//! The door: HTTP in, the verbs of `service` out. Only this module knows HTTP.

pub mod wire;
