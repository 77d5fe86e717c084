#![doc = include_str!("ARCHITECTURE.md")]

// What makes up logs for tests here and for benches outside names the crate as both can.
#[cfg(test)]
extern crate self as smrt;

pub mod api;
pub mod audit;
pub mod booking;
pub mod client;
pub mod config;
pub mod console;
pub mod crypto;
pub mod disk;
pub mod embed;
pub mod face;
pub mod gallery;
pub mod inquiry;
pub mod limits;
pub mod report;
pub mod retention;
pub mod roster;
pub mod service;
pub mod store;
pub mod tls;
pub mod vault;
pub mod wording;
