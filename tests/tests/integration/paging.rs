//! Pages of lists: together they are the whole list, at any size and whatever changes in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::page::{LIMIT_MAX, encode};
use api::v1::{ExemptionItem, IssueItem, OccurrenceItem, ScanItem, TargetItem, TokenItem};
use domain::ids::TargetId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tests::{App, Client, Options, Store, Upload, each_store, reports};

/// A project with scans of three targets, tokens and exemptions.
fn project(app: &App) -> (Client, String) {
    let admin = app.admin("library");
    admin.create_project();
    for n in 0..5 {
        admin.issue(&format!("reader-{n}"), "viewer");
    }
    let mut first = None;
    for n in 0..9 {
        let target = ["b/web", "api", "C:worker"][[0, 1, 0, 2, 2, 0, 1, 0, 0][n]];
        let variant = ["main", "feature"][n % 2];
        let answer = admin.upload(&Upload::new(target, variant, reports::generated(40, u64::try_from(n).unwrap())));
        first.get_or_insert(answer);
    }
    let first = first.unwrap();
    for issue in admin.issues(&first, "").iter().take(5) {
        admin.request_exemption("b/web", issue);
    }
    (admin, first.scan.id.to_string())
}

/// The lists of a project.
fn lists(scan: &str, issue: &str) -> Vec<String> {
    let of_scan = |what: &str| format!("scans/{scan}/{what}");
    vec![
        "scans".to_owned(),
        "scans?target=b%2Fweb".to_owned(),
        "scans?variant=main".to_owned(),
        of_scan("issues"),
        of_scan("issues?severity=critical"),
        of_scan("occurrences"),
        of_scan(&format!("issues/{issue}/occurrences")),
        "tokens".to_owned(),
        "targets".to_owned(),
        "exemptions".to_owned(),
        "exemptions?status=pending&target=b%2Fweb".to_owned(),
        "audit".to_owned(),
        "audit?what=scan_recorded".to_owned(),
    ]
}

fn with(path: &str, parameter: &str) -> String {
    format!("{path}{}{parameter}", if path.contains('?') { '&' } else { '?' })
}

#[test]
fn pages_together_are_the_whole_list_on_each_store() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (client, scan) = project(&app);
        let issues: Vec<IssueItem> = client.all(&format!("scans/{scan}/issues"), LIMIT_MAX);
        let issue = issues.iter().max_by_key(|issue| issue.occurrences.total).unwrap().id.to_string();
        for path in lists(&scan, &issue) {
            let whole: Vec<Value> = client.all(&path, LIMIT_MAX);
            assert!(2 < whole.len(), "{path} has {} items", whole.len());
            assert!(whole.iter().all(|item| item["id"].is_string()), "{path}: items have ids");
            let ids: BTreeMap<_, _> = whole.iter().map(|item| (item["id"].to_string(), item)).collect();
            assert_eq!(ids.len(), whole.len(), "{path} has an item twice");
            for limit in [1, 2, 3, whole.len() - 1, whole.len(), whole.len() + 1] {
                assert_eq!(client.all::<Value>(&path, limit), whole, "{path} by {limit}");
            }
            let page: tests::Page<Value> = client.page(&with(&path, &format!("limit={}", whole.len())));
            assert_eq!(page.next, None, "{path}: the last page, though full, has no next");
        }
    });
}

#[test]
fn every_list_has_items_of_its_type() {
    let app = App::new();
    let (client, scan) = project(&app);
    let names: Vec<_> = client.targets().into_iter().map(|item: TargetItem| item.name).collect();
    assert_eq!(names, ["C:worker", "api", "b/web"]);
    let tokens: Vec<TokenItem> = client.all("tokens", 2);
    assert!(tokens.len() == 5 && tokens.iter().all(|item| item.token.is_none()), "a list shows no token");
    let exemptions: Vec<ExemptionItem> = client.all("exemptions", 2);
    assert_eq!(exemptions.len(), 5);
    let occurrences: Vec<OccurrenceItem> = client.all(&format!("scans/{scan}/occurrences"), 7);
    assert_eq!(occurrences.len(), 40);
    let by_issue: Vec<OccurrenceItem> = client
        .all::<IssueItem>(&format!("scans/{scan}/issues"), 3)
        .iter()
        .flat_map(|issue| client.all::<OccurrenceItem>(&format!("scans/{scan}/issues/{}/occurrences", issue.id), 2))
        .collect();
    let ids = |items: &[OccurrenceItem]| items.iter().map(|item| item.id).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids(&by_issue), ids(&occurrences), "the issues' occurrences are all occurrences");
}

#[test]
fn scans_of_several_targets_are_merged_the_newest_first() {
    let app = App::new();
    let (client, _) = project(&app);
    let scans: Vec<ScanItem> = client.all("scans", 2);
    let times: Vec<_> = scans.iter().map(|item| item.answer.scan.received_at.clone()).collect();
    assert!(times.windows(2).all(|pair| pair[1] < pair[0]), "{times:?}");
    let targets: Vec<_> = scans.iter().rev().map(|item| item.answer.scan.target.name.as_str()).collect();
    let uploaded = [0, 1, 0, 2, 2, 0, 1, 0, 0].map(|n| ["b/web", "api", "C:worker"][n]);
    assert_eq!(targets, uploaded);
}

#[test]
fn the_audit_log_as_lines_links_to_the_next_page() {
    let app = App::new();
    let (client, _) = project(&app);
    let whole: Vec<Value> = client.all("audit", LIMIT_MAX);
    let accept = [("accept", "application/jsonl".to_owned())];
    let (mut path, mut read) = ("audit?limit=4".to_owned(), Vec::new());
    loop {
        let reply = client.send("GET", &path, &accept, b"");
        let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((reply.status, header("content-type").as_deref()), (200, Some("application/jsonl")));
        let lines = String::from_utf8(reply.body.clone()).unwrap();
        assert!(lines.lines().count() <= 4 && lines.ends_with('\n'), "{lines}");
        read.extend(lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        let Some(link) = header("link") else { break };
        let next = link.strip_prefix("<?").and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap().to_owned();
        path = format!("audit?{next}");
    }
    assert_eq!(read, whole);
}

#[test]
fn a_limit_is_from_1_to_500() {
    let app = App::new();
    let (client, scan) = project(&app);
    let issue = client.all::<IssueItem>(&format!("scans/{scan}/issues"), 500).remove(0).id.to_string();
    for path in lists(&scan, &issue) {
        client.get(&with(&path, "limit=1000")).expect(200);
        for bad in ["0", "1001", "-1", "x", "1.5", "99999999999999999999"] {
            client.get(&with(&path, &format!("limit={bad}"))).expect_problem(400, "invalid-parameter");
        }
    }
}

#[test]
fn a_malformed_cursor_is_refused() {
    let app = App::new();
    let (client, scan) = project(&app);
    let issue = client.all::<IssueItem>(&format!("scans/{scan}/issues"), 500).remove(0).id.to_string();
    for path in lists(&scan, &issue) {
        for bad in ["x", "AAAA", "%21", "bnVsbA", &"A".repeat(5000)] {
            client.get(&with(&path, &format!("cursor={bad}"))).expect_problem(400, "invalid-parameter");
        }
    }
}

/// A cursor of another list would silently skip items.
#[test]
fn another_lists_cursor_is_refused() {
    let app = App::new();
    let (client, scan) = project(&app);
    let all = [
        "scans".to_owned(),
        format!("scans/{scan}/issues"),
        format!("scans/{scan}/occurrences"),
        "tokens".to_owned(),
        "targets".to_owned(),
        "exemptions".to_owned(),
        "audit".to_owned(),
    ];
    let mut taken = Vec::new();
    for from in &all {
        let cursor = client.page::<Value>(&with(from, "limit=1")).next.unwrap();
        for to in all.iter().filter(|to| *to != from) {
            let reply = client.get(&with(to, &format!("cursor={cursor}")));
            taken.extend(
                reply.problem_fault(400, "invalid-parameter").map(|_| format!("{from} -> {to}: {}", reply.status)),
            );
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
}

/// A cursor is opaque to honest clients, but others may forge it.
#[test]
fn a_forged_cursor_is_answered_at_once() {
    let app = App::new();
    let (client, scan) = project(&app);
    let api = TargetId::of(&"library".parse().unwrap(), &"api".parse().unwrap()).to_string();
    let scans = |place: u64| encode("scans", &BTreeMap::from([(&api[..16], place)]));
    assert!(
        !client.page::<Value>(&with("scans", &format!("cursor={}", scans(1)))).items.is_empty(),
        "a cursor has this form"
    );
    let audit = |at: i64, n: u64| {
        ("audit".to_owned(), encode("audit", &serde_json::json!({"at": at, "journal": "project:other", "n": n})))
    };
    let forged = [
        audit(i64::MAX, u64::MAX),
        audit(i64::MIN, 0),
        ("scans".to_owned(), scans(u64::MAX)),
        ("scans".to_owned(), scans(1 << 40)),
        ("scans".to_owned(), encode("scans", &BTreeMap::from([("absent", 5)]))),
        (format!("scans/{scan}/issues"), encode("issues", &u64::from(u32::MAX))),
        (format!("scans/{scan}/occurrences"), encode("occurrences", &u32::MAX)),
    ];
    let mut slow = Vec::new();
    for (path, cursor) in forged {
        let begun = Instant::now();
        let reply = client.get(&with(&path, &format!("cursor={cursor}")));
        if !matches!(reply.status, 200 | 400) || Duration::from_secs(5) < begun.elapsed() {
            slow.push(format!("{path} {cursor}: {} after {:?}", reply.status, begun.elapsed()));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn a_scan_between_two_pages_neither_repeats_nor_hides_another() {
    let app = App::start(Options::on(Store::Sqlite));
    let (client, _) = project(&app);
    for limit in [1, 2, 4] {
        let before: Vec<ScanItem> = client.scans();
        let mut page: tests::Page<ScanItem> = client.page(&format!("scans?limit={limit}"));
        let mut seen = page.items;
        for target in ["api", "b/web", "new"].iter().cycle() {
            let Some(next) = page.next else { break };
            client.upload(&Upload::new(target, "main", reports::generated(5, 1)));
            page = client.page(&format!("scans?limit={limit}&cursor={next}"));
            seen.extend(page.items);
        }
        let ids = |items: &[ScanItem]| items.iter().map(|item| item.id).collect::<Vec<_>>();
        assert_eq!(ids(&seen), ids(&before), "by {limit}");
    }
}
