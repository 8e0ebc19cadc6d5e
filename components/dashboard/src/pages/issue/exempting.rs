//! Asking for an exemption of an issue or of chosen occurrences, and what was asked for before.

use super::Named;
use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::csrf;
use crate::pages::exemptions::words;
use crate::view::text::plain;
use crate::view::{badge, notice};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::problem::Code;
use api::v1::{ExemptionBody, ExemptionItem, IssueItem, ScanAnswer};
use domain::exemption::{Reason, Status};
use domain::time::Timestamp;
use maud::{Markup, html};

/// How long an exemption can be asked for, in days; besides a date and, where the project allows it, no end.
const DAYS: [(&str, &str); 5] =
    [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "a year")];

/// Asks for what a form says.
///
/// # Errors
/// It is not legal, or the API refused.
pub(super) async fn request<A: Api>(visit: &Visit<'_, A>, named: Named<'_>, form: &Form) -> Result<(), Problem> {
    let body = body(named, form)?;
    let path = address::api(&address::exemptions(named.project));
    let _: ExemptionItem = visit.api.send("POST", &path, &body).await?;
    Ok(())
}

fn body(named: Named<'_>, form: &Form) -> Result<ExemptionBody, Problem> {
    let scope = form.text("scope").to_owned();
    let chosen: Vec<String> = form.all("occurrence").map(str::to_owned).collect();
    if scope == "occurrences" && chosen.is_empty() {
        let detail = "no occurrence is chosen: tick those that the exemption is for, or ask for the whole issue";
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let (mut duration_days, mut until, mut unlimited) = (None, None, false);
    match form.text("term") {
        "until" => match form.optional("until") {
            Some(date) => until = Some(date.to_owned()),
            None => return Err(Problem::new(Code::InvalidBody, "enter the date until which it is to hold")),
        },
        "unlimited" => unlimited = true,
        _ => duration_days = form.number("term")?,
    }
    Ok(ExemptionBody {
        issue: named.issue.to_owned(),
        occurrences: if scope == "occurrences" { chosen } else { Vec::new() },
        scope,
        scan: Some(named.scan.to_owned()),
        duration_days,
        until,
        unlimited,
        reason: form.text("reason").to_owned(),
        text: form.text("text").to_owned(),
        link: form.optional("link").map(str::to_owned),
        ..ExemptionBody::default()
    })
}

/// The form to ask with; `refused`: what was sent, and why it was refused.
pub(super) fn form<A>(
    visit: &Visit<'_, A>,
    named: Named<'_>,
    scan: &ScanAnswer,
    issue: &IssueItem,
    at: &str,
    refused: Option<(&Form, &Problem)>,
) -> Markup {
    let typed = |name: &str| refused.map(|(form, _)| form.text(name)).unwrap_or_default();
    let scope = typed("scope");
    let term = Some(typed("term")).filter(|term| !term.is_empty()).unwrap_or("30");
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
        details class="fold" id="exempt" open[refused.is_some()] {
            summary { "Request an exemption" }
            form id="request" method="post" action={ (named.path()) "/exemptions" } class="stack" {
                (csrf(visit.session))
                // The page of the list whose boxes are ticked.
                input type="hidden" name="at" value=(at);
                @if let Some((_, problem)) = refused { (notice::bad(&badge::capitalised(&problem.detail))) }
                fieldset class="stack tight" {
                    legend { "For what" }
                    (choice("target", html! {
                        "The issue in " bdi { (plain(&scan.scan.target.name)) } ", with occurrences to come"
                    }))
                    (choice("occurrences", html! {
                        "Only the occurrences ticked below"
                        @if issue.occurrences.total > 1 { " (of " (issue.occurrences.total) ")" }
                    }))
                    @if !visit.session.some_targets {
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
                            option value="" { "Choose one" }
                            @for reason in Reason::ALL {
                                @let word = reason.as_str();
                                option value=(word) selected[typed("reason") == word] { (words::reason(reason)) }
                            }
                        }
                    }
                    div class="field" {
                        label for="term" { "How long" }
                        select id="term" name="term" {
                            @for (days, text) in DAYS { option value=(days) selected[term == days] { (text) } }
                            option value="until" selected[term == "until"] { "until the date" }
                            option value="unlimited" selected[term == "unlimited"] { "without an end" }
                        }
                    }
                    div class="field" {
                        label for="until" { "Date" }
                        input id="until" name="until" type="date" value=(typed("until"));
                    }
                }
                div class="field" {
                    label for="explanation" { "Explanation" }
                    textarea id="explanation" name="text" required maxlength="1024" { (typed("text")) }
                }
                div class="field" {
                    label for="link" { "Link" }
                    input id="link" name="link" type="url" value=(typed("link")) maxlength="1024"
                        placeholder="https://… (if there is more to read)";
                }
                div class="row middle" {
                    button { "Request" }
                    span class="hint" { "Somebody else decides on it. It counts once it is approved." }
                }
            }
        }
    }
}

/// The exemptions of the issue that are known.
pub(super) fn known(now: Timestamp, named: Named<'_>, exemptions: &page::Page<ExemptionItem>) -> Markup {
    let all = address::with_query(&address::exemptions(named.project), [("issue", named.issue)]);
    html! {
        @if !exemptions.items.is_empty() {
            h3 { "Exemptions" }
            ul class="stack tight" {
                @for exemption in &exemptions.items {
                    @let path = address::exemption(named.project, &exemption.id);
                    li class="card stack tight" {
                        div class="row middle" {
                            (badge::status(exemption.status))
                            a href=(path) { (words::reach(exemption)) }
                        }
                        (words::why(exemption, false))
                        p class="hint" {
                            (words::asked_by(exemption, now)) " · " (words::term(exemption, now))
                            @if exemption.status != Status::Pending { " · " (words::decided(exemption, now)) }
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

    const NAMED: Named<'_> = Named { project: "shop", scan: "s", issue: "i" };

    fn read(form: &str) -> Result<ExemptionBody, Problem> {
        body(NAMED, &Form::parse(form.as_bytes()))
    }

    #[test]
    fn a_form_asks_for_what_it_says() {
        let whole = read("scope=target&occurrence=a&term=30&reason=other&text=+why+&link=").unwrap();
        assert_eq!((whole.scope.as_str(), whole.duration_days, whole.text.as_str()), ("target", Some(30), "why"));
        assert_eq!((whole.occurrences.len(), whole.link, whole.scan.as_deref()), (0, None, Some("s")));
        let some = read("scope=occurrences&occurrence=a&occurrence=b&term=until&until=2027-01-01").unwrap();
        assert_eq!(some.occurrences, ["a", "b"]);
        assert_eq!((some.until.as_deref(), some.duration_days, some.unlimited), (Some("2027-01-01"), None, false));
        assert!(read("scope=project&term=unlimited").unwrap().unlimited);
    }

    #[test]
    fn what_is_missing_is_told() {
        for (form, told) in [
            ("scope=occurrences&term=30", "no occurrence is chosen"),
            ("scope=target&term=until", "enter the date"),
            ("scope=target&term=soon", "is no whole number"),
        ] {
            let problem = read(form).unwrap_err();
            assert!(problem.detail.contains(told), "{form}: {}", problem.detail);
        }
    }
}
