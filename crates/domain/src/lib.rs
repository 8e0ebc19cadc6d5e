//! Every type and every decision of Gatehouse, as plain functions of their arguments.
//!
//! What is deliberately absent: input and output, clocks, randomness, `async`, the Spin SDK, WIT types and
//! hash maps (their order leaks into results). The time is always an argument, so the same input gives the same
//! answer on every host, in every test, and when a stage is run again.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

pub mod account;
pub mod audit;
pub mod baseline;
pub mod comparison;
pub mod digest;
pub mod event;
pub mod execution;
pub mod exemption;
pub mod explain;
pub mod families;
pub mod gate;
pub mod grouping;
pub mod ids;
pub mod journal;
pub mod limits;
pub mod listing;
pub mod outbox;
pub mod parts;
pub mod project;
pub mod reference_choice;
pub mod replay;
pub mod role;
pub mod scan;
pub mod settings;
pub mod signature;
pub mod source;
pub mod threshold;
pub mod time;
pub mod token;
pub mod tracking;
pub mod trend;
mod union;
pub mod version;

#[cfg(test)]
mod testing;
