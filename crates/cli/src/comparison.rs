//! The scans that a scan was compared with and not compared with, in words.

use api::v1::{Comparison, ScanAnswer};

/// The reference scan, and the previous scan where that is another one which was not accepted: one line.
pub(crate) fn references(comparison: &Comparison) -> String {
    let variant = comparison.variant.as_deref();
    let reference = match (comparison.with.as_str(), variant, comparison.scan) {
        ("baseline", Some(variant), Some(scan)) => format!("baseline {variant}, scan {scan}"),
        ("previous", _, Some(scan)) => format!("the previous scan of this variant, {scan}"),
        ("accepted", _, Some(scan)) => format!("the last accepted scan of this variant, {scan}"),
        ("none", _, _) if comparison.previous.is_some() => "nothing, no scan of this variant was accepted".to_owned(),
        ("none", _, _) => "nothing, it is the first scan of this variant".to_owned(),
        (with, Some(variant), _) => format!("nothing, {with} ({variant})"),
        (with, None, _) => format!("nothing, {with}"),
    };
    match (comparison.with.as_str(), comparison.previous) {
        ("accepted" | "none", Some(previous)) => {
            format!("compared with: {reference}; the previous scan, {previous}, was not accepted")
        }
        (_, _) => format!("compared with: {reference}"),
    }
}

/// The acceptance of the first scan of a variant; `None` for other scans and from a server of an earlier version.
pub(crate) fn first_scan(answer: &ScanAnswer) -> Option<&'static str> {
    let is_first = answer.comparison.with == "none" && answer.comparison.previous.is_none();
    match answer.accepted_as_first.filter(|_| is_first && answer.scan.replay_of.is_none())? {
        true => Some("accepted: it is the first scan of its variant, so the next scan is compared with it"),
        false => Some("not accepted, so the next scan is not compared with it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::tests::answer;

    fn comparison(value: serde_json::Value) -> Comparison {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn both_references_are_named_where_they_differ() {
        let (one, two) = ("01".repeat(16), "02".repeat(16));
        let cases = [
            (
                serde_json::json!({"with": "baseline", "variant": "main", "scan": one, "previous": two}),
                format!("baseline main, scan {one}"),
            ),
            (
                serde_json::json!({"with": "previous", "variant": "main", "scan": one}),
                format!("the previous scan of this variant, {one}"),
            ),
            (
                serde_json::json!({"with": "accepted", "variant": "main", "scan": one, "previous": two}),
                format!("the last accepted scan of this variant, {one}; the previous scan, {two}, was not accepted"),
            ),
            (
                serde_json::json!({"with": "none", "previous": two}),
                format!("nothing, no scan of this variant was accepted; the previous scan, {two}, was not accepted"),
            ),
            (serde_json::json!({"with": "none"}), "nothing, it is the first scan of this variant".to_owned()),
            (
                serde_json::json!({"with": "baseline_incomplete", "variant": "main"}),
                "nothing, baseline_incomplete (main)".to_owned(),
            ),
            (serde_json::json!({"with": "baseline_unknown"}), "nothing, baseline_unknown".to_owned()),
        ];
        for (value, expected) in cases {
            assert_eq!(references(&comparison(value)), format!("compared with: {expected}"));
        }
    }

    #[test]
    fn the_first_scan_says_if_it_is_accepted() {
        let mut answer = answer();
        answer.accepted_as_first = Some(true);
        assert_eq!(first_scan(&answer), None, "it is compared with a baseline");
        answer.comparison = comparison(serde_json::json!({"with": "none"}));
        assert!(first_scan(&answer).unwrap().starts_with("accepted: it is the first scan"));
        answer.accepted_as_first = Some(false);
        assert!(first_scan(&answer).unwrap().starts_with("not accepted"));
        answer.accepted_as_first = None;
        assert_eq!(first_scan(&answer), None);
    }
}
