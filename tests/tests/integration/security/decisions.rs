//! No decision is taken that nobody meant: decisions, settings and baselines are changed on the version that somebody
//! saw, or not at all.

use api::v1::{ExemptionItem, ProjectAnswer, TargetItem};
use domain::exemption::Status;
use serde_json::{Value, json};
use tests::{App, Client, Options, Reply, Upload, Visitor, each_store, reports};

/// A project with a target, a requester and two reviewers.
struct Bench {
    app: App,
    admin: Client,
    developer: Client,
    sam: Client,
    kim: Client,
}

impl Bench {
    fn on(app: App) -> Self {
        let admin = app.admin("shop");
        admin.create_project();
        let issue = |person: &str, role| admin.issue_to(person, &format!("{person}-token"), role);
        let (developer, sam, kim) = (issue("dev", "developer"), issue("sam", "secops"), issue("kim", "secops"));
        Self { app, admin, developer, sam, kim }
    }

    /// Requests an exemption of each of this many issues.
    fn requested(&self, count: u64) -> Vec<ExemptionItem> {
        let results: Vec<_> =
            (0..count).map(|rule| reports::result(rule, "HIGH", "src/app.py", 10 * (rule + 1))).collect();
        let scan = self.developer.upload(&Upload::new("web", "main", reports::bandit(&results)));
        let issues = self.developer.issues(&scan, "");
        assert_eq!(issues.len(), results.len());
        issues.iter().map(|issue| self.developer.request_exemption("web", issue)).collect()
    }

    fn item(&self, id: &str) -> ExemptionItem {
        self.developer.find(&format!("exemptions/{id}"))
    }
}

fn decide(client: &Client, item: &ExemptionItem, verb: &str, body: &Value) -> Reply {
    client.json("POST", &format!("exemptions/{}/{verb}", item.id), body)
}

fn if_match(client: &Client, method: &str, path: &str, version: &str, body: &Value) -> Reply {
    client.send(method, path, &[("if-match", version.to_owned())], body.to_string().as_bytes())
}

fn detail(reply: &Reply) -> &str {
    reply.json["detail"].as_str().unwrap_or_default()
}

#[test]
fn a_decision_on_a_version_that_has_changed_does_nothing_and_says_what_happened() {
    each_store(|store| {
        let bench = Bench::on(App::start(Options::on(store)));
        let seen = bench.requested(1).remove(0);
        decide(&bench.sam, &seen, "reject", &json!({"comment": "it is reachable"})).expect(200);
        let stale = decide(&bench.kim, &seen, "approve", &json!({"version": seen.version}));
        stale.expect_problem(412, "changed-meanwhile");
        let text = detail(&stale);
        assert!(text.starts_with("the exemption was rejected by `sam` at 20"), "{text}");
        assert!(text.contains("; it was pending when you decided. Nothing was changed;"), "{text}");
        let now = bench.item(&seen.id);
        assert_eq!((now.status, now.comment.as_deref()), (Status::Rejected, Some("it is reachable")));
        // The header does the same, and a retry of an accepted decision is not stale.
        let path = format!("exemptions/{}/approve", seen.id);
        let tag = |version: u64| format!("\"{version}\"");
        if_match(&bench.kim, "POST", &path, &tag(seen.version), &json!({})).expect_problem(412, "changed-meanwhile");
        for wrong in ["7", "W/\"7\"", "\"7\", \"8\""] {
            if_match(&bench.kim, "POST", &path, wrong, &json!({})).expect_problem(400, "invalid-parameter");
        }
        let other = json!({"version": now.version + 1});
        if_match(&bench.kim, "POST", &path, &tag(now.version), &other).expect_problem(400, "invalid-parameter");
        let headers = [("if-match", tag(now.version)), ("idempotency-key", "once".to_owned())];
        let approved = bench.kim.send("POST", &path, &headers, b"{}").expect(200);
        bench.kim.send("POST", &path, &headers, b"{}").expect(200);
        let approved_version = approved.read::<ExemptionItem>().version;
        assert_eq!(approved.headers["etag"], tag(approved_version).as_str());
        assert_eq!(
            bench.developer.get(&format!("exemptions/{}", seen.id)).headers["etag"],
            tag(approved_version).as_str()
        );
        // Without a version nothing is checked.
        decide(&bench.sam, &seen, "reject", &json!({})).expect(200);
    });
}

#[test]
fn of_several_decisions_none_is_made_if_one_is_on_a_version_that_has_changed() {
    let bench = Bench::on(App::new());
    let seen = bench.requested(3);
    decide(&bench.sam, &seen[1], "approve", &json!({})).expect(200);
    let decision = |item: &ExemptionItem| json!({"id": item.id, "decision": "reject", "version": item.version});
    let all = json!({"decisions": seen.iter().map(decision).collect::<Vec<_>>()});
    let stale = bench.kim.json("POST", "exemptions/decisions", &all);
    stale.expect_problem(412, "changed-meanwhile");
    assert!(detail(&stale).starts_with("number 2: the exemption was approved by `sam` at "), "{}", detail(&stale));
    let states = seen.iter().map(|item| bench.item(&item.id).status).collect::<Vec<_>>();
    assert_eq!(states, [Status::Pending, Status::Approved, Status::Pending]);
    let header = if_match(&bench.kim, "POST", "exemptions/decisions", "\"1\"", &all);
    header.expect_problem(400, "invalid-parameter");
}

#[test]
fn of_two_reviewers_at_once_only_one_decides_on_a_version() {
    let bench = Bench::on(App::new());
    for item in bench.requested(6) {
        let body = json!({"version": item.version});
        let replies = std::thread::scope(|scope| {
            let sam = scope.spawn(|| decide(&bench.sam, &item, "reject", &body));
            let kim = scope.spawn(|| decide(&bench.kim, &item, "approve", &body));
            [sam.join().unwrap(), kim.join().unwrap()]
        });
        let mut statuses = replies.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{replies:?}");
        let expected = if replies[0].status == 200 { Status::Rejected } else { Status::Approved };
        assert_eq!(bench.item(&item.id).status, expected);
    }
}

#[test]
fn settings_and_baselines_are_changed_on_the_version_that_somebody_saw() {
    each_store(|store| {
        let bench = Bench::on(App::start(Options::on(store)));
        bench.requested(1);
        let seen = bench.admin.get("").expect(200);
        let tag = seen.headers["etag"].to_str().unwrap().to_owned();
        let put = |rejected: u32| if_match(&bench.admin, "PUT", "", &tag, &json!({"rejected_allowed": rejected}));
        let first: ProjectAnswer = put(1).expect(200).read();
        assert!(first.changed_by.is_some() && first.version != seen.read::<ProjectAnswer>().version);
        let stale = put(2);
        stale.expect_problem(412, "changed-meanwhile");
        assert!(detail(&stale).starts_with("the settings were changed by `"), "{}", detail(&stale));
        assert_eq!(bench.admin.find::<ProjectAnswer>("").settings.rejected_allowed, Some(1));
        let absent = bench.app.admin("absent");
        if_match(&absent, "PUT", "", "\"1\"", &json!({})).expect_problem(404, "not-found");

        let target: TargetItem = bench.developer.find("targets/web");
        let patch = |client: &Client, variant: &str| {
            let body = json!({"baseline": {"variant": variant}});
            if_match(client, "PATCH", "targets/web", &format!("\"{}\"", target.version), &body)
        };
        let set: TargetItem = patch(&bench.sam, "main").expect(200).read();
        assert_eq!(set.changed_by.as_deref(), Some("sam"));
        assert_eq!(set.version, bench.developer.find::<TargetItem>("targets/web").version);
        let stale = patch(&bench.kim, "feature");
        stale.expect_problem(412, "changed-meanwhile");
        assert!(
            detail(&stale).starts_with("the baseline of target `web` was changed by `sam` at "),
            "{}",
            detail(&stale)
        );
        let now: TargetItem = bench.developer.find("targets/web");
        assert_eq!(now.baseline.unwrap().variant.as_deref(), Some("main"));
    });
}

#[test]
fn a_click_in_an_old_tab_changes_nothing_and_shows_what_a_colleague_decided() {
    let bench = Bench::on(App::new());
    let seen = bench.requested(2);
    let kim = Visitor::new(&bench.app.url()).signed_in(bench.kim.token());
    let list = "/projects/shop/exemptions";
    let (csrf, path) = (kim.csrf(list), format!("{list}/{}", seen[0].id));
    let version = seen[0].version.to_string();
    decide(&bench.sam, &seen[0], "reject", &json!({"comment": "no"})).expect(200);
    let fields = [("csrf", csrf.as_str()), ("version", &version), ("status", "pending"), ("back", &path)];
    let page = kim.post(&format!("{path}/approve"), &[], &fields).expect(412).whole_text();
    assert!(page.contains("The decision failed: the exemption was rejected by `sam` at "), "{page}");
    let (one, two) = (format!("version-{}", seen[0].id), format!("version-{}", seen[1].id));
    let other = seen[1].version.to_string();
    let bulk = [
        ("csrf", csrf.as_str()),
        ("decision", "approve"),
        ("exemption", &seen[0].id),
        ("exemption", &seen[1].id),
        (&one, &version),
        (&two, &other),
    ];
    let page = kim.post(&format!("{list}/decisions"), &[], &bulk).expect(412).whole_text();
    assert!(
        page.contains("the exemption was rejected by `sam` at ") && page.contains("No decision was saved."),
        "{page}"
    );
    assert_eq!(
        seen.iter().map(|item| bench.item(&item.id).status).collect::<Vec<_>>(),
        [Status::Rejected, Status::Pending]
    );
}
