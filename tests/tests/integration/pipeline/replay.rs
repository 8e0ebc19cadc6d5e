//! Replays of a scan: the same result if nothing changed, a second one beside it otherwise, and no effect on other
//! scans.

use crate::pipeline::formats::{fixtures, reports};
use crate::pipeline::wiring::{ADMIN, System, bandit, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{OccurrenceItem, ReplayAnswer, ScanAnswer, SettingsBody};
use domain::ids::ScanId;
use domain::verdict::Verdict;
use domain::version::{MATCHER, PARSERS, Versions};
use futures::executor::block_on;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv as _;

const NEWER: Versions = Versions { parsers: PARSERS + 1, matcher: MATCHER };

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(path)).unwrap()
}

/// Two scans; the second has new and common but no remediated issues, and fails.
fn prepared() -> (System, ScanAnswer) {
    let system = System::new();
    system.upload(upload("main", MAIN)).unwrap();
    system.set_baseline("main");
    let scan = system.upload(upload("feature", FEATURE).fail_on("critical")).unwrap();
    (system, scan)
}

/// Every occurrence of a scan with its identity.
fn occurrences(system: &System, scan: ScanId) -> Vec<OccurrenceItem> {
    system.all_issues(scan).iter().flat_map(|issue| system.occurrences(scan, issue)).collect()
}

/// Checks that a replay differs from its original only in its id and its place in a series.
fn check_same(system: &System, replay: &ReplayAnswer) {
    let (was, is) = (&replay.original, &replay.replay);
    assert_ne!(is.scan.id, was.scan.id);
    assert_eq!((was.scan.replay_of, is.scan.replay_of), (None, Some(was.scan.id)));
    let mut expected = was.clone();
    (expected.scan.id, expected.scan.replay_of) = (is.scan.id, Some(was.scan.id));
    // A replay is in no series.
    expected.accepted_as_first = Some(false);
    assert_eq!(*is, expected);
    let found = &replay.comparison;
    assert!(!found.verdict_changed && found.variables.is_empty() && found.examples.is_empty(), "{found:?}");
    let issues = system.all_issues(was.scan.id);
    assert_eq!(system.all_issues(is.scan.id), issues);
    let here = occurrences(system, was.scan.id);
    assert_eq!(occurrences(system, is.scan.id), here);
    let counts = json!({"same": issues.len(), "only_original": 0, "only_replay": 0, "rebucketed": 0, "rerated": 0});
    assert_eq!(serde_json::to_value(found.issues).unwrap(), counts);
    let counts = json!({"same": here.len(), "only_original": 0, "only_replay": 0, "rebucketed": 0, "reidentified": 0});
    assert_eq!(serde_json::to_value(found.occurrences).unwrap(), counts);
}

/// Changes a stored document.
fn rewrite(system: &System, key: &str, change: impl FnOnce(&mut Value)) {
    let mut stored: Value = serde_json::from_slice(&block_on(system.kv.get(key)).unwrap().unwrap()).unwrap();
    change(&mut stored);
    block_on(system.kv.set(key, &serde_json::to_vec(&stored).unwrap())).unwrap();
}

#[test]
fn a_replay_by_the_same_versions_has_the_same_result() {
    let (system, scan) = prepared();
    let replay = system.replay(scan.scan.id, Versions::CURRENT).unwrap();
    assert_eq!((replay.from.as_str(), replay.reason.as_deref()), ("report", None));
    assert_eq!(replay.original, scan);
    assert_eq!(replay.versions.original, replay.versions.replay);
    assert_eq!(replay.replayed_by, "admin");
    check_same(&system, &replay);
    assert_eq!(
        system.replay(scan.scan.id, Versions::CURRENT).unwrap(),
        replay,
        "a second replay returns the first one"
    );
}

#[test]
fn every_fixture_has_the_same_result_when_replayed() {
    for scanner in scanners::ALL {
        for file in reports(&fixtures().join(scanner.id)) {
            let system = System::new();
            let report = std::fs::read(&file).unwrap();
            let scan = system.upload(upload_of(scanner.id, "notes", "main", &report)).unwrap();
            check_same(&system, &system.replay(scan.scan.id, NEWER).unwrap());
        }
    }
}

#[test]
fn a_replay_by_newer_versions_is_a_separate_result() {
    let (system, scan) = prepared();
    let now = system.replay(scan.scan.id, Versions::CURRENT).unwrap();
    let newer = system.replay(scan.scan.id, NEWER).unwrap();
    check_same(&system, &newer);
    assert_ne!(newer.replay.scan.id, now.replay.scan.id);
    assert_eq!((newer.versions.replay.parsers, newer.versions.replay.matcher), (PARSERS + 1, MATCHER));
    assert_eq!(newer.versions.original, now.versions.original);
    assert_eq!(system.replay(scan.scan.id, Versions::CURRENT).unwrap(), now, "the first still exists");
}

#[test]
fn differences_are_counted_and_listed() {
    let (system, scan) = prepared();
    // As if today's parsers no longer found the last result, and rated a rule differently.
    rewrite(&system, &store::keys::scan(scan.scan.id), |frozen| {
        frozen["raw"] = json!({"state": "removed"});
        let lines = frozen["findings"]["inline"].as_str().unwrap().lines();
        let mut findings: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        findings.pop();
        let rule = findings[0]["rule"].clone();
        for finding in findings.iter_mut().filter(|finding| finding["rule"] == rule) {
            finding["score"] = json!({"score": 10, "source": "scanner_score"});
        }
        frozen["findings"]["records"] = findings.len().into();
        let lines: Vec<String> = findings.iter().map(|finding| format!("{finding}\n")).collect();
        frozen["findings"]["inline"] = lines.concat().into();
    });
    let replay = system.replay(scan.scan.id, NEWER).unwrap();
    let found = &replay.comparison;
    let total = scan.occurrences.new + scan.occurrences.common;
    assert_eq!((found.occurrences.same, found.occurrences.only_original), (total - 1, 1), "{found:?}");
    assert_eq!((found.issues.rerated, found.variables.contains_key("LOW")), (1, true), "{found:?}");
    let listed =
        |how: &str| found.examples.iter().find(|example| example.how == how && !example.title.is_empty()).unwrap();
    assert_eq!(listed("rerated").replay.as_deref(), Some("low"));
    assert!(found.examples.iter().any(|example| example.how == "only_original" && example.result == Some(8)));
    let next = system.upload(upload("feature", FEATURE)).unwrap();
    assert_eq!(next.occurrences, scan.occurrences, "other scans do not see it");
}

#[test]
fn without_its_raw_report_a_scan_is_replayed_from_its_findings() {
    let system = System::new();
    let report = fixture("sarif/secrets.sarif");
    let scan = system.upload(upload_of("gitleaks", "notes", "main", &report)).unwrap();
    let replay = system.replay(scan.scan.id, NEWER).unwrap();
    assert_eq!(replay.from, "findings");
    assert!(replay.reason.as_deref().unwrap().contains("removed"), "{:?}", replay.reason);
    check_same(&system, &replay);
    let versions = (replay.versions.replay.parsers, replay.versions.replay.matcher);
    assert_eq!(versions, (Versions::CURRENT.parsers, MATCHER), "the newer parsers were not used");
}

#[test]
fn a_locked_report_is_read_only_with_its_storage_key() {
    let system = System::new();
    let report = fixture("sarif/secrets.sarif");
    let mut context = system.context();
    context.storage_key = "a storage key".to_owned();
    let scan = block_on(system.upload_with(&context, upload_of("gitleaks", "notes", "main", &report))).unwrap();
    let from = |storage_key: &str, versions| {
        let replay = system.replay_with(scan.scan.id, versions, ADMIN, storage_key).unwrap();
        check_same(&system, &replay);
        (replay.from, replay.reason.unwrap_or_default())
    };
    let (locked, reason) = from("", NEWER);
    assert!(locked == "findings" && reason.contains("storage_key is not set"), "{reason}");
    let (other, reason) = from("another", Versions { matcher: MATCHER + 1, ..NEWER });
    assert!(other == "findings" && reason.contains("another storage_key"), "{reason}");
    assert_eq!(from("a storage key", NEWER), ("report".to_owned(), String::new()));
}

#[test]
fn a_replay_reads_the_raw_report_and_not_the_stored_findings() {
    let system = System::new();
    let scan = system.upload(upload("main", &bandit(2_000))).unwrap();
    let whole = system.replay(scan.scan.id, Versions::CURRENT).unwrap();
    let remove = |part: &str| {
        let keys: Vec<String> = system.kv.contents().into_keys().collect();
        let start = format!("gh:scan:{}:{part}:", scan.scan.id);
        let removed: Vec<_> = keys.iter().filter(|key| key.starts_with(&start)).collect();
        assert!(!removed.is_empty(), "{part}");
        removed.iter().for_each(|key| block_on(system.kv.delete(key)).unwrap());
    };
    remove("findings");
    let newer = system.replay(scan.scan.id, NEWER).unwrap();
    assert_eq!((newer.comparison.issues.same, newer.comparison.occurrences.same), (60, 2_000));
    assert_eq!(newer.comparison, whole.comparison);
    remove("raw");
    let lost = system.replay(scan.scan.id, Versions { matcher: MATCHER + 1, ..NEWER }).unwrap_err();
    assert_eq!(lost.code, Code::Internal, "a missing report is an error: {lost}");
    assert_eq!(system.replay(scan.scan.id, NEWER).unwrap(), newer, "and the finished replay stays");
}

#[test]
fn a_replay_has_no_effect_on_lists_heads_or_comparisons() {
    let system = System::new();
    let old = system.upload(upload("main", FEATURE)).unwrap();
    let newest = system.upload(upload("main", MAIN)).unwrap();
    for scan in [newest.scan.id, old.scan.id] {
        system.replay(scan, NEWER).unwrap();
        assert_eq!(system.scans("main"), 2);
    }
    let next = system.upload(upload("main", FEATURE)).unwrap();
    assert_eq!(next.comparison.scan, Some(newest.scan.id), "and no replay");
}

#[test]
fn the_original_does_not_change() {
    let (system, scan) = prepared();
    // Except the last use of the caller's token, which is an hour later.
    let used = store::keys::used(&domain::ids::token_digest(ADMIN));
    let contents = || system.kv.contents().into_iter().filter(|(key, _)| *key != used);
    let before: BTreeMap<_, _> = contents().collect();
    let replay = system.replay(scan.scan.id, NEWER).unwrap().replay.scan.id;
    let own = format!("gh:scan:{replay}");
    let others: BTreeMap<_, _> = contents().filter(|(key, _)| !key.starts_with(&own)).collect();
    assert!(others == before, "a replay writes only its own keys");
}

#[test]
fn a_replay_uses_the_settings_and_baseline_of_the_original() {
    let report = fixture("sarif/suppressions.sarif");
    let system = System::new();
    let scan = system.upload(upload_of("auto", "notes", "main", &report)).unwrap();
    let honoured = SettingsBody { tool_suppressions: Some("honoured".to_owned()), ..SettingsBody::default() };
    system.settings(honoured);
    system.set_baseline("main");
    let newer = system.upload(upload_of("auto", "notes", "main", &report)).unwrap();
    assert!(newer.occurrences.common < scan.occurrences.new, "the setting has an effect");
    check_same(&system, &system.replay(scan.scan.id, NEWER).unwrap());
    check_same(&system, &system.replay(newer.scan.id, NEWER).unwrap());
}

#[test]
fn a_replay_uses_the_exemptions_of_the_originals_time() {
    let (system, failed) = prepared();
    let criticals = system.issues(failed.scan.id, "critical");
    let exemptions: Vec<_> = criticals.iter().map(|issue| system.request_exemption(issue)).collect();
    exemptions.iter().for_each(|id| system.decide(id, "approve", "sec").unwrap());
    let passed = system.upload(upload("feature", FEATURE).fail_on("critical")).unwrap();
    let replay = |scan: &ScanAnswer, versions| system.replay(scan.scan.id, versions).unwrap();
    check_same(&system, &replay(&failed, NEWER));
    check_same(&system, &replay(&passed, NEWER));
    exemptions.iter().for_each(|id| system.decide(id, "cancel", "dev").unwrap());
    let again = replay(&passed, Versions::CURRENT);
    assert_eq!((again.replay.verdict, again.replay.issues.exempted), (Verdict::Pass, 2));
    check_same(&system, &again);
}

#[test]
fn a_replay_names_its_caller_and_keeps_the_uploader() {
    let (system, scan) = prepared();
    let token = system.token("dev", "developer");
    let replay = system.replay_with(scan.scan.id, NEWER, &token, "").unwrap();
    assert_eq!(replay.replayed_by, "dev");
    assert_eq!(replay.replay.scan.uploaded_by, scan.scan.uploaded_by);
    assert_eq!(replay.replay.scan.received_at, scan.scan.received_at);
    assert!(replay.replayed_at > scan.scan.received_at);
}

#[test]
fn a_scan_that_cannot_be_replayed_is_refused_with_the_reason() {
    let (system, scan) = prepared();
    let refused = |scan, token: &str| system.replay_with(scan, NEWER, token, "").unwrap_err();
    assert_eq!(refused(ScanId::from_bits([9; 16]), ADMIN).code, Code::NotFound);
    assert_eq!(refused(scan.scan.id, &system.token("viewer", "viewer")).code, Code::Forbidden);
    assert_eq!(refused(scan.scan.id, "gate_wrong").code, Code::Unauthenticated);
    let replay = system.replay(scan.scan.id, NEWER).unwrap().replay.scan.id;
    let again = refused(replay, ADMIN);
    assert_eq!(again.code, Code::NotReplayable);
    assert!(again.detail.contains(&scan.scan.id.to_string()), "{again}");
}

#[test]
fn a_scan_does_not_exist_for_another_project() {
    let (system, scan) = prepared();
    let foreign = system.token_of("other", "dev", "developer");
    let as_own = |project: &str, token: &str| {
        let refused = block_on(system.replay_in(project, scan.scan.id, NEWER, token, "")).unwrap_err();
        (refused.code, refused.detail.contains("notes"))
    };
    assert_eq!(as_own("shop", &foreign), (Code::NotFound, false));
    assert_eq!(as_own("other", &foreign), (Code::NotFound, false));
    assert_eq!(as_own("other", ADMIN), (Code::NotFound, false));
}

#[test]
fn an_unfinished_scan_is_not_replayed() {
    let undisturbed = {
        let system = System::new();
        system.upload(upload("main", MAIN).key("k")).unwrap();
        system.kv.operations().1
    };
    let mut unfinished = 0;
    for writes in 0..undisturbed {
        let system = System::new();
        system.kv.fail_after_writes(Some(writes));
        let died = system.upload(upload("main", MAIN).key("k")).is_err();
        system.kv.fail_after_writes(None);
        let [project, target] = ["shop", "notes"];
        let by = system.who(ADMIN).actor.subject;
        let scan = ScanId::of_idempotency_key(&by, &project.parse().unwrap(), &target.parse().unwrap(), "k");
        let replay = system.replay(scan, NEWER);
        match died {
            // Its answer may exist already, while its head has not moved yet.
            true => unfinished += usize::from(replay.is_err_and(|problem| problem.code == Code::NotFound)),
            false => assert!(replay.is_ok(), "{writes}"),
        }
    }
    assert!(unfinished > 5, "{unfinished}");
}

/// Crashes at each write of a replay, then replays again.
#[test]
fn a_replay_that_crashes_at_any_write_continues_where_it_stopped() {
    let undisturbed = {
        let (system, scan) = prepared();
        system.replay(scan.scan.id, NEWER).unwrap()
    };
    let mut deaths = 0;
    for writes in 0.. {
        let (system, scan) = prepared();
        system.kv.fail_after_writes(Some(writes));
        let first = system.replay(scan.scan.id, NEWER);
        system.kv.fail_after_writes(None);
        if let Ok(answer) = first {
            assert_eq!(answer, undisturbed);
            break;
        }
        deaths += 1;
        assert_eq!(system.replay(scan.scan.id, NEWER).unwrap(), undisturbed, "dead after {writes} writes");
        assert_eq!(system.scans("feature"), 1, "dead after {writes} writes");
    }
    assert!(deaths > 4, "a replay makes more writes than that: {deaths}");
}

#[test]
fn concurrent_replays_are_one_replay() {
    let (system, scan) = prepared();
    let replays = (0..6).map(|_| system.replay_in("shop", scan.scan.id, NEWER, ADMIN, ""));
    let answers = block_on(futures::future::join_all(replays));
    let first = answers[0].as_ref().unwrap();
    check_same(&system, first);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
}

#[test]
fn concurrent_replays_leave_the_segments_of_one() {
    let system = System::new();
    let scan = system.upload(upload("main", &bandit(1_000))).unwrap();
    let replays = (0..3).map(|_| system.replay_in("shop", scan.scan.id, NEWER, ADMIN, ""));
    let answers = block_on(futures::future::join_all(replays));
    let replay = answers[0].as_ref().unwrap().replay.scan.id;
    assert!(answers.iter().all(|answer| answer.is_ok()));
    let start = format!("gh:scan:{replay}:findings:");
    let keys: Vec<String> = system.kv.contents().into_keys().collect();
    let attempts: BTreeSet<_> = keys.iter().filter_map(|key| key.strip_prefix(&start)?.split(':').next()).collect();
    assert_eq!(attempts.len(), 1, "{attempts:?}");
}
