//! The form to request an exemption, and the existing exemptions of the issue.

use crate::address::{self, IssueIds};
use crate::client::Api;
use crate::form::Form;
use crate::layout::csrf;
use crate::request::PageRequest;
use crate::view::list::count;
use crate::view::text::plain;
use crate::view::{badge, exemption, notice};
use api::Problem;
use api::page;
use api::problem::Code;
use api::v1::{ExemptionBody, ExemptionItem, IssueItem, ScanAnswer};
use domain::exemption::{Reason, Status};
use domain::time::Timestamp;
use maud::{Markup, html};

/// The durations of the form, in days, and their labels. A date and no expiry are further choices.
const DURATIONS: [(&str, &str); 5] =
    [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "1 year")];

/// The duration that the form begins with. A date counts instead of it.
const DEFAULT_TERM: &str = "30";

/// Requests the exemption in the form, and returns its id.
///
/// # Errors
/// The form is not valid, or the API answered with a problem.
pub(super) async fn submit<A: Api>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    form: &Form,
) -> Result<String, Problem> {
    let body = body(ids, form)?;
    let path = address::api(&address::exemptions(ids.project));
    let item: ExemptionItem = request.api.send("POST", &path, &body).await?;
    Ok(item.id)
}

fn body(ids: IssueIds<'_>, form: &Form) -> Result<ExemptionBody, Problem> {
    let selected: Vec<String> = form.all("occurrence").map(str::to_owned).collect();
    let scope = scope(form.text("scope"), selected.len()).map_err(refused)?.to_owned();
    let (mut duration_days, mut until, mut unlimited) = (None, None, false);
    match (term(form.text("term"), form.optional("until")).map_err(refused)?, form.optional("until")) {
        ("until", date) => until = date.map(str::to_owned),
        ("unlimited", _) => unlimited = true,
        (_, _) => duration_days = form.number("term")?,
    }
    Ok(ExemptionBody {
        issue: ids.issue.to_owned(),
        occurrences: if scope == "occurrences" { selected } else { Vec::new() },
        scope,
        scan: Some(ids.scan.to_owned()),
        duration_days,
        until,
        unlimited,
        reason: form.text("reason").to_owned(),
        text: form.text("text").to_owned(),
        link: form.optional("link").map(str::to_owned),
        ..ExemptionBody::default()
    })
}

fn refused(detail: String) -> Problem {
    Problem::new(Code::InvalidBody, detail)
}

/// The scope that is requested: selected occurrences are what is asked for, unless another choice contradicts them.
fn scope(chosen: &str, selected: usize) -> Result<&str, String> {
    let some = count(u64::try_from(selected).unwrap_or(u64::MAX), "occurrence");
    match (chosen, selected) {
        ("occurrences", 0) => {
            Err("no occurrence is selected; select at least one, or request an exemption of the whole issue".to_owned())
        }
        // The first choice of the form; its label says that selected occurrences count instead.
        ("" | "target", 1..) => Ok("occurrences"),
        ("pipeline" | "project", 1..) => Err(format!(
            "{some} selected, but the scope is the issue in the whole {chosen}; deselect them, or choose \u{201c}only the \
             selected occurrences\u{201d}"
        )),
        ("", 0) => Ok("target"),
        (chosen, _) => Ok(chosen),
    }
}

/// The duration that is requested: a date is what is asked for, unless another choice contradicts it.
fn term<'a>(chosen: &'a str, date: Option<&str>) -> Result<&'a str, String> {
    match (chosen, date) {
        ("until", None) => Err("the date is missing; enter the last day of the exemption".to_owned()),
        ("" | DEFAULT_TERM | "until", Some(_)) => Ok("until"),
        (chosen, Some(date)) => {
            let known = DURATIONS.iter().find(|(days, _)| *days == chosen).map(|(_, text)| *text);
            let known = known.unwrap_or("no expiry");
            Err(format!(
                "the date {date} is filled in, but the duration is \u{201c}{known}\u{201d}; clear the date, or choose \
                 \u{201c}until a date\u{201d}"
            ))
        }
        ("", None) => Ok(DEFAULT_TERM),
        (chosen, None) => Ok(chosen),
    }
}

/// The form. `cursor`: the position in the list of occurrences. `refusal`: the refused form and its problem.
pub(super) fn form<A>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    scan: &ScanAnswer,
    issue: &IssueItem,
    cursor: &str,
    refusal: Option<(&Form, &Problem)>,
) -> Markup {
    let typed = |name: &str| refusal.map(|(form, _)| form.text(name)).unwrap_or_default();
    let scope = typed("scope");
    let term = Some(typed("term")).filter(|term| !term.is_empty()).unwrap_or(DEFAULT_TERM);
    let choice = |value: &str, text: Markup| {
        let id = format!("scope-{value}");
        let is_on = scope == value || (scope.is_empty() && value == "target");
        html! {
            div class="check" {
                input type="radio" name="scope" id=(id) value=(value) checked[is_on];
                label for=(id) { (text) }
            }
        }
    };
    html! {
        details class="fold" id="exempt" open[refusal.is_some()] {
            summary { "Request an exemption" }
            form id="request" method="post" action={ (ids.path()) "/exemptions" } class="stack" {
                (csrf(request.session))
                // The page of the list with the selected occurrences.
                input type="hidden" name="at" value=(cursor);
                @if let Some((_, problem)) = refusal { (notice::bad(&badge::capitalised(&problem.detail))) }
                fieldset class="stack tight" {
                    legend { "Scope" }
                    (choice("target", html! {
                        "The issue in " bdi { (plain(&scan.scan.target.name)) } ", including future occurrences"
                    }))
                    (choice("occurrences", html! {
                        "Only the occurrences selected below"
                        @if issue.occurrences.total > 1 { " (of " (issue.occurrences.total) ")" }
                    }))
                    p class="hint" { "If you select occurrences below, only these are requested." }
                    @if !request.session.some_targets {
                        @if let Some(pipeline) = &scan.scan.pipeline {
                            (choice("pipeline", html! { "The issue in all scans of the pipeline " bdi { (plain(pipeline)) } }))
                        }
                        (choice("project", html! { "The issue in the whole project" }))
                    }
                }
                div class="row" {
                    div class="field" {
                        label for="reason" { "Reason" }
                        select id="reason" name="reason" required {
                            option value="" { "Select a reason" }
                            @for reason in Reason::ALL {
                                @let word = reason.as_str();
                                option value=(word) selected[typed("reason") == word] { (exemption::reason(reason)) }
                            }
                        }
                    }
                    div class="field" {
                        label for="term" { "Duration" }
                        select id="term" name="term" {
                            @for (days, text) in DURATIONS { option value=(days) selected[term == days] { (text) } }
                            option id="term-until" value="until" selected[term == "until"] { "until a date" }
                            option value="unlimited" selected[term == "unlimited"] { "no expiry" }
                        }
                    }
                    div class="field" {
                        label for="until" { "Date (instead of a duration)" }
                        input id="until" name="until" type="date" value=(typed("until")) data-chooses="term-until";
                    }
                }
                div class="field" {
                    label for="explanation" { "Explanation" }
                    textarea id="explanation" name="text" required maxlength="1024" { (typed("text")) }
                }
                div class="field" {
                    label for="link" { "Link (optional)" }
                    input id="link" name="link" type="url" value=(typed("link")) maxlength="1024"
                        placeholder="https://…";
                }
                div class="row middle" {
                    button { "Request exemption" }
                    span class="hint" { "Another person must approve it. It applies from the next scan after that." }
                }
            }
        }
    }
}

/// The confirmation after a request: one sentence says what was requested.
pub(super) fn confirmation<A>(request: &PageRequest<'_, A>, exemptions: &page::Page<ExemptionItem>) -> Markup {
    if !request.from_own_page || request.text("done") != "exemption-requested" {
        return html! {};
    }
    let requested = exemptions.items.iter().find(|item| item.id == request.text("exemption"));
    html! {
        p class="notice good" role="status" {
            "Exemption requested. A reviewer will decide on it."
            @if let Some(item) = requested {
                " It is for the " (exemption::reach(item)) ", " (exemption::duration(item, request.now)) "."
            }
        }
    }
}

/// The exemptions of the issue.
pub(super) fn existing(now: Timestamp, ids: IssueIds<'_>, exemptions: &page::Page<ExemptionItem>) -> Markup {
    let all = address::with_query(&address::exemptions(ids.project), [("issue", ids.issue)]);
    html! {
        @if !exemptions.items.is_empty() {
            h3 { "Exemptions" }
            ul class="stack tight" {
                @for item in &exemptions.items {
                    @let path = address::exemption(ids.project, &item.id);
                    li class="card stack tight" {
                        div class="row middle" {
                            (exemption::status_badge(item.status))
                            a href=(path) { (exemption::reach(item)) }
                        }
                        (exemption::explanation(item, false))
                        p class="hint" {
                            (exemption::requested_by(item, now)) " · " (exemption::duration(item, now))
                            @if item.status != Status::Pending { " · " (exemption::last_decision(item, now)) }
                        }
                    }
                }
            }
            @if exemptions.next.is_some() { p { a href=(all) { "All exemptions of the issue" } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: IssueIds<'_> = IssueIds { project: "shop", scan: "s", issue: "i" };

    fn read(form: &str) -> Result<ExemptionBody, Problem> {
        body(IDS, &Form::parse(form.as_bytes()))
    }

    #[test]
    fn a_form_is_read() {
        let whole = read("scope=target&term=30&reason=other&text=+why+&link=").unwrap();
        assert_eq!((whole.scope.as_str(), whole.duration_days, whole.text.as_str()), ("target", Some(30), "why"));
        assert_eq!((whole.occurrences.len(), whole.link, whole.scan.as_deref()), (0, None, Some("s")));
        let some = read("scope=occurrences&occurrence=a&occurrence=b&term=until&until=2027-01-01").unwrap();
        assert_eq!(some.occurrences, ["a", "b"]);
        assert_eq!((some.until.as_deref(), some.duration_days, some.unlimited), (Some("2027-01-01"), None, false));
        assert!(read("scope=project&term=unlimited").unwrap().unlimited);
    }

    #[test]
    fn selected_occurrences_and_a_date_are_what_is_requested() {
        let some = read("scope=target&occurrence=a&term=30&until=2027-01-01").unwrap();
        assert_eq!((some.scope.as_str(), some.occurrences.as_slice()), ("occurrences", ["a".to_owned()].as_slice()));
        assert_eq!((some.until.as_deref(), some.duration_days), (Some("2027-01-01"), None));
        let nothing_chosen = read("reason=other").unwrap();
        assert_eq!((nothing_chosen.scope.as_str(), nothing_chosen.occurrences.len()), ("target", 0));
    }

    #[test]
    fn an_incomplete_form_is_refused() {
        for (form, expected) in [
            ("scope=occurrences&term=30", "no occurrence is selected"),
            ("scope=target&term=until", "the date is missing"),
            ("scope=target&term=soon", "expected a whole number"),
            (
                "scope=project&occurrence=a&occurrence=b&term=30",
                "2 occurrences selected, but the scope is the issue in",
            ),
            (
                "scope=target&term=90&until=2027-01-01",
                "the date 2027-01-01 is filled in, but the duration is “90 days”",
            ),
            ("scope=target&term=unlimited&until=2027-01-01", "but the duration is “no expiry”"),
        ] {
            let problem = read(form).unwrap_err();
            assert!(problem.detail.contains(expected), "{form}: {}", problem.detail);
        }
    }
}
