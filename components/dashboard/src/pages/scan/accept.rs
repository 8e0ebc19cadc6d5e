//! Accepting a scan that did not pass, as the reference of the next scans of its variant or without the parts that it
//! lacks. A reviewer accepts it, and a developer requests it.

use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::person::is_same_person;
use crate::reply;
use crate::request::PageRequest;
use crate::view::notice;
use crate::view::request::{DecisionForm, facts};
use crate::view::text::plain;
use api::page::Page as Listed;
use api::problem::{Code, Problem};
use api::v1::{
    AcceptBody, AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem, AcceptedAnswer, Report, ScanAnswer,
};
use domain::role::Right;
use domain::verdict::Verdict;
use guest::Reply;
use maud::{Markup, html};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// True if the scan can be accepted: as a reference, or because it only lacks parts.
fn can_be_accepted(answer: &ScanAnswer) -> bool {
    let compared = &answer.comparison;
    let with_itself = matches!(compared.with.as_str(), "previous" | "accepted") || compared.previous.is_some();
    let as_reference = answer.report.complete && with_itself && !compared.with.starts_with("baseline");
    answer.verdict != Verdict::Pass
        && answer.scan.replay_of.is_none()
        && (as_reference || lacks_only_parts(&answer.report))
}

/// True if the scan seems to be incomplete only because parts are missing. The API decides it.
fn lacks_only_parts(report: &Report) -> bool {
    !report.missing.is_empty() && report.scanner_errors_total == 0
}

/// The pending request to accept the scan, if the scan can be accepted and there is one.
///
/// # Errors
/// The API's problem.
pub(super) async fn pending<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    answer: &ScanAnswer,
) -> Result<Option<AcceptRequestItem>, Problem> {
    if !can_be_accepted(answer) {
        return Ok(None);
    }
    let path = format!("{}/accept-requests?scan={}", address::api(&address::project(project)), answer.scan.id);
    Ok(request.api.get::<Listed<AcceptRequestItem>>(&path).await?.items.pop())
}

/// The pending request with its decisions, or the form to accept or request it, for a scan that can be accepted.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    answer: &ScanAnswer,
    pending: Option<&AcceptRequestItem>,
) -> Markup {
    let scan = answer.scan.id.to_string();
    html! {
        @if let Some(item) = pending { (requested(request, project, item)) }
        @else if can_be_accepted(answer) && request.has_right(Right::Decide) {
            details class="fold" {
                summary { "Accept this scan …" }
                (form(request, project, &scan, &effect(&answer.report), ""))
            }
        } @else if can_be_accepted(answer) && request.has_right(Right::Develop) {
            details class="fold" {
                summary { "Request acceptance …" }
                (request_form(request, project, &scan, &effect(&answer.report), ""))
            }
        }
    }
}

/// The effect of accepting the scan.
fn effect(report: &Report) -> String {
    if report.missing.is_empty() {
        return "The next scans of this variant are compared with this one: its issues are not new any more. Its own verdict \
                stays."
            .to_owned();
    }
    format!(
        "These parts are no longer expected in reports of this variant: {}. Their issues are remediated by the next scan. \
         This scan stays incomplete.",
        report.missing.join(", ")
    )
}

/// The pending request, with forms for those who may decide it.
fn requested<A>(request: &PageRequest<'_, A>, project: &str, item: &AcceptRequestItem) -> Markup {
    let is_own = is_same_person(&request.session.subject, &item.requested_by);
    let scan = item.id.to_string();
    html! {
        section class="card stack" aria-labelledby="accept-request" {
            h2 id="accept-request" { "Requested: accept this scan" }
            dl class="facts" {
                (facts(&item.requested_by, &item.requested_at, &item.reason, request.now))
                dt { "After an approval" } dd class="break" { bdi { (plain(&item.effect())) } }
            }
            @if item.outdated {
                (notice::bad("A later scan was accepted or is complete, so this one cannot be accepted any more."))
            }
            @if request.has_right(Right::Decide) && !is_own {
                @if !item.outdated {
                    details {
                        summary { "Approve …" }
                        (form(request, project, &scan, "The scan's own verdict stays.", ""))
                    }
                }
                (decision(request, project, &scan, "reject", "Reject"))
            }
            @if is_own && request.has_right(Right::Develop) { (decision(request, project, &scan, "withdraw", "Withdraw")) }
        }
    }
}

/// The form of a decision that changes nothing.
fn decision<A>(request: &PageRequest<'_, A>, project: &str, scan: &str, decision: &str, label: &str) -> Markup {
    let address = format!("{}/accept-request", address::scan(project, scan));
    let hint = "Nothing changes.";
    DecisionForm { address: &address, decision, label, hint, shown: &[] }.markup(request.session)
}

fn form<A>(request: &PageRequest<'_, A>, project: &str, scan: &str, hint: &str, comment: &str) -> Markup {
    html! {
        form method="post" action={ (address::scan(project, scan)) "/accept" } class="stack tight" {
            (csrf(request.session))
            p class="hint break" { bdi { (plain(hint)) } }
            div class="field" {
                label for="accept-comment" { "Reason, for the audit log" }
                input id="accept-comment" name="comment" required maxlength="1024" autocomplete="off" value=(comment);
            }
            div { button { "Accept scan" } }
        }
    }
}

fn request_form<A>(request: &PageRequest<'_, A>, project: &str, scan: &str, hint: &str, reason: &str) -> Markup {
    html! {
        form method="post" action={ (address::scan(project, scan)) "/accept-request" } class="stack tight" {
            (csrf(request.session))
            p class="hint break" {
                "Another person with the role secops or admin decides. After an approval: " bdi { (plain(hint)) }
            }
            div class="field" {
                label for="accept-reason" { "Reason" }
                input id="accept-reason" name="reason" required maxlength="1024" autocomplete="off" value=(reason);
            }
            div { button { "Request acceptance" } }
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
    let body = AcceptBody { comment: sent.text("comment").to_owned() };
    let form = form(request, project, scan, "The scan's own verdict stays.", sent.text("comment"));
    let refusal = Refusal { what: "The scan was not accepted", form };
    send(request, project, scan, ("accept", &body), refusal, |accepted: AcceptedAnswer| {
        if accepted.missing.is_empty() { "scan-accepted".to_owned() } else { "missing-accepted".to_owned() }
    })
    .await
}

/// Requests that the scan is accepted.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(crate) async fn submit_request<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    sent: &Form,
) -> Result<Reply, Problem> {
    let body = AcceptRequestBody { reason: sent.text("reason").to_owned() };
    let form = request_form(request, project, scan, "the scan is accepted.", sent.text("reason"));
    let refusal = Refusal { what: "Nothing was requested", form };
    let done = |_: AcceptRequestItem| "accept-requested".to_owned();
    send(request, project, scan, ("accept-request", &body), refusal, done).await
}

/// Rejects or withdraws the request.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(crate) async fn decide<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    decision: &str,
    sent: &Form,
) -> Result<Reply, Problem> {
    let body = AcceptDecisionBody { comment: sent.text("comment").to_owned() };
    let refusal = Refusal { what: "Nothing was decided", form: html! {} };
    let done = |_: AcceptRequestItem| format!("accept-request-{decision}");
    send(request, project, scan, (&format!("accept-request/{decision}"), &body), refusal, done).await
}

/// The page after the API refused a form: what did not happen, and the form.
struct Refusal {
    what: &'static str,
    form: Markup,
}

/// Sends a form to a call of the scan, and leads back to its page with the notice that `done` names.
async fn send<A: Api, T: DeserializeOwned>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    (call, body): (&str, &impl Serialize),
    refusal: Refusal,
    done: impl FnOnce(T) -> String,
) -> Result<Reply, Problem> {
    let here = address::scan(project, scan);
    match request.api.send::<T>("POST", &address::api(&format!("{here}/{call}")), body).await {
        Ok(answer) => Ok(reply::redirect(&format!("{here}?done={}", done(answer)))),
        Err(problem) if matches!(problem.code, Code::Conflict | Code::InvalidBody) => {
            let Refusal { what, form } = refusal;
            let body = html! { (notice::bad(&format!("{what}: {}.", problem.detail))) (form) };
            let page = Page::of(project, Section::Tests, "Accept a scan", body).below(here, "Scan");
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, SCAN, scan, session, with_get};
    use domain::role::Role;
    use serde_json::json;

    fn lacking() -> ScanAnswer {
        let mut answer = scan();
        answer["verdict"] = json!("undecided");
        answer["report"]["complete"] = json!(false);
        answer["report"]["missing"] = json!(["codeql/<go>"]);
        serde_json::from_value(answer).unwrap()
    }

    fn item(requested_by: &str, outdated: bool) -> AcceptRequestItem {
        serde_json::from_value(json!({
            "id": SCAN, "request": "0".repeat(32), "target": "web", "variant": "feature", "scanner": "codeql",
            "reason": "it <moved>", "requested_by": requested_by, "requested_at": "2026-11-24T15:00:00.000Z",
            "outdated": outdated, "missing": ["codeql/<go>"], "new_issues": 0, "new_occurrences": 0
        }))
        .unwrap()
    }

    fn shown(role: Role, answer: &ScanAnswer, pending: Option<&AcceptRequestItem>) -> String {
        let (api, session) = (FakeApi::default(), session(role));
        with_get(&api, &session, "/", async |request| section(request, "shop", answer, pending).into_string())
    }

    #[test]
    fn a_reviewer_accepts_missing_parts_and_a_developer_requests_it() {
        let reviewer = shown(Role::Secops, &lacking(), None);
        assert!(reviewer.contains("Accept this scan …") && reviewer.contains("codeql/&lt;go&gt;"), "{reviewer}");
        let developer = shown(Role::Developer, &lacking(), None);
        assert!(developer.contains("Request acceptance …") && developer.contains("/accept-request\""), "{developer}");
        assert_eq!(shown(Role::Viewer, &lacking(), None), "");
        let mut broken = lacking();
        broken.report.scanner_errors_total = 1;
        assert_eq!(shown(Role::Secops, &broken, None), "", "it is incomplete for another reason too");
        let branch = serde_json::from_value(scan()).unwrap();
        assert_eq!(shown(Role::Secops, &branch, None), "", "it is compared with the baseline");
    }

    #[test]
    fn a_pending_request_is_decided_by_another_person_and_withdrawn_by_the_requester() {
        let offered = |page: &str| ["Approve …", "Reject …", "Withdraw …"].map(|label| page.contains(label));
        let of = |role, by: &str, outdated| offered(&shown(role, &lacking(), Some(&item(by, outdated))));
        assert_eq!(of(Role::Secops, "dev", false), [true, true, false]);
        assert_eq!(of(Role::Secops, "dev", true), [false, true, false]);
        assert_eq!(of(Role::Secops, "Ann", false), [false, false, true], "their own");
        assert_eq!(of(Role::Developer, "dev", false), [false; 3]);
        let page = shown(Role::Viewer, &lacking(), Some(&item("dev", true)));
        assert!(page.contains("it &lt;moved&gt;") && page.contains("cannot be accepted any more"), "{page}");
    }
}
