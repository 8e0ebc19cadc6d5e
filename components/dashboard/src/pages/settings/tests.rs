use super::*;
use crate::testing::{FakeApi, session, text, with_request};
use api::problem::Code;
use api::v1::{BaselineBody, CriteriaBody, GateSettingsBody, SettingChangeItem, SettingsBody, SettingsRequestItem};
use domain::role::Role;

fn settings() -> SettingsBody {
    SettingsBody {
        unassigned_as: Some("high".to_owned()),
        tool_suppressions: Some("honoured".to_owned()),
        default_baselines: [
            ("repository".to_owned(), Some(BaselineBody::variant("trunk"))),
            ("container".to_owned(), Some(BaselineBody::regex(r"v\d+|<b>"))),
            ("instance".to_owned(), None),
        ]
        .into(),
        missing_baseline: Some("undecided".to_owned()),
        rejected_allowed: Some(2),
        updated_occurrences: Some("common".to_owned()),
        new_blind_spots: Some("fail".to_owned()),
        baseline_changes: Some("developer".to_owned()),
        criteria: Some(CriteriaBody { fail_on_severity: Some("critical".to_owned()), ..CriteriaBody::default() }),
        target_criteria: [(
            "web|api".to_owned(),
            CriteriaBody { required_scanners: vec!["bandit".to_owned()], ..CriteriaBody::default() },
        )]
        .into(),
        examined_share: Some(80),
        self_approval: Some(true),
        unlimited_exemptions: Some(true),
        exemption_days_max: [("critical".to_owned(), 14), ("unassigned".to_owned(), 30)].into(),
        ending_notice_days: Some(9),
        severity_rise_allowed: Some(2),
    }
}

fn shop(settings: SettingsBody) -> ProjectAnswer {
    ProjectAnswer {
        id: "shop".to_owned(),
        settings,
        created_at: "2026-11-01T00:00:00Z".to_owned(),
        targets: 3,
        version: 5,
        changed_by: Some("sam".to_owned()),
        changed_at: Some("2026-11-02T00:00:00Z".to_owned()),
        settings_request: None,
    }
}

fn api() -> FakeApi {
    FakeApi::default().answer("GET /api/v1/projects/shop", &shop(settings()))
}

fn show(api: &FakeApi, role: Role, form: Option<&Form>) -> Reply {
    let session = session(role);
    let method = form.map_or(Method::Get, Method::Post);
    let url = "/projects/shop/settings";
    with_request(api, &session, method, url, async |request| route(request, "shop", &[]).await).unwrap()
}

/// The form with these settings, made of this version.
fn posted(settings: &SettingsBody, version: u64) -> Form {
    let mut form = fields::to_form(settings);
    form.push("version", &version.to_string());
    form
}

#[test]
fn a_stale_form_saves_nothing_and_shows_the_present_settings_and_who_set_them() {
    let problem = Problem::new(Code::ChangedMeanwhile, "the settings were changed by `sam`");
    let api = api().refuse("PUT /api/v1/projects/shop", &problem);
    let entered = SettingsBody { rejected_allowed: Some(77), missing_baseline: None, criteria: None, ..settings() };
    let reply = show(&api, Role::Admin, Some(&posted(&entered, 4)));
    let page = text(&reply);
    assert_eq!((reply.status, api.versions.borrow().as_slice()), (412, [4].as_slice()));
    for shown in [
        "The settings were not saved: the settings were changed by `sam`.",
        "Last changed by <bdi>sam</bdi>",
        "name=\"rejected_allowed\" type=\"number\" min=\"0\" inputmode=\"numeric\" value=\"2\"",
        "now <bdi>2</bdi>; you entered <bdi>77</bdi>",
        "now <bdi>fail_on_severity=critical; web|api: required_scanners=bandit</bdi>; \
         you entered <bdi>web|api: required_scanners=bandit</bdi>",
        "now <bdi>The verdict is undecided</bdi>; you entered <bdi>All issues count as new</bdi>",
        "name=\"version\" value=\"5\"",
    ] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    let api = super::tests::api();
    let reply = show(&api, Role::Admin, Some(&fields::to_form(&settings())));
    assert!(reply.status == 412 && api.sent.borrow().is_empty(), "a form without a version");
}

#[test]
fn settings_survive_the_way_through_the_form() {
    assert_eq!(fields::from_form(&fields::to_form(&settings()), SettingsBody::default()).unwrap(), settings());
    let all_default = fields::from_form(&fields::to_form(&SettingsBody::default()), settings()).unwrap();
    assert_eq!(fields::to_form(&all_default), fields::to_form(&SettingsBody::default()));
    assert!(all_default.default_baselines.is_empty() && all_default.exemption_days_max.is_empty());
}

#[test]
fn admins_see_a_form_and_others_see_values() {
    let page = text(&show(&api(), Role::Admin, None));
    for shown in ["Save settings", "value=\"trunk\"", "value=\"14\"", "v\\d+|&lt;b&gt;", "Count as high"] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    let page = text(&show(&api(), Role::Secops, None));
    assert!(!page.contains("Save settings") && !page.contains("action=\"/projects/shop/settings\""));
    for shown in ["Count as high", "14 days", "no limit", "Allowed", "<code><bdi>trunk</bdi></code>"] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
}

#[test]
fn all_settings_are_sent() {
    let api = api().answer("PUT /api/v1/projects/shop", &shop(settings()));
    let reply = show(&api, Role::Admin, Some(&posted(&settings(), 5)));
    assert_eq!((reply.status, api.versions.borrow().as_slice()), (303, [5].as_slice()));
    let sent = api.sent.borrow();
    let [(_, body)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(serde_json::from_str::<SettingsBody>(body).unwrap(), settings());
}

#[test]
fn refused_values_stay_in_the_form() {
    let refusal = Problem::new(Code::InvalidBody, "field `x`: <script>");
    let api = api().refuse("PUT /api/v1/projects/shop", &refusal);
    let reply = show(&api, Role::Admin, Some(&Form::parse(b"ending_notice_days=91&rejected_allowed=5&version=4")));
    let page = text(&reply);
    assert_eq!(reply.status, 400);
    assert!(
        page.contains("name=\"version\" value=\"4\""),
        "the form stays one of the settings that it was made of: {page}"
    );
    assert!(
        page.contains("The settings were not saved: field `x`: &lt;script&gt;.") && page.contains("value=\"91\""),
        "{page}"
    );
    for wrong in [
        "rejected_allowed=many",
        "default_baselines.repository=variant",
        "default_baselines.repository=none&default_baselines.repository.value=main",
    ] {
        let api = super::tests::api();
        let reply = show(&api, Role::Admin, Some(&Form::parse(format!("version=5&{wrong}").as_bytes())));
        assert!(reply.status == 400 && api.sent.borrow().is_empty(), "{wrong}");
    }
}

/// A pending request of this person for another severity of all targets.
fn pending(by: &str, outdated: bool) -> SettingsRequestItem {
    let change = |setting: &str, pattern: Option<&str>, criterion: Option<&str>, now: Option<&str>, then| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (pattern, criterion, now) = (owned(pattern), owned(criterion), owned(now));
        SettingChangeItem { setting: setting.to_owned(), pattern, criterion, now, then: owned(then) }
    };
    SettingsRequestItem {
        request: domain::ids::EventId::from_bits([7; 16]),
        settings: GateSettingsBody::default(),
        reason: "<script>the release waits".to_owned(),
        requested_by: by.to_owned(),
        requested_at: "2026-11-03T00:00:00.000Z".to_owned(),
        outdated,
        changes: vec![
            change("tool_suppressions", None, None, Some("honoured"), Some("ignored")),
            change("criteria", None, Some("fail_on_severity"), Some("critical"), None),
            change("target_criteria", Some("web|<b>"), Some("required_scanners"), None, Some("trivy")),
        ],
    }
}

fn with_pending(by: &str, outdated: bool) -> FakeApi {
    let answer = ProjectAnswer { settings_request: Some(Box::new(pending(by, outdated))), ..shop(settings()) };
    FakeApi::default().answer("GET /api/v1/projects/shop", &answer)
}

/// Posts a form to a path below the settings.
fn post(api: &FakeApi, role: Role, rest: &[&str], form: &str) -> Result<Reply, Problem> {
    let (session, form) = (session(role), Form::parse(form.as_bytes()));
    with_request(api, &session, Method::Post(&form), "/x", async |request| route(request, "shop", rest).await)
}

fn location(reply: &Reply) -> &str {
    reply.headers.iter().find(|(name, _)| *name == "location").map_or("", |(_, value)| value)
}

const DECISIONS: [&str; 3] = ["Approve request", "Reject request", "Withdraw request"];

/// The decisions that a page offers.
fn offered(page: &str) -> [bool; 3] {
    DECISIONS.map(|decision| page.contains(decision))
}

#[test]
fn a_pending_request_is_shown_to_all_and_decided_by_others_than_the_requester() {
    let show = |role, by: &str, outdated| text(&show(&with_pending(by, outdated), role, None));
    for role in [Role::Viewer, Role::Developer, Role::Secops, Role::Admin] {
        let page = show(role, "dev", false);
        for shown in [
            "Requested change of the settings",
            "by <bdi>dev</bdi>",
            "&lt;script&gt;the release waits",
            "Do not count",
            "Count like other results",
            "Least criteria: fail_on_severity",
            "Least criteria of <code class=\"break\"><bdi>web|&lt;b&gt;</bdi></code>: required_scanners",
            "<bdi>trivy</bdi>",
        ] {
            assert!(page.contains(shown), "{shown} is missing for {role}: {page}");
        }
        assert_eq!(offered(&page), if role < Role::Secops { [false; 3] } else { [true, true, false] }, "{role}");
    }
    // The session is that of `ann`.
    for by in ["ann", "Ann", "\u{430}nn"] {
        assert_eq!(offered(&show(Role::Admin, by, false)), [false, false, true], "{by}");
        assert_eq!(offered(&show(Role::Viewer, by, false)), [false; 3], "{by}");
    }
    assert_eq!(offered(&show(Role::Secops, "dev", true)), [false, true, false], "the settings have changed");
    let restricted = crate::session::Session { some_targets: true, ..session(Role::Secops) };
    let page = with_request(&with_pending("dev", false), &restricted, Method::Get, "/x", async |request| {
        text(&route(request, "shop", &[]).await.unwrap())
    });
    assert!(offered(&page) == [false; 3] && !page.contains("/settings/gate"), "a token for some targets");
}

#[test]
fn a_decision_is_for_the_settings_that_the_page_showed() {
    let (id, call) = ("07".repeat(16), "POST /api/v1/projects/shop/settings-request");
    let api = with_pending("dev", false).answer(&format!("{call}/approve"), &shop(settings()));
    let form = format!("request={id}&version=5&comment=agreed");
    let reply = post(&api, Role::Secops, &["request", "approve"], &form).unwrap();
    assert_eq!(location(&reply), "/projects/shop/settings?done=settings-request-approve");
    let body = format!(r#"{{"request":"{id}","comment":"agreed"}}"#);
    assert_eq!(*api.sent.borrow(), [(format!("{call}/approve"), body)]);
    assert_eq!(api.versions.borrow().as_slice(), [5]);
    let api = with_pending("dev", false);
    let reply = post(&api, Role::Secops, &["request", "approve"], &format!("request={id}")).unwrap();
    assert!(reply.status == 412 && api.sent.borrow().is_empty(), "a form without a version");
    for (decision, code) in
        [("approve", Code::ChangedMeanwhile), ("reject", Code::Conflict), ("withdraw", Code::Conflict)]
    {
        let refusal = Problem::new(code, "somebody was faster");
        let api = with_pending("dev", false).refuse(&format!("{call}/{decision}"), &refusal);
        let reply = post(&api, Role::Secops, &["request", decision], &form).unwrap();
        assert_eq!(reply.status, code.status());
        assert!(text(&reply).contains("Nothing was decided: somebody was faster."), "{decision}");
    }
    assert!(post(&with_pending("dev", false), Role::Secops, &["request", "settle"], &form).is_err());
}

#[test]
fn a_developer_requests_the_settings_that_were_changed_with_a_reason() {
    let page = text(&show(&api(), Role::Developer, None));
    for shown in ["Request a change", "name=\"version\" value=\"5\"", "web|api: required_scanners=bandit</textarea>"] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    assert!(!page.contains("value=\"save\""), "a developer saves nothing");
    assert!(!text(&show(&api(), Role::Viewer, None)).contains("Request a change"));
    assert!(!text(&show(&with_pending("dev", false), Role::Developer, None)).contains("Request a change"));
    assert!(text(&show(&with_pending("dev", true), Role::Developer, None)).contains("Request a change"));
    let call = "POST /api/v1/projects/shop/settings-request";
    let api = api().answer(call, &pending("ann", false));
    let criteria = "fail_on_severity%3Dcritical%0D%0Aweb|api%3A+required_scanners%3Dbandit%2Ctrivy";
    let form = format!("version=5&tool_suppressions=ignored&criteria={criteria}&do=request&reason=it+waits");
    let reply = post(&api, Role::Developer, &["gate"], &form).unwrap();
    assert_eq!(location(&reply), "/projects/shop/settings?done=settings-requested");
    let body = r#"{"settings":{"tool_suppressions":"ignored","target_criteria":{"web|api":{"required_scanners":["bandit","trivy"]}}},"reason":"it waits"}"#;
    assert_eq!(*api.sent.borrow(), [(call.to_owned(), body.to_owned())], "what differs, and nothing else");
    assert_eq!(api.versions.borrow().as_slice(), [5]);
}

#[test]
fn a_reviewer_saves_these_settings_alone() {
    let page = text(&show(&api(), Role::Secops, None));
    assert!(page.contains("value=\"save\"") && page.contains("Request a change"), "{page}");
    assert!(!text(&show(&api(), Role::Admin, None)).contains("/settings/gate"), "an admin's form has all settings");
    let api = api().answer("PATCH /api/v1/projects/shop", &shop(settings()));
    let form = "version=5&tool_suppressions=honoured&criteria=&do=save&reason=";
    let reply = post(&api, Role::Secops, &["gate"], form).unwrap();
    assert_eq!(location(&reply), "/projects/shop/settings?done=settings-saved");
    let sent = [("PATCH /api/v1/projects/shop".to_owned(), r#"{"criteria":{},"target_criteria":{}}"#.to_owned())];
    assert_eq!(*api.sent.borrow(), sent);
    assert_eq!(api.versions.borrow().as_slice(), [5]);
}

#[test]
fn a_refused_change_keeps_what_was_entered() {
    let (present, request) =
        ("criteria=fail_on_severity%3Dcritical%0Aweb|api%3Arequired_scanners%3Dbandit", "do=request");
    let call = "POST /api/v1/projects/shop/settings-request";
    for (form, shown) in [
        (format!("version=5&tool_suppressions=honoured&{present}&{request}&reason=x"), "change at least one"),
        (format!("version=5&tool_suppressions=ignored&criteria=high&{request}&reason=x"), "expected `name=value`"),
    ] {
        let api = api();
        let reply = post(&api, Role::Developer, &["gate"], &form).unwrap();
        let page = text(&reply);
        assert!(reply.status == 400 && api.sent.borrow().is_empty() && page.contains(shown), "{shown}: {page}");
        assert!(page.contains("Nothing was requested: ") && page.contains("<details class=\"card\" open>"), "{page}");
    }
    let refusal = Problem::new(Code::Conflict, "a request is pending");
    let form = format!("version=5&tool_suppressions=ignored&{present}&{request}&reason=my+reason");
    let reply = post(&api().refuse(call, &refusal), Role::Developer, &["gate"], &form).unwrap();
    assert!(reply.status == 409 && text(&reply).contains("value=\"my reason\""), "{}", text(&reply));
    let refusal = Problem::new(Code::ChangedMeanwhile, "the settings were changed by `sam`");
    let reply = post(&api().refuse(call, &refusal), Role::Developer, &["gate"], &form).unwrap();
    let page = text(&reply);
    assert_eq!(reply.status, 412);
    assert!(page.contains("now <bdi>Do not count</bdi>; you entered <bdi>Count like other results</bdi>"), "{page}");
    assert!(!page.contains("you entered <bdi>nothing</bdi>"), "only what the form has: {page}");
    assert!(post(&api(), Role::Developer, &["gate"], "do=request").unwrap().status == 412, "a form without a version");
}
