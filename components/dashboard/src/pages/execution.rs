//! The run of a pipeline: its scans as one.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::scan::head;
use crate::pages::scan::lists::{List, Row};
use crate::pages::scan::state::State;
use crate::pages::{scans, shown};
use crate::view::text::plain;
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::v1::{Execution, ExecutionIssue};
use futures::try_join;
use guest::Reply;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The page of a pipeline's run.
///
/// # Errors
/// There is no such run, a filter is not legal, or the API failed.
pub(crate) async fn page<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    pipeline: &str,
    execution: &str,
) -> Result<Reply, Problem> {
    let state = State::of(visit);
    let base = address::api(&address::execution(project, pipeline, execution));
    let list = |bucket| {
        let of = address::query(["target", "scanner"].map(|name| (name, state.get(name))));
        format!("{base}/issues?{}{of}", state.query(bucket))
    };
    let (new, common, remediated) = (list("new"), list("common"), list("remediated"));
    let (run, new, common, remediated): (Execution, Issues, Issues, Issues) =
        try_join!(visit.api.get(&base), visit.api.get(&new), visit.api.get(&common), visit.api.get(&remediated),)?;
    let tally = run.issues;
    let of = |bucket, title: &str, all, page: Issues| {
        let row = |item: ExecutionIssue| {
            Row::new(project, &item.scan.to_string(), item.issue, Some((item.target, item.scanner)))
        };
        let rows = page.items.into_iter().map(row).collect();
        let title = title.to_owned();
        List { bucket, title, all, matching: None, rows, next: page.next, sorted: false, state: &state }
    };
    let lists = [
        of("new", "Only in this execution", tally.new, new),
        of("common", "Common to the baselines or previous scans", tally.common, common),
        of("remediated", "Remediated", tally.remediated, remediated),
    ];
    let targets = names(&run, |item| item.answer.scan.target.name.clone());
    let scanners = names(&run, |item| item.answer.scan.scanner.clone());
    let body = html! {
        (verdict(project, &run))
        @if run.more_scans {
            p class="notice care" { "The execution has more scans than the newest 200, which are all that is known of it here." }
        }
        dl class="facts card" {
            dt { "Report" } dd { (head::share(run.report_results, tally.new + tally.common + tally.exempted)) }
        }
        h2 { "Scans" }
        div class="table" { (scans::table(visit, project, &run.scans, "Scans of the execution")) }
        @if !run.superseded.is_empty() {
            details class="fold" {
                summary { "Scans that were made again and do not count (" (run.superseded.len()) ")" }
                div class="table" { (scans::table(visit, project, &run.superseded, "Scans that do not count")) }
            }
        }
        div id="results" class="stack" {
            (head::tiles(&state, &run.variables))
            (head::filters(&state, &targets, &scanners))
            div class="beside" {
                div class="stack" { @for list in &lists { (list.shown(visit.now)) } }
                aside id="detail" aria-label="Issue" tabindex="-1" {}
            }
        }
    };
    let title = format!("Execution {} of {}", run.execution, run.pipeline);
    let page = Page::of(project, Section::Tests, plain(&title), body).below(address::scans(project), "Security tests");
    Ok(shown(visit, page))
}

type Issues = page::Page<ExecutionIssue>;

fn names(run: &Execution, of: impl Fn(&api::v1::ScanItem) -> String) -> Vec<String> {
    run.scans.iter().map(of).collect::<BTreeSet<_>>().into_iter().collect()
}

fn verdict(project: &str, run: &Execution) -> Markup {
    html! {
        (head::verdict(run.verdict, &[]))
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
