//! The tokens of a project, or of account admins.

use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::pages::problem::page_not_found;
use crate::reply;
use crate::request::{Method, PageRequest};
use crate::view::{list, notice, text, time};
use api::Problem;
use api::page;
use api::path::segment;
use api::problem::Code;
use api::v1::{AccountTokenBody, TokenBody, TokenItem};
use domain::ids::TokenId;
use domain::limits::TOKEN_TARGETS_MAX;
use domain::role::Role;
use domain::time::Timestamp;
use guest::Reply;
use maud::{Markup, html};

/// Tokens on a page.
const TOKENS_SHOWN: usize = 50;
/// The days before its expiry in which a token is marked.
const EXPIRING_DAYS: u32 = 14;

/// Routes the paths below the tokens: the list, issuing and revoking.
///
/// # Errors
/// The page does not exist, or the API answered with a problem.
pub(crate) async fn route<A: Api>(
    request: &PageRequest<'_, A>,
    project: Option<&str>,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (request.method, rest) {
        (Method::Get, []) => list_page(request, project, &default_form(), None).await,
        (Method::Post(form), []) => issue(request, project, form).await,
        (Method::Post(_), [id, "revoke"]) => revoke(request, project, id).await,
        _ => Err(page_not_found()),
    }
}

fn reply<A>(request: &PageRequest<'_, A>, project: Option<&str>, status: u16, body: Markup) -> Reply {
    let page = match project {
        Some(project) => Page::of(project, Section::Tokens, "Tokens", body),
        None => Page { section: Section::Tokens, ..Page::of_account("Account tokens", body) },
    };
    page.reply_with(status, request)
}

/// The initial values of the form: a token expires unless the user changes that.
fn default_form() -> Form {
    Form::parse(b"expires_in_days=90&role=developer&baselines=true")
}

async fn list_page<A: Api>(
    request: &PageRequest<'_, A>,
    project: Option<&str>,
    form: &Form,
    refusal: Option<(&str, &Problem)>,
) -> Result<Reply, Problem> {
    let status = refusal.map_or(200, |(_, problem)| problem.code.status());
    let refusal = refusal.map(|(what, problem)| format!("{what}: {}.", problem.detail));
    let (path, cursor) = (address::tokens(project), request.text("cursor"));
    let from = address::query([("cursor", cursor)]);
    let api_path = format!("{}?limit={TOKENS_SHOWN}{from}", address::tokens_api(project));
    let page: page::Page<TokenItem> = request.api.get(&api_path).await?;
    let next = page.next.as_ref().map(|next| format!("{path}?cursor={}", segment(next)));
    let first = (!cursor.is_empty()).then_some(path.as_str());
    let body = html! {
        @if let Some(refusal) = &refusal { (notice::bad(refusal)) }
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("No active tokens.", &html! { "Issue one for each person and each pipeline." }))
        } @else {
            (table(request, project, &page.items))
            (list::pager("tokens", first, next.as_deref()))
        }
        (issue_form(request, project, form))
    };
    Ok(reply(request, project, status, body))
}

fn table<A>(request: &PageRequest<'_, A>, project: Option<&str>, items: &[TokenItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Active tokens" {
            table class="folding" aria-label="Active tokens" {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Issued to" } th scope="col" { "Role" } th scope="col" { "Targets" }
                    th scope="col" { "Expires" } th scope="col" { "Last used" } th scope="col" { "Issued" } th scope="col" { "Actions" }
                } }
                tbody { @for item in items { (row(request, project, item)) } }
            }
        }
    }
}

fn row<A>(request: &PageRequest<'_, A>, project: Option<&str>, item: &TokenItem) -> Markup {
    let now = request.now;
    html! {
        tr {
            th scope="row" { bdi { (text::plain(&item.name)) } }
            td data-label="Issued to" { bdi { (text::plain(&item.subject)) } }
            td class="nowrap" data-label="Role" { (item.role) }
            td data-label="Targets" {
                @match &item.targets {
                    None => "all",
                    Some(targets) => ul { @for target in targets { li class="break" { bdi { (text::plain(target)) } } } },
                }
                @if let Some(limits) = limits(item) { p class="hint break" { (limits) } }
            }
            td data-label="Expires" { (expiry(item, now)) }
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
            td data-label="Actions" { (revoke_form(request, project, item)) }
        }
    }
}

/// The limits of a token's uploads, if there are any.
fn limits(item: &TokenItem) -> Option<Markup> {
    let list = |label: &str, names: &Option<Vec<String>>| {
        names.as_ref().map(|names| html! { (label) " " bdi { (text::plain(&names.join(", "))) } })
    };
    let baselines = (!item.baselines).then(|| html! { "no baselines" });
    let all = list("variants", &item.variants).into_iter().chain(baselines).chain(list("pipelines", &item.pipelines));
    let all: Vec<Markup> = all.collect();
    (!all.is_empty())
        .then(|| html! { "Uploads: " @for (at, one) in all.iter().enumerate() { @if at > 0 { "; " } (one) } })
}

fn expiry(item: &TokenItem, now: Timestamp) -> Markup {
    let Some(at) = &item.expires_at else { return html! { "never" } };
    let mark = at.parse::<Timestamp>().ok().and_then(|end| match () {
        () if end <= now => Some("Expired"),
        () if end <= now.plus_days(EXPIRING_DAYS) => Some("Expires soon"),
        () => None,
    });
    html! { (time::relative(at, now)) @if let Some(mark) = mark { " " span class="badge undecided" { (mark) } } }
}

/// A folded form: a confirmation without a script.
fn revoke_form<A>(request: &PageRequest<'_, A>, project: Option<&str>, item: &TokenItem) -> Markup {
    let is_own = TokenId::of(&request.session.token).to_string() == item.id;
    html! {
        details {
            summary { "Revoke" span class="unseen" { " " (text::plain(&item.name)) } " …" }
            form method="post" action={ (address::tokens(project)) "/" (segment(&item.id)) "/revoke" } class="stack tight" {
                (csrf(request.session))
                p class="hint" {
                    "The token stops working at once. This cannot be undone."
                    @if is_own { " " strong { "You are signed in with this token and will be signed out." } }
                }
                button class="danger small" { "Revoke " bdi { (text::cut(&item.name, 40)) } }
            }
        }
    }
}

fn issue_form<A>(request: &PageRequest<'_, A>, project: Option<&str>, form: &Form) -> Markup {
    html! {
        section class="card stack" aria-labelledby="issue" {
            h2 id="issue" { "Issue a token" }
            @if project.is_none() {
                p class="hint" { "An account admin has the role admin in all projects, creates projects, and issues account tokens." }
            }
            form method="post" action=(address::tokens(project)) class="stack" {
                (csrf(request.session))
                div class="columns" {
                    (field("name", "Name", "Such as the name of the machine or pipeline that uses the token.", html! {
                        input id="name" name="name" required maxlength="128" value=(form.text("name")) autocomplete="off" aria-describedby="name-hint";
                    }))
                    (field("subject", "Issued to", "The person or machine. Requests made under this name cannot be approved under it. If empty, the name of the token.", html! {
                        input id="subject" name="subject" maxlength="128" value=(form.text("subject")) autocomplete="off" aria-describedby="subject-hint";
                    }))
                    (field("expires_in_days", "Expires in (days)", "From 1 to 3650. If empty, 90 days, unless the box below is ticked.", html! {
                        input id="expires_in_days" name="expires_in_days" type="number" min="1" max="3650" inputmode="numeric"
                            value=(form.text("expires_in_days")) aria-describedby="expires_in_days-hint";
                    }))
                }
                div class="check" {
                    input type="checkbox" id="never_expires" name="never_expires" value="true" checked[form.text("never_expires") == "true"];
                    label for="never_expires" { "Does not expire. Empty the number of days too." }
                }
                @if project.is_some() {
                    (roles(form))
                    (field("targets", "Targets", "One per line. The token is limited to these targets. If empty, it covers all targets and the project as a whole.", html! {
                        textarea id="targets" name="targets" spellcheck="false" autocapitalize="none" aria-describedby="targets-hint" { (form.text("targets")) }
                    }))
                }
                @if project.is_some() {
                    fieldset {
                        legend { "Uploads" }
                        div class="check" {
                            input type="checkbox" id="baselines" name="baselines" value="true" checked[form.text("baselines") == "true"];
                            label for="baselines" { "May upload baselines, such as the main branch. Untick this for pull requests: nobody should change what they are compared with." }
                        }
                        (field("variants", "Variants", "One per line: names, or patterns (RE2) for whole names. If empty, all.", html! {
                            textarea id="variants" name="variants" spellcheck="false" autocapitalize="none" aria-describedby="variants-hint" { (form.text("variants")) }
                        }))
                        (field("pipelines", "Pipelines", "One per line. The token may name only these. If empty, all.", html! {
                            textarea id="pipelines" name="pipelines" spellcheck="false" autocapitalize="none" aria-describedby="pipelines-hint" { (form.text("pipelines")) }
                        }))
                    }
                }
                div class="actions" { button { "Issue token" } }
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

fn roles(form: &Form) -> Markup {
    html! {
        fieldset {
            legend { "Role" }
            @for role in Role::ALL {
                div class="check" {
                    input type="radio" id={ "role-" (role) } name="role" value=(role) checked[form.text("role") == role.as_str()];
                    label for={ "role-" (role) } { strong { (crate::view::badge::capitalised(role.as_str())) } ": " (role_description(role)) }
                }
            }
        }
    }
}

/// The permissions of a role.
fn role_description(role: Role) -> &'static str {
    match role {
        Role::Uploader => "uploads reports and reads their verdicts, nothing else. For pipelines.",
        Role::Viewer => "reads results.",
        Role::Developer => {
            "reads results, uploads reports, sets the first baseline of a target, and requests exemptions and changes of baselines and of the gate."
        }
        Role::Secops => {
            "has the permissions of a developer, decides on exemptions, changes baselines and the settings of the gate, accepts scans, and reads the audit log."
        }
        Role::Admin => {
            "has the permissions of secops, changes settings, and issues and revokes tokens. Always for all targets."
        }
    }
}

/// Issues a token. Only the page that answers contains it, so no address and no browser history does.
async fn issue<A: Api>(request: &PageRequest<'_, A>, project: Option<&str>, form: &Form) -> Result<Reply, Problem> {
    let issued = match form.number("expires_in_days") {
        Ok(days) => send(request, project, form, days).await,
        Err(problem) => Err(problem),
    };
    match issued {
        Ok(item) => Ok(reply(request, project, 200, issued_page(project, &item))),
        Err(problem) if matches!(problem.code.status(), 400 | 409 | 422) => {
            list_page(request, project, form, Some(("The token was not issued", &problem))).await
        }
        Err(problem) => Err(problem),
    }
}

async fn send<A: Api>(
    request: &PageRequest<'_, A>,
    project: Option<&str>,
    form: &Form,
    expires_in_days: Option<u32>,
) -> Result<TokenItem, Problem> {
    let never_expires = (form.text("never_expires") == "true").then_some(true);
    let (name, subject) = (form.text("name").to_owned(), form.optional("subject").map(str::to_owned));
    let path = address::tokens_api(project);
    if project.is_none() {
        let body = AccountTokenBody { name, subject, expires_in_days, never_expires };
        return request.api.send("POST", &path, &body).await;
    }
    let lines = |name: &str| {
        let lines = form.text(name).lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        (!lines.is_empty()).then_some(lines)
    };
    let targets = lines("targets");
    if let Some(targets) = targets.as_ref().filter(|targets| TOKEN_TARGETS_MAX < targets.len()) {
        let detail =
            format!("field `targets`: {} targets are too many; the maximum is {TOKEN_TARGETS_MAX}", targets.len());
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let role =
        form.text("role").parse().map_err(|error| Problem::new(Code::InvalidBody, format!("field `role`: {error}")))?;
    let body = TokenBody {
        subject,
        targets,
        variants: lines("variants"),
        baselines: Some(form.text("baselines") == "true"),
        pipelines: lines("pipelines"),
        expires_in_days,
        never_expires,
        ..TokenBody::new(name, role)
    };
    request.api.send("POST", &path, &body).await
}

fn issued_page(project: Option<&str>, item: &TokenItem) -> Markup {
    html! {
        section class="card stack" aria-labelledby="issued" {
            h2 id="issued" { "Token " bdi { (text::plain(&item.name)) } " issued" }
            p class="notice care" role="status" {
                "Copy the token now. It is not shown again."
            }
            div class="field" {
                label for="token" { "Token" }
                input id="token" class="secret" readonly autofocus spellcheck="false" autocomplete="off"
                    value=(item.token.as_deref().unwrap_or_default());
            }
            p class="hint" {
                "Issued to " bdi { (text::plain(&item.subject)) } ", " (item.role)
                @match &item.expires_at { Some(at) => { ", expires " (at) } None => ", does not expire" }
                "."
            }
            p { a href=(address::tokens(project)) { "Back to tokens" } }
        }
    }
}

async fn revoke<A: Api>(request: &PageRequest<'_, A>, project: Option<&str>, id: &str) -> Result<Reply, Problem> {
    match request.api.delete(&format!("{}/{}", address::tokens_api(project), segment(id))).await {
        Ok(_) => Ok(reply::redirect(&format!("{}?done=token-revoked", address::tokens(project)))),
        // Somebody else revoked it; the list shows what is left.
        Err(problem) if matches!(problem.code, Code::Conflict | Code::NotFound) => {
            list_page(request, project, &default_form(), Some(("The token was not revoked", &problem))).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests;
