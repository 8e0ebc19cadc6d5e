use crate::form::Form;
use crate::request::Method;
use crate::testing::{FakeApi, session, text, with_request};
use api::page::Page;
use api::problem::{Code, Problem};
use api::v1::{
    BaselineBody, BaselineEffect, BaselineRequestItem, EffectiveBaseline, ScanItem, TargetItem, VariantItem,
};
use domain::role::Role;
use domain::target::TargetType;
use domain::verdict::Verdict;
use guest::Reply;

const TARGET: &str = "/api/v1/projects/shop/targets/a%2Fb";

fn target() -> TargetItem {
    TargetItem {
        id: "t".to_owned(),
        name: "a/b".to_owned(),
        target_type: TargetType::Repository,
        baseline: Some(BaselineBody::variant("main")),
        effective: EffectiveBaseline { from: "target".to_owned(), regex: None, variant: Some("main".to_owned()) },
        baseline_request: None,
        created_at: "2026-11-01T00:00:00.000Z".to_owned(),
        version: 7,
        changed_by: Some("sam".to_owned()),
        changed_at: Some("2026-11-02T00:00:00.000Z".to_owned()),
    }
}

fn variant(name: &str, matches: bool, chosen: bool) -> VariantItem {
    VariantItem {
        id: name.to_owned(),
        scan: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        scanned_at: "2026-11-24T10:00:00.000Z".to_owned(),
        complete: false,
        no_threshold: false,
        verdict: Verdict::Fail,
        deciding: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        matches,
        chosen,
    }
}

fn variants() -> Page<VariantItem> {
    Page { items: vec![variant("main", true, true), variant("<script>", false, false)], next: Some("n".to_owned()) }
}

fn api() -> FakeApi {
    let scans = "GET /api/v1/projects/shop/scans?limit=25&target=a%2Fb&variant=&scanner=&cursor=";
    FakeApi::default()
        .answer(&format!("GET {TARGET}"), &target())
        .answer(&format!("GET {TARGET}/variants?limit=25&cursor="), &variants())
        .answer(&format!("GET {TARGET}/variants?limit=100&regex=v.%2A"), &variants())
        .answer(scans, &Page::<ScanItem> { items: Vec::new(), next: None })
}

fn open(api: &FakeApi, role: Role, url: &str, rest: &[&str], form: Option<&str>) -> Result<Reply, Problem> {
    let (session, form) = (session(role), form.map(|form| Form::parse(form.as_bytes())));
    let method = form.as_ref().map_or(Method::Get, Method::Post);
    with_request(api, &session, method, url, async |request| super::route(request, "shop", rest).await)
}

fn location(reply: &Reply) -> &str {
    reply.headers.iter().find(|(name, _)| *name == "location").map_or("", |(_, value)| value)
}

#[test]
fn a_target_shows_its_baseline_and_a_form_for_developers() {
    let page = text(&open(&api(), Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], None).unwrap());
    assert!(page.contains("this target") && page.contains("Save baseline"));
    assert!(page.contains(r#"value="variant" checked"#) && page.contains(r#"name="variant" value="main""#), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    assert!(page.contains("?variants=n#variants"), "{page}");
    let page = text(&open(&api(), Role::Viewer, "/projects/shop/targets/a%2Fb", &["a/b"], None).unwrap());
    assert!(!page.contains("Save baseline") && !page.contains("Upload report"));
}

#[test]
fn the_chosen_baseline_is_saved() {
    let cases = [
        ("kind=variant&variant=main&regex=x", r#"{"baseline":{"variant":"main"}}"#),
        ("kind=regex&variant=main&regex=v.*", r#"{"baseline":{"regex":"v.*"}}"#),
        ("kind=none&variant=&regex=", r#"{"baseline":{"none":true}}"#),
        ("kind=default&variant=&regex=", r#"{"baseline":null}"#),
    ];
    for (form, body) in cases {
        let api = api().answer(&format!("PATCH {TARGET}"), &target());
        let form = format!("{form}&version=7");
        let reply = open(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], Some(&form)).unwrap();
        assert_eq!(api.versions.borrow().as_slice(), [7]);
        assert_eq!(location(&reply), "/projects/shop/targets/a%2Fb?done=baseline-saved");
        assert_eq!(*api.sent.borrow(), [(format!("PATCH {TARGET}"), body.to_owned())], "{form}");
    }
    let none = open(&api(), Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], Some("kind=x"));
    assert_eq!(none.unwrap_err().code, Code::InvalidBody);
}

#[test]
fn refused_values_stay_in_the_form() {
    let refused = Problem::new(Code::InvalidBody, "the pattern is wrong at character 2: unclosed group");
    let wrong = Problem::parameter("regex", "the pattern is wrong at character 2: unclosed group");
    let api = api()
        .refuse(&format!("PATCH {TARGET}"), &refused)
        .refuse(&format!("GET {TARGET}/variants?limit=100&regex=v%281"), &wrong);
    let form = Some("kind=regex&variant=main&regex=v(1&version=7");
    let reply = open(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], form).unwrap();
    let page = text(&reply);
    assert_eq!(reply.status, 400);
    assert!(page.contains("wrong at character 2") && page.contains(r#"value="v(1""#), "{page}");
    assert!(page.contains(r#"value="regex" checked"#));
}

#[test]
fn a_stale_form_changes_nothing_and_shows_the_present_baseline_and_who_set_it() {
    let problem = Problem::new(Code::ChangedMeanwhile, "the baseline of target `a/b` was changed by `sam`");
    let api = api().refuse(&format!("PATCH {TARGET}"), &problem);
    let here = "/projects/shop/targets/a%2Fb";
    let form = Some("kind=variant&variant=old<i>&regex=&version=3");
    let reply = open(&api, Role::Developer, here, &["a/b"], form).unwrap();
    let page = text(&reply);
    assert_eq!((reply.status, api.versions.borrow().as_slice()), (412, [3].as_slice()));
    for shown in [
        "The baseline was not saved: the baseline of target `a/b` was changed by `sam`.",
        "You entered: <bdi>the variant old&lt;i&gt;</bdi>.",
        "by <bdi>sam</bdi>",
        r#"name="variant" value="main""#,
        r#"name="version" value="7""#,
    ] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    let api = super::tests::api();
    let reply = open(&api, Role::Developer, here, &["a/b"], Some("kind=none")).unwrap();
    assert!(reply.status == 412 && api.sent.borrow().is_empty(), "a form without a version");
}

#[test]
fn a_pattern_is_tested_without_saving() {
    let api = api();
    let form = Some("kind=variant&variant=main&regex=v.*&do=try");
    let page = text(&open(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], form).unwrap());
    assert!(page.contains("1 of 2 variants match") && api.sent.borrow().is_empty(), "{page}");
    let here = "/projects/shop/targets/a%2Fb/variants?regex=v.*";
    let page = text(&open(&api, Role::Viewer, here, &["a/b", "variants"], None).unwrap());
    assert!(page.contains(r#"id="preview""#) && page.contains("The baseline would be"), "{page}");
}

#[test]
fn two_scans_are_chosen_to_compare_them() {
    let here = "/projects/shop/targets/a%2Fb/compare";
    let compare = |query: &str| {
        let reply = open(&api(), Role::Viewer, &format!("{here}{query}"), &["a/b", "compare"], None).unwrap();
        location(&reply).to_owned()
    };
    assert_eq!(compare("?scan=a&other=%2Fb"), "/projects/shop/scans/a/compare/%2Fb");
    assert_eq!(compare("?scan=a"), "/projects/shop/targets/a%2Fb?choose=two#scans");
}

#[test]
fn a_filter_error_does_not_fail_the_page() {
    let call = "GET /api/v1/projects/shop/scans?limit=25&target=a%2Fb&variant=&scanner=x%20y&cursor=";
    let api = api().refuse(call, &Problem::parameter("scanner", "it has a space"));
    let here = "/projects/shop/targets/a%2Fb?scanner=x%20y";
    let page = text(&open(&api, Role::Viewer, here, &["a/b"], None).unwrap());
    assert!(page.contains("it has a space") && page.contains(r#"value="x y""#) && page.contains("Current baseline"));
}

#[test]
fn an_empty_list_explains_the_next_step() {
    let api = FakeApi::default().answer(
        "GET /api/v1/projects/shop/targets?limit=50&cursor=",
        &Page::<TargetItem> { items: Vec::new(), next: None },
    );
    let page = text(&open(&api, Role::Developer, "/projects/shop/targets", &[], None).unwrap());
    assert!(page.contains("No targets yet.") && page.contains("/projects/shop/upload"));
}

fn pending(by: &str, outdated: bool) -> BaselineRequestItem {
    let effect = |variant: &str| BaselineEffect {
        baseline: EffectiveBaseline { from: "target".to_owned(), regex: None, variant: Some(variant.to_owned()) },
        scan: None,
    };
    BaselineRequestItem {
        id: "a/b".to_owned(),
        request: domain::ids::EventId::from_bits([7; 16]),
        baseline: Some(BaselineBody::variant("next")),
        reason: "<script>main is frozen".to_owned(),
        requested_by: by.to_owned(),
        requested_at: "2026-11-03T00:00:00.000Z".to_owned(),
        outdated,
        now: effect("main"),
        then: effect("next"),
    }
}

fn with_request_pending(by: &str, outdated: bool) -> FakeApi {
    let target = TargetItem { baseline_request: Some(Box::new(pending(by, outdated))), ..target() };
    api().answer(&format!("GET {TARGET}"), &target)
}

#[test]
fn a_pending_request_shows_its_effect_and_reviewers_decide() {
    let show_of = |role, by, outdated| {
        let url = "/projects/shop/targets/a%2Fb";
        text(&open(&with_request_pending(by, outdated), role, url, &["a/b"], None).unwrap())
    };
    let show = |role, outdated| show_of(role, "dev", outdated);
    // The session is that of `ann`.
    for by in ["ann", "Ann ", "\u{430}nn"] {
        let offered = |role| {
            let page = show_of(role, by, false);
            ["Approve request", "Reject request", "Withdraw request"].map(|decision| page.contains(decision))
        };
        assert_eq!(offered(Role::Secops), [false, false, true], "{by}");
        assert_eq!(offered(Role::Viewer), [false; 3], "{by}");
    }
    let page = show(Role::Secops, false);
    for shown in ["Requested change", "next", "&lt;script&gt;main is frozen", "Approve request", "Reject request"] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    assert!(!show(Role::Secops, true).contains("Approve request"), "the baseline has changed");
    let developer = show(Role::Developer, false);
    assert!(developer.contains("Requested change") && !developer.contains("Approve request"));
    let id = "07".repeat(16);
    let form = format!("request={id}&version=7&comment=agreed");
    let decide = format!("POST {TARGET}/baseline-request/approve");
    let api = with_request_pending("dev", false).answer(&decide, &target());
    let reply = open(&api, Role::Secops, "/x", &["a/b", "baseline-request", "approve"], Some(&form)).unwrap();
    assert_eq!(location(&reply), "/projects/shop/targets/a%2Fb?done=baseline-request-approve");
    assert_eq!(*api.sent.borrow(), [(decide.clone(), format!(r#"{{"request":"{id}","comment":"agreed"}}"#))]);
    assert_eq!(*api.versions.borrow(), [7], "for the baseline that the page showed");
    assert!(page.contains(r#"name="version" value="7""#), "{page}");
    let stale = Problem::new(Code::ChangedMeanwhile, "the baseline was changed by `sam`");
    let api = with_request_pending("dev", false).refuse(&decide, &stale);
    let reply = open(&api, Role::Secops, "/x", &["a/b", "baseline-request", "approve"], Some(&form)).unwrap();
    assert!(reply.status == 412 && text(&reply).contains("Nothing was decided: the baseline was changed by `sam`"));
    let unversioned = format!("request={id}");
    let reply = open(&api, Role::Secops, "/x", &["a/b", "baseline-request", "approve"], Some(&unversioned)).unwrap();
    assert!(reply.status == 412 && api.sent.borrow().len() == 1, "a form without a version is not sent");
    let refusal = Problem::new(Code::Conflict, "somebody has decided it");
    let api = with_request_pending("dev", false).refuse(&decide, &refusal);
    let reply = open(&api, Role::Secops, "/x", &["a/b", "baseline-request", "approve"], Some(&form)).unwrap();
    assert!(reply.status == 409 && text(&reply).contains("somebody has decided it"));
}

#[test]
fn the_page_says_that_developers_alone_may_change_the_baseline() {
    let show = |changes: &str| {
        let project = serde_json::json!({
            "id": "shop", "settings": {"baseline_changes": changes}, "created_at": "", "targets": 1, "version": 1
        });
        let api = api().answer("GET /api/v1/projects/shop", &project);
        text(&open(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], None).unwrap())
    };
    assert!(show("developer").contains("a developer alone may change the baseline"));
    assert!(!show("secops").contains("a developer alone may change the baseline"));
}

#[test]
fn a_developers_change_is_requested_with_a_reason() {
    let refusal = Problem::new(Code::Forbidden, "a reviewer is needed");
    let request = format!("POST {TARGET}/baseline-request");
    let api = api().refuse(&format!("PATCH {TARGET}"), &refusal).answer(&request, &pending("dev", false));
    let form = "version=7&kind=variant&variant=next&regex=&reason=";
    let reply = open(&api, Role::Developer, "/x", &["a/b"], Some(form)).unwrap();
    assert!(reply.status == 403 && text(&reply).contains("a reviewer is needed"));
    let reply = open(&api, Role::Developer, "/x", &["a/b"], Some(&format!("{form}frozen"))).unwrap();
    assert_eq!(location(&reply), "/projects/shop/targets/a%2Fb?done=baseline-requested");
    let body = r#"{"baseline":{"variant":"next"},"reason":"frozen"}"#;
    assert_eq!(api.sent.borrow().last().unwrap(), &(request, body.to_owned()));
}
