//! Blind spots: what a scanner could not examine is not remediated, keeps its identity and exemptions, and hides
//! nothing.

use crate::pipeline::wiring::{ADMIN, System, upload};
use api::page::Wanted;
use api::v1::{ExemptionBody, OccurrenceItem, ScanAnswer, SettingsBody};
use domain::blind_spots::SpotState;
use domain::comparison::Bucket;
use domain::ids::OccurrenceId;
use domain::listing::{IssueFilter, Sort};
use domain::verdict::Verdict;
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A result: rule, severity, file.
type Found = (&'static str, &'static str, &'static str);

/// A report of Bandit about `files` files, which could not read `unread`.
fn bandit(results: &[Found], unread: &[&str], files: usize) -> Vec<u8> {
    let result = |(rule, level, path): &Found| {
        json!({"code": format!("10 run('{rule}', '{path}')\n"), "col_offset": 4, "filename": path,
            "issue_confidence": "HIGH", "issue_severity": level, "issue_text": format!("Says {rule}."),
            "line_number": 10, "line_range": [10], "test_id": rule, "test_name": rule})
    };
    let results: Vec<_> = results.iter().map(result).collect();
    let error = |path: &&str| json!({"filename": path, "reason": "syntax error while parsing AST from file"});
    let errors: Vec<_> = unread.iter().map(error).collect();
    let mut metrics: serde_json::Map<String, serde_json::Value> =
        (0..files).map(|n| (format!("f{n}.py"), json!({"loc": 10}))).collect();
    metrics.insert("_totals".to_owned(), json!({"loc": files * 10}));
    json!({"errors": errors, "generated_at": "2026-11-24T04:00:00Z", "metrics": metrics, "results": results})
        .to_string()
        .into()
}

const MAIN: [Found; 4] =
    [("B1", "HIGH", "src/a.py"), ("B1", "HIGH", "src/b.py"), ("B2", "LOW", "src/a.py"), ("B3", "MEDIUM", "src/b.py")];
/// The results that are left if `src/a.py` cannot be read.
const WITHOUT_A: [Found; 2] = [MAIN[1], MAIN[3]];
const A: [&str; 1] = ["src/a.py"];

fn scan(system: &System, variant: &str, results: &[Found], unread: &[&str]) -> ScanAnswer {
    system.upload(upload(variant, &bandit(results, unread, 4))).unwrap()
}

fn spots(answer: &ScanAnswer) -> Vec<(Option<&str>, SpotState, u32)> {
    answer.report.blind_spots.iter().map(|spot| (spot.name.as_deref(), spot.state, spot.not_seen)).collect()
}

fn ids(occurrences: &[OccurrenceItem]) -> BTreeMap<(String, String), OccurrenceId> {
    let key = |one: &OccurrenceItem| (one.rule.clone(), one.path.clone().unwrap());
    occurrences.iter().map(|one| (key(one), one.id)).collect()
}

/// The occurrences that a scan has and those that it did not see.
fn known(system: &System, answer: &ScanAnswer) -> BTreeMap<(String, String), OccurrenceId> {
    let mut all = ids(&system.all_occurrences(answer.scan.id));
    all.extend(ids(&system.occurrences_in(answer.scan.id, Some(Bucket::NotSeen))));
    all
}

#[test]
fn files_that_were_never_readable_change_nothing() {
    let system = System::new();
    let first = scan(&system, "main", &WITHOUT_A, &A);
    assert_eq!((first.verdict, first.report.complete), (Verdict::Undecided, true), "new: nothing to compare with");
    assert_eq!(spots(&first), [(Some("src/a.py"), SpotState::New, 0)]);
    assert_eq!(
        first.reasons,
        [
            "The scanner could not examine everything: 1 new blind spot: file `src/a.py` (syntax error while parsing AST from file). The project's setting `new_blind_spots` is `undecided`."
        ]
    );
    system.set_baseline("main");
    let branch = scan(&system, "feature", &WITHOUT_A, &A);
    assert_eq!(branch.comparison.scan, Some(first.scan.id), "a scan with blind spots is a reference scan");
    assert_eq!((branch.verdict, branch.issues.new, branch.issues.common), (Verdict::Pass, 0, 2));
    assert_eq!(spots(&branch), [(Some("src/a.py"), SpotState::Known, 0)]);
    assert_eq!(branch.variables["BLIND_SPOTS"], "1");
    assert_eq!(branch.variables["NEW_BLIND_SPOTS"], "0");
    let readable = scan(&system, "feature", &WITHOUT_A, &[]);
    assert_eq!((readable.verdict, spots(&readable)), (Verdict::Pass, vec![(Some("src/a.py"), SpotState::Gone, 0)]));
    assert_eq!(readable.report.blind_spots_total, 0);
}

#[test]
fn what_is_in_a_file_that_became_unreadable_is_not_seen() {
    let system = System::new();
    let first = scan(&system, "main", &MAIN, &[]);
    let unread = scan(&system, "main", &WITHOUT_A, &A);
    assert_eq!((unread.verdict, unread.report.complete), (Verdict::Undecided, true));
    assert!(unread.reasons[0].contains("The reference scan has 2 occurrences there, which this scan did not see."));
    assert_eq!(
        (unread.issues.common, unread.issues.remediated, unread.issues.not_seen),
        (2, 0, 1),
        "B1 is in b.py too"
    );
    let tally = unread.occurrences;
    assert_eq!((tally.new, tally.common, tally.remediated, tally.not_seen), (0, 2, 0, 2));
    assert_eq!(unread.variables["NOT_SEEN"], "1");
    assert_eq!(known(&system, &unread), known(&system, &first));
    let listed = system.all_issues(unread.scan.id);
    let listed: Vec<_> =
        listed.iter().map(|issue| (issue.rule.as_str(), issue.bucket, issue.occurrences.not_seen)).collect();
    assert_eq!(listed, [("B1", Bucket::Common, 1), ("B3", Bucket::Common, 0), ("B2", Bucket::NotSeen, 1)]);
    for sort in Sort::ALL {
        let (results, filter) = (system.results(), IssueFilter::default());
        let page = block_on(results.issues(unread.scan.id, &filter, sort, Wanted { from: None, limit: 9 }));
        assert_eq!(page.unwrap().items.len(), 3, "{sort}");
    }
    let text = IssueFilter { text: Some("SRC/A.PY".parse().unwrap()), ..IssueFilter::default() };
    let found: Vec<_> = system.filtered(unread.scan.id, &text).into_iter().map(|issue| issue.rule).collect();
    assert_eq!(found, ["B2"], "by the path that it had");
    let unseen = system.occurrences_in(unread.scan.id, Some(Bucket::NotSeen)).remove(0);
    let explained = system.explain(unread.scan.id, unseen.id).unwrap();
    assert_eq!(
        (explained.bucket, explained.issue, explained.first_seen.scan),
        (Bucket::NotSeen, unseen.issue, first.scan.id)
    );
    assert_eq!(
        explained.because,
        "an earlier scan has it, and the scanner could not examine the file `src/a.py` (syntax error while parsing AST from file)"
    );
    // The next scan carries them on. The blind spot stays new until somebody accepts it.
    let again = scan(&system, "main", &WITHOUT_A, &A);
    assert_eq!((again.verdict, again.occurrences.not_seen), (Verdict::Undecided, 2));
    assert_eq!(again.comparison.with, "accepted");
    system.accept(again.scan.id, ADMIN).unwrap();
    let again = scan(&system, "main", &WITHOUT_A, &A);
    assert_eq!((again.verdict, again.occurrences.not_seen), (Verdict::Pass, 2));
    assert_eq!(known(&system, &again), known(&system, &first));
    // Readable again: the same occurrences, and what is missing now is remediated.
    let read = scan(&system, "main", &MAIN[..3], &[]);
    assert_eq!((read.issues.new, read.issues.common, read.issues.remediated), (0, 2, 1));
    assert_eq!((read.occurrences.common, read.occurrences.remediated, read.occurrences.not_seen), (3, 1, 0));
    let before = ids(&system.all_occurrences(first.scan.id));
    assert!(ids(&system.all_occurrences(read.scan.id)).iter().all(|(place, id)| before[place] == *id));
    let aged = system.all_occurrences(read.scan.id).into_iter().map(|one| one.first_seen.scan);
    assert!(aged.into_iter().all(|scan| scan == first.scan.id), "with their age");
    let gone = system.occurrences_in(read.scan.id, Some(Bucket::Remediated));
    assert_eq!(gone.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["B3"]);
}

#[test]
fn what_was_not_seen_and_is_gone_is_remediated_when_the_file_can_be_read() {
    let system = System::new();
    scan(&system, "main", &MAIN, &[]);
    scan(&system, "main", &WITHOUT_A, &A);
    let read = scan(&system, "main", &WITHOUT_A, &[]);
    assert_eq!((read.issues.remediated, read.occurrences.remediated, read.occurrences.not_seen), (1, 2, 0));
    let gone = ids(&system.occurrences_in(read.scan.id, Some(Bucket::Remediated)));
    assert_eq!(gone.len(), 2, "those that the reference scan carried");
    assert!(gone.keys().all(|(_, path)| path == "src/a.py"));
    let remediated = IssueFilter { bucket: Some(Bucket::Remediated), ..IssueFilter::default() };
    let listed: Vec<_> = system.filtered(read.scan.id, &remediated).into_iter().map(|issue| issue.rule).collect();
    assert_eq!(listed, ["B2"]);
}

#[test]
fn making_a_file_unreadable_hides_nothing_from_the_gate() {
    let system = System::new();
    system.settings(SettingsBody { new_blind_spots: Some("ignore".to_owned()), ..SettingsBody::default() });
    scan(&system, "main", &WITHOUT_A, &[]);
    system.set_baseline("main");
    let severe = || system.upload(upload("feature", &bandit(&MAIN, &[], 4)).with("fail_on_new_occurrences", "low"));
    assert_eq!(severe().unwrap().verdict, Verdict::Fail);
    // The findings of the branch are hidden, but its own previous scan has them.
    let hidden = upload("feature", &bandit(&WITHOUT_A, &A, 4)).with("fail_on_new_occurrences", "low");
    let hidden = system.upload(hidden).unwrap();
    assert_eq!(hidden.verdict, Verdict::Fail, "{:?}", hidden.reasons);
    assert!(hidden.reasons[0].contains("Only issues that were not seen reached it"));
    assert_eq!(hidden.occurrences.not_seen, 0, "the reference scan has none of them");
    // What the baseline has counts for the severity of any issue, seen or not.
    scan(&system, "main", &MAIN, &[]);
    for (level, expected) in [("critical", Verdict::Fail), ("none", Verdict::Pass)] {
        let other = upload("other", &bandit(&[MAIN[3]], &["src/a.py", "src/b.py"], 4)).fail_on(level);
        assert_eq!(system.upload(other).unwrap().verdict, expected, "{level}");
    }
}

#[test]
fn the_effect_of_new_blind_spots_is_a_setting() {
    let system = System::new();
    scan(&system, "main", &MAIN, &[]);
    system.set_baseline("main");
    for (setting, expected) in [("fail", Verdict::Fail), ("undecided", Verdict::Undecided), ("ignore", Verdict::Pass)] {
        system.settings(SettingsBody { new_blind_spots: Some(setting.to_owned()), ..SettingsBody::default() });
        let answer = scan(&system, setting, &WITHOUT_A, &A);
        assert_eq!((answer.verdict, answer.reasons.is_empty()), (expected, expected == Verdict::Pass), "{setting}");
        assert_eq!(answer.issues.remediated, 0);
    }
}

#[test]
fn a_scan_of_little_or_nothing_is_blind_to_everything() {
    let system = System::new();
    let first = system.upload(upload("main", &bandit(&MAIN, &[], 10))).unwrap();
    let half = system.upload(upload("main", &bandit(&MAIN, &[], 5))).unwrap();
    assert_eq!((half.verdict, half.report.blind_spots.len()), (Verdict::Pass, 0), "half is enough");
    let little = system.upload(upload("main", &bandit(&WITHOUT_A, &[], 2))).unwrap();
    assert_eq!(
        (little.verdict, little.occurrences.remediated, little.occurrences.not_seen),
        (Verdict::Undecided, 0, 2)
    );
    assert_eq!(little.report.blind_spots[0].reason, "the scanner examined 2 files, the reference scan 5");
    // It stays so, although the scan before examined as little.
    let again = system.upload(upload("main", &bandit(&WITHOUT_A, &[], 2))).unwrap();
    assert_eq!((again.verdict, again.occurrences.not_seen), (Verdict::Undecided, 2));
    system.accept(again.scan.id, ADMIN).unwrap();
    let again = system.upload(upload("main", &bandit(&WITHOUT_A, &[], 2))).unwrap();
    assert_eq!((again.verdict, again.occurrences.not_seen), (Verdict::Pass, 2), "known");
    let nothing = system.upload(upload("main", &bandit(&[], &[], 0))).unwrap();
    assert_eq!((nothing.report.complete, nothing.issues.remediated, nothing.occurrences.not_seen), (true, 0, 4));
    system.set_baseline("main");
    let branch = system.upload(upload("feature", &bandit(&MAIN, &[], 10))).unwrap();
    assert_eq!((branch.comparison.scan, branch.issues.new), (Some(nothing.scan.id), 0), "nothing is new");
    assert_eq!(ids(&system.all_occurrences(branch.scan.id)), ids(&system.all_occurrences(first.scan.id)));
    let fewer = upload("main", &bandit(&WITHOUT_A, &[], 2)).with("accept_missing", "true");
    let fewer = system.upload(fewer).unwrap();
    assert_eq!((fewer.verdict, fewer.occurrences.remediated, fewer.occurrences.not_seen), (Verdict::Pass, 2, 0));
}

#[test]
fn the_first_scan_of_nothing_passes_no_gate() {
    let system = System::new();
    let nothing = system.upload(upload("main", &bandit(&[], &[], 0)).fail_on("critical")).unwrap();
    assert_eq!((nothing.verdict, nothing.report.blind_spots[0].reach.as_str()), (Verdict::Undecided, "everything"));
}

#[test]
fn exemptions_of_what_was_not_seen_stay() {
    let system = System::new();
    let first = scan(&system, "main", &MAIN, &[]);
    let issues = system.all_issues(first.scan.id);
    let b1 = issues.iter().find(|issue| issue.rule == "B1").unwrap();
    let in_a = system.occurrences(first.scan.id, b1).into_iter().find(|one| one.path.as_deref() == Some("src/a.py"));
    let body = ExemptionBody {
        scope: "occurrences".to_owned(),
        target: None,
        scan: Some(first.scan.id.to_string()),
        occurrences: vec![in_a.unwrap().id.to_string()],
        ..system.exemption_of(b1.id)
    };
    let id = system.ask(body, "dev").unwrap().id.to_string();
    system.decide(&id, "approve", "sec").unwrap();
    let exempted = |answer: &ScanAnswer| answer.occurrences.exempted;
    assert_eq!(exempted(&scan(&system, "main", &MAIN, &[])), 1);
    let unread = scan(&system, "main", &WITHOUT_A, &A);
    let unseen = system.occurrences_in(unread.scan.id, Some(Bucket::NotSeen));
    assert_eq!(unseen.len(), 2);
    assert!(system.unused(1).is_empty(), "the exemption is used: it covers what was not seen");
    let read = scan(&system, "main", &MAIN, &[]);
    assert_eq!(exempted(&read), 1, "and applies when the file can be read");
}

#[test]
fn a_comparison_of_two_scans_shows_what_was_not_seen() {
    let system = System::new();
    let first = scan(&system, "main", &MAIN, &[]);
    let unread = scan(&system, "main", &WITHOUT_A, &A);
    let compare = |bucket| {
        let wanted = Wanted { from: None, limit: 10 };
        block_on(system.results().compare(unread.scan.id, first.scan.id, bucket, wanted)).unwrap()
    };
    let all = compare(None);
    assert_eq!((all.issues.common, all.issues.remediated, all.issues.not_seen), (2, 0, 1));
    assert_eq!((all.occurrences.common, all.occurrences.remediated, all.occurrences.not_seen), (2, 0, 2));
    let unseen: Vec<_> = compare(Some(Bucket::NotSeen)).items.into_iter().map(|item| item.issue.rule).collect();
    assert_eq!(unseen, ["B2"]);
}

#[test]
fn a_replay_did_not_see_the_same() {
    let system = System::new();
    scan(&system, "main", &MAIN, &[]);
    let unread = scan(&system, "main", &WITHOUT_A, &A);
    let newer = domain::version::Versions { parsers: 1000, matcher: 1000 };
    let replay = system.replay(unread.scan.id, newer).unwrap();
    let compared = replay.comparison;
    assert!(!compared.verdict_changed && compared.variables.is_empty(), "{compared:?}");
    assert_eq!((compared.issues.same, compared.issues.only_original, compared.issues.only_replay), (3, 0, 0));
}

const FILES: [&str; 3] = ["src/a.py", "src/b.py", "lib/c.py"];
const RULES: [&str; 3] = ["B1", "B2", "B3"];

/// A scan of a history: the variant, the findings of each file, and the files that can be read.
type Step = (bool, BTreeSet<(usize, usize)>, [bool; FILES.len()]);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let findings = proptest::collection::btree_set((0..FILES.len(), 0..RULES.len()), 0..9);
    proptest::collection::vec((any::<bool>(), findings, any::<[bool; FILES.len()]>()), 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Found, not seen and remediated are together what the reference scan had, in histories of a baseline and a
    /// branch.
    #[test]
    fn nothing_of_a_reference_scan_is_lost(steps in steps()) {
        let system = System::new();
        scan(&system, "other", &[], &[]);
        system.set_baseline("main");
        for (is_main, findings, readable) in steps {
            let found: Vec<Found> = findings
                .iter()
                .filter(|(file, _)| readable[*file])
                .map(|(file, rule)| (RULES[*rule], "LOW", FILES[*file]))
                .collect();
            let unread: Vec<_> = FILES.iter().zip(readable).filter(|(_, read)| !read).map(|(file, _)| *file).collect();
            let answer = scan(&system, if is_main { "main" } else { "feature" }, &found, &unread);
            prop_assert!(answer.report.complete);
            let Some(reference) = answer.comparison.scan else { continue };
            let before = known(&system, &system.answer(reference));
            let tally = answer.occurrences;
            prop_assert_eq!(tally.common + tally.not_seen + tally.remediated, u64::try_from(before.len()).unwrap());
            let now = known(&system, &answer);
            for ((rule, path), id) in &before {
                let file = FILES.iter().position(|file| file == path).unwrap();
                let rule_at = RULES.iter().position(|known| known == rule).unwrap();
                let is_gone = readable[file] && !findings.contains(&(file, rule_at));
                let held = now.get(&(rule.clone(), path.clone()));
                prop_assert_eq!(held, (!is_gone).then_some(id), "{} in {}", rule, path);
            }
        }
    }
}
