//! Evidence that a report may not be that of the scanned commit. It changes no verdict.

use crate::view::time::minute;
use api::v1::Report;
use maud::{Markup, html};

/// A notice for each piece of evidence; nothing if there is none. `base` is the address of the project.
pub(super) fn section(base: &str, report: &Report) -> Markup {
    html! {
        @if let Some(same) = report.same_as {
            p class="notice care" {
                "The report is byte for byte that of " a href={ (base) "/scans/" (same) } { "the scan before" }
                ", which was of another commit. It may not be a report of this commit."
            }
        }
        @if let (Some(made_at), Some(newer)) = (&report.made_at, &report.older_than) {
            p class="notice care" {
                "The report was made on " (minute(made_at)) ", before that of "
                a href={ (base) "/scans/" (newer.scan) } { "the newest accepted scan" }
                " (" (minute(&newer.made_at)) ")."
            }
        }
        @if let (Some(made_at), true) = (&report.made_at, report.made_long_before) {
            p class="notice care" {
                "The report was made on " (minute(made_at)) ", more than 24 hours before it was uploaded."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OTHER, scan};
    use serde_json::{Value, json};

    fn shown(fields: Value) -> String {
        let Value::Object(fields) = fields else { panic!("{fields}") };
        let mut report = scan()["report"].take();
        report.as_object_mut().unwrap().extend(fields);
        section("/projects/shop", &serde_json::from_value(report).unwrap()).into_string()
    }

    /// The text without its tags.
    fn words(markup: &str) -> String {
        let parts = markup.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        parts.collect::<String>()
    }

    #[test]
    fn a_report_that_is_older_than_the_accepted_one_is_shown_with_both_times() {
        let newer = json!({"scan": OTHER, "made_at": "2026-11-20T10:00:00.000Z"});
        let page = shown(json!({"made_at": "2026-11-02T08:00:59.000Z", "older_than": newer}));
        let sentence =
            "The report was made on 2026-11-02 08:00, before that of the newest accepted scan (2026-11-20 10:00).";
        assert_eq!(words(&page), sentence);
        assert!(page.contains(&format!(r#"<a href="/projects/shop/scans/{OTHER}">"#)), "{page}");
    }

    #[test]
    fn a_report_that_was_uploaded_late_is_shown_with_its_time() {
        let page = shown(json!({"made_at": "2026-11-02T08:00:59.000Z", "made_long_before": true}));
        assert_eq!(words(&page), "The report was made on 2026-11-02 08:00, more than 24 hours before it was uploaded.");
    }

    #[test]
    fn the_same_report_of_another_commit_is_shown_with_its_scan() {
        let page = shown(json!({"same_as": OTHER}));
        assert!(words(&page).starts_with("The report is byte for byte that of the scan before"), "{page}");
    }

    #[test]
    fn a_fresh_report_has_no_notice() {
        assert_eq!(shown(json!({})), "");
        assert_eq!(shown(json!({"made_at": "2026-11-24T14:59:00.000Z"})), "");
    }
}
