//! What a decision would change: the newest scans, judged as things stand and as they would after it.

use super::offers::Decision;
use super::{base, call};
use crate::address;
use crate::client::Api;
use crate::view::{badge, list, notice, text, time};
use crate::visit::Visit;
use api::Problem;
use api::page::Page;
use api::path::segment;
use api::v1::{PreviewItem, PreviewOutcome};
use maud::{Markup, html};

/// How many scans a page shows.
const SCANS_SHOWN: usize = 25;

/// Which decision is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) decision: Decision,
    /// The scope of an approval, if it is another than was asked for.
    pub(super) scope: Option<String>,
    /// The pipeline of an approval at that scope.
    pub(super) pipeline: Option<String>,
    pub(super) cursor: String,
}

impl Wanted {
    /// What the query asks for.
    pub(super) fn of<A>(visit: &Visit<'_, A>) -> Option<Self> {
        let optional = |name: &str| Some(visit.text(name).to_owned()).filter(|text| !text.is_empty());
        let decision = Decision::named(visit.text("preview")).filter(|decision| *decision != Decision::Reopen)?;
        let cursor = visit.text("preview_cursor").to_owned();
        Some(Self { decision, scope: optional("scope"), pipeline: optional("pipeline"), cursor })
    }

    fn query(&self, name: &str) -> String {
        let named = [("scope", &self.scope), ("pipeline", &self.pipeline)];
        let named = named.map(|(name, value)| (name, value.as_deref().unwrap_or_default()));
        format!("{name}={}{}", self.decision.as_str(), address::query(named))
    }
}

/// The id of the section of an exemption's preview.
pub(super) fn section_id(id: &str) -> String {
    format!("preview-of-{id}")
}

/// Asks for it.
///
/// # Errors
/// The API's.
pub(super) async fn load<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    id: &str,
    wanted: &Wanted,
) -> Result<Page<PreviewItem>, Problem> {
    let rest = format!("/{}/preview?{}&limit={SCANS_SHOWN}", segment(id), wanted.query("decision"));
    let cursor = if wanted.cursor.is_empty() { String::new() } else { format!("&cursor={}", segment(&wanted.cursor)) };
    visit.api.get(&call(project, &format!("{rest}{cursor}"))).await
}

/// Shows it, or why there is none.
pub(super) fn section<A>(
    visit: &Visit<'_, A>,
    project: &str,
    id: &str,
    wanted: &Wanted,
    found: Result<Page<PreviewItem>, Problem>,
) -> Markup {
    let title = match wanted.decision {
        Decision::Approve => "What an approval changes",
        Decision::Reject => "What taking it back changes",
        Decision::Cancel | Decision::Reopen => "What cancelling changes",
    };
    html! {
        section id=(section_id(id)) class="stack tight" aria-label=(title) {
            h3 { (title) }
            @match found {
                Ok(page) => (scans(visit, project, id, wanted, &page)),
                Err(problem) => (notice::bad(&format!("There is no preview: {}.", problem.detail))),
            }
        }
    }
}

fn scans<A>(visit: &Visit<'_, A>, project: &str, id: &str, wanted: &Wanted, page: &Page<PreviewItem>) -> Markup {
    let changed = page.items.iter().filter(|item| item.now.verdict != item.then.verdict).count();
    let next = page.next.as_ref().map(|next| {
        format!("{}/{}?{}&preview_cursor={}", base(project), segment(id), wanted.query("preview"), segment(next))
    });
    html! {
        p {
            @match (page.items.len(), &next) {
                (0, None) => "No newest scan of a variant that it reaches has the issue, so nothing changes now. It counts for scans to come.",
                (0, Some(_)) => "None of the scans looked at so far has the issue; there are more to look at.",
                (all, _) => {
                    strong { (changed) } " of " (list::count(number(all), "newest scan")) " with the issue would get another verdict."
                }
            }
        }
        @if !page.items.is_empty() { (table(visit, project, &page.items)) }
        @if let Some(next) = &next {
            p { a href=(next) hx-get=(next) hx-select={ "#" (section_id(id)) } hx-target={ "#" (section_id(id)) } hx-swap="outerHTML" { "More scans of the preview" } }
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn table<A>(visit: &Visit<'_, A>, project: &str, items: &[PreviewItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Scans before and after the decision" {
            table class="folding" aria-label="Scans before and after the decision" {
                thead { tr {
                    th scope="col" { "Scan" } th scope="col" { "Verdict" }
                    th scope="col" class="number" { "Issues that count" } th scope="col" class="number" { "Exempted issues" }
                    th scope="col" { "Why it fails then" }
                } }
                tbody { @for item in items { (line(visit, project, item)) } }
            }
        }
    }
}

fn line<A>(visit: &Visit<'_, A>, project: &str, item: &PreviewItem) -> Markup {
    let scan = address::scan(project, item.id);
    let counting = |outcome: &PreviewOutcome| outcome.issues.new.saturating_add(outcome.issues.common);
    html! {
        tr {
            th scope="row" {
                a href=(scan) { bdi { (text::plain(&item.target)) } " · " bdi { (text::plain(&item.variant)) } }
                br; span class="hint" { (time::relative(&item.received_at, visit.now)) }
            }
            td data-label="Verdict" {
                (badge::verdict(item.now.verdict))
                @if item.now.verdict == item.then.verdict { " " span class="hint" { "stays" } }
                @else { (becomes()) (badge::verdict(item.then.verdict)) }
            }
            td class="number" data-label="Issues that count" { (change(counting(&item.now), counting(&item.then))) }
            td class="number" data-label="Exempted issues" { (change(item.now.issues.exempted, item.then.issues.exempted)) }
            td data-label="Why it fails then" {
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
