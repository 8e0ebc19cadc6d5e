//! The page of an issue of a scan: details, occurrences, exemptions, history.

mod details;
mod exemption_form;
mod history;
pub(crate) mod occurrences;

use crate::address::{self, IssueIds};
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section};
use crate::pages::problem::page_not_found;
use crate::reply;
use crate::request::Method;
use crate::request::PageRequest;
use crate::view::text::{cut, plain};
use crate::view::{badge, exemption};
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{ExemptionItem, IssueItem, OccurrenceItem, Scan, ScanAnswer};
use domain::comparison::Bucket;
use domain::role::Right;
use futures::try_join;
use guest::Reply;
use maud::html;

/// Occurrences on a page.
const PER_PAGE: usize = 10;
/// The longest title in a heading, in characters.
const TITLE_CHARS: usize = 200;

/// The longest title of an issue in the title of the window, in characters.
const WINDOW_CHARS: usize = 80;

/// The buckets of occurrences that the scan does not have.
const ABSENT: [Bucket; 2] = [Bucket::Remediated, Bucket::NotSeen];

/// Routes the paths below an issue.
///
/// # Errors
/// The page does not exist, or the API answered with a problem.
pub(crate) async fn route<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    issue: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    let ids = IssueIds { project, scan, issue };
    match (request.method, rest) {
        (Method::Get, []) => page(request, ids, None).await,
        (Method::Get, ["elsewhere"]) => history::page(request, ids).await,
        (Method::Get, ["occurrences", occurrence]) => history::explanation(request, ids, occurrence).await,
        (Method::Post(form), ["exemptions"]) => request_exemption(request, ids, form).await,
        _ => Err(page_not_found()),
    }
}

/// Requests an exemption. A refused request is shown above the form.
async fn request_exemption<A: Api>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    form: &Form,
) -> Result<Reply, Problem> {
    match exemption_form::submit(request, ids, form).await {
        Ok(id) => {
            let id = segment(&id);
            Ok(reply::redirect(&format!("{}?done=exemption-requested&exemption={id}", ids.path())))
        }
        Err(problem) if matches!(problem.code.status(), 400 | 403 | 404 | 409 | 422) => {
            page(request, ids, Some((form, &problem))).await
        }
        Err(problem) => Err(problem),
    }
}

/// The title of the window: a page about an issue, with the scan that shows it.
fn window_title(about: &str, issue: &str, scan: &Scan) -> String {
    format!("{about}{} · {} · {}:{}", cut(issue, WINDOW_CHARS), scan.scanner, scan.target.name, scan.variant)
}

async fn page<A: Api>(
    request: &PageRequest<'_, A>,
    ids: IssueIds<'_>,
    refusal: Option<(&Form, &Problem)>,
) -> Result<Reply, Problem> {
    let scan_path = address::api(&ids.scan_path());
    let issue_path = address::api(&ids.path());
    let cursor = refusal.map_or_else(|| request.text("at"), |(form, _)| form.text("at"));
    let absent = request.text("bucket").parse().ok().filter(|bucket| ABSENT.contains(bucket));
    let bucket = absent.map_or_else(String::new, |bucket| format!("&bucket={bucket}"));
    let occurrences_path = format!("{issue_path}/occurrences?limit={PER_PAGE}&cursor={}{bucket}", segment(cursor));
    let exemptions_path =
        address::with_query(&address::api(&address::exemptions(ids.project)), [("issue", ids.issue), ("limit", "20")]);
    let (scan, issue, occurrences, exemptions): (
        ScanAnswer,
        IssueItem,
        page::Page<OccurrenceItem>,
        page::Page<ExemptionItem>,
    ) = try_join!(
        request.api.get(&scan_path),
        request.api.get(&issue_path),
        request.api.get(&occurrences_path),
        request.api.get(&exemptions_path),
    )?;
    // An issue that the scan does not have has no other occurrences.
    if ABSENT.contains(&issue.bucket) && absent.is_none() && occurrences.items.is_empty() {
        return Ok(reply::redirect(&format!("{}?bucket={}", ids.path(), issue.bucket)));
    }
    let next = occurrences.next.as_ref().map(|next| format!("{}?at={}{bucket}", ids.path(), segment(next)));
    let list = occurrences::OccurrenceList {
        ids,
        scan: &scan,
        issue: &issue,
        items: &occurrences.items,
        next,
        cursor,
        absent,
        refused_form: refusal.map(|(form, _)| form),
    };
    let first = occurrences.items.first();
    let may_request = request.has_right(Right::Develop) && absent.is_none() && scan.scan.replay_of.is_none();
    let body = html! {
        article id="issue" class="stack" aria-labelledby="issue-title" {
            div class="row middle" {
                h2 id="issue-title" { bdi { (cut(&issue.title, TITLE_CHARS)) } }
                (badge::severity(&issue.severity))
                (exemption::of_issue(&issue))
            }
            (details::facts(request.now, ids, &issue, first))
            (details::texts(&issue, first))
            (exemption_form::confirmation(request, &exemptions))
            @if may_request { (exemption_form::form(request, ids, &scan, &issue, cursor, refusal)) }
            (exemption_form::existing(request.now, ids, &exemptions))
            (list.section(request.now, may_request))
            (history::placeholder(ids))
        }
    };
    let title = format!("Issue in {}:{}", scan.scan.target.name, scan.scan.variant);
    let window = window_title("", &issue.title, &scan.scan);
    let page = Page::of(ids.project, Section::Tests, title, body)
        .window(window)
        .below(address::scans(ids.project), "Security tests")
        .below(ids.scan_path(), plain(&format!("{}:{}", scan.scan.target.name, scan.scan.variant)));
    Ok(page.reply(request))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, ISSUE, OTHER, SCAN, issue, occurrence, scan, session, text, with_request};
    use api::problem::Code;
    use domain::role::Role;
    use serde_json::json;

    fn api() -> FakeApi {
        let scan_path = format!("GET /api/v1/projects/shop/scans/{SCAN}");
        FakeApi::default()
            .answer(&scan_path, &scan())
            .answer(&format!("{scan_path}/issues/{ISSUE}"), &issue("Shell <b>"))
            .answer(
                &format!("{scan_path}/issues/{ISSUE}/occurrences?limit=10&cursor="),
                &json!({"items": [occurrence()]}),
            )
            .answer(&format!("GET /api/v1/projects/shop/exemptions?issue={ISSUE}&limit=20"), &json!({"items": []}))
    }

    fn open(api: &FakeApi, role: Role, method: Method<'_>, rest: &[&str]) -> Result<Reply, Problem> {
        let url = format!("/projects/shop/scans/{SCAN}/issues/{ISSUE}");
        let session = session(role);
        with_request(api, &session, method, &url, async |request| route(request, "shop", SCAN, ISSUE, rest).await)
    }

    #[test]
    fn a_page_shows_score_weakness_and_code() {
        let page = text(&open(&api(), Role::Viewer, Method::Get, &[]).unwrap());
        for part in [
            "Shell &lt;b&gt;",
            "<strong>9.5</strong> of 10",
            "severity reported by the scanner (HIGH)",
            "OS Command Injection",
            "src/app.py",
            "<mark>    subprocess.call(arg, shell=True)</mark>",
            "javascript:alert(1)",
            "<title>Shell &lt;b&gt; · bandit · web:feature · Gatehouse</title>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(r#"href="javascript"#), "no link leads into a script");
        assert!(!page.contains("Request an exemption"), "a viewer may not request");
    }

    /// The explanation of the occurrence, where the previous scan was not accepted.
    fn explained() -> FakeApi {
        let explanation = json!({
            "scan": SCAN, "occurrence": OTHER, "issue": ISSUE, "rule": "B602", "place": "src/app.py:8",
            "comparison": {"with": "accepted", "variant": "feature", "scan": "04".repeat(16), "previous": "05".repeat(16)},
            "bucket": "new", "because": "its issue is not in the last accepted scan of this variant",
            "first_seen": {"scan": SCAN, "at": "2026-11-24T15:00:00.000Z", "variant": "feature", "age_days": 0},
            "passed_over": []
        });
        api().answer(&format!("GET /api/v1/projects/shop/scans/{SCAN}/explain/{OTHER}"), &explanation)
    }

    #[test]
    fn an_explanation_links_to_the_last_accepted_scan_and_to_the_previous_one() {
        let page = text(&open(&explained(), Role::Viewer, Method::Get, &["occurrences", OTHER]).unwrap());
        for (scan, name) in [("04", "The last accepted scan"), ("05", "the previous scan")] {
            let link = format!("<a href=\"/projects/shop/scans/{}\">{name}</a>", scan.repeat(16));
            assert!(page.contains(&link), "{link}: {page}");
        }
    }

    #[test]
    fn the_pages_below_an_issue_have_windows_of_their_own() {
        let page = text(&open(&explained(), Role::Viewer, Method::Get, &["occurrences", OTHER]).unwrap());
        let title = "<title>Why src/app.py:8 is new · Shell &lt;b&gt; · bandit · web:feature · Gatehouse</title>";
        assert!(page.contains(title), "{page}");
        let path = "GET /api/v1/projects/shop";
        let elsewhere = api()
            .answer(&format!("{path}/scans?target=web&scanner=bandit&limit=10"), &json!({"items": []}))
            .answer(&format!("{path}/issues/{ISSUE}/targets?scan={SCAN}&limit=50"), &json!({"items": []}));
        let page = text(&open(&elsewhere, Role::Viewer, Method::Get, &["elsewhere"]).unwrap());
        let title = "<title>Other scans of Shell &lt;b&gt; · bandit · web:feature · Gatehouse</title>";
        assert!(page.contains(title), "{page}");
    }

    #[test]
    fn a_developer_requests_an_exemption_of_selected_occurrences() {
        let path = "POST /api/v1/projects/shop/exemptions";
        let form = format!("scope=occurrences&occurrence={OTHER}&term=90&reason=other&text=known");
        let form = Form::parse(form.as_bytes());
        let refused = api().refuse(path, &Problem::new(Code::Conflict, "it was requested already"));
        let page = open(&refused, Role::Developer, Method::Post(&form), &["exemptions"]).unwrap();
        let page = text(&page);
        assert!(page.contains("It was requested already") && page.contains("known</textarea>"), "{page}");
        assert!(page.contains(r#"<option value="90" selected>"#));
        {
            let item = json!({
                "id": "0a", "status": "pending", "issue": ISSUE, "title": "t", "severity": "high", "scanner": "bandit",
                "scope": "occurrences", "target": "web", "occurrences": [OTHER], "scan": SCAN, "duration_days": 90,
                "reason": "other", "text": "known", "requested_by": "ann", "requested_at": "2026-11-20T00:00:00Z", "version": 1
            });
            let list = format!("GET /api/v1/projects/shop/exemptions?issue={ISSUE}&limit=20");
            let api = api().answer(path, &item).answer(&list, &json!({"items": [item]}));
            let reply = open(&api, Role::Developer, Method::Post(&form), &["exemptions"]).unwrap();
            let here = format!("/projects/shop/scans/{SCAN}/issues/{ISSUE}?done=exemption-requested&exemption=0a");
            assert!(reply.headers.contains(&("location", here.clone())), "{:?}", reply.headers);
            let session = session(Role::Developer);
            let page = with_request(&api, &session, Method::Get, &here, async |request| {
                route(request, "shop", SCAN, ISSUE, &[]).await
            });
            let page = text(&page.unwrap());
            let sentence = "A reviewer will decide on it. It is for the 1 selected occurrence in the target \
                            <bdi class=\"break\">web</bdi>, 90 days from approval.";
            assert!(page.contains(sentence), "{page}");
        }
        let sent = refused.sent.borrow();
        assert_eq!(sent.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&sent[0].1).unwrap();
        assert_eq!((&sent[0].0[..], &body["occurrences"], &body["scan"]), (path, &json!([OTHER]), &json!(SCAN)));
    }

    #[test]
    fn unknown_paths_below_an_issue_are_not_found() {
        assert_eq!(open(&api(), Role::Admin, Method::Get, &["exemptions"]).unwrap_err().code, Code::NotFound);
        assert_eq!(open(&api(), Role::Admin, Method::Get, &["x"]).unwrap_err().code, Code::NotFound);
    }
}
