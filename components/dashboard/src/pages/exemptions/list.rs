//! The list of exemptions: by status, those that expire soon, and unused ones.

use super::buttons;
use super::permissions::Permissions;
use super::row::{RefusedForm, Rows};
use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section, csrf};
use crate::request::PageRequest;
use crate::view::{exemption, list, notice};
use api::Problem;
use api::page;
use api::query::Query;
use api::v1::{ExemptionItem, ProjectAnswer, Unused};
use domain::exemption::{Decision, Scope, Status};
use guest::Reply;
use maud::{Markup, html};

/// Exemptions on a page; the default is the first.
const PER_PAGE: [u32; 2] = [25, 100];
/// Days until the expiry in the tab "Expiring"; the default is the second.
const WITHIN_DAYS: [u32; 4] = [7, 14, 30, 90];
/// Scans without effect in the tab "Unused"; the default is the second.
const UNUSED_SCANS: [u32; 4] = [5, 10, 20, 50];

/// A tab of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// Exemptions with this status.
    Of(Status),
    /// Approved exemptions that expire soon.
    Expiring,
    /// Approved exemptions that had no effect in the last scans.
    Unused,
}

impl Tab {
    const ALL: [Self; 7] = [
        Self::Of(Status::Pending),
        Self::Of(Status::Approved),
        Self::Expiring,
        Self::Unused,
        Self::Of(Status::Rejected),
        Self::Of(Status::Expired),
        Self::Of(Status::Cancelled),
    ];

    /// The name in the query.
    fn as_str(self) -> &'static str {
        match self {
            Self::Of(status) => status.as_str(),
            Self::Expiring => "expiring",
            Self::Unused => "unused",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Of(status) => exemption::status(status),
            Self::Expiring => "Expiring",
            Self::Unused => "Unused",
        }
    }

    /// The status of the listed exemptions.
    fn status(self) -> Status {
        match self {
            Self::Of(status) => status,
            Self::Expiring | Self::Unused => Status::Approved,
        }
    }

    /// The decisions that are possible on several exemptions together.
    fn decisions(self) -> &'static [Decision] {
        match self.status() {
            Status::Pending => &[Decision::Approve, Decision::Reject],
            Status::Approved => &[Decision::Reject],
            Status::Rejected | Status::Expired => &[Decision::Reopen],
            Status::Cancelled => &[],
        }
    }
}

/// The tab, the filters and the position in the list, from the query of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListQuery {
    tab: Tab,
    target: String,
    scope: String,
    issue: String,
    within: u32,
    scans: u32,
    per_page: u32,
    cursor: String,
}

impl ListQuery {
    /// Reads the query of the page. Invalid values are replaced by the default.
    pub(super) fn read(query: &Query) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        let one_of = |name: &str, choices: &[u32], default: u32| {
            text(name).parse().ok().filter(|number| choices.contains(number)).unwrap_or(default)
        };
        let status = text("status");
        Self {
            tab: Tab::ALL.into_iter().find(|tab| tab.as_str() == status).unwrap_or(Tab::Of(Status::Pending)),
            target: text("target"),
            scope: text("scope"),
            issue: text("issue"),
            within: text("within").parse().ok().filter(|days| (1..=90).contains(days)).unwrap_or(14),
            scans: one_of("scans", &UNUSED_SCANS, 10),
            per_page: one_of("per_page", &PER_PAGE, 25),
            cursor: text("cursor"),
        }
    }

    /// The address of a tab with these filters, from the cursor on.
    fn url(&self, project: &str, tab: Tab, cursor: &str) -> String {
        let within = if tab == Tab::Expiring { self.within.to_string() } else { String::new() };
        let scans = if tab == Tab::Unused { self.scans.to_string() } else { String::new() };
        let per_page = if self.per_page == 25 { String::new() } else { self.per_page.to_string() };
        address::with_query(
            &address::exemptions(project),
            [
                ("status", tab.as_str()),
                ("target", self.target.as_str()),
                ("scope", self.scope.as_str()),
                ("issue", self.issue.as_str()),
                ("within", &within),
                ("scans", &scans),
                ("per_page", &per_page),
                ("cursor", cursor),
            ],
        )
    }

    /// The API's call for this list.
    fn api_path(&self, project: &str) -> String {
        let rest = match self.tab {
            Tab::Of(status) => format!("?status={status}"),
            Tab::Expiring => format!("?expires_within_days={}", self.within),
            Tab::Unused => format!("/unused?scans={}", self.scans),
        };
        let filters = [("target", &self.target), ("scope", &self.scope), ("issue", &self.issue)];
        // The API has no other filter for unused exemptions.
        let filters = filters.into_iter().filter(|_| self.tab != Tab::Unused);
        let per_page = self.per_page.to_string();
        let page = [("limit", &per_page), ("cursor", &self.cursor)];
        let rest = rest + &address::query(filters.chain(page).map(|(name, value)| (name, value.as_str())));
        format!("{}{rest}", address::api(&address::exemptions(project)))
    }
}

/// Exemptions; in the tab "Unused" with the number of scans in which each had no effect.
type ExemptionsPage = page::Page<(ExemptionItem, Option<usize>)>;

/// The list that the query names.
///
/// # Errors
/// The API's problem.
pub(super) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<Reply, Problem> {
    page_with(request, project, &ListQuery::read(request.query), RefusedForm::default(), None).await
}

/// The list, with the form and the problem of a refused decision.
///
/// # Errors
/// The API's problem.
pub(super) async fn page_with<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    query: &ListQuery,
    refused_form: RefusedForm<'_>,
    refusal: Option<&Problem>,
) -> Result<Reply, Problem> {
    let path = address::api(&address::project(project));
    let (listed, answer) = futures::join!(load(request, project, query), request.api.get::<ProjectAnswer>(&path));
    let permissions = Permissions::of(request, answer?.settings.self_approval.unwrap_or_default());
    // An invalid filter is reported below the filters.
    let listed = match listed {
        Err(problem) if !matches!(problem.code.status(), 400 | 404) => return Err(problem),
        listed => listed,
    };
    let list_url = query.url(project, query.tab, &query.cursor);
    let error = match refusal {
        Some(problem) => Some(error_message(request, project, problem, refused_form, listed.as_ref().ok()).await?),
        None => None,
    };
    let rows = Rows { project, session: request.session, permissions: &permissions, list_url: &list_url, refused_form };
    let body = html! {
        @if let Some(error) = &error { (notice::bad(error)) }
        (tabs(project, query))
        (filters(project, query))
        @match &listed {
            Err(problem) => (notice::bad(&problem.detail)),
            Ok(page) if page.items.is_empty() => (empty(query.tab)),
            Ok(page) => {
                (bulk_form(&rows, query.tab, &page.items))
                ul class="stack" { @for (item, unused_in) in &page.items { (rows.row(item, *unused_in)) } }
            }
        }
        @if let Ok(page) = &listed {
            @let first = (!query.cursor.is_empty()).then(|| query.url(project, query.tab, ""));
            @let next = page.next.as_ref().map(|next| query.url(project, query.tab, next));
            (list::pager("exemptions", first.as_deref(), next.as_deref()))
        }
    };
    let page = Page::of(project, Section::Exemptions, "Exemptions", body);
    Ok(page.reply_with(refusal.map_or(200, |problem| problem.code.status()), request))
}

async fn load<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    query: &ListQuery,
) -> Result<ExemptionsPage, Problem> {
    let path = query.api_path(project);
    if query.tab == Tab::Unused {
        let page: page::Page<Unused> = request.api.get(&path).await?;
        let items = page.items.into_iter().map(|unused| (unused.exemption, Some(unused.scans))).collect();
        return Ok(page::Page { items, next: page.next });
    }
    let page: page::Page<ExemptionItem> = request.api.get(&path).await?;
    Ok(page::Page { items: page.items.into_iter().map(|item| (item, None)).collect(), next: page.next })
}

/// The message of a refused decision, with the title of the exemption. The API names one of several by its number in
/// the request.
///
/// # Errors
/// The API failed.
async fn error_message<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    problem: &Problem,
    refused_form: RefusedForm<'_>,
    listed: Option<&ExemptionsPage>,
) -> Result<String, Problem> {
    let selected: Vec<&str> = refused_form.form.map(|form| form.all("exemption").collect()).unwrap_or_default();
    let numbered = problem.detail.strip_prefix("number ").and_then(|rest| rest.split_once(": "));
    let nth = |(number, rest)| {
        let at = str::parse::<usize>(number).ok()?.checked_sub(1)?;
        Some((*selected.get(at)?, rest))
    };
    let (id, reason) = match (refused_form.id, numbered.and_then(nth)) {
        (None, Some((id, reason))) => (Some(id), reason),
        (id, _) => (id, problem.detail.as_str()),
    };
    let listed = listed.zip(id).and_then(|(page, id)| page.items.iter().find(|(item, _)| item.id == id));
    // One that a colleague decided on is in another tab now.
    let title = match (listed, id) {
        (Some((item, _)), _) => Some(item.title.clone()),
        (None, Some(id)) => {
            let path = address::api(&address::exemption(project, id));
            request.api.find::<ExemptionItem>(&path).await?.map(|item| item.title)
        }
        (None, None) => None,
    };
    let of = match (title, id) {
        (Some(title), _) => format!(" for \u{201c}{}\u{201d}", crate::view::text::cut(&title, 100)),
        (None, Some(id)) => format!(" for exemption {id}"),
        (None, None) => String::new(),
    };
    // Of several decisions, one that fails prevents the others.
    let others = if refused_form.id.is_none() && id.is_some() { " No decision was saved." } else { "" };
    Ok(format!("The decision failed{of}: {reason}.{others}"))
}

fn tabs(project: &str, query: &ListQuery) -> Markup {
    html! {
        nav class="tabs" aria-label="Exemptions by status" {
            ul {
                @for tab in Tab::ALL {
                    @let current = (tab == query.tab).then_some("page");
                    li { a href=(query.url(project, tab, "")) aria-current=[current] { (tab.label()) } }
                }
            }
        }
    }
}

fn filters(project: &str, query: &ListQuery) -> Markup {
    let is_filtered = !(query.target.is_empty() && query.scope.is_empty() && query.issue.is_empty());
    html! {
        form method="get" action=(address::exemptions(project)) class="row" {
            input type="hidden" name="status" value=(query.tab.as_str());
            @if query.tab == Tab::Unused {
                (choice("scans", "No effect in the last", query.scans, &UNUSED_SCANS, "scans"))
            } @else {
                @if query.tab == Tab::Expiring {
                    (choice("within", "Expires within", query.within, &WITHIN_DAYS, "days"))
                }
                div class="field" {
                    label for="target" { "Target" }
                    input id="target" name="target" value=(query.target) spellcheck="false" autocapitalize="none";
                }
                div class="field" {
                    label for="scope" { "Scope" }
                    select id="scope" name="scope" {
                        option value="" { "Any" }
                        @for scope in Scope::ALL {
                            option value=(scope) selected[query.scope == scope.as_str()] { (exemption::scope(scope)) }
                        }
                    }
                }
                @if !query.issue.is_empty() {
                    div class="field" {
                        label for="issue" { "Issue" }
                        input id="issue" name="issue" value=(query.issue) spellcheck="false";
                    }
                }
            }
            (choice("per_page", "Per page", query.per_page, &PER_PAGE, ""))
            button class="second" { "Filter" }
            @if is_filtered && query.tab != Tab::Unused {
                a href={ (address::exemptions(project)) "?status=" (query.tab.as_str()) } { "Clear filters" }
            }
        }
    }
}

fn choice(name: &str, label: &str, chosen: u32, choices: &[u32], unit: &str) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @if !choices.contains(&chosen) { option value=(chosen) selected { (chosen) " " (unit) } }
                @for number in choices { option value=(number) selected[*number == chosen] { (number) " " (unit) } }
            }
        }
    }
}

fn empty(tab: Tab) -> Markup {
    let (title, hint) = match tab {
        Tab::Of(Status::Pending) => ("No pending requests.", "To request an exemption, open an issue."),
        Tab::Of(Status::Approved) => {
            ("No approved exemptions.", "Approved exemptions are listed here until they expire.")
        }
        Tab::Of(Status::Rejected) => ("No rejected requests.", "Rejected requests can be reopened here."),
        Tab::Of(Status::Expired) => {
            ("No expired exemptions.", "Expired exemptions have no effect and can be reopened here.")
        }
        Tab::Of(Status::Cancelled) => ("No withdrawn exemptions.", "Withdrawn exemptions cannot be reopened."),
        Tab::Expiring => ("No exemption expires in this period.", "Choose a longer period to see more."),
        Tab::Unused => (
            "No unused exemptions.",
            "Exemptions without effect in this many scans are listed here, once they are old enough.",
        ),
    };
    list::empty(title, &html! { (hint) })
}

/// The form for several exemptions; its checkboxes are in the rows.
fn bulk_form(rows: &Rows<'_>, tab: Tab, items: &[(ExemptionItem, Option<usize>)]) -> Markup {
    let possible: Vec<_> = items.iter().map(|(item, _)| rows.permissions.decisions(item)).collect();
    let is_possible = |decision: &&Decision| possible.iter().any(|decisions| decisions.contains(decision));
    let decisions: Vec<Decision> = tab.decisions().iter().filter(is_possible).copied().collect();
    let (once_more, plain): (Vec<Decision>, Vec<Decision>) =
        decisions.iter().copied().partition(|decision| buttons::asks_once_more(*decision, tab.status()));
    let button = |decision: Decision| {
        html! {
            button class=(buttons::class(decision)) name="decision" value=(decision.as_str()) {
                (buttons::bulk_label(decision, tab.status()))
            }
        }
    };
    html! {
        @if !decisions.is_empty() {
            form id="decisions" method="post" action={ (address::exemptions(rows.project)) "/decisions" } class="card row" {
                (csrf(rows.session))
                input type="hidden" name="back" value=(rows.list_url);
                input type="hidden" name="status" value=(tab.status());
                // The key Enter in the comment presses the first button, which decides nothing.
                button hidden disabled {}
                div class="check if-script" hidden {
                    input type="checkbox" id="all" data-ticks="exemption";
                    label for="all" { "Select all on this page" }
                }
                div class="field grow" {
                    label for="comment" { "Comment on all selected (optional)" }
                    input id="comment" name="comment" maxlength="1024" autocomplete="off" value=(rows.refused_form.text(None, "comment"));
                }
                @for decision in &once_more {
                    details {
                        summary { (buttons::bulk_label(*decision, tab.status())) " …" }
                        p class="hint" { (buttons::consequence(*decision, tab.status())) }
                        div class="actions" { (button(*decision)) }
                    }
                }
                @if !plain.is_empty() { div class="actions" { @for decision in &plain { (button(*decision)) } } }
            }
        }
    }
}
