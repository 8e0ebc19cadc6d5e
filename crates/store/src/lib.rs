//! State over a small key-value trait: documents, segments and journals. No platform: the components bring the store,
//! tests bring memory.
//!
//! Everything stored is either immutable (written once, under a key nobody else writes), a journal, or a register
//! whose last writer wins by design. There are no locks and no compare-and-swap: Spin's back ends disagree on it.
#![forbid(unsafe_code)]

pub mod audit;
pub mod document;
pub mod journal;
pub mod judging;
pub mod keys;
pub mod kv;
pub mod memory;
pub mod outcome;
pub mod poll;
pub mod records;
pub mod scans;
pub mod segments;
pub mod sides;
