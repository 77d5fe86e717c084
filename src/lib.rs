#![doc = include_str!("ARCHITECTURE.md")]

pub mod api;
pub mod booking;
pub mod client;
pub mod embed;
pub mod face;
pub mod gallery;
pub mod inquiry;
pub mod limits;
pub mod roster;
pub mod tls;
