//! Where else an issue is: in earlier scans of the target, in other targets, and why an occurrence is new or known.

use super::Named;
use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::view::text::plain;
use crate::view::{badge, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{AffectedTarget, Explanation, IssueItem, ScanAnswer, ScanItem};
use domain::comparison::Bucket;
use futures::future::try_join_all;
use futures::try_join;
use guest::Reply;
use maud::{Markup, html};

/// How many of the target's scans are looked at.
const SCANS: usize = 10;

/// The way to it, which htmx follows by itself.
pub(super) fn teaser(named: Named<'_>) -> Markup {
    let path = format!("{}/elsewhere", named.path());
    html! {
        section id="elsewhere" class="stack tight" hx-get=(path) hx-trigger="load" hx-select="#elsewhere" hx-swap="outerHTML" {
            p { a href=(path) { "Earlier scans and other targets" } " " span class="waiting" { "Loading" } }
        }
    }
}

/// The page of where else an issue is.
///
/// # Errors
/// There is no such scan, or the API failed.
pub(super) async fn page<A: Api>(visit: &Visit<'_, A>, named: Named<'_>) -> Result<Reply, Problem> {
    let api = address::api(&address::project(named.project));
    let scan: ScanAnswer = visit.api.get(&address::api(&named.scan_path())).await?;
    let scans = format!(
        "{api}/scans?target={}&scanner={}&limit={SCANS}",
        segment(&scan.scan.target.name),
        segment(&scan.scan.scanner)
    );
    let targets = format!("{api}/issues/{}/targets?scan={}&limit=50", segment(named.issue), segment(named.scan));
    let (scans, targets): (page::Page<ScanItem>, page::Page<AffectedTarget>) =
        try_join!(visit.api.get(&scans), visit.api.get(&targets))?;
    let looked_at = scans.items.iter().map(async |item| {
        let path = format!("{api}/scans/{}/issues/{}", item.id, segment(named.issue));
        visit.api.find::<IssueItem>(&path).await
    });
    let found = try_join_all(looked_at).await?;
    let body = html! {
        section id="elsewhere" class="stack" {
            (earlier(visit, named, &scan, scans.items.iter().zip(&found)))
            (others(named, &targets))
        }
    };
    let page = Page::of(named.project, Section::Tests, "Where else the issue is", body)
        .below(named.scan_path(), plain(&format!("{}:{}", scan.scan.target.name, scan.scan.variant)))
        .below(named.path(), "Issue");
    Ok(shown(visit, page))
}

fn earlier<'a, A>(
    visit: &Visit<'_, A>,
    named: Named<'_>,
    scan: &ScanAnswer,
    rows: impl Iterator<Item = (&'a ScanItem, &'a Option<IssueItem>)>,
) -> Markup {
    html! {
        div class="table" {
            table class="folding" {
                caption { "The last scans of " bdi { (plain(&scan.scan.target.name)) } " by this scanner" }
                thead { tr {
                    th scope="col" { "Scan" } th scope="col" { "Variant" } th scope="col" { "Issue" }
                } }
                tbody {
                    @for (item, issue) in rows {
                        @let path = address::scan(named.project, item.id);
                        tr class=[(item.id.to_string() == named.scan).then_some("chosen")] {
                            th scope="row" { a href=(path) { (time::relative(&item.answer.scan.received_at, visit.now)) } }
                            td data-label="Variant" { bdi { (plain(&item.answer.scan.variant)) } }
                            td data-label="Issue" {
                                @match issue {
                                    None => span class="soft" { "Not there" },
                                    Some(issue) if issue.bucket == Bucket::Remediated => "Gone",
                                    Some(issue) => {
                                        (badge::severity(&issue.severity)) " "
                                        (issue.occurrences.total) @if issue.occurrences.total == 1 { " place" } @else { " places" }
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

fn others(named: Named<'_>, targets: &page::Page<AffectedTarget>) -> Markup {
    let affected: Vec<_> = targets.items.iter().filter(|target| target.affected).collect();
    html! {
        @if affected.is_empty() {
            p { "It is in the baseline of none of the " (targets.items.len()) " targets that this scanner scanned." }
        } @else {
            div class="table" {
                table class="folding" {
                    caption { "Targets whose baseline has it" }
                    thead { tr {
                        th scope="col" { "Target" } th scope="col" { "Variant" } th scope="col" { "Severity" }
                        th scope="col" class="number" { "Occurrences" }
                    } }
                    tbody {
                        @for target in affected {
                            @let path = address::issue(named.project, target.scan, named.issue);
                            tr {
                                th scope="row" { a href=(path) { bdi { (plain(&target.id)) } } }
                                td data-label="Variant" { bdi { (plain(&target.variant)) } }
                                td data-label="Severity" { @if let Some(level) = &target.severity { (badge::severity(level)) } }
                                td class="number" data-label="Occurrences" { (target.occurrences) }
                            }
                        }
                    }
                }
            }
        }
        @if targets.next.is_some() { p class="hint" { "Not all targets were looked at: there are more." } }
    }
}

/// The page of why an occurrence is new or known.
///
/// # Errors
/// There is no such occurrence, or the API failed.
pub(super) async fn explanation<A: Api>(
    visit: &Visit<'_, A>,
    named: Named<'_>,
    occurrence: &str,
) -> Result<Reply, Problem> {
    let path = format!("{}/explain/{}", address::api(&named.scan_path()), segment(occurrence));
    let told: Explanation = visit.api.get(&path).await?;
    let body = html! {
        div class="card stack tight" {
            h2 { bdi { (plain(&told.place)) } }
            p { @if told.bucket == Bucket::New { "It is new: " } @else { "It is known: " } (plain(&told.because)) "." }
            p class="hint" {
                "First seen " (time::relative(&told.first_seen.at, visit.now)) " in a scan of "
                bdi { (plain(&told.first_seen.variant)) } "."
            }
        }
        @if !told.passed_over.is_empty() {
            h2 { "What it was not taken for" }
            ul class="stack tight" {
                @for other in &told.passed_over {
                    li class="card" { strong class="break" { bdi { (plain(&other.place)) } } p { (plain(&other.because)) } }
                }
            }
        }
    };
    let page =
        Page::of(named.project, Section::Tests, "Why an occurrence is new or known", body).below(named.path(), "Issue");
    Ok(shown(visit, page))
}
