//! Projects are isolated from one another, and calls between components are not reachable from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::v1::{ExemptionItem, ScanAnswer};
use domain::exemption::Status;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::hosts::{COMPONENT_AS_HOST, Difference};
use tests::{App, Client, Options, Upload, each_store, embedded_only, reports, workspace};

/// The decisions on an exemption.
const VERBS: [&str; 4] = ["approve", "reject", "cancel", "reopen"];

/// A project with one scan and two pending exemptions of an issue: one for the target, one for the project.
struct Tenant {
    admin: Client,
    developer: Client,
    secops: Client,
    scan: ScanAnswer,
    issue: String,
    exemption: ExemptionItem,
    wide: ExemptionItem,
    token: String,
}

/// An upload to a target and pipeline whose names both projects have.
fn in_pipeline(report: Vec<u8>) -> Upload {
    Upload::with_query("scanner=bandit&target=web&variant=main&pipeline=nightly&fail_on_severity=critical", report)
}

/// A request for an exemption, with the fields of its reach.
fn request(scope: &str, issue: &str, fields: Value) -> Value {
    let mut body =
        json!({"issue": issue, "scope": scope, "duration_days": 7, "reason": "other", "text": "The same words."});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn tenant(app: &App, name: &str) -> Tenant {
    let admin = app.admin(name);
    admin.create_project();
    let (developer, secops) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    let admin = admin.issue("boss", "admin");
    // Each token is used before anything is compared, because its first use is recorded.
    secops.get("").expect(200);
    let scan = developer.upload(&in_pipeline(reports::generated(20, 1)).key("the-same-key"));
    let issue = developer.issues(&scan, "?severity=critical").remove(0);
    let exemption = developer.request_exemption("web", &issue);
    let wide = request("project", &issue.id.to_string(), json!({"target": "web"}));
    let wide = developer.json("POST", "exemptions", &wide).expect(201).read();
    let token = admin.all::<Value>("tokens", 500)[0]["id"].as_str().unwrap().to_owned();
    Tenant { admin, developer, secops, scan, issue: issue.id.to_string(), exemption, wide, token }
}

/// Approvals of several exemptions at once.
fn decisions(ids: &[&str]) -> Value {
    let all: Vec<_> = ids.iter().map(|id| json!({"id": id, "decision": "approve"})).collect();
    json!({"decisions": all})
}

/// A new scan of a tenant: the gate's current answer.
fn gated(tenant: &Tenant) -> ScanAnswer {
    tenant.developer.upload(&in_pipeline(reports::generated(20, 1)))
}

/// Everything that can be read of a tenant.
fn everything(tenant: &Tenant) -> BTreeMap<String, String> {
    let scan = &tenant.scan.scan.id;
    let paths = [
        "".to_owned(),
        "scans".to_owned(),
        "targets".to_owned(),
        "targets/web".to_owned(),
        "tokens".to_owned(),
        "exemptions".to_owned(),
        "audit".to_owned(),
        "exemptions/unused?scans=1".to_owned(),
        "exemptions?expires_within_days=3650".to_owned(),
        "exemptions?scope=project&target=web".to_owned(),
        format!("exemptions?issue={}", tenant.issue),
        format!("exemptions/{}", tenant.exemption.id),
        format!("exemptions/{}", tenant.wide.id),
        format!("exemptions/{}/preview", tenant.wide.id),
        format!("exemptions/{}/preview?decision=reject", tenant.exemption.id),
        format!("scans/{scan}"),
        format!("scans/{scan}/issues"),
        format!("scans/{scan}/occurrences"),
        format!("scans/{scan}/issues/{}/occurrences", tenant.issue),
    ];
    paths.into_iter().map(|path| (path.clone(), tenant.admin.get(&path).expect(200).text())).collect()
}

#[test]
fn two_projects_with_the_same_names_are_isolated() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (ours, theirs) = (tenant(&app, "ours"), tenant(&app, "theirs"));
        assert_ne!(ours.scan.scan.id, theirs.scan.scan.id, "one key in two projects is two scans");
        assert_ne!(ours.exemption.id, theirs.exemption.id);
        assert_eq!(ours.issue, theirs.issue, "the same weakness has the same id everywhere");
        let before = everything(&theirs);

        // Their ids with our tokens: in their project, and in ours.
        let (scan, exemption) = (&theirs.scan.scan.id, &theirs.exemption.id);
        for client in [&ours.admin, &ours.developer, &ours.secops] {
            let in_theirs = client.in_project("theirs");
            for path in before.keys() {
                in_theirs.get(path).expect_problem(404, "not-found");
            }
            for path in [
                format!("scans/{scan}"),
                format!("scans/{scan}/issues"),
                format!("scans/{scan}/occurrences"),
                format!("scans/{scan}/issues/{}/occurrences", theirs.issue),
                format!("exemptions/{exemption}"),
                format!("exemptions/{exemption}/preview"),
            ] {
                client.get(&path).expect_problem(404, "not-found");
            }
            for client in [&in_theirs, client] {
                client.send("POST", &format!("scans/{scan}/replay"), &[], b"").expect_problem(404, "not-found");
            }
            for verb in VERBS {
                in_theirs.decide(exemption, verb).expect_problem(404, "not-found");
            }
            in_theirs.json("POST", "exemptions/decisions", &decisions(&[exemption])).expect_problem(404, "not-found");
            let requests = json!({"requests": [request("project", &theirs.issue, json!({"scan": scan}))]});
            in_theirs.json("POST", "exemptions/requests", &requests).expect_problem(404, "not-found");
            in_theirs.ask_exemption("web", &theirs.issue).expect_problem(404, "not-found");
            in_theirs
                .json("PATCH", "targets/web", &json!({"baseline": {"variant": "x"}}))
                .expect_problem(404, "not-found");
            in_theirs
                .send_upload(&Upload::new("web", "main", reports::generated(1, 1)))
                .expect_problem(404, "not-found");
        }
        for verb in VERBS {
            ours.secops.decide(exemption, verb).expect_problem(404, "not-found");
        }
        ours.admin.json("DELETE", &format!("tokens/{}", theirs.token), &json!({})).expect_problem(404, "not-found");
        let in_theirs = ours.admin.in_project("theirs");
        in_theirs.json("DELETE", &format!("tokens/{}", theirs.token), &json!({})).expect_problem(404, "not-found");
        in_theirs.json("POST", "tokens", &json!({"name": "x", "role": "admin"})).expect_problem(404, "not-found");
        in_theirs.json("PUT", "", &json!({"unassigned_as": "low"})).expect_problem(404, "not-found");

        // Decisions on our exemptions do not change theirs.
        ours.secops.decide(&ours.exemption.id, "approve").expect(200);
        ours.developer.set_baseline("web", "main");
        ours.developer.upload(&Upload::new("web", "other", reports::generated(3, 5)));
        ours.admin.json("PUT", "", &json!({"unassigned_as": "low"})).expect(200);
        assert_eq!(everything(&theirs), before);
        assert_eq!((gated(&ours).issues.exempted, gated(&theirs).issues.exempted), (1, 0));
    });
}

#[test]
fn an_exemption_of_another_project_does_not_exist_in_ones_own() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (ours, theirs) = (tenant(&app, "ours"), tenant(&app, "theirs"));
        let only_theirs = reports::bandit(&[reports::result(77, "HIGH", "./src/secret.py", 7)]);
        let hidden = theirs.developer.upload(&Upload::new("hidden", "main", only_theirs));
        let their_issue = theirs.developer.issues(&hidden, "")[0].id.to_string();
        let before = (everything(&ours), everything(&theirs));

        // Several decisions of which one is on theirs: none is made.
        let (own, foreign) = (ours.exemption.id.as_str(), theirs.exemption.id.as_str());
        for ids in [[own, foreign], [foreign, own]] {
            ours.secops.json("POST", "exemptions/decisions", &decisions(&ids)).expect_problem(404, "not-found");
        }
        // Their exemption is refused like one that does not exist.
        let ask = |body: &Value| {
            let reply = ours.developer.json("POST", "exemptions", body);
            reply.expect_problem(400, "invalid-body");
            reply.json["detail"].as_str().unwrap().to_owned()
        };
        let unknown = "0".repeat(32);
        let their_scan = theirs.scan.scan.id.to_string();
        let in_scan = |scan: &str| ask(&request("target", &ours.issue, json!({"scan": scan}))).replace(scan, "");
        assert_eq!(in_scan(&their_scan), in_scan(&unknown));
        let in_target = |target: &str| {
            ask(&request("target", &ours.issue, json!({"target": target}))).replace(&format!("`{target}`"), "")
        };
        assert_eq!(in_target("hidden"), in_target("nowhere"));
        let of_issue = |issue: &str| ask(&request("project", issue, json!({"target": "web"}))).replace(issue, "");
        assert_eq!(of_issue(&their_issue), of_issue(&unknown));
        let several = json!({"requests": [
            request("pipeline", &ours.issue, json!({"target": "web"})),
            request("target", &ours.issue, json!({"scan": their_scan})),
        ]});
        ours.developer.json("POST", "exemptions/requests", &several).expect_problem(400, "invalid-body");
        let listed = |query: &str| ours.admin.all::<Value>(&format!("exemptions?{query}"), 100);
        assert!(listed(&format!("issue={their_issue}")).is_empty());
        assert_eq!(
            listed(&format!("issue={}", theirs.issue)).len(),
            2,
            "the issue is in both, the exemptions are ours"
        );
        ours.admin.get("exemptions?target=hidden").expect_problem(400, "invalid-parameter");
        assert_eq!((everything(&ours), everything(&theirs)), before);
    });
}

#[test]
fn an_exemption_does_not_change_another_projects_gate() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (ours, theirs) = (tenant(&app, "ours"), tenant(&app, "theirs"));
        let requested = request("pipeline", &ours.issue, json!({"target": "web"}));
        let requested: ExemptionItem = ours.developer.json("POST", "exemptions", &requested).expect(201).read();
        let all = decisions(&[&ours.exemption.id, &ours.wide.id, &requested.id]);
        ours.secops.json("POST", "exemptions/decisions", &all).expect(200);
        assert_eq!((gated(&ours).issues.exempted, gated(&theirs).issues.exempted), (1, 0));
        let issue = theirs.developer.issues(&gated(&theirs), "?severity=critical").remove(0);
        assert_eq!(issue.exemption_now.unwrap().id.to_string(), theirs.wide.id, "their own, which is pending");
        assert!(theirs.admin.exemptions().iter().all(|item| item.status == Status::Pending));
    });
}

#[test]
fn other_projects_see_only_the_id_of_an_exemption_for_the_account() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (ours, theirs) = (tenant(&app, "ours"), tenant(&app, "theirs"));
        let (id, before) = (ours.wide.id.as_str(), theirs.admin.exemptions());
        let path = format!("exemptions/{id}/approve");
        for client in [&ours.secops, &ours.admin] {
            client.json("POST", &path, &json!({"scope": "account"})).expect_problem(403, "forbidden");
        }
        assert_eq!(gated(&theirs).issues.exempted, 0);
        app.admin("ours").json("POST", &path, &json!({"scope": "account"})).expect(200);
        let scan = gated(&theirs);
        let exempted = theirs.developer.issues(&scan, "?exempted=true");
        let named: Vec<_> = exempted.iter().map(|issue| issue.exemption.as_ref().unwrap().id.to_string()).collect();
        assert_eq!(named, [id]);
        assert_eq!(theirs.admin.exemptions(), before);
        for path in [format!("exemptions/{id}"), format!("exemptions/{id}/preview")] {
            theirs.admin.get(&path).expect_problem(404, "not-found");
        }
        for verb in VERBS {
            theirs.admin.decide(id, verb).expect_problem(404, "not-found");
        }
        // A reviewer of one project can't revoke an exemption for all projects.
        ours.secops.decide(id, "reject").expect_problem(403, "forbidden");
        app.admin("ours").decide(id, "reject").expect(200);
        assert_eq!(gated(&theirs).issues.exempted, 0);
    });
}

#[test]
fn calls_between_components_are_not_reachable_from_outside() {
    let app = App::new();
    let client = app.admin("p");
    client.create_project();
    let append = json!({"id": "0".repeat(32), "by": {"subject": "x", "role": "admin"}, "event": {}}).to_string();
    for (component, _) in components(&manifest()) {
        for path in ["/", "/append", "/count", "//append", "/./append", "/%61ppend", "/api/../append"] {
            let host = format!("{component}.spin.internal");
            let length = append.len();
            for lines in [
                format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n"),
                format!("POST http://{host}{path} HTTP/1.1\r\nhost: {host}\r\n"),
                format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\nspin-path-info: /append\r\nspin-matched-route: /...\r\n\
                    spin-component-route: /\r\nspin-full-url: http://{host}/append\r\n"
                ),
            ] {
                let request = format!(
                    "{lines}content-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{append}"
                );
                let answer = app.raw(request.as_bytes(), false);
                let status = answer.get(9..12).unwrap_or_default();
                // The root is the dashboard's, whatever the header `Host` says, and sends strangers to sign in.
                let by_dashboard = path == "/" && status == "303" && answer.contains("location: /sign-in");
                // Spin may close the connection instead.
                let closed = status.is_empty() && Difference::about(COMPONENT_AS_HOST).allows(status);
                let refused = by_dashboard || closed || ["404", "400", "421"].contains(&status);
                assert!(refused, "{component}: {lines}{answer}");
            }
        }
    }
    assert_eq!(client.targets().len(), 0);
}

#[test]
fn a_client_cannot_forge_its_address() {
    if !embedded_only("the address in a journal is the client's") {
        return;
    }
    let app = App::new();
    let client = app.admin("p");
    client.create_project();
    let forged = [("spin-client-addr", "203.0.113.7:1".to_owned()), ("x-forwarded-for", "203.0.113.7".to_owned())];
    client.send("PUT", "", &forged, b"{}").expect(200);
    let values = app.store_file().values("gh:j:project:p:");
    assert!(!values.is_empty() && values.iter().any(|value| value.contains("127.0.0.1")), "{values:?}");
    assert!(!values.iter().any(|value| value.contains("203.0.113.7")), "{values:?}");
}

/// The manifest.
fn manifest() -> toml::Table {
    std::fs::read_to_string(workspace().join("spin.toml")).unwrap().parse().unwrap()
}

fn components(manifest: &toml::Table) -> Vec<(&String, &toml::Value)> {
    manifest["component"].as_table().unwrap().iter().collect()
}

fn strings<'a>(component: &'a toml::Value, field: &str) -> BTreeSet<&'a str> {
    let list = component.get(field).and_then(toml::Value::as_array);
    list.into_iter().flatten().map(|value| value.as_str().unwrap()).collect()
}

fn code(component: &toml::Value) -> Vec<u8> {
    std::fs::read(tests::component(component["source"].as_str().unwrap())).unwrap()
}

fn imports(component: &toml::Value, what: &str) -> bool {
    code(component).windows(what.len()).any(|window| window == what.as_bytes())
}

#[test]
fn only_the_ledger_can_count_atomically_and_no_component_uses_the_store_in_both_ways() {
    let manifest = manifest();
    let importers = |what: &str| -> BTreeSet<_> {
        let all = components(&manifest);
        all.into_iter().filter(|(_, component)| imports(component, what)).map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(importers("wasi:keyvalue/atomics"), BTreeSet::from(["ledger".to_owned()]));
    let blocking = importers("wasi:keyvalue/");
    assert_eq!(blocking, BTreeSet::from(["ledger".to_owned(), "parser".to_owned()]));
    let both: Vec<_> = importers("spin:key-value/").intersection(&blocking).cloned().collect();
    assert_eq!(both, [] as [String; 0], "a component uses the store by calls that block, or by others");
    assert_eq!(importers("wasi:http/handler@0.3.0").len(), components(&manifest).len(), "the search works");
}

#[test]
fn a_component_may_only_call_existing_components() {
    let manifest = manifest();
    let names: BTreeSet<_> = components(&manifest).into_iter().map(|(name, _)| name.as_str()).collect();
    for (name, component) in components(&manifest) {
        for host in strings(component, "allowed_outbound_hosts") {
            let called = host.strip_prefix("http://").and_then(|host| host.strip_suffix(".spin.internal"));
            assert!(called.is_some_and(|called| names.contains(called)), "{name} may call {host}");
        }
        let granted = !strings(component, "allowed_outbound_hosts").is_empty();
        let used = imports(component, "wasi:http/client@0.3.0");
        assert_eq!(granted, used, "{name} uses exactly what is granted");
        assert_eq!(strings(component, "key_value_stores"), BTreeSet::from(["default"]), "{name}");
        let knows_admin = component.get("variables").is_some();
        assert_eq!(knows_admin, imports(component, "spin:variables"), "{name}");
    }
}

#[test]
fn parser_stages_and_ledger_have_private_routes_only() {
    let manifest = manifest();
    let mut routes: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for trigger in manifest["trigger"]["http"].as_array().unwrap() {
        let private = trigger["route"].get("private").and_then(toml::Value::as_bool).unwrap_or(false);
        routes.entry(trigger["component"].as_str().unwrap()).or_default().push(private);
    }
    for name in ["parser", "fingerprint", "baseline", "gate", "ledger"] {
        assert_eq!(routes[name], [true], "{name}");
    }
    assert_eq!(routes.len(), components(&manifest).len(), "every component has a route");
    let secrets = &manifest["variables"]["admin_token"];
    assert_eq!(secrets["secret"].as_bool(), Some(true));
}
