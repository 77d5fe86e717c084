#![doc = include_str!("ARCHITECTURE.md")]

// What makes up logs for tests here and for benches outside names the crate as both can.
#[cfg(test)]
extern crate self as smrt;

pub mod api;
pub mod audit;
pub mod booking;
pub mod calendar;
pub mod client;
pub mod compare_report;
pub mod config;
pub mod console;
pub mod crypto;
pub mod disk;
pub mod embed;
pub mod error_rates;
pub mod face;
pub mod gallery;
pub mod ids;
pub mod inquiry;
pub mod ledger;
pub mod limits;
mod named;
pub mod public_report;
pub mod retention;
pub mod roster;
pub mod rule;
pub mod service;
pub mod state_kind;
pub mod store;
pub mod tls;
pub mod vault;
pub mod wording;
