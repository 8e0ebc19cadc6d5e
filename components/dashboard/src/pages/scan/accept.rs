//! Accepting a scan that did not pass, as the reference of the next scans of its variant.

use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::reply;
use crate::request::PageRequest;
use crate::view::notice;
use api::problem::{Code, Problem};
use api::v1::{AcceptBody, AcceptedAnswer, ScanAnswer};
use domain::role::Right;
use domain::verdict::Verdict;
use guest::Reply;
use maud::{Markup, html};

/// The form, for a reviewer and a scan that can be accepted.
pub(super) fn section<A>(request: &PageRequest<'_, A>, project: &str, answer: &ScanAnswer) -> Markup {
    let compared = &answer.comparison;
    let with_itself = matches!(compared.with.as_str(), "previous" | "accepted") || compared.previous.is_some();
    let with_baseline = compared.with.starts_with("baseline");
    let can_be = answer.verdict != Verdict::Pass && answer.report.complete && with_itself && !with_baseline;
    if !(can_be && request.has_right(Right::Decide)) {
        return html! {};
    }
    html! {
        details class="fold" {
            summary { "Accept this scan …" }
            (form(request, project, &answer.scan.id.to_string(), ""))
        }
    }
}

fn form<A>(request: &PageRequest<'_, A>, project: &str, scan: &str, comment: &str) -> Markup {
    html! {
        form method="post" action={ (address::scan(project, scan)) "/accept" } class="stack tight" {
            (csrf(request.session))
            p class="hint" {
                "The next scans of this variant are compared with this one: its issues are not new any more. Its own verdict stays."
            }
            div class="field" {
                label for="accept-comment" { "Reason, for the audit log" }
                input id="accept-comment" name="comment" required maxlength="1024" autocomplete="off" value=(comment);
            }
            div { button { "Accept scan" } }
        }
    }
}

/// Accepts the scan.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(crate) async fn submit<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    sent: &Form,
) -> Result<Reply, Problem> {
    let here = address::scan(project, scan);
    let body = AcceptBody { comment: sent.text("comment").to_owned() };
    match request.api.send::<AcceptedAnswer>("POST", &address::api(&format!("{here}/accept")), &body).await {
        Ok(_) => Ok(reply::redirect(&format!("{here}?done=scan-accepted"))),
        Err(problem) if matches!(problem.code, Code::Conflict | Code::InvalidBody) => {
            let body = html! {
                (notice::bad(&format!("The scan was not accepted: {}.", problem.detail)))
                (form(request, project, scan, sent.text("comment")))
            };
            let page = Page::of(project, Section::Tests, "Accept a scan", body).below(here, "Scan");
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}
