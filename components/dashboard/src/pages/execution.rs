//! The page of an execution: all scans that one run of a pipeline uploaded.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::scan::issue_list::{IssueList, IssueRow, NOT_SEEN};
use crate::pages::scan::url_state::UrlState;
use crate::pages::scan::{filters, summary};
use crate::pages::scans;
use crate::request::PageRequest;
use crate::view::text::plain;
use api::Problem;
use api::page;
use api::v1::{Execution, ExecutionIssue};
use futures::try_join;
use guest::Reply;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The page.
///
/// # Errors
/// The API's problem, such as an unknown execution or an invalid filter.
pub(crate) async fn page<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    pipeline: &str,
    execution: &str,
) -> Result<Reply, Problem> {
    let state = UrlState::of(request);
    let base = address::api(&address::execution(project, pipeline, execution));
    let list = |bucket| {
        let of = address::query(["target", "scanner"].map(|name| (name, state.get(name))));
        format!("{base}/issues?{}{of}", state.query(bucket))
    };
    let (new, common, remediated) = (list("new"), list("common"), list("remediated"));
    let (run, new, common, remediated): (Execution, Issues, Issues, Issues) = try_join!(
        request.api.get(&base),
        request.api.get(&new),
        request.api.get(&common),
        request.api.get(&remediated),
    )?;
    let tally = run.issues;
    let of = |bucket, title: &str, all, page: Issues| {
        let row = |item: ExecutionIssue| {
            IssueRow::new(project, &item.scan.to_string(), item.issue, Some((item.target, item.scanner)))
        };
        let rows = page.items.into_iter().map(row).collect();
        let title = title.to_owned();
        IssueList { bucket, title, all, matching: None, rows, next: page.next, sorted: false, state: &state }
    };
    let mut lists = vec![
        of("new", "Only in this execution", tally.new, new),
        of("common", "Common to the baselines or previous scans", tally.common, common),
        of("remediated", "Remediated", tally.remediated, remediated),
    ];
    if tally.not_seen > 0 {
        let not_seen: Issues = request.api.get(&list("not_seen")).await?;
        lists.push(of("not_seen", NOT_SEEN, tally.not_seen, not_seen));
    }
    let targets = names(&run, |item| item.answer.scan.target.name.clone());
    let scanners = names(&run, |item| item.answer.scan.scanner.clone());
    let body = html! {
        (verdict(project, &run))
        @if run.more_scans {
            p class="notice care" { "Only the newest 200 scans of the execution are shown." }
        }
        dl class="facts card" {
            dt { "Report" } dd { (summary::share(run.report_results, tally.new + tally.common + tally.exempted)) }
        }
        h2 { "Scans" }
        div class="table" { (scans::table(request, project, &run.scans, "Scans of the execution")) }
        @if !run.superseded.is_empty() {
            details class="fold" {
                summary { "Superseded scans, which do not count (" (run.superseded.len()) ")" }
                div class="table" { (scans::table(request, project, &run.superseded, "Superseded scans")) }
            }
        }
        div id="results" class="stack" {
            (filters::tiles(&state, &run.variables))
            (filters::filters(&state, &targets, &scanners))
            div class="beside" {
                div class="stack" { @for list in &lists { (list.shown(request.now)) } }
                aside id="detail" aria-label="Issue" tabindex="-1" {}
            }
        }
    };
    let title = format!("Execution {} of {}", run.execution, run.pipeline);
    let page = Page::of(project, Section::Tests, plain(&title), body).below(address::scans(project), "Security tests");
    Ok(page.reply(request))
}

type Issues = page::Page<ExecutionIssue>;

fn names(run: &Execution, of: impl Fn(&api::v1::ScanItem) -> String) -> Vec<String> {
    run.scans.iter().map(of).collect::<BTreeSet<_>>().into_iter().collect()
}

fn verdict(project: &str, run: &Execution) -> Markup {
    html! {
        (summary::verdict(run.verdict, run.scans.iter().all(|item| item.answer.no_threshold), &[]))
        @if !run.missing_scanners.is_empty() {
            p class="notice care" {
                "The project requires scanners that have not reported: "
                @for (at, missing) in run.missing_scanners.iter().enumerate() {
                    @if at > 0 { "; " }
                    (plain(&missing.scanner)) " for " bdi { (plain(&missing.target)) } ", "
                    bdi { (plain(&missing.variant)) }
                }
                "."
            }
        }
        @if !run.reasons.is_empty() {
            ul class="stack tight" {
                @for reason in &run.reasons {
                    li class="break" {
                        a href=(address::scan(project, reason.scan)) {
                            bdi { (plain(&reason.target)) } ", " (plain(&reason.scanner))
                        }
                        ": " (plain(&reason.reason))
                    }
                }
            }
        }
    }
}
