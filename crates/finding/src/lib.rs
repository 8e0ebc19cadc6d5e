//! A finding and its parts: the contract between the parsers in `scanners`, which produce findings, and `domain`, which
//! decides about them. Neither of the two depends on the other.
//!
//! Pure values: no input or output, no clock, no SDK.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod blind_spot;
mod finding;
pub mod limits;
pub mod severity;

pub use blind_spot::{BlindSpot, Examined, Reach, Unit};
pub use finding::{
    Cvss, Endpoint, Epss, Excerpt, Finding, Kind, Location, Package, Rejected, ReportSummary, Scored, Secret,
};
