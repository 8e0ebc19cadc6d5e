//! Exemptions apply to no more than what was approved: an issue that becomes worse counts and returns to review, and
//! other branches keep their exemption.

use api::v1::{ExemptionItem, ScanAnswer};
use domain::exemption::Status;
use domain::verdict::Verdict;
use serde_json::{Value, json};
use tests::command::gatehouse;
use tests::{App, Client, Options, Upload, each_store};

/// A vulnerability of a package.
fn vulnerability(severity: &str, names: &[&str]) -> Value {
    json!({"title": "Outdated jinja2", "description": "It is old.", "severity": severity, "vulnerability_ids": names,
        "component_name": "jinja2", "component_version": "2.11.2", "file_path": "requirements.txt"})
}

fn scan(client: &Client, variant: &str, finding: &Value) -> ScanAnswer {
    let query = format!("scanner=generic&target=web&variant={variant}&fail_on_severity=low");
    let report = json!({"findings": [finding], "static_tool": true}).to_string();
    client.upload(&Upload::with_query(&query, report))
}

fn pending(client: &Client) -> Vec<ExemptionItem> {
    client.exemptions().into_iter().filter(|item| item.status == Status::Pending).collect()
}

/// The admin, a developer, and the exemption of a vulnerability of `main` that secops approved.
fn approved(app: &App, finding: &Value) -> (Client, Client, ExemptionItem) {
    let admin = app.admin("shop");
    admin.create_project();
    let (dev, sec) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    let first = scan(&dev, "main", finding);
    let issue = dev.issues(&first, "").remove(0);
    let exemption = dev.request_exemption("web", &issue);
    sec.decide(&exemption.id, "approve").expect(200);
    assert_eq!(scan(&dev, "main", finding).verdict, Verdict::Pass);
    (dev, sec, exemption)
}

#[test]
fn an_issue_that_becomes_critical_needs_another_approval() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let low = vulnerability("Low", &["CVE-2026-1"]);
        let (dev, sec, exemption) = approved(&app, &low);
        let critical = vulnerability("Critical", &["CVE-2026-1"]);
        assert_eq!(scan(&dev, "feature", &critical).verdict, Verdict::Fail);
        assert_eq!(scan(&dev, "feature", &critical).verdict, Verdict::Fail);
        let back = pending(&sec);
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].returned_from.unwrap().to_string(), exemption.id);
        assert_eq!(back[0].severity, "critical");
        let because = back[0].returned_because.as_deref();
        assert_eq!(because, Some("It was low when it was approved and is critical now."));
        assert_eq!(scan(&dev, "main", &low).verdict, Verdict::Pass, "another branch has what was approved");
        dev.decide(&back[0].id, "approve").expect_problem(403, "forbidden");
        sec.decide(&back[0].id, "approve").expect(200);
        assert_eq!(scan(&dev, "feature", &critical).verdict, Verdict::Pass);
    });
}

#[test]
fn two_vulnerabilities_that_a_report_makes_one_need_another_approval() {
    let app = App::new();
    let (dev, sec, _) = approved(&app, &vulnerability("Low", &["CVE-2026-1"]));
    let united = vulnerability("Low", &["CVE-2026-1", "CVE-2026-2"]);
    assert_eq!(scan(&dev, "feature", &united).verdict, Verdict::Fail);
    let because = pending(&sec).remove(0).returned_because;
    assert_eq!(because.as_deref(), Some("It goes under names now that were not judged: CVE-2026-2."));
}

#[test]
fn a_project_can_allow_a_rise_of_severity() {
    let app = App::new();
    let (dev, _, _) = approved(&app, &vulnerability("Low", &["CVE-2026-1"]));
    let admin = app.admin("shop");
    admin.json("PUT", "", &json!({"severity_rise_allowed": 6})).expect_problem(400, "invalid-body");
    admin.json("PUT", "", &json!({"severity_rise_allowed": 1})).expect(200);
    assert_eq!(scan(&dev, "main", &vulnerability("Medium", &["CVE-2026-1"])).verdict, Verdict::Pass);
    assert_eq!(scan(&dev, "main", &vulnerability("High", &["CVE-2026-1"])).verdict, Verdict::Fail);
}

#[test]
fn a_second_spelling_of_a_name_is_not_a_second_person() {
    let app = App::new();
    let admin = app.admin("shop");
    admin.create_project();
    let dev = admin.issue_to("ann@example.org", "dev", "developer");
    let first = scan(&dev, "main", &vulnerability("Low", &["CVE-2026-1"]));
    let exemption = dev.request_exemption("web", &dev.issues(&first, "").remove(0));
    for (n, subject) in ["\u{430}nn@example.org", "ann@example.org\u{200b}", "ANN@EXAMPLE.ORG"].iter().enumerate() {
        let same = admin.issue_to(subject, &format!("sec-{n}"), "secops");
        same.decide(&exemption.id, "approve").expect_problem(409, "conflict");
    }
    admin.issue_to("bob@example.org", "bob", "secops").decide(&exemption.id, "approve").expect(200);
}

#[test]
fn creating_a_project_again_resets_no_setting_and_set_changes_what_is_named() {
    let app = App::new();
    let admin = app.admin("shop");
    gatehouse(&admin, &["projects", "create", "shop", "--unassigned-as", "high", "--self-approval"]).expect(0);
    let settings = |client: &Client| client.get("").expect(200).json["settings"].clone();
    let before = settings(&admin);
    let again = gatehouse(&admin, &["projects", "create", "shop"]);
    assert!(again.code != Some(0) && again.log.contains("project `shop` exists"), "{}", again.log);
    assert_eq!(settings(&admin), before);
    gatehouse(&admin, &["projects", "set", "shop", "--rejected-allowed", "2", "--reset", "unassigned_as"]).expect(0);
    let after = settings(&admin);
    assert_eq!((&after["rejected_allowed"], &after["self_approval"]), (&json!(2), &json!(true)));
    assert!(after.get("unassigned_as").is_none());
    assert_ne!(gatehouse(&admin, &["projects", "set", "shop"]).code, Some(0), "nothing is named");
    gatehouse(&admin, &["projects", "set", "missing", "--self-approval"]).expect(2);
}
