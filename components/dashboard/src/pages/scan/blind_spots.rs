//! The blind spots of a scan: what the scanner could not examine.

use crate::view::list::count;
use crate::view::text::cut;
use api::v1::{BlindSpot, Report};
use domain::blind_spots::SpotState;
use maud::{Markup, html};

/// The longest name, in characters.
const NAME_CHARS: usize = 200;
/// The longest reason, in characters.
const REASON_CHARS: usize = 300;
/// The number of blind spots from which on the list is folded.
const FOLDED_FROM: usize = 6;

/// The section; nothing if neither the scan nor its reference scan has a blind spot.
pub(super) fn section(report: &Report) -> Markup {
    let spots = &report.blind_spots;
    let of = |state| spots.iter().filter(|spot| spot.state == state).count();
    let is_open = spots.len() < FOLDED_FROM || of(SpotState::New) > 0;
    let more = report.blind_spots_total.saturating_sub(u64::try_from(spots.len()).unwrap_or(u64::MAX));
    html! {
        @if !spots.is_empty() {
            section class="card stack tight" aria-labelledby="blind-spots" {
                h2 id="blind-spots" { "Blind spots " span class="soft" { "(" (report.blind_spots_total) ")" } }
                p class="hint" {
                    "What the scanner could not examine. Issues there are not remediated: they are not seen, and are matched \
                     again when the scanner can examine it."
                }
                details open[is_open] {
                    summary {
                        (of(SpotState::New)) " new, " (of(SpotState::Known)) " known, " (of(SpotState::Gone)) " gone"
                    }
                    div class="table" { (table(spots)) }
                }
                @if more > 0 { p class="hint" { (more) " more are not listed." } }
            }
        }
    }
}

fn table(spots: &[BlindSpot]) -> Markup {
    html! {
        table class="folding" aria-labelledby="blind-spots" {
            thead { tr {
                th scope="col" { "Not examined" } th scope="col" { "Reason" } th scope="col" { "Compared" }
                th scope="col" class="number" { "Not seen" }
            } }
            tbody {
                @for spot in spots {
                    tr {
                        th scope="row" class="break" data-label="Not examined" { (subject(spot)) }
                        td class="break" data-label="Reason" { bdi { (cut(&spot.reason, REASON_CHARS)) } }
                        td data-label="Compared" { (state(spot.state)) }
                        td class="number" data-label="Not seen" {
                            @if spot.not_seen > 0 { (count(spot.not_seen.into(), "occurrence")) }
                        }
                    }
                }
            }
        }
    }
}

fn subject(spot: &BlindSpot) -> Markup {
    html! {
        @match (spot.reach.as_str(), &spot.name) {
            ("file", Some(name)) => bdi { (cut(name, NAME_CHARS)) },
            (reach, Some(name)) => { (reach) " " bdi { (cut(name, NAME_CHARS)) } },
            (_, None) => "Everything",
        }
    }
}

fn state(state: SpotState) -> Markup {
    match state {
        SpotState::New => html! { span class="badge medium" { "New" } },
        SpotState::Known => html! { span class="badge" { "Known" } },
        SpotState::Gone => html! { span class="badge pass" { "Gone" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(reach: &str, name: Option<&str>, state: SpotState, not_seen: u32) -> BlindSpot {
        let name = name.map(str::to_owned);
        BlindSpot { reach: reach.to_owned(), name, reason: "syntax <error>".to_owned(), state, not_seen }
    }

    #[test]
    fn each_blind_spot_is_listed_with_its_state() {
        let mut report: Report = serde_json::from_value(crate::testing::scan()["report"].clone()).unwrap();
        assert_eq!(section(&report).into_string(), "");
        report.blind_spots = vec![
            spot("file", Some("src/<a>.py"), SpotState::New, 2),
            spot("rule", Some("B324"), SpotState::Known, 0),
            spot("everything", None, SpotState::Gone, 0),
        ];
        report.blind_spots_total = 5;
        let page = section(&report).into_string();
        for part in [
            "src/&lt;a&gt;.py",
            "rule <bdi>B324</bdi>",
            "Everything",
            "syntax &lt;error&gt;",
            "2 occurrences",
            "1 new, 1 known, 1 gone",
            "2 more are not listed",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}
