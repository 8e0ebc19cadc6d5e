//! Many concurrent clients: everything that was acknowledged exists exactly once, and races have one winner.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::v1::{ExemptionItem, IssueItem, ScanAnswer};
use domain::exemption::Status;
use domain::ids::ScanId;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use tests::{App, Client, Options, Random, Reply, Store, Upload, each_store, reports};

const CLIENTS: usize = 16;

/// Clients of each role in a new project.
struct Team {
    developer: Client,
    secops: Vec<Client>,
}

fn team(app: &App) -> Team {
    let admin = app.admin("crowd");
    admin.create_project();
    let secops = (0..CLIENTS).map(|n| admin.issue(&format!("sec-{n}"), "secops")).collect();
    Team { developer: admin.issue("dev", "developer"), secops }
}

/// Runs `job` on this many threads that start together.
fn at_once<T: Send>(clients: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(clients);
    let start = |n| {
        barrier.wait();
        job(n)
    };
    let start = &start;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|n| scope.spawn(move || start(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Uploads from one client: several variants of one target, reports of all sizes.
fn uploads(client: &Client, thread: usize) -> Vec<ScanAnswer> {
    let mut random = Random::seeded(u64::try_from(thread).unwrap());
    (0..6)
        .map(|_| {
            let results = [0, 3, 40, 400][random.index(4)];
            let variant = ["main", "feature/a", "feature/b"][random.index(3)];
            let level = ["none", "critical", "low"][random.index(3)];
            client.upload(&Upload::new("web", variant, reports::generated(results, random.below(4))).fail_on(level))
        })
        .collect()
}

/// Requests exemptions and decides on them; returns the status after the last acknowledged step of each.
fn decisions(team: &Team, thread: usize, issues: &[IssueItem]) -> Vec<(String, Status)> {
    let mut random = Random::seeded(u64::try_from(1000 + thread).unwrap());
    let (developer, secops) = (&team.developer, &team.secops[thread]);
    (0..5)
        .map(|n| {
            let issue = &issues[random.index(issues.len())];
            // Each for its own pipeline, because an equal request is refused while one is pending.
            let body = json!({"issue": issue.id, "scope": "pipeline", "pipeline": format!("p{thread}-{n}"), "target": "web",
                "duration_days": 30, "reason": "acceptable_risk", "text": "The risk is known."});
            let requested: ExemptionItem = developer.json("POST", "exemptions", &body).expect(201).read();
            let id = requested.id;
            let mut status = Status::Pending;
            let ways: [&[(&str, Status)]; 4] = [
                &[],
                &[("approve", Status::Approved)],
                &[("reject", Status::Rejected), ("approve", Status::Approved)],
                &[("approve", Status::Approved), ("cancel", Status::Cancelled)],
            ];
            for (verb, then) in ways[random.index(4)] {
                let item: ExemptionItem = secops.decide(&id, verb).expect(200).read();
                assert_eq!(item.status, *then, "the answer to {verb} shows what it did");
                status = *then;
            }
            (id, status)
        })
        .collect()
}

fn check_scans(client: &Client, acknowledged: &[ScanAnswer]) {
    let listed: Vec<ScanAnswer> =
        client.all::<api::v1::ScanItem>("scans", 7).into_iter().map(|item| item.answer).collect();
    let by_id: BTreeMap<_, _> = listed.iter().map(|answer| (answer.scan.id, answer)).collect();
    assert_eq!(by_id.len(), listed.len(), "a scan is listed twice");
    let expected: BTreeMap<_, _> = acknowledged.iter().map(|answer| (answer.scan.id, answer)).collect();
    assert_eq!(expected.len(), acknowledged.len(), "two uploads made one scan");
    assert_eq!(by_id, expected);
    for answer in acknowledged {
        let now: ScanAnswer = client.find(&format!("scans/{}", answer.scan.id));
        assert_eq!(now, *answer);
    }
}

fn a_crowd(store: Store) {
    let app = App::start(Options::on(store));
    let team = team(&app);
    let first = team.developer.upload(&Upload::new("web", "main", reports::generated(60, 1)));
    let issues = team.developer.issues(&first, "");
    assert!(10 < issues.len());
    let results = at_once(CLIENTS + 5, |n| match n {
        _ if n < CLIENTS => (uploads(&team.developer, n), vec![]),
        _ if n < CLIENTS + 4 => (vec![], decisions(&team, n - CLIENTS, &issues)),
        _ => {
            for round in 0..12 {
                team.secops[0].set_baseline("web", ["main", "feature/a"][round % 2]);
            }
            (vec![], vec![])
        }
    });
    let (scans, exemptions): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let mut scans = scans.concat();
    scans.push(first);
    check_scans(&team.developer, &scans);

    let listed: Vec<_> = team.developer.exemptions().into_iter().map(|item| (item.id, item.status)).collect();
    let unique: BTreeMap<_, _> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "an exemption is listed twice");
    assert_eq!(unique, exemptions.concat().into_iter().collect());
    let baseline = team.developer.targets().remove(0).baseline.unwrap();
    assert_eq!(baseline.variant.as_deref(), Some("feature/a"), "the last baseline set is the one that counts");
}

#[test]
fn everything_acknowledged_to_concurrent_clients_exists_exactly_once() {
    each_store(a_crowd);
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    statuses
}

fn racing_approvals(store: Store, rounds: usize, racers: usize) {
    let app = App::start(Options::on(store));
    let team = team(&app);
    let scan = team.developer.upload(&Upload::new("web", "main", reports::generated(30, 2)));
    let issue = team.developer.issues(&scan, "").remove(0);
    let mut expected = vec![409; racers - 1];
    expected.insert(0, 200);
    let mut wrong = Vec::new();
    for round in 0..rounds {
        let id = team.developer.request_exemption("web", &issue).id;
        let replies = at_once(racers, |n| team.secops[n].decide(&id, "approve"));
        if statuses(&replies) != expected {
            wrong.push(format!("round {round}: {:?}", statuses(&replies)));
            continue;
        }
        let winner = replies.iter().position(|reply| reply.status == 200).unwrap();
        let item: ExemptionItem = team.developer.find(&format!("exemptions/{id}"));
        if item.decided_by != Some(format!("sec-{winner}")) {
            wrong.push(format!(
                "round {round}: sec-{winner} got the answer that it approved, but {:?} did",
                item.decided_by
            ));
        }
        for reply in replies.iter().filter(|reply| reply.status == 409) {
            reply.expect_problem(409, "conflict");
        }
    }
    assert!(wrong.is_empty(), "{} of {rounds} rounds: {wrong:#?}", wrong.len());
}

#[test]
fn of_two_racing_approvals_one_wins_on_sqlite() {
    racing_approvals(Store::Sqlite, 150, 2);
}

#[test]
fn of_two_racing_approvals_one_wins_on_redis() {
    racing_approvals(Store::Redis, 150, 2);
}

#[test]
fn of_sixteen_racing_approvals_one_wins() {
    each_store(|store| racing_approvals(store, 25, CLIENTS));
}

fn one_key(store: Store) {
    let app = App::start(Options::on(store));
    let developer = team(&app).developer;
    for round in 0..8 {
        let upload =
            Upload::new("web", "main", reports::generated(30 + 100 * (round % 3), round)).key(&format!("key-{round}"));
        let answers = at_once(CLIENTS, |_| developer.send_upload(&upload).expect(201).json);
        let different: BTreeSet<_> = answers.iter().map(ToString::to_string).collect();
        assert_eq!(different.len(), 1, "round {round}: {different:#?}");
        assert_eq!(developer.scans().len(), usize::try_from(round).unwrap() + 1);
    }
}

#[test]
fn one_idempotency_key_from_many_threads_is_one_scan_with_one_answer() {
    each_store(one_key);
}

#[test]
fn a_decision_repeated_under_its_key_is_one_decision() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let team = team(&app);
        let scan = team.developer.upload(&Upload::new("web", "main", reports::generated(30, 2)));
        let issue = team.developer.issues(&scan, "").remove(0).id.to_string();
        let body = json!({"issue": issue, "scope": "target", "target": "web", "duration_days": 7,
            "reason": "other", "text": "why"});
        let keyed = |client: &Client, path: &str, body: &serde_json::Value| {
            client.send("POST", path, &[("idempotency-key", "the-key".to_owned())], body.to_string().as_bytes())
        };
        let requested =
            at_once(CLIENTS, |_| keyed(&team.developer, "exemptions", &body).expect(201).json["id"].to_string());
        assert_eq!(requested.iter().collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(team.developer.exemptions().len(), 1);
        let mut other = body.clone();
        other["text"] = "something else".into();
        keyed(&team.developer, "exemptions", &other).expect_problem(422, "idempotency-mismatch");
        let approve = format!("exemptions/{}/approve", requested[0].trim_matches('"'));
        at_once(CLIENTS, |_| keyed(&team.secops[0], &approve, &json!({})).expect(200));
        team.secops[0].json("POST", &approve, &json!({})).expect_problem(409, "conflict");
    });
}

#[test]
fn of_two_types_racing_for_a_new_target_one_is_refused_without_a_trace() {
    let app = App::new();
    let developer = team(&app).developer;
    for round in 0..20 {
        let target = format!("target-{round}");
        let before = app.store_file().keys();
        let upload = |kind: &str| {
            let query = format!("scanner=bandit&target={target}&variant=main&target_type={kind}");
            developer.send_upload(&Upload::with_query(&query, reports::generated(5, 1)))
        };
        let replies = at_once(2, |n| upload(["repository", "container"][n]));
        assert_eq!(statuses(&replies), [201, 409], "round {round}");
        let accepted: ScanAnswer = replies.iter().find(|reply| reply.status == 201).unwrap().read();
        let own = format!("gh:scan:{}", accepted.scan.id);
        let left: Vec<_> = app.store_file().keys().into_iter().filter(|key| !before.contains(key)).collect();
        let foreign: Vec<_> = left.iter().filter(|key| key.starts_with("gh:scan:") && !key.starts_with(&own)).collect();
        assert!(foreign.is_empty(), "round {round}: the refused upload left {foreign:?}");
    }
}

/// The comparison part of an answer, without the other upload's own scan.
fn compared(answer: &ScanAnswer) -> (String, Option<ScanId>, u64, u64, u64) {
    let (comparison, issues) = (&answer.comparison, answer.issues);
    (comparison.with.clone(), comparison.scan, issues.new, issues.common, issues.remediated)
}

fn one_variant_twice(store: Store) {
    let app = App::start(Options::on(store));
    let developer = team(&app).developer;
    let report = |rules: std::ops::Range<u64>| {
        reports::bandit(&rules.map(|n| reports::result(n, "LOW", "a.py", n * 10 + 2)).collect::<Vec<_>>())
    };
    for round in 0..12 {
        let target = format!("target-{round}");
        let upload = |rules| developer.upload(&Upload::new(&target, "main", report(rules)));
        let before = upload(0..4).scan.id;
        let answers = at_once(2, |n| upload([0..2, 0..9][n].clone()));
        let [small, large] = [&answers[0], &answers[1]];
        let previous = |scan, new, common, gone| ("previous".to_owned(), Some(scan), new, common, gone);
        let small_orders = [previous(before, 0, 2, 2), previous(large.scan.id, 0, 2, 7)];
        let large_orders = [previous(before, 5, 4, 0), previous(small.scan.id, 7, 2, 0)];
        assert!(small_orders.contains(&compared(small)), "round {round}: {:?}", compared(small));
        assert!(large_orders.contains(&compared(large)), "round {round}: {:?}", compared(large));
        let next = upload(0..2).comparison.scan.unwrap();
        assert!(next == small.scan.id || next == large.scan.id, "round {round}: compared with {next}");
    }
}

#[test]
fn two_concurrent_uploads_for_one_variant_get_the_answers_of_a_serial_order() {
    each_store(one_variant_twice);
}

fn a_changing_baseline(store: Store) {
    let app = App::start(Options::on(store));
    let Team { developer, secops } = team(&app);
    let secops = &secops[0];
    let of = |variant: &str, results| developer.upload(&Upload::new("web", variant, reports::generated(results, 3)));
    let scans = [of("v1", 10).scan.id, of("v2", 40).scan.id];
    let baselines = [json!({"variant": "v1"}), json!({"regex": "v."})];
    let expected = [0, 1].map(|n| {
        secops.json("PATCH", "targets/web", &json!({"baseline": baselines[n]})).expect(200);
        compared(&of("probe", 40))
    });
    assert_eq!(expected.each_ref().map(|(_, scan, ..)| scan.unwrap()), scans);
    let answers = at_once(6, |thread| -> Vec<ScanAnswer> {
        if thread == 0 {
            for round in 0..40 {
                secops.json("PATCH", "targets/web", &json!({"baseline": baselines[round % 2]})).expect(200);
            }
            return vec![];
        }
        (0..6).map(|_| of(&format!("branch-{thread}"), 40)).collect()
    });
    for answer in answers.concat() {
        let comparison = compared(&answer);
        assert!(expected.contains(&comparison), "{comparison:?} is of neither baseline: {expected:?}");
        assert_eq!(developer.find::<ScanAnswer>(&format!("scans/{}", answer.scan.id)), answer, "it does not change");
    }
}

#[test]
fn each_upload_uses_the_baseline_before_or_after_a_concurrent_change() {
    each_store(a_changing_baseline);
}
