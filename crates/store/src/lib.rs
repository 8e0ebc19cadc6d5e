//! The state of Gatehouse over a small key-value trait: documents, segments and journals. The crate knows no platform:
//! components provide the store, and tests use one in memory.
//!
//! Everything stored is immutable (written once, under a key that nothing else writes), a journal, or a register (the
//! last writer wins). There are no locks and no compare-and-swap, because Spin's back ends disagree on them.
#![forbid(unsafe_code)]

pub mod audit;
pub mod document;
pub mod exemption_events;
pub mod journal;
pub mod judging;
pub mod keys;
pub mod kv;
pub mod memory;
pub mod poll;
pub mod raw;
pub mod records;
pub mod remainder;
pub mod replay_rows;
pub mod scans;
pub mod segments;
pub mod series;
pub mod stored_scan;
