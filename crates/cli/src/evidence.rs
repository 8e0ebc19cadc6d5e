//! Evidence that a report may not be that of the scanned commit, in sentences. It changes no verdict.

use api::v1::Report;
use domain::time::Timestamp;

/// Returns a sentence for each piece of evidence.
pub(crate) fn sentences(report: &Report) -> Vec<String> {
    let same = report.same_as.map(|scan| {
        format!("the report is byte for byte that of scan {scan}, the one before, which was of another commit")
    });
    let made = report.made_at.as_deref().map(minute);
    let older = report.older_than.as_ref().zip(made.as_ref()).map(|(newer, made)| {
        format!(
            "the report was made on {made}, before that of scan {}, the newest accepted one ({})",
            newer.scan,
            minute(&newer.made_at)
        )
    });
    let late = made.filter(|_| report.made_long_before);
    let late = late.map(|made| format!("the report was made on {made}, more than 24 hours before it was uploaded"));
    [same, older, late].into_iter().flatten().collect()
}

/// A time (RFC 3339) as date and minute in UTC. Text that is not a time stays as it is.
fn minute(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| at.to_owned(), Timestamp::to_minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1::NewerReport;
    use domain::ids::ScanId;

    #[test]
    fn each_piece_of_evidence_is_a_sentence() {
        let mut report = crate::issues::tests::answer().report;
        assert!(sentences(&report).is_empty());
        let scan = ScanId::from_bits([1; 16]);
        report.made_at = Some("2026-11-02T08:00:59.000Z".to_owned());
        assert!(sentences(&report).is_empty(), "a time alone is no evidence");
        report.older_than = Some(NewerReport { scan, made_at: "2026-11-20T10:00:00.000Z".to_owned() });
        (report.same_as, report.made_long_before) = (Some(scan), true);
        let id = "01".repeat(16);
        assert_eq!(
            sentences(&report),
            [
                format!("the report is byte for byte that of scan {id}, the one before, which was of another commit"),
                format!(
                    "the report was made on 2026-11-02 08:00, before that of scan {id}, the newest accepted one (2026-11-20 \
                     10:00)"
                ),
                "the report was made on 2026-11-02 08:00, more than 24 hours before it was uploaded".to_owned(),
            ]
        );
    }

    #[test]
    fn a_time_in_an_unknown_form_is_shown_as_it_is() {
        assert_eq!(minute("yesterday"), "yesterday");
    }
}
