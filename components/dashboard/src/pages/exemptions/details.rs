//! The page of an exemption: its details, the form for a decision, and the preview of the decision.

use super::confirm::{Confirm, hidden};
use super::permissions::{self, Permissions};
use super::preview::{self, PreviewQuery};
use super::{buttons, row, subject};
use crate::address;
use crate::client::{Api, is_refusal};
use crate::form::Form;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::{badge, exemption, notice, text, time};
use api::Problem;
use api::page;
use api::v1::{ExemptionItem, PreviewItem, ProjectAnswer};
use domain::exemption::{Decision, Scope, Status};
use guest::Reply;
use maud::{Markup, html};

/// The page, with the preview that the query names.
///
/// # Errors
/// The API's problem.
pub(super) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str, id: &str) -> Result<Reply, Problem> {
    let state = PageState { form: &Form::default(), preview: PreviewQuery::of(request), refusal: None };
    page_with(request, project, id, &state).await
}

/// The page, with a preview of the decision in the form.
///
/// # Errors
/// The API's problem.
pub(super) async fn previewed<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let optional = |name: &str| form.optional(name).map(str::to_owned);
    let decision = form.text("decision").parse().unwrap_or(Decision::Approve);
    let query =
        PreviewQuery { decision, scope: optional("scope"), pipeline: optional("pipeline"), cursor: String::new() };
    page_with(request, project, id, &PageState { form, preview: Some(query), refusal: None }).await
}

/// The page after the decision in the form was refused.
///
/// # Errors
/// The API's problem.
pub(super) async fn refused<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    form: &Form,
    problem: &Problem,
) -> Result<Reply, Problem> {
    page_with(request, project, id, &PageState { form, preview: None, refusal: Some(problem) }).await
}

/// The variable parts of the page.
struct PageState<'a> {
    /// The values of the form's fields.
    form: &'a Form,
    preview: Option<PreviewQuery>,
    /// The problem of a refused decision.
    refusal: Option<&'a Problem>,
}

/// A preview and the scans that the API answered with.
type LoadedPreview = (PreviewQuery, Result<page::Page<PreviewItem>, Problem>);

async fn page_with<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    state: &PageState<'_>,
) -> Result<Reply, Problem> {
    let exemption_path = address::api(&address::exemption(project, id));
    let project_path = address::api(&address::project(project));
    let preview = async {
        match state.preview.clone() {
            None => Ok(None),
            Some(query) => match preview::load(request, project, id, &query).await {
                Err(problem) if !is_refusal(&problem) => Err(problem),
                scans => Ok(Some((query, scans))),
            },
        }
    };
    let subject = async {
        let item: ExemptionItem = request.api.get(&exemption_path).await?;
        let subject = subject::load(request, project, &item).await?;
        Ok((item, subject))
    };
    let ((item, subject), answer, preview) =
        futures::try_join!(subject, request.api.get::<ProjectAnswer>(&project_path), preview)?;
    let permissions = Permissions::of(request, answer.settings.self_approval.unwrap_or_default());
    let body = html! {
        @if let Some(problem) = state.refusal { (notice::bad(&format!("The decision failed: {}.", problem.detail))) }
        @if item.returned_from.is_some() && item.status == Status::Pending {
            p class="notice care" { (exemption::returned(&item)) }
        }
        (facts(request, project, &item))
        (subject.section(project, &item))
        (decision(request, project, &item, &permissions, state, preview))
    };
    let title = text::cut(&item.title, 300).into_owned();
    let page = Page::of(project, Section::Exemptions, title, body).below(address::exemptions(project), "Exemptions");
    Ok(page.reply_with(state.refusal.map_or(200, |problem| problem.code.status()), request))
}

fn facts<A>(request: &PageRequest<'_, A>, project: &str, item: &ExemptionItem) -> Markup {
    let now = request.now;
    html! {
        section class="card stack tight" aria-label="Details" {
            p { (exemption::status_badge(item.status)) " " (badge::severity(&item.severity)) (exemption::marks(item)) }
            (exemption::explanation(item, true))
            dl class="facts" {
                dt { "Issue" }
                dd { a href=(address::issue(project, item.scan, &item.issue)) { "View the issue in its scan" } " (" (item.scanner) ")" }
                dt { "Scope" }
                dd { (exemption::reach(item)) }
                @if let Some(scope) = item.requested_scope { dt { "Requested scope" } dd { (exemption::scope(scope)) } }
                dt { "Duration" } dd { (exemption::duration(item, now)) }
                dt { "Requested by" } dd { bdi { (text::plain(&item.requested_by)) } " " (time::relative(&item.requested_at, now)) }
                @if item.status != Status::Pending { dt { "Last decision" } dd { (exemption::last_decision(item, now)) } }
                @if item.self_approved { dt { "Self-approved" } dd { "The requester approved it. The project allowed this at the time." } }
                @if let Some(from) = item.returned_from {
                    dt { "Returned from" }
                    dd { a href=(address::exemption(project, from)) { (exemption::returned_from(item)) } }
                }
                dt { "ID" } dd { code { (item.id) } }
            }
        }
    }
}

fn decision<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    item: &ExemptionItem,
    permissions: &Permissions<'_>,
    state: &PageState<'_>,
    preview: Option<LoadedPreview>,
) -> Markup {
    let path = address::exemption(project, &item.id);
    let decisions = permissions.decisions(item);
    let is_own = permissions.is_own_request(item);
    let plain: Vec<_> =
        decisions.iter().copied().filter(|decision| !buttons::asks_once_more(*decision, item.status)).collect();
    // A preview shows the form again; it stays a decision on the version that the reviewer saw.
    let version = match (state.refusal, state.form.text("version").parse()) {
        (None, Ok(version)) => version,
        (_, _) => item.version,
    };
    let comment = state.form.text("comment");
    let confirm = Confirm { project, session: request.session, back: &path, version, comment };
    html! {
        @if !decisions.is_empty() || is_own || preview.is_some() {
            section class="card stack" aria-label="Decision" {
                h2 { "Decision" }
                @if is_own { (row::own_request()) }
                @if let Some(first) = plain.first() {
                    form method="post" action={ (path) "/" (first.as_str()) } class="stack" {
                        (hidden(request.session, &path, item, version))
                        // The key Enter in a text field presses the first button, which decides nothing.
                        button hidden disabled {}
                        @if decisions.contains(&Decision::Approve) { (scope_choice(item, permissions, state.form)) }
                        div class="field" {
                            label for="comment" { "Comment (optional)" }
                            textarea id="comment" name="comment" maxlength="1024" { (state.form.text("comment")) }
                        }
                        div class="actions" {
                            @for decision in &plain {
                                button class=(buttons::class(*decision)) formaction={ (path) "/" (decision.as_str()) } {
                                    (buttons::label(*decision, item.status))
                                }
                            }
                            @if plain.contains(&Decision::Approve) {
                                button class="second" formaction={ (path) "/preview" } name="decision" value="approve" {
                                    "Preview the effect"
                                }
                            }
                        }
                    }
                }
                @if item.status == Status::Approved && decisions.contains(&Decision::Reject) {
                    p { a href={ (path) "?preview=reject" } { "Preview the revocation" } }
                }
                (confirm.forms(item, &decisions))
                @match preview {
                    Some((query, scans)) => (preview::section(request, project, &item.id, &query, scans)),
                    None => (preview_on_load(item, &decisions, &path)),
                }
            }
        }
    }
}

/// The container of the preview of an approval, which htmx loads by itself.
fn preview_on_load(item: &ExemptionItem, decisions: &[Decision], path: &str) -> Markup {
    let section = preview::section_id(&item.id);
    html! {
        @if item.status == Status::Pending && decisions.contains(&Decision::Approve) {
            div id=(section) hx-get={ (path) "?preview=approve" } hx-trigger="load" hx-select={ "#" (section) } hx-target="this" hx-swap="outerHTML" {
                span class="waiting" { "Evaluating the newest scans …" }
            }
        }
    }
}

fn scope_choice(item: &ExemptionItem, permissions: &Permissions<'_>, form: &Form) -> Markup {
    let (requested, scopes) = (permissions::requested_scope(item), permissions.scopes(item));
    let chosen = form.optional("scope").unwrap_or(requested.as_str());
    html! {
        fieldset {
            legend { "Scope of the approval" }
            @for scope in &scopes {
                div class="check" {
                    input type="radio" id={ "scope-" (scope) } name="scope" value=(scope) checked[chosen == scope.as_str()];
                    label for={ "scope-" (scope) } {
                        (exemption::scope(*scope)) @if *scope == requested { " (as requested)" }
                    }
                }
            }
            @if scopes.contains(&Scope::Pipeline) && requested != Scope::Pipeline {
                div class="field" {
                    label for="pipeline" { "Pipeline, for the scope “" (exemption::scope(Scope::Pipeline)) "”" }
                    input id="pipeline" name="pipeline" maxlength="128" value=(form.text("pipeline")) spellcheck="false"
                        aria-describedby="pipeline-hint";
                    p class="hint" id="pipeline-hint" { "If empty, the pipeline of the scan in which the issue was seen." }
                }
            }
        }
    }
}
