//! The tokens of a project, or of account admins: the list, issuing one, revoking one.

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::pages::{Asked, no_page};
use crate::view::{list, notice, text, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{AccountTokenBody, TokenBody, TokenItem};
use domain::ids::TokenId;
use domain::limits::TOKEN_TARGETS_MAX;
use domain::role::Role;
use domain::time::Timestamp;
use guest::Reply;
use maud::{Markup, html};

/// How many tokens a page shows.
const TOKENS_SHOWN: usize = 50;
/// From how many days before its end on a token is marked.
const ENDING_DAYS: u32 = 14;

/// Whose tokens they are: where their pages are, and their calls.
struct Place<'a> {
    project: Option<&'a str>,
    page: String,
    call: String,
}

impl<'a> Place<'a> {
    fn of(project: Option<&'a str>) -> Self {
        let (page, call) = match project {
            Some(project) => {
                let page = format!("{}/tokens", address::project(project));
                (page.clone(), address::api(&page))
            }
            None => ("/account/tokens".to_owned(), address::api("/tokens")),
        };
        Self { project, page, call }
    }

    fn page<A>(&self, visit: &Visit<'_, A>, status: u16, body: Markup) -> Reply {
        let page = match self.project {
            Some(project) => Page::of(project, Section::Tokens, "Tokens", body),
            None => Page { section: Section::Tokens, ..Page::of_account("Tokens of account admins", body) },
        };
        answer::page(status, page.framed(visit))
    }
}

/// The list, a new token, or one revoked.
///
/// # Errors
/// There is no such page, or the API's.
pub(crate) async fn route<A: Api>(
    visit: &Visit<'_, A>,
    asked: Asked<'_>,
    project: Option<&str>,
    rest: &[&str],
) -> Result<Reply, Problem> {
    let place = Place::of(project);
    match (asked, rest) {
        (Asked::Get, []) => shown(visit, &place, &blank(), None).await,
        (Asked::Post(form), []) => issue(visit, &place, form).await,
        (Asked::Post(_), [id, "revoke"]) => revoke(visit, &place, id).await,
        _ => Err(no_page()),
    }
}

/// The form before anything is typed: a token ends, unless somebody says otherwise.
fn blank() -> Form {
    Form::parse(b"expires_in_days=90&role=developer")
}

async fn shown<A: Api>(
    visit: &Visit<'_, A>,
    place: &Place<'_>,
    typed: &Form,
    refused: Option<&Problem>,
) -> Result<Reply, Problem> {
    let cursor = visit.text("cursor");
    let from = if cursor.is_empty() { String::new() } else { format!("&cursor={}", segment(cursor)) };
    let page: page::Page<TokenItem> = visit.api.get(&format!("{}?limit={TOKENS_SHOWN}{from}", place.call)).await?;
    let next = page.next.as_ref().map(|next| format!("{}?cursor={}", place.page, segment(next)));
    let first = (!cursor.is_empty()).then_some(place.page.as_str());
    let body = html! {
        @if let Some(problem) = refused { (notice::bad(&format!("Nothing was issued: {}.", problem.detail))) }
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("No token is in use.", &html! { "Issue one for each person and each pipeline." }))
        } @else {
            (table(visit, place, &page.items))
            (list::pager("tokens", first, next.as_deref()))
        }
        (issuing(visit, place, typed))
    };
    Ok(place.page(visit, refused.map_or(200, |problem| problem.code.status()), body))
}

fn table<A>(visit: &Visit<'_, A>, place: &Place<'_>, items: &[TokenItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Tokens in use" {
            table class="folding" aria-label="Tokens in use" {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "For" } th scope="col" { "Role" } th scope="col" { "Targets" }
                    th scope="col" { "Ends" } th scope="col" { "Last used" } th scope="col" { "Issued" } th scope="col" { "Revoke" }
                } }
                tbody { @for item in items { (line(visit, place, item)) } }
            }
        }
    }
}

fn line<A>(visit: &Visit<'_, A>, place: &Place<'_>, item: &TokenItem) -> Markup {
    let now = visit.now;
    html! {
        tr {
            th scope="row" { bdi { (text::plain(&item.name)) } }
            td data-label="For" { bdi { (text::plain(&item.subject)) } }
            td class="nowrap" data-label="Role" { (item.role) }
            td data-label="Targets" {
                @match &item.targets {
                    None => "all",
                    Some(targets) => ul { @for target in targets { li class="break" { bdi { (text::plain(target)) } } } },
                }
            }
            td data-label="Ends" { (end(item, now)) }
            td data-label="Last used" {
                @match &item.last_used_at {
                    None => "never",
                    Some(at) => {
                        (time::relative(at, now))
                        @if let Some(address) = &item.last_used_address { " from " bdi { (text::plain(address)) } }
                    }
                }
            }
            td data-label="Issued" { (time::relative(&item.issued_at, now)) " by " bdi { (text::plain(&item.issued_by)) } }
            td data-label="Revoke" { (revoking(visit, place, item)) }
        }
    }
}

fn end(item: &TokenItem, now: Timestamp) -> Markup {
    let Some(at) = &item.expires_at else { return html! { "never" } };
    let mark = at.parse::<Timestamp>().ok().and_then(|end| match () {
        () if end <= now => Some("Over"),
        () if end <= now.plus_days(ENDING_DAYS) => Some("Ends soon"),
        () => None,
    });
    html! { (time::relative(at, now)) @if let Some(mark) = mark { " " span class="badge undecided" { (mark) } } }
}

/// Asks again before a token is revoked, without a script.
fn revoking<A>(visit: &Visit<'_, A>, place: &Place<'_>, item: &TokenItem) -> Markup {
    let is_own = TokenId::of(&visit.session.token).to_string() == item.id;
    html! {
        details {
            summary { "Revoke" span class="unseen" { " " (text::plain(&item.name)) } " …" }
            form method="post" action={ (place.page) "/" (segment(&item.id)) "/revoke" } class="stack tight" {
                (csrf(visit.session))
                p class="hint" {
                    "It opens nothing any more, at once and for good."
                    @if is_own { " " strong { "You are signed in with it, and are signed out." } }
                }
                button class="danger small" { "Revoke " bdi { (text::cut(&item.name, 40)) } }
            }
        }
    }
}

fn issuing<A>(visit: &Visit<'_, A>, place: &Place<'_>, typed: &Form) -> Markup {
    html! {
        section class="card stack" aria-labelledby="issue" {
            h2 id="issue" { "Issue a token" }
            @if place.project.is_none() {
                p class="hint" { "An account admin is admin of all projects, creates projects, and issues these tokens." }
            }
            form method="post" action=(place.page) class="stack" {
                (csrf(visit.session))
                div class="columns" {
                    (field("name", "Name", "What to call it, such as the machine or the pipeline that holds it.", html! {
                        input id="name" name="name" required maxlength="128" value=(typed.text("name")) autocomplete="off" aria-describedby="name-hint";
                    }))
                    (field("subject", "For", "The person or machine; whoever asks for an exemption under this name can't approve it under it. The name, if left empty.", html! {
                        input id="subject" name="subject" maxlength="128" value=(typed.text("subject")) autocomplete="off" aria-describedby="subject-hint";
                    }))
                    (field("expires_in_days", "Ends in how many days", "From 1 to 3650. Left empty, it never ends.", html! {
                        input id="expires_in_days" name="expires_in_days" type="number" min="1" max="3650" inputmode="numeric"
                            value=(typed.text("expires_in_days")) aria-describedby="expires_in_days-hint";
                    }))
                }
                @if place.project.is_some() {
                    (roles(typed))
                    (field("targets", "Targets", "One on a line; the token is good for these alone. Left empty: for all, and for what concerns the project as a whole.", html! {
                        textarea id="targets" name="targets" spellcheck="false" autocapitalize="none" aria-describedby="targets-hint" { (typed.text("targets")) }
                    }))
                }
                div class="actions" { button { "Issue the token" } }
            }
        }
    }
}

fn field(name: &str, label: &str, hint: &str, input: Markup) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            (input)
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}

fn roles(typed: &Form) -> Markup {
    html! {
        fieldset {
            legend { "Role" }
            @for role in Role::ALL {
                div class="check" {
                    input type="radio" id={ "role-" (role) } name="role" value=(role) checked[typed.text("role") == role.as_str()];
                    label for={ "role-" (role) } { strong { (crate::view::badge::capitalised(role.as_str())) } ": " (may(role)) }
                }
            }
        }
    }
}

/// What somebody with this role may do.
fn may(role: Role) -> &'static str {
    match role {
        Role::Uploader => "uploads reports and gets their verdicts, and reads nothing else. For pipelines.",
        Role::Viewer => "reads results.",
        Role::Developer => "reads results, uploads reports, sets baselines, and requests and cancels exemptions.",
        Role::Secops => "does what a developer does, decides on exemptions, and reads the audit log.",
        Role::Admin => "does all that, changes settings, and issues and revokes tokens. Always for all targets.",
    }
}

/// Issues a token, which stands on the page that answers and nowhere else: no address and no history has it.
async fn issue<A: Api>(visit: &Visit<'_, A>, place: &Place<'_>, form: &Form) -> Result<Reply, Problem> {
    let issued = match form.number("expires_in_days") {
        Ok(days) => send(visit, place, form, days).await,
        Err(problem) => Err(problem),
    };
    match issued {
        Ok(item) => Ok(place.page(visit, 200, fresh(place, &item))),
        Err(problem) if matches!(problem.code.status(), 400 | 409 | 422) => {
            shown(visit, place, form, Some(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}

async fn send<A: Api>(
    visit: &Visit<'_, A>,
    place: &Place<'_>,
    form: &Form,
    expires_in_days: Option<u32>,
) -> Result<TokenItem, Problem> {
    let (name, subject) = (form.text("name").to_owned(), form.optional("subject").map(str::to_owned));
    if place.project.is_none() {
        let body = AccountTokenBody { name, subject, expires_in_days };
        return visit.api.send("POST", &place.call, &body).await;
    }
    let targets: Vec<_> = form.text("targets").lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if TOKEN_TARGETS_MAX < targets.len() {
        let detail = format!("{} targets are more than {TOKEN_TARGETS_MAX}", targets.len());
        return Err(Problem::new(api::problem::Code::InvalidBody, detail));
    }
    let targets = (!targets.is_empty()).then(|| targets.into_iter().map(str::to_owned).collect());
    let body = TokenBody { name, role: form.text("role").to_owned(), subject, targets, expires_in_days };
    visit.api.send("POST", &place.call, &body).await
}

fn fresh(place: &Place<'_>, item: &TokenItem) -> Markup {
    html! {
        section class="card stack" aria-labelledby="fresh" {
            h2 id="fresh" { "The token " bdi { (text::plain(&item.name)) } " is issued" }
            p class="notice care" role="status" {
                "This is the only time that it is shown. Copy it to where it is used before you leave the page."
            }
            div class="field" {
                label for="token" { "Token" }
                input id="token" class="secret" readonly autofocus spellcheck="false" autocomplete="off"
                    value=(item.token.as_deref().unwrap_or_default());
            }
            p class="hint" {
                "For " bdi { (text::plain(&item.subject)) } ", " (item.role)
                @match &item.expires_at { Some(at) => { ", ends " (at) } None => ", never ends" }
                "."
            }
            p { a href=(place.page) { "To the list of tokens" } }
        }
    }
}

async fn revoke<A: Api>(visit: &Visit<'_, A>, place: &Place<'_>, id: &str) -> Result<Reply, Problem> {
    visit.api.delete(&format!("{}/{}", place.call, segment(id))).await?;
    Ok(answer::redirect(&format!("{}?done=token-revoked", place.page)))
}

#[cfg(test)]
mod tests;
