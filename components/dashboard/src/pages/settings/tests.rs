use super::*;
use crate::testing::{FakeApi, session, text, with_request};
use api::problem::Code;
use api::v1::{BaselineBody, CriteriaBody, SettingsBody};
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
    }
}

fn api() -> FakeApi {
    FakeApi::default().answer("GET /api/v1/projects/shop", &shop(settings()))
}

fn show(api: &FakeApi, role: Role, form: Option<&Form>) -> Reply {
    let session = session(role);
    let method = form.map_or(Method::Get, Method::Post);
    let url = "/projects/shop/settings";
    with_request(api, &session, method, url, async |request| route(request, "shop").await).unwrap()
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
    let entered = SettingsBody { rejected_allowed: Some(77), missing_baseline: None, ..settings() };
    let reply = show(&api, Role::Admin, Some(&posted(&entered, 4)));
    let page = text(&reply);
    assert_eq!((reply.status, api.versions.borrow().as_slice()), (412, [4].as_slice()));
    for shown in [
        "The settings were not saved: the settings were changed by `sam`.",
        "Last changed by <bdi>sam</bdi>",
        "name=\"rejected_allowed\" type=\"number\" min=\"0\" inputmode=\"numeric\" value=\"2\"",
        "now <bdi>2</bdi>; you entered <bdi>77</bdi>",
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
