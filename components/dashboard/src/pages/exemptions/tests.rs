//! Tests of the pages of exemptions.

use super::*;
use crate::form::Form;
use crate::session::Session;
use crate::testing::{FakeApi, session, text, with_request};
use crate::view::exemption;
use api::page::Page;
use api::path::segment;
use api::problem::Code;
use api::v1::{ExemptionItem, PreviewItem, PreviewOutcome, ProjectAnswer, SettingsBody, Tally, Unused};
use domain::exemption::{Reason, Scope, Status};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, ScanId};
use domain::role::Role;
use domain::verdict::Verdict;

const PENDING: &str = "GET /api/v1/projects/shop/exemptions?status=pending&limit=25";
const APPROVE: &str = "POST /api/v1/projects/shop/exemptions/0a/approve";
const DECISIONS: &str = "POST /api/v1/projects/shop/exemptions/decisions";

fn item(id: &str, status: Status) -> ExemptionItem {
    ExemptionItem {
        id: id.to_owned(),
        status,
        issue: IssueId::from_bits([1; 16]).to_string(),
        title: format!("<b>title {id}</b>"),
        severity: "high".to_owned(),
        scanner: "bandit".to_owned(),
        scope: Scope::Occurrences,
        requested_scope: None,
        target: "web".to_owned(),
        pipeline: None,
        occurrences: vec![OccurrenceId::from_bits([2; 16])],
        scan: ScanId::from_bits([3; 16]),
        duration_days: Some(30),
        until: None,
        unlimited: false,
        reason: Reason::FixUnavailable,
        text: "<script>".to_owned(),
        link: Some("javascript:alert(1)".to_owned()),
        returned_from: None,
        returned_because: None,
        approved_severity: None,
        names: Vec::new(),
        known_exploited: false,
        epss: None,
        requested_by: "Bob".to_owned(),
        also_requested_by: Vec::new(),
        requested_at: "2026-11-20T00:00:00Z".to_owned(),
        decided_by: (status != Status::Pending).then(|| "cid".to_owned()),
        decided_at: (status != Status::Pending).then(|| "2026-11-21T00:00:00Z".to_owned()),
        comment: None,
        self_approved: false,
        ends_at: (status == Status::Approved).then(|| "2026-12-21T00:00:00Z".to_owned()),
        version: 4,
    }
}

fn listed(items: Vec<ExemptionItem>) -> Page<ExemptionItem> {
    Page { items, next: None }
}

fn settings(self_approval: bool) -> ProjectAnswer {
    let settings = SettingsBody { self_approval: Some(self_approval), ..SettingsBody::default() };
    ProjectAnswer {
        id: "shop".to_owned(),
        settings,
        created_at: String::new(),
        targets: 1,
        version: 1,
        changed_by: None,
        changed_at: None,
        settings_request: None,
    }
}

/// An API with the settings of the project, and these exemptions pending.
fn api(items: Vec<ExemptionItem>) -> FakeApi {
    FakeApi::default().answer("GET /api/v1/projects/shop", &settings(false)).answer(PENDING, &listed(items))
}

fn open(api: &FakeApi, session: &Session, url: &str, method: Method<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    with_request(api, session, method, url, async |request| route(request, "shop", rest).await)
}

fn list(api: &FakeApi, session: &Session, query: &str) -> String {
    text(&open(api, session, &format!("/projects/shop/exemptions{query}"), Method::Get, &[]).unwrap())
}

fn post(api: &FakeApi, body: &str, rest: &[&str]) -> Reply {
    let form = Form::parse(body.as_bytes());
    open(api, &session(Role::Secops), "/", Method::Post(&form), rest).unwrap()
}

#[test]
fn reviewers_can_decide_requesters_can_withdraw_and_viewers_only_read() {
    let api = api(vec![item("0a", Status::Pending)]);
    let offered = |role: Role| {
        let page = list(&api, &session(role), "");
        ["approve", "reject", "cancel"]
            .map(|verb| page.contains(&format!("action=\"/projects/shop/exemptions/0a/{verb}\"")))
    };
    assert_eq!(offered(Role::Secops), [true, true, false], "withdrawing is for the requester");
    assert_eq!(offered(Role::Developer), [false, false, false]);
    assert_eq!(offered(Role::Viewer), [false, false, false]);
    let viewer = list(&api, &session(Role::Viewer), "");
    assert!(!viewer.contains("type=\"checkbox\"") && !viewer.contains("preview="));
    let secops = list(&api, &session(Role::Secops), "");
    assert!(secops.contains("hx-get=\"/projects/shop/exemptions/0a?preview=approve\""));
}

#[test]
fn texts_are_escaped_and_only_web_addresses_become_links() {
    let page = list(&api(vec![item("0a", Status::Pending)]), &session(Role::Secops), "");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>") && !page.contains("<b>title"));
    assert!(page.contains("javascript:alert(1)") && !page.contains("href=\"javascript"));
}

#[test]
fn requesters_cannot_approve_unless_the_project_allows_it() {
    let own = ExemptionItem { requested_by: "ANN ".to_owned(), ..item("0a", Status::Pending) };
    let page = list(&api(vec![own.clone()]), &session(Role::Secops), "");
    assert!(
        page.contains("You requested or reopened this exemption, so you cannot approve it.")
            && !page.contains("0a/approve\"")
    );
    assert!(page.contains("0a/cancel\"") && !page.contains("0a/reject\""), "{page}");
    assert!(!page.contains("value=\"0a\""), "nothing to decide together with others");
    let reopened = ExemptionItem {
        also_requested_by: vec!["bob".to_owned(), "\u{430}nn".to_owned()],
        ..item("0a", Status::Pending)
    };
    let page = list(&api(vec![reopened]), &session(Role::Secops), "");
    assert!(page.contains("You requested or reopened") && !page.contains("0a/approve\""), "{page}");
    assert!(page.contains("0a/cancel\"") && !page.contains("0a/reject\""), "{page}");
    let allowed = api(vec![own]).answer("GET /api/v1/projects/shop", &settings(true));
    let page = list(&allowed, &session(Role::Secops), "");
    assert!(!page.contains("You requested or reopened this exemption") && page.contains("0a/approve\""));
}

#[test]
fn decisions_beyond_the_token_are_not_offered() {
    let wide = ExemptionItem { scope: Scope::Project, ..item("0a", Status::Pending) };
    let some = Session { some_targets: true, ..session(Role::Secops) };
    assert!(!list(&api(vec![wide]), &some, "").contains("formaction"));
    let to_all = ExemptionItem { scope: Scope::Account, ..item("0a", Status::Approved) };
    let call = "GET /api/v1/projects/shop/exemptions?status=approved&limit=25";
    let api = api(Vec::new()).answer(call, &listed(vec![to_all]));
    assert!(!list(&api, &session(Role::Admin), "?status=approved").contains("formaction"));
    let account = Session { project: None, ..session(Role::Admin) };
    assert!(list(&api, &account, "?status=approved").contains("Revoke approval"));
}

#[test]
fn tabs_and_filters_are_kept_in_the_address() {
    let expiring =
        "GET /api/v1/projects/shop/exemptions?expires_within_days=30&target=a%2Fb&scope=target&limit=25&cursor=c";
    let mut page = listed(vec![item("0a", Status::Approved)]);
    page.next = Some("d=".to_owned());
    let api = api(Vec::new()).answer(expiring, &page);
    let shown = list(&api, &session(Role::Viewer), "?status=expiring&within=30&target=a/b&scope=target&cursor=c");
    for part in [
        "?status=expiring&amp;target=a%2Fb&amp;scope=target&amp;within=30&amp;cursor=d%3D",
        "?status=pending&amp;target=a%2Fb&amp;scope=target\"",
        "First page",
        "aria-current=\"page\">Expiring",
    ] {
        assert!(shown.contains(part), "{part} is missing: {shown}");
    }
    let unused = Page { items: vec![Unused { exemption: item("0b", Status::Approved), scans: 12 }], next: None };
    let api = self::api(Vec::new()).answer("GET /api/v1/projects/shop/exemptions/unused?scans=10&limit=25", &unused);
    assert!(list(&api, &session(Role::Viewer), "?status=unused").contains("No effect in 12 scans."));
}

#[test]
fn a_filter_error_is_shown_on_the_page() {
    let call = "GET /api/v1/projects/shop/exemptions?status=pending&target=x&limit=25";
    let api = api(Vec::new()).refuse(call, &Problem::parameter("target", "unknown target `x`"));
    let page = list(&api, &session(Role::Viewer), "?target=x");
    assert!(page.contains("unknown target `x`") && page.contains("value=\"x\""));
}

#[test]
fn a_decision_leads_back_to_where_it_was_made() {
    let api = api(Vec::new()).answer(APPROVE, &item("0a", Status::Approved));
    let back = "/projects/shop/exemptions?status=pending&target=web";
    let body = format!("back={}&comment=agreed&scope=project&version=4", segment(back));
    let reply = post(&api, &body, &["0a", "approve"]);
    assert!(reply.headers.contains(&("location", format!("{back}&done=approved"))), "{:?}", reply.headers);
    assert_eq!(api.sent.borrow()[0].1, r#"{"comment":"agreed","scope":"project","version":4}"#);
    let elsewhere = post(&api, "version=4&back=//evil.example", &["0a", "approve"]);
    assert!(elsewhere.headers.contains(&("location", "/projects/shop/exemptions?done=approved".to_owned())));
}

#[test]
fn a_refused_decision_keeps_the_typed_values_on_its_page() {
    let refusal = Problem::new(Code::Conflict, "`ann` requested the exemption and cannot approve it");
    let whole = "GET /api/v1/projects/shop/exemptions/0a";
    let api = api(vec![item("0a", Status::Pending), item("0b", Status::Pending)])
        .answer(whole, &item("0a", Status::Pending))
        .refuse(APPROVE, &refusal);
    let reply = post(&api, "version=4&comment=fine%22&back=/projects/shop/exemptions", &["0a", "approve"]);
    let page = text(&reply);
    assert_eq!(reply.status, 409);
    assert!(page.contains("The decision failed for “&lt;b&gt;title 0a&lt;/b&gt;”: `ann` requested"), "{page}");
    assert_eq!(page.matches("value=\"fine&quot;\"").count(), 1, "in its own row");
    let back = "version=4&back=/projects/shop/exemptions/0a&comment=fine&scope=pipeline&pipeline=nightly";
    let reply = post(&api, back, &["0a", "approve"]);
    let page = text(&reply);
    assert_eq!(reply.status, 409);
    for kept in [">fine</textarea>", "value=\"pipeline\" checked", "value=\"nightly\""] {
        assert!(page.contains(kept), "{kept} is missing: {page}");
    }
}

#[test]
fn several_are_decided_together_and_a_refusal_names_its_exemption() {
    let decided = listed(vec![item("0a", Status::Rejected)]);
    let two = "exemption=0a&exemption=0b&version-0a=4&version-0b=4&version-0c=4&comment=no&decision=reject&back=/projects/shop/exemptions";
    let api = api(vec![item("0a", Status::Pending), item("0b", Status::Pending), item("0c", Status::Pending)])
        .answer(DECISIONS, &decided);
    let location = "/projects/shop/exemptions?done=rejected&count=2".to_owned();
    assert!(post(&api, two, &["decisions"]).headers.contains(&("location", location)));
    let sent = r#"{"decisions":[{"id":"0a","decision":"reject","comment":"no","version":4},{"id":"0b","decision":"reject","comment":"no","version":4}]}"#;
    assert_eq!(api.sent.borrow()[0].1, sent);

    let api = api.refuse(DECISIONS, &Problem::new(Code::Conflict, "number 2: it is approved"));
    let reply = post(&api, two, &["decisions"]);
    let page = text(&reply);
    assert_eq!(reply.status, 409);
    assert!(page.contains("The decision failed for “&lt;b&gt;title 0b&lt;/b&gt;”: it is approved."), "{page}");
    assert!(page.contains("value=\"0a\" checked") && page.contains("value=\"0b\" checked"));
    assert!(!page.contains("value=\"0c\" checked") && page.contains("value=\"no\""));
    let none = text(&post(&api, "decision=approve", &["decisions"]));
    assert!(none.contains("no exemption is selected"));
}

#[test]
fn a_stale_decision_changes_nothing_and_the_page_shows_what_happened() {
    let stale = Problem::new(Code::ChangedMeanwhile, "the exemption was rejected by `sam` at 9; it was pending");
    let rejected = ExemptionItem { version: 6, ..item("0a", Status::Rejected) };
    let api = api(Vec::new()).answer("GET /api/v1/projects/shop/exemptions/0a", &rejected).refuse(APPROVE, &stale);
    let reply = post(&api, "version=4&comment=fine&back=/projects/shop/exemptions/0a", &["0a", "approve"]);
    let page = text(&reply);
    assert_eq!((reply.status, api.sent.borrow().len()), (412, 1));
    for shown in ["The decision failed: the exemption was rejected by `sam`", "Rejected by", ">fine</textarea>"] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    assert!(page.contains("name=\"version\" value=\"6\"") && !page.contains("name=\"version\" value=\"4\""), "{page}");
    let unversioned = post(&api, "back=/projects/shop/exemptions/0a", &["0a", "approve"]);
    assert_eq!((unversioned.status, api.sent.borrow().len()), (412, 1), "a form without a version is not sent");
}

#[test]
fn of_several_decisions_the_stale_one_is_named_and_no_longer_selected() {
    let problem = Problem::new(Code::ChangedMeanwhile, "number 1: the exemption was rejected by `sam`");
    let there = [item("0a", Status::Rejected), ExemptionItem { version: 9, ..item("0c", Status::Pending) }];
    let api = api(vec![item("0b", Status::Pending), there[1].clone()])
        .answer("GET /api/v1/projects/shop/exemptions/0a", &there[0])
        .refuse(DECISIONS, &problem);
    let body = "exemption=0a&exemption=0b&exemption=0c&version-0a=4&version-0b=4&version-0c=4&decision=approve\
                &back=/projects/shop/exemptions";
    let page = text(&post(&api, body, &["decisions"]));
    assert!(page.contains("for “&lt;b&gt;title 0a&lt;/b&gt;”: the exemption was rejected by `sam`."), "{page}");
    assert!(page.contains("value=\"0b\" checked") && !page.contains("value=\"0c\" checked"), "{page}");
    let version = "<input type=\"hidden\" form=\"decisions\" name=\"version-0c\" value=\"9\">";
    assert!(page.contains(version), "{page}");
}

#[test]
fn what_ends_something_asks_once_more_and_is_beside_no_other_button() {
    let own = |status| ExemptionItem { requested_by: "ann".to_owned(), ..item("0a", status) };
    let path = "GET /api/v1/projects/shop/exemptions/0a";
    let shown = |item: &ExemptionItem, role| {
        let api = api(Vec::new()).answer(path, item);
        text(&open(&api, &session(role), "/", Method::Get, &["0a"]).unwrap())
    };
    let request = shown(&own(Status::Pending), Role::Developer);
    assert!(request.contains("<summary>Withdraw request …") && request.contains("Nobody can approve the request"));
    let exemption = shown(&own(Status::Approved), Role::Developer);
    assert!(exemption.contains("<summary>Withdraw exemption …") && !exemption.contains("Revoke approval"));
    let reviewer = shown(&own(Status::Approved), Role::Secops);
    assert!(reviewer.contains("<summary>Revoke approval …") && !reviewer.contains("Withdraw"), "{reviewer}");
    for page in [request, exemption, reviewer] {
        let forms = page.split("<form").filter(|form| form.contains("/exemptions/0a/"));
        let buttons: Vec<_> = forms.map(|form| form.matches("<button class").count()).collect();
        assert_eq!(buttons, [1], "{page}");
        assert!(page.find("<details").unwrap() < page.find("exemptions/0a/").unwrap(), "{page}");
    }
    let call = "GET /api/v1/projects/shop/exemptions?status=approved&limit=25";
    let several = api(Vec::new()).answer(call, &listed(vec![item("0a", Status::Approved)]));
    let several = list(&several, &session(Role::Secops), "?status=approved");
    assert!(several.contains("<summary>Revoke selected approvals …"), "{several}");
    assert!(!shown(&item("0a", Status::Rejected), Role::Secops).contains("0a/cancel"));
}

#[test]
fn a_preview_shows_verdicts_before_and_after() {
    let outcome = |verdict, new, exempted| PreviewOutcome {
        verdict,
        no_threshold: verdict == Verdict::Pass,
        reasons: Vec::new(),
        variables: [].into(),
        issues: Tally { new, exempted, ..Tally::default() },
        occurrences: Tally::default(),
    };
    let scan = PreviewItem {
        id: ScanId::from_bits([3; 16]),
        target: "web".to_owned(),
        variant: "<main>".to_owned(),
        received_at: "2026-11-23T00:00:00Z".to_owned(),
        issue: IssueId::from_bits([1; 16]),
        verdict: Verdict::Fail,
        now: outcome(Verdict::Fail, 2, 0),
        then: outcome(Verdict::Pass, 1, 1),
    };
    let path = "GET /api/v1/projects/shop/exemptions/0a";
    let api = api(Vec::new())
        .answer(path, &item("0a", Status::Pending))
        .answer(
            &format!("{path}/preview?decision=approve&limit=25"),
            &Page { items: vec![scan], next: Some("n".to_owned()) },
        )
        .answer(
            &format!("{path}/preview?decision=approve&scope=project&limit=25"),
            &Page::<PreviewItem> { items: Vec::new(), next: None },
        );
    let here = "/projects/shop/exemptions/0a?preview=approve";
    let page = text(&open(&api, &session(Role::Viewer), here, Method::Get, &["0a"]).unwrap());
    for shown in [
        "id=\"preview-of-0a\"",
        "<strong>1</strong> of 1 newest scan with the issue would get another verdict.",
        "&lt;main&gt;",
        "?preview=approve&amp;preview_cursor=n",
        "badge verdict unset\">No threshold set",
    ] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    let page = text(&post(&api, "decision=approve&scope=project&comment=kept", &["0a", "preview"]));
    assert!(page.contains("no verdict changes now") && page.contains(">kept</textarea>"), "{page}");
    assert_eq!(page.matches("id=\"preview-of-0a\"").count(), 1);
}

#[test]
fn a_page_offers_the_scopes_that_can_be_granted() {
    let path = "GET /api/v1/projects/shop/exemptions/0a";
    let target = ExemptionItem { scope: Scope::Target, ..item("0a", Status::Pending) };
    let api = api(Vec::new()).answer(path, &target);
    let scopes = |session: &Session| {
        let page = text(&open(&api, session, "/", Method::Get, &["0a"]).unwrap());
        Scope::ALL.map(|scope| page.contains(&format!("id=\"scope-{scope}\"")))
    };
    assert_eq!(scopes(&session(Role::Secops)), [false, true, true, true, false]);
    assert_eq!(scopes(&Session { project: None, ..session(Role::Admin) }), [false, true, true, true, true]);
    assert_eq!(scopes(&Session { some_targets: true, ..session(Role::Secops) }), [false, true, false, false, false]);
    assert_eq!(scopes(&session(Role::Developer)), [false; 5]);
}

#[test]
fn returned_and_self_approved_exemptions_are_marked() {
    let back = ExemptionItem { returned_from: Some(ExemptionId::from_bits([9; 16])), ..item("0a", Status::Pending) };
    let page = list(&api(vec![back]), &session(Role::Viewer), "");
    assert!(page.contains("Returned to review") && page.contains(exemption::RETURNED));
    let worse = ExemptionItem {
        returned_because: Some("It was low when it was approved and is critical now. <b>".to_owned()),
        ..item("0a", Status::Pending)
    };
    let worse = ExemptionItem { returned_from: Some(ExemptionId::from_bits([9; 16])), ..worse };
    let page = list(&api(vec![worse]), &session(Role::Viewer), "");
    assert!(page.contains("was low when it was approved and is critical now. &lt;b&gt;"), "{page}");
    let own = ExemptionItem { self_approved: true, ..item("0b", Status::Approved) };
    let call = "GET /api/v1/projects/shop/exemptions?status=approved&limit=25";
    let api = api(Vec::new()).answer(call, &listed(vec![own]));
    assert!(list(&api, &session(Role::Viewer), "?status=approved").contains("Self-approved"));
}

#[test]
fn expired_exemptions_can_be_reopened_unless_their_end_has_passed() {
    let call = "GET /api/v1/projects/shop/exemptions?status=expired&limit=25";
    let past = ExemptionItem {
        duration_days: None,
        until: Some("2026-11-22T00:00:00Z".to_owned()),
        ..item("0b", Status::Expired)
    };
    let api = api(Vec::new()).answer(call, &listed(vec![item("0a", Status::Expired), past]));
    let page = list(&api, &session(Role::Developer), "?status=expired");
    assert!(page.contains("exemptions/0a/reopen\"") && !page.contains("exemptions/0b/reopen\""));
}
