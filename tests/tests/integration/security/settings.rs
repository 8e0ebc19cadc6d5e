//! Settings that loosen the gate are changed by people who are entitled to it, or by two people.

use api::v1::{AuditItem, Overview, ProjectAnswer, ScanAnswer, SettingsRequestItem};
use domain::verdict::Verdict;
use serde_json::{Value, json};
use tests::{App, Client, Options, Reply, Upload, each_store, reports};

/// A project in which critical issues fail every upload.
fn strict(app: &App) -> Client {
    let admin = app.admin("shop");
    admin.create_project();
    admin.json("PUT", "", &json!({"criteria": {"fail_on_severity": "critical"}})).expect(200);
    admin
}

fn upload(client: &Client) -> ScanAnswer {
    client.upload(&Upload::new("web", "main", reports::Program::demo().main_bytes()))
}

fn decide(client: &Client, decision: &str, request: &str) -> Reply {
    client.json("POST", &format!("settings-request/{decision}"), &json!({"request": request, "comment": "agreed"}))
}

fn request(client: &Client, settings: &Value) -> Reply {
    client.json("POST", "settings-request", &json!({"settings": settings, "reason": "the release waits"}))
}

#[test]
fn settings_are_changed_by_two_people() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = strict(&app);
        let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        let viewer = admin.issue("view", "viewer");
        assert_eq!(upload(&developer).verdict, Verdict::Fail);
        developer.json("PATCH", "", &json!({"criteria": null})).expect(403);
        developer.get("settings-request").expect_problem(404, "not-found");
        let looser = json!({"criteria": null});
        request(&viewer, &looser).expect(403);
        let item: SettingsRequestItem = request(&developer, &looser).expect(201).read();
        let change = &item.changes[0];
        assert_eq!(
            (item.changes.len(), change.name().as_str(), change.now.as_deref(), change.then.as_deref()),
            (1, "criteria: fail_on_severity", Some("critical"), None)
        );
        request(&reviewer, &json!({"tool_suppressions": "honoured"})).expect(409);
        assert_eq!(upload(&developer).verdict, Verdict::Fail, "a request changes nothing");
        assert_eq!(viewer.find::<SettingsRequestItem>("settings-request"), item, "all who see the settings see it");
        assert_eq!(viewer.find::<ProjectAnswer>("").settings_request.as_deref(), Some(&item));
        assert!(viewer.find::<Overview>("overview").settings_requested);
        let id = item.request.to_string();
        decide(&developer, "approve", &id).expect(403);
        for (spelling, name) in [("Dev", "capital"), ("d\u{435}v", "cyrillic")] {
            let self_made = admin.issue_to(spelling, name, "secops");
            decide(&self_made, "approve", &id).expect(409);
            decide(&self_made, "reject", &id).expect(409);
        }
        decide(&reviewer, "withdraw", &id).expect(409);
        decide(&reviewer, "approve", &"0".repeat(32)).expect(409);
        let before: ProjectAnswer = reviewer.find("");
        let answer: ProjectAnswer = decide(&reviewer, "approve", &id).expect(200).read();
        assert!(
            answer.settings.criteria.is_none() && answer.settings_request.is_none() && before.version < answer.version
        );
        assert_eq!(answer.changed_by.as_deref(), Some("sec"));
        decide(&reviewer, "reject", &id).expect(409);
        assert_eq!(upload(&developer).verdict, Verdict::Pass);
        for (what, why) in [("settings_requested", "the release waits"), ("settings_decided", "agreed")] {
            let log: Vec<AuditItem> = admin.all(&format!("audit?what={what}&refused=false"), 10);
            assert_eq!((log.len(), log[0].why.as_deref()), (1, Some(why)), "{what}");
        }
    });
}

#[test]
fn a_request_is_not_approved_for_other_settings_than_it_was_made_on() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = strict(&app);
        let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        let made = || request(&developer, &json!({"criteria": null})).expect(201).read::<SettingsRequestItem>();
        let item = made();
        admin.json("PATCH", "", &json!({"tool_suppressions": "honoured"})).expect(200);
        assert!(developer.find::<SettingsRequestItem>("settings-request").outdated);
        let text = decide(&reviewer, "approve", &item.request.to_string()).expect(409).text();
        assert!(text.contains("the settings have changed since the request"), "{text}");
        let item = made();
        let version = admin.find::<ProjectAnswer>("").version;
        let body = json!({"request": item.request.to_string()}).to_string();
        let approve = |version: u64| {
            let headers = [("content-type", "application/json".to_owned()), ("if-match", format!("\"{version}\""))];
            reviewer.send("POST", "settings-request/approve", &headers, body.as_bytes())
        };
        approve(version - 1).expect(412);
        assert!(admin.find::<ProjectAnswer>("").settings.criteria.is_some());
        decide(&developer, "withdraw", &item.request.to_string()).expect(200);
        approve(version).expect(409);
        let item = made();
        decide(&reviewer, "reject", &item.request.to_string()).expect(200);
        assert!(admin.find::<ProjectAnswer>("").settings.criteria.is_some());
    });
}

#[test]
fn a_reviewer_changes_the_settings_of_the_gate_and_no_others() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = strict(&app);
        let reviewer = admin.issue("sec", "secops");
        let own = json!({
            "tool_suppressions": "honoured", "criteria": null, "target_criteria": {"web": {"fail_on_new": "high"}}
        });
        let answer: ProjectAnswer = reviewer.json("PATCH", "", &own).expect(200).read();
        assert_eq!(
            (answer.settings.tool_suppressions.as_deref(), answer.settings.target_criteria.len()),
            (Some("honoured"), 1)
        );
        for other in [json!({"self_approval": true}), json!({"criteria": null, "baseline_changes": "developer"})] {
            let text = reviewer.json("PATCH", "", &other).expect(403).text();
            assert!(
                text.contains("may change the settings `tool_suppressions`, `criteria` and `target_criteria` only"),
                "{text}"
            );
        }
        reviewer.json("PUT", "", &json!({})).expect(403);
        assert_eq!(admin.find::<ProjectAnswer>("").version, answer.version, "nothing was changed");
        let body = json!({"name": "some", "role": "secops", "targets": ["web"]});
        let token = admin.json("POST", "tokens", &body).expect(201).json["token"].as_str().unwrap().to_owned();
        let some_targets = admin.with_token(&token);
        some_targets.json("PATCH", "", &json!({"criteria": null})).expect(403);
        request(&some_targets, &json!({"criteria": {"fail_on_severity": "low"}})).expect(403);
    });
}
