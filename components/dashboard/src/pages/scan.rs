//! The page of a scan: verdict, details, blind spots, and the lists of issues by bucket.

pub(crate) mod accept;
mod blind_spots;
mod evidence;
pub(crate) mod filters;
pub(crate) mod issue_list;
pub(crate) mod summary;
pub(crate) mod url_state;

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::list::count;
use crate::view::text::plain;
use crate::view::time;
use api::Problem;
use api::v1::{Comparison, IssuesPage, Report, ScanAnswer};
use domain::time::Timestamp;
use futures::try_join;
use guest::Reply;
use issue_list::{IssueList, IssueRow, NOT_SEEN};
use maud::{Markup, html};
use url_state::UrlState;

/// The page.
///
/// # Errors
/// The API's problem, such as an unknown scan or an invalid filter.
pub(crate) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str, scan: &str) -> Result<Reply, Problem> {
    let state = UrlState::of(request);
    let base = address::api(&address::scan(project, scan));
    let list = |bucket| format!("{base}/issues?{}", state.query(bucket));
    let (new, common, remediated) = (list("new"), list("common"), list("remediated"));
    let (answer, new, common, remediated): (ScanAnswer, IssuesPage, IssuesPage, IssuesPage) = try_join!(
        request.api.get(&base),
        request.api.get(&new),
        request.api.get(&common),
        request.api.get(&remediated),
    )?;
    let accept_request = accept::pending(request, project, &answer).await?;
    let tally = answer.issues;
    let of = |bucket, title, all, page: IssuesPage| {
        let rows = page.items.into_iter().map(|issue| IssueRow::new(project, scan, issue, None)).collect();
        IssueList { bucket, title, all, matching: page.total, rows, next: page.next, sorted: true, state: &state }
    };
    let mut lists = vec![
        of("new", only_in(&answer), tally.new, new),
        of("common", common_to(&answer), tally.common, common),
        of("remediated", "Remediated".to_owned(), tally.remediated, remediated),
    ];
    if answer.issues.not_seen > 0 {
        let not_seen: IssuesPage = request.api.get(&list("not_seen")).await?;
        lists.push(of("not_seen", NOT_SEEN.to_owned(), tally.not_seen, not_seen));
    }
    let title = format!("{}:{}", answer.scan.target.name, answer.scan.variant);
    let body = html! {
        (summary::verdict(answer.verdict, answer.no_threshold, &answer.reasons))
        (accept::section(request, project, &answer, accept_request.as_ref()))
        (facts(project, &answer, request.now))
        (blind_spots::section(&answer.report))
        div id="results" class="stack" {
            (filters::tiles(&state, &answer.variables))
            (filters::filters(&state, &[], &[]))
            div class="beside" {
                div class="stack" { @for list in &lists { (list.shown(request.now)) } }
                aside id="detail" aria-label="Issue" tabindex="-1" {}
            }
        }
    };
    let window = format!("{title} · {}", answer.scan.scanner);
    let page = Page::of(project, Section::Tests, title, body).window(window);
    Ok(page.below(address::scans(project), "Security tests").reply(request))
}

/// The title of the list of new issues.
fn only_in(answer: &ScanAnswer) -> String {
    format!("Only in {}:{}", answer.scan.target.name, answer.scan.variant)
}

/// The title of the list of common issues.
fn common_to(answer: &ScanAnswer) -> String {
    match (answer.comparison.with.as_str(), &answer.comparison.variant) {
        ("baseline", Some(variant)) => format!("Common to {}:{variant}", answer.scan.target.name),
        ("accepted", _) => "Common to the last accepted scan".to_owned(),
        (_, _) => "Common to the previous scan".to_owned(),
    }
}

fn facts(project: &str, answer: &ScanAnswer, now: Timestamp) -> Markup {
    let (scan, report) = (&answer.scan, &answer.report);
    let base = address::project(project);
    let issues = answer.issues.new + answer.issues.common + answer.issues.exempted;
    html! {
        dl class="facts card" {
            dt { "Scanned" }
            dd {
                a href=(address::target(project, &scan.target.name)) { bdi { (scan.target.name) } }
                ", variant " bdi { (plain(&scan.variant)) } ", with " (plain(&scan.scanner))
                @if let Some(version) = &scan.scanner_version { " " (plain(version)) }
                @if !scan.categories.is_empty() { " (" bdi { (plain(&scan.categories.join(", "))) } ")" }
                ", " (time::relative(&scan.received_at, now)) " by " bdi { (plain(&scan.uploaded_by)) }
            }
            @if let (Some(pipeline), Some(execution)) = (&scan.pipeline, &scan.execution) {
                dt { "Execution" }
                dd {
                    a href=(address::execution(project, pipeline, execution)) {
                        bdi { (plain(pipeline)) } " " bdi { (plain(execution)) }
                    }
                }
            }
            dt { "Compared with" }
            dd { (compared(&base, &answer.comparison)) (first_scan(answer)) }
            dt { "Gate" }
            dd { (gate(answer)) }
            dt { "Report" }
            dd { (summary::share(report.findings, issues)) (other_results(report)) }
            @if let Some(original) = scan.replay_of {
                dt { "Replay" }
                dd { "Replay of " a href={ (base) "/scans/" (original) } { "an earlier scan" } ". It does not count anywhere." }
            }
            @if let Some(source) = &scan.source {
                dt { "Source" }
                dd {
                    @if let Some(commit) = &source.commit { code { (commit.get(..12).unwrap_or(commit)) } " " }
                    @if let Some(branch) = &source.branch { bdi { (plain(branch)) } }
                }
            }
        }
        (evidence::section(&base, report))
        @if !report.complete { p class="notice care" { (incomplete(report)) } }
    }
}

/// The reference scan, or the reason why there is none.
pub(crate) fn compared(base: &str, comparison: &Comparison) -> Markup {
    let variant = comparison.variant.as_deref().unwrap_or("its pattern");
    html! {
        @match (comparison.with.as_str(), comparison.scan) {
            ("baseline", Some(scan)) => {
                "The baseline " a href={ (base) "/scans/" (scan) } { bdi { (plain(variant)) } }
            },
            ("previous", Some(scan)) => {
                a href={ (base) "/scans/" (scan) } { "The previous scan" } " of this variant"
            },
            ("baseline_not_scanned_by_this_scanner", _) => {
                "Nothing: the baseline (" bdi { (plain(variant)) } ") has no scan by this scanner yet"
            },
            ("baseline_incomplete", _) => {
                "Nothing: all scans of the baseline (" bdi { (plain(variant)) } ") by this scanner are incomplete"
            },
            ("baseline_untrusted", _) => {
                "Nothing: the baseline (" bdi { (plain(variant)) } ") was scanned by this scanner only with tokens that may not \
                 upload baselines"
            },
            ("accepted", Some(scan)) => {
                a href={ (base) "/scans/" (scan) } { "The last accepted scan" } " of this variant"
                @if let Some(previous) = comparison.previous {
                    ", because "
                    a href={ (base) "/scans/" (previous) } { "the previous scan" }
                    " is not accepted"
                }
            },
            _ if comparison.previous.is_some() => {
                "Nothing: no scan of this variant is accepted, so all issues are new"
            },
            _ => "Nothing: this is the first scan, so all issues are new",
        }
    }
}

/// The acceptance of the first scan of a variant.
fn first_scan(answer: &ScanAnswer) -> &'static str {
    let compared = &answer.comparison;
    let is_first = compared.with == "none" && compared.previous.is_none() && answer.scan.replay_of.is_none();
    match (is_first, answer.accepted_as_first) {
        (true, Some(true)) => ". As the first scan of its variant it is accepted: the next scan is compared with it",
        (true, Some(false)) => ". It is not accepted, so the next scan is not compared with it",
        // An answer of an earlier version does not state it.
        (true, None) if answer.report.complete => ". The next scan is compared with it",
        (_, _) => "",
    }
}

fn gate(answer: &ScanAnswer) -> Markup {
    let scan = &answer.scan;
    let uploaded = [&scan.fail_on_severity, &scan.fail_on_new, &scan.fail_on_new_occurrences];
    let applied = match &answer.thresholds {
        Some(applied) => [&applied.fail_on_severity, &applied.fail_on_new, &applied.fail_on_new_occurrences],
        None => uploaded,
    };
    let [severity, new, occurrences] = applied;
    let thresholds = [("any issue", severity), ("a new issue", new), ("a new occurrence", occurrences)];
    let set: Vec<_> = thresholds.iter().filter(|(_, severity)| !severity.eq_ignore_ascii_case("none")).collect();
    html! {
        @if set.is_empty() { "No threshold is set, so the gate cannot fail" }
        @else {
            "Fails on "
            @for (at, (subject, severity)) in set.iter().enumerate() {
                @if at > 0 { ", " }
                (subject) " of severity " strong { (plain(severity)) } " or higher"
            }
            @if applied != uploaded { "; the project requires more than the upload" }
        }
    }
}

/// The results of the report that are not findings.
fn other_results(report: &Report) -> Markup {
    let parts = [
        (report.passed, "passed"),
        (report.not_applicable, "not applicable"),
        (report.closed, "closed"),
        (report.suppressed, "suppressed by the scanner"),
        (report.rejected_total, "unreadable"),
    ];
    let others: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, kind)| format!("{number} {kind}")).collect();
    html! { @if !others.is_empty() { " Other results: " (others.join(", ")) "." } }
}

/// The reasons why the scan is incomplete.
fn incomplete(report: &Report) -> Markup {
    html! {
        "The scan is incomplete. It shows no issue as remediated, and other scans are not compared with it. "
        @if report.rejected_total > 0 {
            (count(report.rejected_total, "result")) " could not be read"
            @if let Some(first) = report.rejected.first() {
                " (result " (first.result) ": " bdi { (crate::view::text::cut(&first.reason, 300)) } ")"
            }
            ". "
        }
        @if report.scanner_errors_total > 0 {
            "Errors of the scanner: "
            @for error in report.scanner_errors.iter().take(3) { bdi { (crate::view::text::cut(error, 300)) } ". " }
        }
        @if !report.missing.is_empty() { "Missing parts: " bdi { (plain(&report.missing.join(", "))) } "." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, SCAN, issue, scan, session, text, with_get};
    use domain::role::Role;
    use serde_json::{Value, json};

    const DEFAULT: &str = "critical%2Chigh%2Cmedium%2Clow%2Cinfo%2Cunassigned";

    fn api(answer: &Value, counted_as: &str, new: &Value) -> FakeApi {
        let path = format!("GET /api/v1/projects/shop/scans/{SCAN}");
        let list = |bucket: &str| format!("{path}/issues?bucket={bucket}&limit=25&counted_as={counted_as}");
        let none = json!({"items": [], "total": 0});
        FakeApi::default()
            .answer(&path, answer)
            .answer(&list("new"), new)
            .answer(&list("common"), &none)
            .answer(&list("remediated"), &none)
    }

    fn shown(api: &FakeApi, query: &str) -> String {
        let url = format!("/projects/shop/scans/{SCAN}{query}");
        let session = session(Role::Viewer);
        text(&with_get(api, &session, &url, async |request| page(request, "shop", SCAN).await).unwrap())
    }

    #[test]
    fn the_verdict_comes_first_with_its_reason() {
        let api =
            api(&scan(), DEFAULT, &json!({"items": [issue("Shell <script>alert(1)</script>\u{202e}")], "total": 3}));
        let page = shown(&api, "");
        let places = [
            "<h1>",
            "badge verdict fail",
            "fail_on_severity is set to critical",
            "Filter by severity",
            "Only in web:feature",
        ];
        let found: Vec<_> =
            places.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part}: {page}"))).collect();
        assert!(found.is_sorted(), "{found:?}");
        assert!(page.contains("Common to web:main") && page.contains("50\u{a0}%"), "9 issues of 18 results");
        assert!(page.contains("Shell &lt;script&gt;alert(1)&lt;/script&gt;[U+202E]") && !page.contains("<script>"));
        assert!(page.contains("/projects/shop/pipelines/build/executions/17"));
    }

    #[test]
    fn a_first_scan_says_if_it_is_accepted() {
        let says = |accepted: Option<bool>, complete: bool| {
            let mut answer = scan();
            answer["comparison"] = json!({"with": "none"});
            answer["accepted_as_first"] = json!(accepted);
            answer["report"]["complete"] = json!(complete);
            shown(&api(&answer, DEFAULT, &json!({"items": [], "total": 0})), "")
        };
        let next = "he next scan is compared with it";
        let accepted = says(Some(true), true);
        assert!(
            accepted.contains("As the first scan of its variant it is accepted: the next scan is compared with it")
        );
        let not = says(Some(false), false);
        assert!(not.contains("It is not accepted, so the next scan is not compared with it") && !not.contains(next));
        assert!(says(None, true).contains(next), "an answer of an earlier version");
        assert!(!says(None, false).contains(next));
        assert!(!shown(&api(&scan(), DEFAULT, &json!({"items": [], "total": 0})), "").contains(next), "a branch");
    }

    #[test]
    fn the_exempted_tile_shows_exempted_issues() {
        let api = api(&scan(), "exempted", &json!({"items": [issue("Known risk")], "total": 4}));
        let page = shown(&api, "?show=exempted");
        assert!(
            page.contains(r#"aria-pressed="true"><span class="count">4</span><span class="name">Exempted"#),
            "{page}"
        );
        assert!(page.contains("Known risk") && page.contains(r#"class="soft">(4)"#));
    }

    #[test]
    fn issues_that_were_not_seen_have_a_list_of_their_own() {
        let mut blind = scan();
        blind["issues"]["not_seen"] = json!(1);
        let mut hidden = issue("Hidden risk");
        hidden["bucket"] = json!("not_seen");
        hidden["occurrences"] = json!({"total": 0, "new": 0, "common": 0, "remediated": 0, "not_seen": 7});
        let path =
            format!("GET /api/v1/projects/shop/scans/{SCAN}/issues?bucket=not_seen&limit=25&counted_as={DEFAULT}");
        let none = json!({"items": [], "total": 0});
        let api = api(&blind, DEFAULT, &none).answer(&path, &json!({"items": [hidden], "total": 1}));
        let page = shown(&api, "");
        let list = page.split(NOT_SEEN).nth(1).unwrap_or_else(|| panic!("no list: {page}"));
        assert!(list.contains("Hidden risk") && list.contains(r#"data-label="Occurrences">7</td>"#), "{list}");
    }

    #[test]
    fn a_scan_without_a_reference_scan_explains_it() {
        let mut first = scan();
        first["comparison"] = json!({"with": "none"});
        first["verdict"] = json!("pass");
        first["reasons"] = json!([]);
        first["report"]["complete"] = json!(false);
        first["report"]["rejected_total"] = json!(2);
        first["report"]["rejected"] = json!([{"result": 5, "reason": "no <rule>"}]);
        let page = shown(&api(&first, DEFAULT, &json!({"items": [], "total": 0})), "");
        for part in [
            "this is the first scan",
            "No issue reached a threshold",
            "result 5: <bdi>no &lt;rule&gt;</bdi>",
            "2 results could not be read",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}
