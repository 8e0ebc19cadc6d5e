//! The types and decisions of Gatehouse, as plain functions of their arguments.
//! The crate has no input or output, clocks, randomness, `async`, Spin SDK, WIT types or hash maps (their order leaks
//! into results). The time is an argument. So the same input gives the same result on every host, in every test, and
//! when a stage runs again.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

pub mod accept_request;
pub mod accepting;
pub mod account;
pub mod audit;
pub mod baseline;
pub mod baseline_request;
pub mod blind_spots;
pub mod change_decision;
pub mod comparison;
pub mod counts;
pub mod criteria;
pub mod digest;
pub mod event;
pub mod execution;
pub mod exemption;
pub mod explain;
pub mod families;
pub mod gate;
pub mod grouping;
pub mod head;
pub mod ids;
pub mod journal;
pub mod limits;
pub mod listing;
pub mod outbox;
pub mod parts;
mod person;
pub mod project;
pub mod reference;
pub mod replay;
pub mod report_age;
pub mod revoked;
pub mod role;
pub mod scan;
pub mod scan_event;
pub mod scan_log;
mod serde_skip;
pub mod series;
pub mod settings;
pub mod settings_request;
pub mod signature;
pub mod source;
pub mod target;
pub mod threshold;
pub mod time;
pub mod token;
pub mod tracking;
pub mod trend;
mod union_find;
pub mod upload_limits;
pub mod verdict;
pub mod version;
pub mod word_enum;

#[cfg(test)]
mod testing;
