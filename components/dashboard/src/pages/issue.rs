//! An issue of a scan: what it is, where it occurs, since when and where else, and asking for an exemption.

mod about;
mod exempting;
mod history;
mod occurrences;

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section};
use crate::pages::{Asked, no_page, shown};
use crate::view::badge;
use crate::view::text::{cut, plain};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{ExemptionItem, IssueItem, OccurrenceItem, ScanAnswer};
use domain::role::Right;
use futures::try_join;
use guest::Reply;
use maud::html;

/// Occurrences on a page.
const LISTED: usize = 10;
/// Characters of an issue's title in headings.
const TITLE_CHARS: usize = 200;

/// Names an issue in a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) project: &'a str,
    pub(crate) scan: &'a str,
    pub(crate) issue: &'a str,
}

impl Named<'_> {
    /// The path of its page.
    pub(crate) fn path(&self) -> String {
        address::issue(self.project, self.scan, self.issue)
    }

    /// The path of its scan's page.
    pub(crate) fn scan_path(&self) -> String {
        address::scan(self.project, self.scan)
    }
}

/// An issue's page, or what is below it.
///
/// # Errors
/// There is no such issue or page, what is asked for is not legal, or the API failed.
pub(crate) async fn route<A: Api>(
    visit: &Visit<'_, A>,
    asked: Asked<'_>,
    project: &str,
    scan: &str,
    issue: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    let named = Named { project, scan, issue };
    match (asked, rest) {
        (Asked::Get, []) => details(visit, named, None).await,
        (Asked::Get, ["elsewhere"]) => history::page(visit, named).await,
        (Asked::Get, ["occurrences", occurrence]) => history::explanation(visit, named, occurrence).await,
        (Asked::Post(form), ["exemptions"]) => request(visit, named, form).await,
        _ => Err(no_page()),
    }
}

/// Asks for an exemption, and shows the form again with what was said if it is refused.
async fn request<A: Api>(visit: &Visit<'_, A>, named: Named<'_>, form: &Form) -> Result<Reply, Problem> {
    match exempting::request(visit, named, form).await {
        Ok(()) => Ok(answer::redirect(&format!("{}?done=exemption-requested", named.path()))),
        Err(problem) if matches!(problem.code.status(), 400 | 403 | 404 | 409 | 422) => {
            details(visit, named, Some((form, &problem))).await
        }
        Err(problem) => Err(problem),
    }
}

async fn details<A: Api>(
    visit: &Visit<'_, A>,
    named: Named<'_>,
    refused: Option<(&Form, &Problem)>,
) -> Result<Reply, Problem> {
    let scan_path = address::api(&named.scan_path());
    let issue_path = address::api(&named.path());
    let at = refused.map_or_else(|| visit.text("at"), |(form, _)| form.text("at"));
    let gone = visit.text("bucket") == "remediated";
    let bucket = if gone { "&bucket=remediated" } else { "" };
    let occurrences_path = format!("{issue_path}/occurrences?limit={LISTED}&cursor={}{bucket}", segment(at));
    let exemptions_path = address::with_query(
        &address::api(&address::exemptions(named.project)),
        [("issue", named.issue), ("limit", "20")],
    );
    let (scan, issue, occurrences, exemptions): (
        ScanAnswer,
        IssueItem,
        page::Page<OccurrenceItem>,
        page::Page<ExemptionItem>,
    ) = try_join!(
        visit.api.get(&scan_path),
        visit.api.get(&issue_path),
        visit.api.get(&occurrences_path),
        visit.api.get(&exemptions_path),
    )?;
    // Of an issue that is gone, what it was is what to look at.
    if issue.bucket == domain::comparison::Bucket::Remediated && !gone && occurrences.items.is_empty() {
        let gone = format!("{}?bucket=remediated", named.path());
        return Ok(answer::redirect(&gone));
    }
    let next = occurrences.next.as_ref().map(|next| {
        let bucket = if gone { "&bucket=remediated" } else { "" };
        format!("{}?at={}{bucket}", named.path(), segment(next))
    });
    let list = occurrences::List {
        named,
        scan: &scan,
        issue: &issue,
        items: &occurrences.items,
        next,
        at,
        gone,
        sent: refused.map(|(form, _)| form),
    };
    let first = occurrences.items.first();
    let may_ask = visit.may(Right::Develop) && !gone && scan.scan.replay_of.is_none();
    let body = html! {
        article id="issue" class="stack" aria-labelledby="issue-title" {
            div class="row middle" {
                h2 id="issue-title" { bdi { (cut(&issue.title, TITLE_CHARS)) } }
                (badge::severity(&issue.severity))
                (super::scan::lists::exemption(&issue))
            }
            (about::facts(visit.now, named, &issue, first))
            (about::texts(&issue, first))
            @if may_ask { (exempting::form(visit, named, &scan, &issue, at, refused)) }
            (exempting::known(visit.now, named, &exemptions))
            (list.shown(visit.now, may_ask))
            (history::teaser(named))
        }
    };
    let title = format!("Issue in {}:{}", scan.scan.target.name, scan.scan.variant);
    let page = Page::of(named.project, Section::Tests, title, body)
        .below(address::scans(named.project), "Security tests")
        .below(named.scan_path(), plain(&format!("{}:{}", scan.scan.target.name, scan.scan.variant)));
    Ok(shown(visit, page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, ISSUE, OTHER, SCAN, issue, occurrence, scan, session, text, visiting};
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

    fn asked(api: &FakeApi, role: Role, asked: Asked<'_>, rest: &[&str]) -> Result<Reply, Problem> {
        let here = format!("/projects/shop/scans/{SCAN}/issues/{ISSUE}");
        visiting(api, &session(role), &here, async |visit| route(visit, asked, "shop", SCAN, ISSUE, rest).await)
    }

    #[test]
    fn an_issue_tells_its_score_its_weakness_and_its_code() {
        let page = text(&asked(&api(), Role::Viewer, Asked::Get, &[]).unwrap());
        for part in [
            "Shell &lt;b&gt;",
            "<strong>9.5</strong> of 10",
            "the scanner's word (HIGH)",
            "OS Command Injection",
            "src/app.py",
            "<mark>    subprocess.call(arg, shell=True)</mark>",
            "javascript:alert(1)",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(r#"href="javascript"#), "no link leads into a script");
        assert!(!page.contains("Request an exemption"), "a viewer may not ask");
    }

    #[test]
    fn a_developer_asks_for_chosen_occurrences() {
        let path = "POST /api/v1/projects/shop/exemptions";
        let form = format!("scope=occurrences&occurrence={OTHER}&term=90&reason=other&text=known");
        let form = Form::parse(form.as_bytes());
        let refused = api().refuse(path, &Problem::new(Code::Conflict, "it was asked for already"));
        let page = asked(&refused, Role::Developer, Asked::Post(&form), &["exemptions"]).unwrap();
        let page = text(&page);
        assert!(page.contains("It was asked for already") && page.contains("known</textarea>"), "{page}");
        assert!(page.contains(r#"<option value="90" selected>"#));
        let sent = refused.sent.borrow();
        assert_eq!(sent.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&sent[0].1).unwrap();
        assert_eq!((&sent[0].0[..], &body["occurrences"], &body["scan"]), (path, &json!([OTHER]), &json!(SCAN)));
    }

    #[test]
    fn there_is_nothing_below_an_issue_but_what_there_is() {
        assert_eq!(asked(&api(), Role::Admin, Asked::Get, &["exemptions"]).unwrap_err().code, Code::NotFound);
        assert_eq!(asked(&api(), Role::Admin, Asked::Get, &["x"]).unwrap_err().code, Code::NotFound);
    }
}
