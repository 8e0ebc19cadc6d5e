//! The list of exemptions: by how they stand, those that end soon, and those that are of no use.

use super::offers::{Decision, Reader};
use super::row::{self, Shared, Typed};
use super::{base, call};
use crate::address;
use crate::answer;
use crate::client::Api;
use crate::layout::{Page, Section, csrf};
use crate::view::badge::capitalised;
use crate::view::{list, notice};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::query::Query;
use api::v1::{ExemptionItem, ProjectAnswer, Unused};
use domain::exemption::{Scope, Status};
use guest::Reply;
use maud::{Markup, html};

/// How many exemptions a page shows: the first unless more are asked for.
const PER_PAGE: [u32; 2] = [25, 100];
/// In how many days ends what ends soon: the second unless another is asked for.
const WITHIN_DAYS: [u32; 4] = [7, 14, 30, 90];
/// In how many scans nothing was exempted by what is unused: the second unless another is asked for.
const UNUSED_SCANS: [u32; 4] = [5, 10, 20, 50];

/// A part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// Those that stand so.
    Of(Status),
    /// Approved ones that end soon.
    Expiring,
    /// Approved ones that exempted nothing lately.
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

    /// Its word in the query.
    fn word(self) -> &'static str {
        match self {
            Self::Of(status) => status.as_str(),
            Self::Expiring => "expiring",
            Self::Unused => "unused",
        }
    }

    /// How what it lists stands.
    fn status(self) -> Status {
        match self {
            Self::Of(status) => status,
            Self::Expiring | Self::Unused => Status::Approved,
        }
    }

    /// What can be decided on several of it at once.
    fn decisions(self) -> &'static [Decision] {
        match self.status() {
            Status::Pending => &[Decision::Approve, Decision::Reject, Decision::Cancel],
            Status::Approved => &[Decision::Reject, Decision::Cancel],
            Status::Rejected | Status::Expired => &[Decision::Reopen, Decision::Cancel],
            Status::Cancelled => &[],
        }
    }
}

/// Which part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    tab: Tab,
    target: String,
    scope: String,
    issue: String,
    within: u32,
    scans: u32,
    per_page: u32,
    cursor: String,
}

impl Wanted {
    /// Reads it from a page's query.
    pub(super) fn read(query: &Query) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        let one_of = |name: &str, known: &[u32], else_: u32| {
            text(name).parse().ok().filter(|number| known.contains(number)).unwrap_or(else_)
        };
        let status = text("status");
        Self {
            tab: Tab::ALL.into_iter().find(|tab| tab.word() == status).unwrap_or(Tab::Of(Status::Pending)),
            target: text("target"),
            scope: text("scope"),
            issue: text("issue"),
            within: text("within").parse().ok().filter(|days| (1..=90).contains(days)).unwrap_or(14),
            scans: one_of("scans", &UNUSED_SCANS, 10),
            per_page: one_of("per_page", &PER_PAGE, 25),
            cursor: text("cursor"),
        }
    }

    /// The page at this address, from the cursor on.
    fn path(&self, project: &str, tab: Tab, cursor: &str) -> String {
        let within = if tab == Tab::Expiring { self.within.to_string() } else { String::new() };
        let scans = if tab == Tab::Unused { self.scans.to_string() } else { String::new() };
        let per_page = if self.per_page == 25 { String::new() } else { self.per_page.to_string() };
        address::with_query(
            &base(project),
            [
                ("status", tab.word()),
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

    /// The same page anew.
    pub(super) fn here(&self, project: &str) -> String {
        self.path(project, self.tab, &self.cursor)
    }

    fn call(&self, project: &str) -> String {
        let rest = match self.tab {
            Tab::Of(status) => format!("?status={status}"),
            Tab::Expiring => format!("?expires_within_days={}", self.within),
            Tab::Unused => format!("/unused?scans={}", self.scans),
        };
        let filters = [("target", &self.target), ("scope", &self.scope), ("issue", &self.issue)];
        // The API filters unused ones by nothing else.
        let filters = filters.into_iter().filter(|_| self.tab != Tab::Unused);
        let per_page = self.per_page.to_string();
        let page = [("limit", &per_page), ("cursor", &self.cursor)];
        let rest = rest + &address::query(filters.chain(page).map(|(name, value)| (name, value.as_str())));
        call(project, &rest)
    }
}

/// Exemptions, each with the number of scans in which it exempted nothing, where that was looked at.
type Listed = page::Page<(ExemptionItem, Option<usize>)>;

/// The list, as the query asks for it.
///
/// # Errors
/// The API's.
pub(super) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str) -> Result<Reply, Problem> {
    shown(visit, project, &Wanted::read(visit.query), Typed::default(), None).await
}

/// The list, with what somebody typed, and why it was refused.
///
/// # Errors
/// The API's.
pub(super) async fn shown<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    wanted: &Wanted,
    typed: Typed<'_>,
    refused: Option<&Problem>,
) -> Result<Reply, Problem> {
    let path = address::api(&address::project(project));
    let (listed, about) = futures::join!(load(visit, project, wanted), visit.api.get::<ProjectAnswer>(&path));
    let reader = Reader::of(visit, about?.settings.self_approval.unwrap_or_default());
    // What is wrong with a filter is told beside it.
    let listed = match listed {
        Err(problem) if !matches!(problem.code.status(), 400 | 404) => return Err(problem),
        listed => listed,
    };
    let here = wanted.here(project);
    let told = refused.map(|problem| told(problem, typed, listed.as_ref().ok()));
    let shared = Shared { project, session: visit.session, reader: &reader, here: &here, typed };
    let body = html! {
        @if let Some(told) = &told { (notice::bad(told)) }
        (tabs(project, wanted))
        (filters(project, wanted))
        @match &listed {
            Err(problem) => (notice::bad(&problem.detail)),
            Ok(page) if page.items.is_empty() => (nothing(wanted.tab)),
            Ok(page) => {
                (several(&shared, wanted.tab, &page.items))
                ul class="stack" { @for (item, unused_in) in &page.items { (row::row(&shared, item, *unused_in)) } }
            }
        }
        @if let Ok(page) = &listed {
            @let first = (!wanted.cursor.is_empty()).then(|| wanted.path(project, wanted.tab, ""));
            @let next = page.next.as_ref().map(|next| wanted.path(project, wanted.tab, next));
            (list::pager("exemptions", first.as_deref(), next.as_deref()))
        }
    };
    let page = Page::of(project, Section::Exemptions, "Exemptions", body);
    Ok(answer::page(refused.map_or(200, |problem| problem.code.status()), page.framed(visit)))
}

async fn load<A: Api>(visit: &Visit<'_, A>, project: &str, wanted: &Wanted) -> Result<Listed, Problem> {
    let call = wanted.call(project);
    if wanted.tab == Tab::Unused {
        let page: page::Page<Unused> = visit.api.get(&call).await?;
        let items = page.items.into_iter().map(|unused| (unused.exemption, Some(unused.scans))).collect();
        return Ok(page::Page { items, next: page.next });
    }
    let page: page::Page<ExemptionItem> = visit.api.get(&call).await?;
    Ok(page::Page { items: page.items.into_iter().map(|item| (item, None)).collect(), next: page.next })
}

/// What a refusal says, and of which exemption: the API names one of several by its place among those that were chosen.
fn told(problem: &Problem, typed: Typed<'_>, listed: Option<&Listed>) -> String {
    let chosen: Vec<&str> = typed.form.map(|form| form.all("exemption").collect()).unwrap_or_default();
    let numbered = problem.detail.strip_prefix("number ").and_then(|rest| rest.split_once(": "));
    let nth = |(number, rest)| {
        let at = str::parse::<usize>(number).ok()?.checked_sub(1)?;
        Some((*chosen.get(at)?, rest))
    };
    let (id, why) = match (typed.id, numbered.and_then(nth)) {
        (None, Some((id, why))) => (Some(id), why),
        (id, _) => (id, problem.detail.as_str()),
    };
    let title = listed.zip(id).and_then(|(page, id)| page.items.iter().find(|(item, _)| item.id == id));
    let of = match (title, id) {
        (Some((item, _)), _) => format!(", because of \u{201c}{}\u{201d}", crate::view::text::cut(&item.title, 100)),
        (None, Some(id)) => format!(", because of exemption {id}"),
        (None, None) => String::new(),
    };
    format!("Nothing was decided{of}: {why}.")
}

fn tabs(project: &str, wanted: &Wanted) -> Markup {
    html! {
        nav class="tabs" aria-label="Exemptions by state" {
            ul {
                @for tab in Tab::ALL {
                    @let current = (tab == wanted.tab).then_some("page");
                    li { a href=(wanted.path(project, tab, "")) aria-current=[current] { (capitalised(tab.word())) } }
                }
            }
        }
    }
}

fn filters(project: &str, wanted: &Wanted) -> Markup {
    let is_filtered = !(wanted.target.is_empty() && wanted.scope.is_empty() && wanted.issue.is_empty());
    html! {
        form method="get" action=(base(project)) class="row" {
            input type="hidden" name="status" value=(wanted.tab.word());
            @if wanted.tab == Tab::Unused {
                (choice("scans", "Nothing exempted in the last", wanted.scans, &UNUSED_SCANS, "scans"))
            } @else {
                @if wanted.tab == Tab::Expiring {
                    (choice("within", "Ends within", wanted.within, &WITHIN_DAYS, "days"))
                }
                div class="field" {
                    label for="target" { "Target" }
                    input id="target" name="target" value=(wanted.target) spellcheck="false" autocapitalize="none";
                }
                div class="field" {
                    label for="scope" { "Scope" }
                    select id="scope" name="scope" {
                        option value="" { "Any" }
                        @for scope in Scope::ALL {
                            option value=(scope) selected[wanted.scope == scope.as_str()] { (super::words::scope(scope)) }
                        }
                    }
                }
                @if !wanted.issue.is_empty() {
                    div class="field" {
                        label for="issue" { "Issue" }
                        input id="issue" name="issue" value=(wanted.issue) spellcheck="false";
                    }
                }
            }
            (choice("per_page", "On a page", wanted.per_page, &PER_PAGE, ""))
            button class="second" { "Show" }
            @if is_filtered && wanted.tab != Tab::Unused {
                a href={ (base(project)) "?status=" (wanted.tab.word()) } { "Without filters" }
            }
        }
    }
}

fn choice(name: &str, label: &str, chosen: u32, known: &[u32], unit: &str) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @if !known.contains(&chosen) { option value=(chosen) selected { (chosen) " " (unit) } }
                @for number in known { option value=(number) selected[*number == chosen] { (number) " " (unit) } }
            }
        }
    }
}

fn nothing(tab: Tab) -> Markup {
    let (what, hint) = match tab {
        Tab::Of(Status::Pending) => {
            ("Nothing waits for a decision.", "A developer asks for an exemption on the page of an issue.")
        }
        Tab::Of(Status::Approved) => {
            ("No exemption is in force.", "What a reviewer approves is listed here until it ends.")
        }
        Tab::Of(Status::Rejected) => ("Nothing was rejected.", "What was rejected can be requested again from here."),
        Tab::Of(Status::Expired) => {
            ("No exemption has expired.", "One whose end has come is listed here, and counts no more.")
        }
        Tab::Of(Status::Cancelled) => ("Nothing was cancelled.", "What was withdrawn stays in this list for good."),
        Tab::Expiring => ("No exemption ends so soon.", "Look further ahead with more days."),
        Tab::Unused => (
            "Every exemption is of use, or too young to tell.",
            "One that exempts nothing in so many scans is listed here.",
        ),
    };
    list::empty(what, &html! { (hint) })
}

/// The form for several at once; the boxes stand in the rows. The first button, which does nothing, is there for the key Enter
/// in a field of text: nobody decides by it.
fn several(shared: &Shared<'_>, tab: Tab, items: &[(ExemptionItem, Option<usize>)]) -> Markup {
    let Shared { project, session, reader, here, typed } = shared;
    let offered: Vec<_> = items.iter().map(|(item, _)| reader.offers(item)).collect();
    let is_offered = |decision: &&Decision| offered.iter().any(|offers| offers.contains(decision));
    let decisions: Vec<_> = tab.decisions().iter().filter(is_offered).collect();
    html! {
        @if !decisions.is_empty() {
            form id="decisions" method="post" action={ (base(project)) "/decisions" } class="card row" {
                (csrf(session))
                input type="hidden" name="back" value=(here);
                button hidden disabled {}
                div class="check if-script" hidden {
                    input type="checkbox" id="all" data-ticks="exemption";
                    label for="all" { "All on this page" }
                }
                div class="field grow" {
                    label for="comment" { "Comment on all that are chosen, if you like" }
                    input id="comment" name="comment" maxlength="1024" autocomplete="off" value=(typed.text(None, "comment"));
                }
                div class="actions" {
                    @for decision in decisions {
                        button class=(decision.class()) name="decision" value=(decision.as_str()) {
                            (decision.button(tab.status())) " chosen"
                        }
                    }
                }
            }
        }
    }
}
