//! The issue in earlier scans and other targets, and the explanation of an occurrence's bucket.

use super::window_title;
use crate::address::{self, IssueIds};
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::scan::compared;
use crate::request::PageRequest;
use crate::view::list::count;
use crate::view::text::{cut, plain};
use crate::view::{badge, time};
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{AffectedTarget, Explanation, IssueItem, ScanAnswer, ScanItem};
use domain::comparison::Bucket;
use futures::future::try_join_all;
use futures::try_join;
use guest::Reply;
use maud::{Markup, html};

/// The number of scans of the target that are shown.
const SCANS_SHOWN: usize = 10;
/// The longest place in the title of a window, in characters.
const PLACE_CHARS: usize = 60;

/// The link to [`page`], whose content htmx loads in its place.
pub(super) fn placeholder(ids: IssueIds<'_>) -> Markup {
    let path = format!("{}/elsewhere", ids.path());
    html! {
        section id="elsewhere" class="stack tight" hx-get=(path) hx-trigger="load" hx-select="#elsewhere" hx-swap="outerHTML" {
            p { a href=(path) { "Earlier scans and other targets" } " " span class="waiting" { "Loading …" } }
        }
    }
}

fn bucket_title(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::New => "New",
        Bucket::Common => "Common",
        Bucket::Remediated => "Remediated",
        Bucket::NotSeen => "Not seen",
    }
}

/// The page with earlier scans and other targets.
///
/// # Errors
/// The API's problem.
pub(super) async fn page<A: Api>(request: &PageRequest<'_, A>, ids: IssueIds<'_>) -> Result<Reply, Problem> {
    let api = address::api(&address::project(ids.project));
    let (scan_path, issue_path) = (address::api(&ids.scan_path()), address::api(&ids.path()));
    let (scan, issue): (ScanAnswer, IssueItem) = try_join!(request.api.get(&scan_path), request.api.get(&issue_path))?;
    let scans = format!(
        "{api}/scans?target={}&scanner={}&limit={SCANS_SHOWN}",
        segment(&scan.scan.target.name),
        segment(&scan.scan.scanner)
    );
    let targets = format!("{api}/issues/{}/targets?scan={}&limit=50", segment(ids.issue), segment(ids.scan));
    let (scans, targets): (page::Page<ScanItem>, page::Page<AffectedTarget>) =
        try_join!(request.api.get(&scans), request.api.get(&targets))?;
    let issues = scans.items.iter().map(async |item| {
        let path = format!("{api}/scans/{}/issues/{}", item.id, segment(ids.issue));
        request.api.find::<IssueItem>(&path).await
    });
    let issues = try_join_all(issues).await?;
    let body = html! {
        section id="elsewhere" class="stack" {
            (earlier_scans(request, ids, &scan, scans.items.iter().zip(&issues)))
            (other_targets(ids, &targets))
        }
    };
    let page = Page::of(ids.project, Section::Tests, "Issue in other scans and targets", body)
        .window(window_title("Other scans of ", &issue.title, &scan.scan))
        .below(ids.scan_path(), plain(&format!("{}:{}", scan.scan.target.name, scan.scan.variant)))
        .below(ids.path(), "Issue");
    Ok(page.reply(request))
}

fn earlier_scans<'a, A>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    scan: &ScanAnswer,
    rows: impl Iterator<Item = (&'a ScanItem, &'a Option<IssueItem>)>,
) -> Markup {
    html! {
        div class="table" {
            table class="folding" {
                caption { "Latest scans of " bdi { (plain(&scan.scan.target.name)) } " by this scanner" }
                thead { tr {
                    th scope="col" { "Scan" } th scope="col" { "Variant" } th scope="col" { "Issue" }
                } }
                tbody {
                    @for (item, issue) in rows {
                        @let path = address::scan(ids.project, item.id);
                        tr class=[(item.id.to_string() == ids.scan).then_some("chosen")] {
                            th scope="row" { a href=(path) { (time::relative(&item.answer.scan.received_at, request.now)) } }
                            td data-label="Variant" { bdi { (plain(&item.answer.scan.variant)) } }
                            td data-label="Issue" {
                                @match issue {
                                    None => span class="soft" { "Not found" },
                                    Some(issue) if issue.bucket == Bucket::Remediated => "Remediated",
                                    Some(issue) if issue.bucket == Bucket::NotSeen => "Not seen",
                                    Some(issue) => {
                                        (badge::severity(&issue.severity)) " "
                                        (count(issue.occurrences.total.into(), "occurrence"))
                                    },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn other_targets(ids: IssueIds<'_>, targets: &page::Page<AffectedTarget>) -> Markup {
    let affected: Vec<_> = targets.items.iter().filter(|target| target.affected).collect();
    html! {
        @if affected.is_empty() {
            p { "The issue is in no baseline of the " (targets.items.len()) " targets scanned by this scanner." }
        } @else {
            div class="table" {
                table class="folding" {
                    caption { "Targets with the issue in their baseline" }
                    thead { tr {
                        th scope="col" { "Target" } th scope="col" { "Variant" } th scope="col" { "Severity" }
                        th scope="col" class="number" { "Occurrences" }
                    } }
                    tbody {
                        @for target in affected {
                            @let path = address::issue(ids.project, target.scan, ids.issue);
                            tr {
                                th scope="row" { a href=(path) { bdi { (plain(&target.id)) } } }
                                td data-label="Variant" { bdi { (plain(&target.variant)) } }
                                td data-label="Severity" { @if let Some(severity) = &target.severity { (badge::severity(severity)) } }
                                td class="number" data-label="Occurrences" { (target.occurrences) }
                            }
                        }
                    }
                }
            }
        }
        @if targets.next.is_some() { p class="hint" { "More targets exist, which were not checked." } }
    }
}

/// The page that explains why an occurrence is new or common.
///
/// # Errors
/// The API's problem, such as an unknown occurrence.
pub(super) async fn explanation<A: Api>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    occurrence: &str,
) -> Result<Reply, Problem> {
    let (scan_path, issue_path) = (address::api(&ids.scan_path()), address::api(&ids.path()));
    let path = format!("{scan_path}/explain/{}", segment(occurrence));
    let (explanation, scan, issue): (Explanation, ScanAnswer, IssueItem) =
        try_join!(request.api.get(&path), request.api.get(&scan_path), request.api.get(&issue_path))?;
    let base = address::project(ids.project);
    let body = html! {
        div class="card stack tight" {
            h2 { bdi { (plain(&explanation.place)) } }
            p class="break" { (bucket_title(explanation.bucket)) ": " (plain(&explanation.because)) "." }
            p { "Compared with: " (compared(&base, &explanation.comparison)) "." }
            p class="hint" {
                "First seen " (time::relative(&explanation.first_seen.at, request.now)) " in a scan of "
                bdi { (plain(&explanation.first_seen.variant)) } "."
            }
        }
        @if !explanation.passed_over.is_empty() {
            h2 { "Occurrences that do not match" }
            ul class="stack tight" {
                @for other in &explanation.passed_over {
                    li class="card" { strong class="break" { bdi { (plain(&other.place)) } } p { (plain(&other.because)) } }
                }
            }
        }
    };
    let about = format!(
        "Why {} is {} · ",
        cut(&explanation.place, PLACE_CHARS),
        bucket_title(explanation.bucket).to_lowercase()
    );
    let page = Page::of(ids.project, Section::Tests, "Why an occurrence is new or common", body)
        .window(window_title(&about, &issue.title, &scan.scan))
        .below(ids.path(), "Issue");
    Ok(page.reply(request))
}
