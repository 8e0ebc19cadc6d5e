//! The explanation of an occurrence's bucket.

use super::{Comparison, FirstSeen, Matched};
use domain::comparison::{Bucket, TrackedOccurrence};
use domain::ids::{IssueId, OccurrenceId, ScanId};
use domain::scan::ScanRecord;
use domain::tracking::Stage;
use finding::{BlindSpot, Reach};
use serde::{Deserialize, Serialize};

/// The explanation why an occurrence is new or common in a scan, or was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The occurrence's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub occurrence: OccurrenceId,
    /// The id of its issue.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The scanner's rule.
    pub rule: String,
    /// Its path and line.
    pub place: String,
    /// The scan that its scan was compared with.
    pub comparison: Comparison,
    /// `new`: not in the reference scan. `common`: in both scans. `not_seen`: in an earlier scan, inside a blind spot.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Bucket>"))]
    pub bucket: Bucket,
    /// The reason, in a sentence.
    pub because: String,
    /// The match in the reference scan; absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matched: Option<Matched>,
    /// If it is new, but matched in the variant's previous scan: the stage of that match.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::EnumSchema<Stage>>"))]
    pub carried: Option<Stage>,
    /// The first scan with the occurrence.
    pub first_seen: FirstSeen,
    /// The nearest occurrences of the reference scan that do not match, the nearest first.
    pub passed_over: Vec<PassedOver>,
}

/// An occurrence of the reference scan that does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PassedOver {
    /// The occurrence's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub occurrence: OccurrenceId,
    /// Its path and line in the reference scan.
    pub place: String,
    /// The reason why it does not match.
    pub because: String,
}

/// Explains in a sentence why an occurrence was not seen; `spot` is the blind spot that covers it, if it is known.
pub fn because_of_spot(spot: Option<&BlindSpot>) -> String {
    let earlier = "an earlier scan has it, and the scanner could not examine";
    match spot {
        Some(BlindSpot { reach: Reach::Everything, reason }) => format!("{earlier} everything ({reason})"),
        Some(BlindSpot { reach, reason }) => format!("{earlier} the {reach} ({reason})"),
        None => format!("{earlier} its place"),
    }
}

/// Explains an occurrence's bucket in a sentence. `of_its_issue` is the number of occurrences of its issue in the
/// reference scan.
pub fn because(
    record: &ScanRecord,
    tracked: &TrackedOccurrence,
    matched: Option<&Matched>,
    of_its_issue: usize,
) -> String {
    let compared = Comparison::new(record);
    let with = match (&compared.variant, compared.with.as_str(), compared.scan) {
        (Some(variant), "baseline", _) => format!("baseline `{variant}`"),
        (_, "accepted", Some(scan)) => format!("the last accepted scan of this variant ({scan})"),
        (_, _, _) => "the previous scan of this variant".to_owned(),
    };
    let text = match (matched, compared.scan, of_its_issue) {
        (Some(matched), _, _) => format!("it is also in {with}: {}", matched.because),
        (None, None, _) => format!("there was no scan to compare with ({})", compared.with),
        (None, Some(_), 0) => format!("its issue is not in {with}"),
        (None, Some(_), 1) => format!("{with} has one occurrence of its issue, which does not match"),
        (None, Some(_), count) => format!("{with} has {count} occurrences of its issue, and none matches"),
    };
    let carried = match tracked.carried {
        Some(_) if matched.is_none() => {
            "; it matches an occurrence of the previous scan of this variant and keeps that id"
        }
        Some(_) | None => "",
    };
    format!("{text}{carried}{}", not_accepted(&compared))
}

/// Names the previous scan, where the scan was not compared with it because it was not accepted.
fn not_accepted(compared: &Comparison) -> String {
    match (compared.with.as_str(), compared.previous) {
        ("accepted" | "none", Some(previous)) => {
            format!(
                "; the previous scan of this variant ({previous}) was not accepted, so it is not compared with that"
            )
        }
        (_, _) => String::new(),
    }
}
