//! Accepting a scan as the reference of the next scans of its variant.

use domain::ids::ScanId;
use serde::{Deserialize, Serialize};

/// The decision to accept a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptBody {
    /// The reason, at most 1,024 characters.
    pub comment: String,
}

/// An accepted scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptedAnswer {
    /// The scan. The next scans of its variant by its tool are compared with it, until a later one is accepted.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The time of the decision, RFC 3339.
    pub accepted_at: String,
    /// The reviewer.
    pub accepted_by: String,
    /// The reviewer's reason.
    pub comment: String,
}
