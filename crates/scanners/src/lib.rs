//! Report formats: bytes in, findings out, one file per scanner.
//!
//! A parser never panics, never merges and never drops: an entry it cannot read is *rejected*, with its place and the
//! reason, and stays in the counts; a file that is not the named scanner's report is an error. "No findings" needs
//! evidence: a field that identifies the format is required, so that `{}` is not a clean report.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::as_conversions
    )
)]

mod bandit;
mod json;
mod report;

pub use report::{Input, ParseError, Parsed, Sink, Stop};

/// One report format of one scanner.
#[derive(Debug, Clone, Copy)]
pub struct Scanner {
    /// The name in URLs and in issue keys; lower case.
    pub id: &'static str,
    /// The scanner's own name.
    pub name: &'static str,
    /// What it looks for, in the field's words.
    pub category: &'static str,
    /// The formats that are read.
    pub formats: &'static str,
    /// How its severities become scores, and where that rule comes from.
    pub severities: &'static str,
    /// Reads a report and hands each finding to the sink as it is read.
    pub parse: fn(Input<'_>, &mut dyn Sink) -> Result<Parsed, ParseError>,
}

/// Every scanner, sorted by id: the only list.
pub const ALL: &[Scanner] = &[bandit::SCANNER];

/// The scanner of this id.
pub fn find(id: &str) -> Option<&'static Scanner> {
    ALL.iter().find(|scanner| scanner.id == id)
}

#[cfg(test)]
mod tests;
