//! The effect of a decision: verdict and counts of the newest scans, before and after it.

use crate::address;
use crate::client::Api;
use crate::request::PageRequest;
use crate::view::{badge, list, notice, text, time};
use api::Problem;
use api::page::Page;
use api::path::segment;
use api::v1::{PreviewItem, PreviewOutcome};
use domain::exemption::Decision;
use maud::{Markup, html};

/// Scans on a page of a preview.
const SCANS_SHOWN: usize = 25;

/// The decision to preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PreviewQuery {
    pub(super) decision: Decision,
    /// The scope of an approval; absent: the requested scope.
    pub(super) scope: Option<String>,
    /// The pipeline of an approval with that scope.
    pub(super) pipeline: Option<String>,
    pub(super) cursor: String,
}

impl PreviewQuery {
    /// The preview in the query of a page; `None` if it has none.
    pub(super) fn of<A>(request: &PageRequest<'_, A>) -> Option<Self> {
        let optional = |name: &str| Some(request.text(name).to_owned()).filter(|text| !text.is_empty());
        let decision =
            request.text("preview").parse::<Decision>().ok().filter(|decision| *decision != Decision::Reopen)?;
        let cursor = request.text("preview_cursor").to_owned();
        Some(Self { decision, scope: optional("scope"), pipeline: optional("pipeline"), cursor })
    }

    /// The query, with the decision in the parameter `name`.
    fn query(&self, name: &str) -> String {
        let parameters = [("scope", &self.scope), ("pipeline", &self.pipeline)];
        let parameters = parameters.map(|(name, value)| (name, value.as_deref().unwrap_or_default()));
        format!("{name}={}{}", self.decision.as_str(), address::query(parameters))
    }
}

/// The HTML id of an exemption's preview.
pub(super) fn section_id(id: &str) -> String {
    format!("preview-of-{id}")
}

/// Gets a page of the preview.
///
/// # Errors
/// The API's problem.
pub(super) async fn load<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    query: &PreviewQuery,
) -> Result<Page<PreviewItem>, Problem> {
    let path = address::api(&address::exemption(project, id));
    let cursor = address::query([("cursor", query.cursor.as_str())]);
    request.api.get(&format!("{path}/preview?{}&limit={SCANS_SHOWN}{cursor}", query.query("decision"))).await
}

/// The preview, or the error of the API.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    query: &PreviewQuery,
    scans: Result<Page<PreviewItem>, Problem>,
) -> Markup {
    let title = match query.decision {
        Decision::Approve => "Effect of the approval",
        Decision::Reject => "Effect of the revocation",
        Decision::Withdraw | Decision::Reopen => "Effect of the withdrawal",
    };
    html! {
        section id=(section_id(id)) class="stack tight" aria-label=(title) {
            h3 { (title) }
            @match scans {
                Ok(page) => (content(request, project, id, query, &page)),
                Err(problem) => (notice::bad(&format!("The preview failed: {}.", problem.detail))),
            }
        }
    }
}

fn content<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    query: &PreviewQuery,
    page: &Page<PreviewItem>,
) -> Markup {
    let changed = page.items.iter().filter(|item| item.now.verdict != item.then.verdict).count();
    let next = page.next.as_ref().map(|next| {
        let path = address::exemption(project, id);
        format!("{path}?{}&preview_cursor={}", query.query("preview"), segment(next))
    });
    html! {
        p {
            @match (page.items.len(), &next) {
                (0, None) => "No newest scan in this scope has the issue, so no verdict changes now. The decision affects later scans only.",
                (0, Some(_)) => "None of the scans checked so far has the issue. There are more scans to check.",
                (all, _) => {
                    strong { (changed) } " of " (list::count(number(all), "newest scan")) " with the issue would get another verdict."
                }
            }
        }
        @if !page.items.is_empty() { (table(request, project, &page.items)) }
        @if let Some(next) = &next {
            p { a href=(next) hx-get=(next) hx-select={ "#" (section_id(id)) } hx-target={ "#" (section_id(id)) } hx-swap="outerHTML" { "Next scans of the preview" } }
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn table<A>(request: &PageRequest<'_, A>, project: &str, items: &[PreviewItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Scans before and after the decision" {
            table class="folding" aria-label="Scans before and after the decision" {
                thead { tr {
                    th scope="col" { "Scan" } th scope="col" { "Verdict" }
                    th scope="col" class="number" { "Counted issues" } th scope="col" class="number" { "Exempted issues" }
                    th scope="col" { "Reasons after the decision" }
                } }
                tbody { @for item in items { (row(request, project, item)) } }
            }
        }
    }
}

fn row<A>(request: &PageRequest<'_, A>, project: &str, item: &PreviewItem) -> Markup {
    let scan = address::scan(project, item.id);
    let counted = |outcome: &PreviewOutcome| outcome.issues.new.saturating_add(outcome.issues.common);
    html! {
        tr {
            th scope="row" {
                a href=(scan) { bdi { (text::plain(&item.target)) } " · " bdi { (text::plain(&item.variant)) } }
                br; span class="hint" { (time::relative(&item.received_at, request.now)) }
            }
            td data-label="Verdict" {
                (badge::verdict(item.now.verdict, item.now.no_threshold))
                @if item.now.verdict == item.then.verdict { " " span class="hint" { "unchanged" } }
                @else { (becomes()) (badge::verdict(item.then.verdict, item.then.no_threshold)) }
            }
            td class="number" data-label="Counted issues" { (change(counted(&item.now), counted(&item.then))) }
            td class="number" data-label="Exempted issues" { (change(item.now.issues.exempted, item.then.issues.exempted)) }
            td data-label="Reasons after the decision" {
                @match item.then.reasons.as_slice() {
                    [] => "–",
                    reasons => ul { @for reason in reasons.iter().take(5) { li class="break" { (text::cut(reason, 300)) } } },
                }
            }
        }
    }
}

fn becomes() -> Markup {
    html! { " " span aria-hidden="true" { "→" } span class="unseen" { "becomes" } " " }
}

fn change(now: u64, then: u64) -> Markup {
    html! { (now) @if now != then { (becomes()) (then) } }
}
