//! An exemption with all that is known of it, what a decision would change, and the decision.

use super::offers::{self, Decision, Reader};
use super::row::own;
use super::{base, call, preview, words};
use crate::address;
use crate::answer;
use crate::client::{Api, is_refusal};
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::view::{badge, notice, text, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{ExemptionItem, PreviewItem, ProjectAnswer};
use domain::exemption::{Scope, Status};
use guest::Reply;
use maud::{Markup, html};

/// The page, with the preview that the query asks for.
///
/// # Errors
/// The API's.
pub(super) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str, id: &str) -> Result<Reply, Problem> {
    let asked = Asked { form: &Form::default(), preview: preview::Wanted::of(visit), refused: None };
    shown(visit, project, id, &asked).await
}

/// The page with a preview of what its form says.
///
/// # Errors
/// The API's.
pub(super) async fn previewed<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    id: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let optional = |name: &str| form.optional(name).map(str::to_owned);
    let decision = Decision::named(form.text("decision")).unwrap_or(Decision::Approve);
    let wanted =
        preview::Wanted { decision, scope: optional("scope"), pipeline: optional("pipeline"), cursor: String::new() };
    shown(visit, project, id, &Asked { form, preview: Some(wanted), refused: None }).await
}

/// The page after its form was refused.
///
/// # Errors
/// The API's.
pub(super) async fn again<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    id: &str,
    form: &Form,
    refused: Option<&Problem>,
) -> Result<Reply, Problem> {
    shown(visit, project, id, &Asked { form, preview: None, refused }).await
}

/// What the page is asked to show beside the exemption.
struct Asked<'a> {
    /// What was typed.
    form: &'a Form,
    preview: Option<preview::Wanted>,
    refused: Option<&'a Problem>,
}

/// A preview: what was looked at, and what was found.
type Previewed = (preview::Wanted, Result<page::Page<PreviewItem>, Problem>);

async fn shown<A: Api>(visit: &Visit<'_, A>, project: &str, id: &str, asked: &Asked<'_>) -> Result<Reply, Problem> {
    let one = call(project, &format!("/{}", segment(id)));
    let about = address::api(&address::project(project));
    let look = async {
        match asked.preview.clone() {
            None => Ok(None),
            Some(wanted) => match preview::load(visit, project, id, &wanted).await {
                Err(problem) if !is_refusal(&problem) => Err(problem),
                found => Ok(Some((wanted, found))),
            },
        }
    };
    let (item, about, previewed) =
        futures::try_join!(visit.api.get::<ExemptionItem>(&one), visit.api.get::<ProjectAnswer>(&about), look)?;
    let reader = Reader::of(visit, about.settings.self_approval.unwrap_or_default());
    let body = html! {
        @if let Some(problem) = asked.refused { (notice::bad(&format!("Nothing was decided: {}.", problem.detail))) }
        @if item.returned_from.is_some() && item.status == Status::Pending { p class="notice care" { (words::RETURNED) } }
        (facts(visit, project, &item))
        (decisions(visit, project, &item, &reader, asked, previewed))
    };
    let title = text::cut(&item.title, 300).into_owned();
    let page = Page::of(project, Section::Exemptions, title, body).below(base(project), "Exemptions");
    Ok(answer::page(asked.refused.map_or(200, |problem| problem.code.status()), page.framed(visit)))
}

fn facts<A>(visit: &Visit<'_, A>, project: &str, item: &ExemptionItem) -> Markup {
    let now = visit.now;
    let scan = address::scan(project, item.scan);
    html! {
        section class="card stack tight" aria-label="What is known of it" {
            p { (badge::status(item.status)) " " (badge::severity(&item.severity)) (words::marks(item)) }
            (words::why(item, true))
            dl class="facts" {
                dt { "Issue" }
                dd { a href={ (scan) "/issues/" (segment(&item.issue)) } { "The issue in the scan in which it was seen" } " (" (item.scanner) ")" }
                dt { @if item.status == Status::Approved { "Holds for" } @else { "Asked for" } }
                dd { (words::reach(item)) }
                @if let Some(asked) = item.requested_scope { dt { "Was asked for" } dd { (words::scope(asked)) } }
                dt { "How long" } dd { (words::term(item, now)) }
                dt { "Asked for by" } dd { bdi { (text::plain(&item.requested_by)) } " " (time::relative(&item.requested_at, now)) }
                @if item.status != Status::Pending { dt { "Last decision" } dd { (words::decided(item, now)) } }
                @if item.self_approved { dt { "Self-approved" } dd { "Who approved it had asked for it, as the project then allowed." } }
                @if let Some(from) = item.returned_from {
                    dt { "Came back from" }
                    dd { a href={ (base(project)) "/" (from) } { "The exemption of the code before it was edited or moved" } }
                }
                dt { "Id" } dd { code { (item.id) } }
            }
            @if !item.occurrences.is_empty() {
                details {
                    summary { "The chosen occurrences" }
                    ul { @for id in &item.occurrences { li { code { (id) } } } }
                }
            }
        }
    }
}

fn decisions<A>(
    visit: &Visit<'_, A>,
    project: &str,
    item: &ExemptionItem,
    reader: &Reader<'_>,
    asked: &Asked<'_>,
    previewed: Option<Previewed>,
) -> Markup {
    let path = format!("{}/{}", base(project), segment(&item.id));
    let offers = reader.offers(item);
    html! {
        @if !offers.is_empty() || reader.is_own(item) || previewed.is_some() {
            section class="card stack" aria-label="Decision" {
                h2 { "Decision" }
                @if reader.is_own(item) { (own()) }
                @if !offers.is_empty() {
                    form method="post" action={ (path) "/" (offers.first().map_or("cancel", |first| first.as_str())) } class="stack" {
                        (csrf(visit.session))
                        input type="hidden" name="back" value=(path);
                        // Enter in a field of text presses this one, and decides nothing.
                        button hidden disabled {}
                        @if offers.contains(&Decision::Approve) { (scope_choice(item, reader, asked.form)) }
                        div class="field" {
                            label for="comment" { "Comment, if you like" }
                            textarea id="comment" name="comment" maxlength="1024" { (asked.form.text("comment")) }
                        }
                        div class="actions" {
                            @for decision in &offers {
                                button class=(decision.class()) formaction={ (path) "/" (decision.as_str()) } {
                                    (decision.button(item.status))
                                }
                            }
                            @if let Some(decision) = previewable(item, &offers) {
                                button class="second" formaction={ (path) "/preview" } name="decision" value=(decision.as_str()) {
                                    "Preview the effect"
                                }
                            }
                        }
                    }
                }
                @match previewed {
                    Some((wanted, found)) => (preview::section(visit, project, &item.id, &wanted, found)),
                    None => (on_load(item, &offers, &path)),
                }
            }
        }
    }
}

/// What is most worth a look before it is decided.
fn previewable(item: &ExemptionItem, offers: &[Decision]) -> Option<Decision> {
    let first = if item.status == Status::Approved { Decision::Reject } else { Decision::Approve };
    Some(first).filter(|decision| offers.contains(decision))
}

/// A place for the preview of an approval; whoever has scripts gets it at once.
fn on_load(item: &ExemptionItem, offers: &[Decision], path: &str) -> Markup {
    let section = preview::section_id(&item.id);
    html! {
        @if item.status == Status::Pending && offers.contains(&Decision::Approve) {
            div id=(section) hx-get={ (path) "?preview=approve" } hx-trigger="load" hx-select={ "#" (section) } hx-target="this" hx-swap="outerHTML" {
                span class="waiting" { "Judging the newest scans as they would be …" }
            }
        }
    }
}

fn scope_choice(item: &ExemptionItem, reader: &Reader<'_>, typed: &Form) -> Markup {
    let (asked, scopes) = (offers::asked(item), reader.scopes(item));
    let chosen = typed.optional("scope").unwrap_or(asked.as_str());
    html! {
        fieldset {
            legend { "An approval holds for" }
            @for scope in &scopes {
                div class="check" {
                    input type="radio" id={ "scope-" (scope) } name="scope" value=(scope) checked[chosen == scope.as_str()];
                    label for={ "scope-" (scope) } {
                        (words::scope(*scope)) @if *scope == asked { " (as asked for)" }
                    }
                }
            }
            @if scopes.contains(&Scope::Pipeline) && asked != Scope::Pipeline {
                div class="field" {
                    label for="pipeline" { "Name of the pipeline, where you choose one" }
                    input id="pipeline" name="pipeline" maxlength="128" value=(typed.text("pipeline")) spellcheck="false"
                        aria-describedby="pipeline-hint";
                    p class="hint" id="pipeline-hint" { "Left empty, it is that of the scan in which the issue was seen." }
                }
            }
        }
    }
}
