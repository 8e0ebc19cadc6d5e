use crate::form::Form;
use crate::pages::Asked;
use crate::testing::{FakeApi, session, text, visiting};
use api::page::Page;
use api::problem::{Code, Problem};
use api::v1::{BaselineBody, EffectiveBaseline, ScanItem, TargetItem, VariantItem};
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
        created_at: "2026-11-01T00:00:00.000Z".to_owned(),
    }
}

fn variant(name: &str, matches: bool, chosen: bool) -> VariantItem {
    VariantItem {
        id: name.to_owned(),
        scan: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        scanned_at: "2026-11-24T10:00:00.000Z".to_owned(),
        complete: false,
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

fn asked(api: &FakeApi, role: Role, here: &str, rest: &[&str], form: Option<&str>) -> Result<Reply, Problem> {
    let (session, form) = (session(role), form.map(|form| Form::parse(form.as_bytes())));
    visiting(api, &session, here, async |visit| {
        let asked = form.as_ref().map_or(Asked::Get, Asked::Post);
        super::route(visit, asked, "shop", rest).await
    })
}

fn location(reply: &Reply) -> &str {
    reply.headers.iter().find(|(name, _)| *name == "location").map_or("", |(_, value)| value)
}

#[test]
fn a_target_shows_what_holds_and_offers_to_change_it_to_who_may() {
    let page = text(&asked(&api(), Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], None).unwrap());
    assert!(page.contains("set for this target") && page.contains("Save baseline"));
    assert!(page.contains(r#"value="variant" checked"#) && page.contains(r#"name="variant" value="main""#), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    assert!(page.contains("?variants=n#variants"), "{page}");
    let page = text(&asked(&api(), Role::Viewer, "/projects/shop/targets/a%2Fb", &["a/b"], None).unwrap());
    assert!(!page.contains("Save baseline") && !page.contains("Upload a report"));
}

#[test]
fn a_baseline_is_saved_as_it_was_chosen() {
    let cases = [
        ("kind=variant&variant=main&regex=x", r#"{"baseline":{"variant":"main"}}"#),
        ("kind=regex&variant=main&regex=v.*", r#"{"baseline":{"regex":"v.*"}}"#),
        ("kind=none&variant=&regex=", r#"{"baseline":{"none":true}}"#),
        ("kind=default&variant=&regex=", r#"{"baseline":null}"#),
    ];
    for (form, body) in cases {
        let api = api().answer(&format!("PATCH {TARGET}"), &target());
        let reply = asked(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], Some(form)).unwrap();
        assert_eq!(location(&reply), "/projects/shop/targets/a%2Fb?done=baseline-saved");
        assert_eq!(*api.sent.borrow(), [(format!("PATCH {TARGET}"), body.to_owned())], "{form}");
    }
    let none = asked(&api(), Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], Some("kind=x"));
    assert_eq!(none.unwrap_err().code, Code::InvalidBody);
}

#[test]
fn what_was_typed_stays_when_it_is_refused() {
    let refused = Problem::new(Code::InvalidBody, "the pattern is wrong at character 2: unclosed group");
    let wrong = Problem::parameter("regex", "the pattern is wrong at character 2: unclosed group");
    let api = api()
        .refuse(&format!("PATCH {TARGET}"), &refused)
        .refuse(&format!("GET {TARGET}/variants?limit=100&regex=v%281"), &wrong);
    let form = Some("kind=regex&variant=main&regex=v(1");
    let reply = asked(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], form).unwrap();
    let page = text(&reply);
    assert_eq!(reply.status, 400);
    assert!(page.contains("wrong at character 2") && page.contains(r#"value="v(1""#), "{page}");
    assert!(page.contains(r#"value="regex" checked"#));
}

#[test]
fn a_pattern_is_tried_and_nothing_saved() {
    let api = api();
    let form = Some("kind=variant&variant=main&regex=v.*&do=try");
    let page = text(&asked(&api, Role::Developer, "/projects/shop/targets/a%2Fb", &["a/b"], form).unwrap());
    assert!(page.contains("1 of 2 variants match") && api.sent.borrow().is_empty(), "{page}");
    let here = "/projects/shop/targets/a%2Fb/variants?regex=v.*";
    let page = text(&asked(&api, Role::Viewer, here, &["a/b", "variants"], None).unwrap());
    assert!(page.contains(r#"id="preview""#) && page.contains("others would be compared with"), "{page}");
}

#[test]
fn two_scans_are_chosen_to_compare_them() {
    let here = "/projects/shop/targets/a%2Fb/compare";
    let compare = |query: &str| {
        let reply = asked(&api(), Role::Viewer, &format!("{here}{query}"), &["a/b", "compare"], None).unwrap();
        location(&reply).to_owned()
    };
    assert_eq!(compare("?scan=a&other=%2Fb"), "/projects/shop/scans/a/compare/%2Fb");
    assert_eq!(compare("?scan=a"), "/projects/shop/targets/a%2Fb?choose=two#scans");
}

#[test]
fn what_is_wrong_with_a_filter_takes_the_target_not_away() {
    let call = "GET /api/v1/projects/shop/scans?limit=25&target=a%2Fb&variant=&scanner=x%20y&cursor=";
    let api = api().refuse(call, &Problem::parameter("scanner", "it has a space"));
    let here = "/projects/shop/targets/a%2Fb?scanner=x%20y";
    let page = text(&asked(&api, Role::Viewer, here, &["a/b"], None).unwrap());
    assert!(page.contains("it has a space") && page.contains(r#"value="x y""#) && page.contains("Holds now"));
}

#[test]
fn an_empty_list_says_what_to_do() {
    let api = FakeApi::default().answer(
        "GET /api/v1/projects/shop/targets?limit=50&cursor=",
        &Page::<TargetItem> { items: Vec::new(), next: None },
    );
    let page = text(&asked(&api, Role::Developer, "/projects/shop/targets", &[], None).unwrap());
    assert!(page.contains("There is no target yet.") && page.contains("/projects/shop/upload"));
}
