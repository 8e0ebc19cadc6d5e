//! Queries of a dashboard: a scan's issues, filtered and sorted; one issue; the difference of two scans; an issue's
//! other targets.

use crate::pipeline::formats::fixtures;
use crate::pipeline::wiring::{System, token_body, upload, upload_of};
use api::page::Wanted;
use api::problem::{Code, Problem};
use api::v1::{AffectedTarget, ExemptionBody, IssueItem, IssuesPage, ScanAnswer, ScanComparison, Tally, TokenBody};
use domain::comparison::Bucket;
use domain::exemption::Coverage;
use domain::ids::{IssueId, ScanId};
use domain::listing::{IssueFilter, Sort};
use domain::version::Versions;
use futures::executor::block_on;
use serde_json::json;
use std::collections::BTreeSet;

/// A result: rule, level, CWE, file and line.
type Result_ = (&'static str, &'static str, u32, &'static str, u32);

fn bandit(results: &[Result_]) -> Vec<u8> {
    let result = |(rule, level, cwe, path, line): &Result_| {
        json!({"code": format!("{line} run('{rule}', '{path}', {line})\n"), "col_offset": 4, "filename": path,
            "issue_confidence": "HIGH", "issue_cwe": {"id": cwe}, "issue_severity": level,
            "issue_text": format!("Says {rule}."), "line_number": line, "line_range": [line], "test_id": rule,
            "test_name": format!("name_of_{rule}")})
    };
    let results: Vec<_> = results.iter().map(result).collect();
    json!({"errors": [], "generated_at": "2026-11-24T04:00:00Z", "metrics": {}, "results": results}).to_string().into()
}

const MAIN: [Result_; 4] = [
    ("B1", "HIGH", 78, "app/one.py", 10),
    ("B2", "MEDIUM", 89, "app/two.py", 10),
    ("B3", "LOW", 22, "app/three.py", 10),
    ("B4", "HIGH", 22, "gone/four.py", 10),
];
const FEATURE: [Result_; 7] = [
    ("B1", "HIGH", 78, "app/one.py", 10),
    ("B1", "LOW", 78, "app/also.py", 10),
    ("B2", "MEDIUM", 89, "app/two.py", 10),
    ("B2", "MEDIUM", 89, "app/two.py", 90),
    ("B2", "MEDIUM", 89, "app/Two.py", 200),
    ("B3", "LOW", 22, "app/three.py", 10),
    ("B5", "MEDIUM", 611, "new/five.py", 10),
];

/// Main and a feature, whose `B1` is exempted in its file with the level critical, and whose `B3` is exempted as a
/// whole.
fn scanned(system: &System) -> (ScanAnswer, ScanAnswer) {
    let main = system.upload(upload("main", &bandit(&MAIN))).unwrap();
    system.pass_days(1);
    system.set_baseline("main");
    let [b1, b3] = ["B1", "B3"].map(|rule| named(&system.all_issues(main.scan.id), rule));
    let occurrence = system.occurrences(main.scan.id, &b1).remove(0);
    let one = ExemptionBody {
        scope: "occurrences".to_owned(),
        target: None,
        scan: Some(main.scan.id.to_string()),
        occurrences: vec![occurrence.id.to_string()],
        ..system.exemption_of(b1.id)
    };
    for body in [one, system.exemption_of(b3.id)] {
        let id = system.ask(body, "dev").unwrap().id;
        system.decide(&id, "approve", "sec").unwrap();
    }
    let feature = system.upload(upload("feature", &bandit(&FEATURE))).unwrap();
    (main, feature)
}

fn named(issues: &[IssueItem], rule: &str) -> IssueItem {
    issues.iter().find(|issue| issue.rule == rule).unwrap().clone()
}

fn rules(issues: &[IssueItem]) -> Vec<&str> {
    issues.iter().map(|issue| issue.rule.as_str()).collect()
}

fn page(
    system: &System,
    scan: ScanId,
    filter: &IssueFilter,
    sort: Sort,
    wanted: Wanted<usize>,
) -> Result<IssuesPage, Problem> {
    block_on(system.results().issues(scan, filter, sort, wanted))
}

/// All issues in an order, by pages of this size.
fn paged(system: &System, scan: ScanId, filter: &IssueFilter, sort: Sort, limit: usize) -> Vec<IssueItem> {
    let (mut from, mut all) = (None, Vec::new());
    loop {
        let page = page(system, scan, filter, sort, Wanted { limit, from }).unwrap();
        assert!(page.items.len() == limit || page.next.is_none());
        all.extend(page.items);
        let Some(cursor) = page.next else { return all };
        let query = || api::query::Query::parse(&format!("cursor={cursor}")).unwrap();
        from = api::page::wanted(&mut query(), sort.list()).unwrap().from;
        let other = Sort::ALL.into_iter().find(|other| *other != sort).unwrap();
        assert!(
            api::page::wanted::<usize>(&mut query(), other.list()).is_err(),
            "a cursor is valid for one order only"
        );
    }
}

#[test]
fn each_filter_returns_exactly_the_matching_issues() {
    let system = System::new();
    let (_, feature) = scanned(&system);
    let scan = feature.scan.id;
    let all = system.all_issues(scan);
    assert_eq!(rules(&all), ["B1", "B2", "B5", "B3", "B4"]);
    assert_eq!(named(&all, "B1").exemption.unwrap().severity.as_deref(), Some("low"));
    let none = IssueFilter::default;
    let counted = |words: &str| IssueFilter { counted_as: Some(words.parse().unwrap()), ..none() };
    let text = |text: &str| IssueFilter { text: Some(text.parse().unwrap()), ..none() };
    let kind = |kind: &str| IssueFilter { kind: Some(kind.parse().unwrap()), ..none() };
    let cases: [(IssueFilter, &[&str]); 24] = [
        (counted("critical"), &["B4"]),
        (counted("low"), &["B1"]),
        (counted("medium,low"), &["B1", "B2", "B5"]),
        (counted("exempted"), &["B3"]),
        (counted("exempted,critical"), &["B3", "B4"]),
        (counted("high,info,unassigned"), &[]),
        (kind("code"), &["B1", "B2", "B5", "B3", "B4"]),
        (kind("dependency"), &[]),
        (text("NAME_OF_b5"), &["B5"]),
        (text("b2"), &["B2"]),
        (text("says b3."), &["B3"]),
        (text("cwe-22"), &["B3", "B4"]),
        (text("CWE-8"), &["B2"]),
        (text("app/also"), &["B1"]),
        (text("APP/T"), &["B2", "B3"]),
        (text("gone/four"), &[]),
        (text("nothing says so"), &[]),
        (IssueFilter { bucket: Some(Bucket::New), ..none() }, &["B5"]),
        (IssueFilter { bucket: Some(Bucket::Remediated), ..none() }, &["B4"]),
        (IssueFilter { severity: Some("critical".parse().unwrap()), ..none() }, &["B1", "B4"]),
        (IssueFilter { exempted: Some(true), ..none() }, &["B3"]),
        (IssueFilter { exemption: Some(Coverage::PartiallyExempted), ..none() }, &["B1"]),
        (IssueFilter { bucket: Some(Bucket::Common), ..counted("medium,exempted") }, &["B2", "B3"]),
        (IssueFilter { bucket: Some(Bucket::New), ..text("b2") }, &[]),
    ];
    for (filter, expected) in cases {
        let page = page(&system, scan, &filter, Sort::default(), Wanted { limit: 500, from: None }).unwrap();
        assert_eq!(rules(&page.items), expected, "{filter:?}");
        assert!(page.items.iter().all(|issue| all.contains(issue)), "as in the whole list: {filter:?}");
        let total = filter.text.is_none().then_some(expected.len() as u64);
        assert_eq!((page.total, page.next), (total, None), "{filter:?}");
        assert_eq!(rules(&paged(&system, scan, &filter, Sort::default(), 1)), expected, "{filter:?}");
    }
}

#[test]
fn an_advisory_and_a_package_are_found_by_their_text() {
    let system = System::new();
    let report = std::fs::read(fixtures().join("trivy/image.json")).unwrap();
    let scan = system.upload(upload_of("trivy", "notes", "main", &report)).unwrap().scan.id;
    let all = system.all_issues(scan);
    let issue = all.iter().find(|issue| issue.package.is_some() && !issue.advisories.is_empty()).unwrap();
    let advisory = issue.advisories[0].to_lowercase();
    let package = issue.package.as_ref().unwrap().name.to_uppercase();
    for text in [advisory, package] {
        let filter = IssueFilter { text: Some(text.parse().unwrap()), ..IssueFilter::default() };
        let found = system.filtered(scan, &filter);
        assert!(found.contains(issue) && found.len() < all.len(), "{text}: {}", found.len());
    }
    let kinds: BTreeSet<&str> = all.iter().map(|issue| issue.kind.as_str()).collect();
    for kind in kinds {
        let filter = IssueFilter { kind: Some(kind.parse().unwrap()), ..IssueFilter::default() };
        assert!(system.filtered(scan, &filter).iter().eq(all.iter().filter(|issue| issue.kind == kind)), "{kind}");
    }
}

#[test]
fn every_order_has_every_issue_once_in_pages_of_any_size() {
    let system = System::new();
    let (_, feature) = scanned(&system);
    let expected = [
        (Sort::Severity, ["B1", "B2", "B5", "B3", "B4"]),
        (Sort::Title, ["B1", "B2", "B3", "B4", "B5"]),
        (Sort::Occurrences, ["B2", "B1", "B5", "B3", "B4"]),
        (Sort::FirstSeen, ["B1", "B2", "B3", "B4", "B5"]),
        (Sort::Newest, ["B5", "B1", "B2", "B3", "B4"]),
    ];
    let replay = system.replay(feature.scan.id, Versions { matcher: 99, ..Versions::CURRENT }).unwrap();
    for (sort, expected) in expected {
        for scan in [feature.scan.id, replay.replay.scan.id] {
            for limit in [1, 2, 3, 5, 100] {
                assert_eq!(
                    rules(&paged(&system, scan, &IssueFilter::default(), sort, limit)),
                    expected,
                    "{sort:?} by {limit}"
                );
            }
            let filter = IssueFilter { text: Some("name_of".parse().unwrap()), ..IssueFilter::default() };
            assert_eq!(rules(&paged(&system, scan, &filter, sort, 2)), expected, "{sort:?} with a text");
        }
        let past = Wanted { limit: 5, from: Some(usize::MAX) };
        let past = page(&system, feature.scan.id, &IssueFilter::default(), sort, past).unwrap();
        assert_eq!((past.items.len(), past.next), (0, None), "a cursor comes from outside");
    }
}

#[test]
fn a_single_issue_is_found_even_if_remediated_and_in_a_replay() {
    let system = System::new();
    let (main, feature) = scanned(&system);
    let one = |scan, id| block_on(system.results().issue(scan, id));
    let all = system.all_issues(feature.scan.id);
    assert_eq!(all.len(), 5);
    for issue in &all {
        assert_eq!(one(feature.scan.id, issue.id).as_ref(), Ok(issue));
    }
    let replay = system.replay(feature.scan.id, Versions::CURRENT).unwrap().replay.scan.id;
    assert_eq!(one(replay, all[0].id).unwrap().exemption, all[0].exemption);
    let b5 = named(&all, "B5").id;
    assert_eq!(one(main.scan.id, b5).unwrap_err().code, Code::NotFound);
    assert_eq!(one(ScanId::from_bits([9; 16]), b5).unwrap_err().code, Code::NotFound);
}

fn compare(system: &System, scan: &ScanAnswer, other: &ScanAnswer, bucket: Option<Bucket>) -> ScanComparison {
    let (scan, other, wanted) = (scan.scan.id, other.scan.id, Wanted { limit: 500, from: None });
    block_on(system.results().compare(scan, other, bucket, wanted)).unwrap()
}

fn compared(comparison: &ScanComparison) -> Vec<(Bucket, &str)> {
    comparison.items.iter().map(|item| (item.bucket, item.issue.rule.as_str())).collect()
}

#[test]
fn comparing_two_scans_the_other_way_round_mirrors_the_result() {
    let system = System::new();
    let main = system.upload(upload("main", &bandit(&MAIN))).unwrap();
    let feature = system.upload(upload("feature", &bandit(&FEATURE))).unwrap();
    let forward = compare(&system, &feature, &main, None);
    let (new, common, remediated) = (Bucket::New, Bucket::Common, Bucket::Remediated);
    let expected = [(new, "B5"), (common, "B1"), (common, "B2"), (common, "B3"), (remediated, "B4")];
    assert_eq!((compared(&forward).as_slice(), forward.same_tool), (&expected[..], true));
    assert_eq!((&forward.scan, &forward.other), (&feature.scan, &main.scan));
    assert_eq!(forward.issues, Tally { new: 1, common: 3, remediated: 1, ..Tally::default() });
    assert_eq!(forward.occurrences, Tally { new: 4, common: 3, remediated: 1, ..Tally::default() });
    let back = compare(&system, &main, &feature, None);
    let mirrored = [(new, "B4"), (common, "B1"), (common, "B2"), (common, "B3"), (remediated, "B5")];
    assert_eq!(compared(&back), mirrored);
    let mirror = |tally: Tally| Tally { new: tally.remediated, remediated: tally.new, ..tally };
    assert_eq!((back.issues, back.occurrences), (mirror(forward.issues), mirror(forward.occurrences)));
    let gone = &forward.items[4].issue;
    assert_eq!(*gone, named(&system.all_issues(main.scan.id), "B4"), "as in the other scan");
    for bucket in Bucket::ALL {
        let only = compare(&system, &feature, &main, Some(bucket));
        assert!(only.items.iter().eq(forward.items.iter().filter(|item| item.bucket == bucket)), "{bucket:?}");
        assert_eq!((only.issues, only.occurrences), (forward.issues, forward.occurrences));
    }
    let itself = compare(&system, &main, &main, None);
    assert_eq!((itself.issues.common, itself.issues.new, itself.issues.remediated), (4, 0, 0));
}

#[test]
fn a_comparison_has_pages_and_exempted_issues() {
    let system = System::new();
    let (main, feature) = scanned(&system);
    let whole = compare(&system, &feature, &main, None);
    assert_eq!(whole.issues, Tally { new: 1, common: 2, remediated: 1, exempted: 1, ..Tally::default() });
    assert_eq!(whole.occurrences, Tally { new: 4, common: 1, remediated: 1, exempted: 2, ..Tally::default() });
    assert_eq!(whole.items[1].issue, named(&system.all_issues(feature.scan.id), "B1"));
    let (mut from, mut items) = (None, Vec::new());
    loop {
        let wanted = Wanted { limit: 2, from };
        let (scan, other) = (feature.scan.id, main.scan.id);
        let page = block_on(system.results().compare(scan, other, None, wanted)).unwrap();
        items.extend(page.items);
        let Some(cursor) = page.next else { break };
        let mut query = api::query::Query::parse(&format!("cursor={cursor}")).unwrap();
        from = api::page::wanted(&mut query, "compared").unwrap().from;
    }
    assert_eq!(items, whole.items);
}

#[test]
fn scans_of_different_targets_are_not_compared() {
    let system = System::new();
    let notes = system.upload(upload("main", &bandit(&MAIN))).unwrap().scan.id;
    let web = system.upload(upload_of("bandit", "web", "main", &bandit(&MAIN))).unwrap().scan.id;
    let wanted = || Wanted { limit: 5, from: None };
    let compare = |scan, other| block_on(system.results().compare(scan, other, None, wanted()));
    let problem = compare(notes, web).unwrap_err();
    assert_eq!(problem.code, Code::InvalidParameter);
    assert!(problem.detail.contains("`notes`") && problem.detail.contains("`web`"), "{}", problem.detail);
    assert_eq!(compare(notes, ScanId::from_bits([9; 16])).unwrap_err().code, Code::NotFound);
}

fn affected(system: &System, token: &str, issue: IssueId, scan: ScanId, limit: usize) -> Vec<AffectedTarget> {
    let (mut from, mut all) = (None, Vec::new());
    loop {
        let wanted = Wanted { limit, from };
        let page = block_on(system.results_for(token).affected(issue, scan, wanted)).unwrap();
        all.extend(page.items);
        let Some(cursor) = page.next else { return all };
        let mut query = api::query::Query::parse(&format!("cursor={cursor}")).unwrap();
        from = api::page::wanted(&mut query, "affected").unwrap().from;
    }
}

#[test]
fn an_issue_is_looked_up_in_the_targets_that_the_caller_may_see() {
    let system = System::new();
    let of = |target, variant, results: &[Result_]| {
        system.upload(upload_of("bandit", target, variant, &bandit(results))).unwrap().scan.id
    };
    let notes = of("notes", "main", &MAIN);
    let web = of("web", "main", &MAIN[1..]);
    of("web", "feature", &FEATURE);
    of("hidden", "develop", &MAIN);
    let hidden = of("hidden", "feature", &FEATURE);
    let trivy = std::fs::read(fixtures().join("trivy/image.json")).unwrap();
    system.upload(upload_of("trivy", "image", "main", &trivy)).unwrap();
    let b1 = named(&system.all_issues(notes), "B1").id;
    let at = |id: &str, variant: &str, scan, occurrences, severity: Option<&str>| AffectedTarget {
        id: id.to_owned(),
        variant: variant.to_owned(),
        scan,
        occurrences,
        severity: severity.map(str::to_owned),
        affected: severity.is_some(),
    };
    let expected = [
        at("hidden", "feature", hidden, 2, Some("critical")),
        at("notes", "main", notes, 1, Some("critical")),
        at("web", "main", web, 0, None),
    ];
    for limit in [1, 2, 100, 1000] {
        assert_eq!(affected(&system, crate::pipeline::ADMIN, b1, notes, limit), expected, "by {limit}");
    }
    let targets = Some(vec!["notes".to_owned(), "web".to_owned()]);
    let some = system.issue(Some("shop"), TokenBody { targets, ..token_body("some", "viewer") }).unwrap();
    let some = some.token.unwrap();
    assert_eq!(affected(&system, &some, b1, notes, 100), expected[1..]);
    let results = system.results_for(&some);
    let wanted = || Wanted { limit: 5, from: None };
    let unseen = block_on(results.affected(b1, hidden, wanted())).unwrap_err();
    assert_eq!(unseen.code, Code::NotFound);
    let b5 = named(&system.all_issues(hidden), "B5").id;
    let nowhere = block_on(system.results().affected(b5, notes, wanted())).unwrap_err();
    assert_eq!(nowhere.code, Code::NotFound, "the scan does not have it");
}
