use super::*;
use crate::grouping::{ComparableIssue, IssueKey};
use crate::testing::{Compared, Scan, finding};
use finding::severity::{Score, ScoreSource};
use finding::{Finding, Kind, Package, Scored};
use proptest::prelude::*;

fn found(rule: &str, path: &str, line: u32) -> Finding {
    finding(line, rule, path, line, &["before", &format!("{rule}({path})"), "after"])
}

/// The issue of a rule.
fn of(rule: &str) -> IssueId {
    IssueKey::of("bandit", &found(rule, "a.py", 1)).id()
}

fn buckets(compared: &Compared) -> Vec<(IssueId, Bucket, u32, u32, u32)> {
    let row = |row: &ComparedIssue| {
        let Division { new, common, updated: _, remediated, not_seen: _ } = row.division;
        (row.id, row.bucket, new, common, remediated)
    };
    compared.comparison.issues.iter().map(row).collect()
}

fn gone(compared: &Compared) -> Vec<IssueId> {
    compared.comparison.remediated.iter().map(|gone| gone.id).collect()
}

#[test]
fn without_a_reference_everything_is_new() {
    let scan = Scan::new(1, &[found("B1", "a.py", 1), found("B1", "b.py", 2)]).first();
    assert_eq!(buckets(&scan), [(of("B1"), Bucket::New, 2, 0, 0)]);
    assert!(scan.comparison.remediated.is_empty() && scan.of(0).id != scan.of(1).id);
    assert_eq!(scan.comparison.origins, [scan.scan.origin()]);
}

#[test]
fn a_known_rule_in_a_new_place_is_a_common_issue_with_a_new_occurrence() {
    let old = Scan::new(1, &[found("B1", "a.py", 1), found("B3", "c.py", 9)]).first();
    let new = Scan::new(2, &[found("B1", "a.py", 40), found("B1", "b.py", 2), found("B2", "a.py", 3)]);
    let new = new.compare(true, Some(&old), None);
    assert_eq!(buckets(&new), [(of("B1"), Bucket::Common, 1, 1, 0), (of("B2"), Bucket::New, 1, 0, 0)]);
    assert_eq!(gone(&new), [of("B3")]);
    let found = new.of(0).found.as_ref().unwrap();
    assert_eq!((new.of(0).id, found.stage, found.line), (old.of(0).id, Stage::Context, Some(1)));
    assert_eq!(found.path, None, "the path is stored only if it differs");
}

#[test]
fn first_seen_is_carried_along_for_issues_and_occurrences() {
    let one = Scan::new(1, &[found("B1", "a.py", 1)]).first();
    let two = Scan::new(2, &[found("B1", "a.py", 2), found("B1", "b.py", 2)]).compare(true, Some(&one), None);
    let three = Scan::new(3, &[found("B1", "a.py", 3), found("B1", "b.py", 9), found("B2", "a.py", 4)]);
    let three = three.compare(true, Some(&two), None);
    let seen = |seen: u32| three.comparison.origins[usize::try_from(seen).unwrap()].at.to_string();
    let at = |n: i64| crate::time::Timestamp::from_ms(n * 1000).to_string();
    assert_eq!([0, 1, 2].map(|result| seen(three.of(result).seen)), [at(1), at(2), at(3)]);
    assert_eq!(three.comparison.issues.iter().map(|row| seen(row.seen)).collect::<Vec<_>>(), [at(1), at(3)]);
}

#[test]
fn an_occurrence_of_a_branch_keeps_its_id_along_it_and_after_the_merge() {
    let main = Scan::new(1, &[found("B1", "a.py", 1)]).first();
    let new = |line| finding(1, "B1", "b.py", line, &["x", "eval(input())", "y"]);
    let branch = Scan::new(2, &[found("B1", "a.py", 1), new(5)]).compare(true, Some(&main), None);
    let mut edited = new(9);
    edited.code.as_mut().unwrap().lines[0] = "another neighbour".to_owned();
    let again = Scan::new(3, &[found("B1", "a.py", 1), edited]).compare(true, Some(&main), Some(&branch));
    assert_eq!((again.of(1).id, again.of(1).carried), (branch.of(1).id, Some(Stage::Snippet)));
    assert_eq!(again.of(1).found, None, "compared with the baseline it is new");
    assert_eq!(buckets(&again), [(of("B1"), Bucket::Common, 1, 1, 0)]);
    let merged = Scan::new(4, &[found("B1", "a.py", 1), new(5)]).compare(true, Some(&main), None);
    assert_eq!(
        merged.of(1).id,
        branch.of(1).id,
        "the same code in the same file is the same occurrence in every variant"
    );
}

#[test]
fn equal_code_twice_is_two_occurrences_and_a_copy_is_new() {
    let code = |line| finding(line, "B1", "a.py", line, &["x", "eval(input())", "y"]);
    let one = Scan::new(1, &[code(5)]).first();
    let two = Scan::new(2, &[code(5), code(50)]).compare(true, Some(&one), None);
    assert_eq!(two.of(0).id, one.of(0).id);
    assert!(two.of(1).found.is_none() && two.of(1).id != one.of(0).id);
    let three = Scan::new(3, &[code(5), code(50), code(90)]).compare(true, Some(&two), None);
    let ids: BTreeSet<_> = [0, 1, 2].map(|result| three.of(result).id).into();
    assert_eq!(ids.len(), 3);
    assert_eq!([three.of(0).id, three.of(1).id], [two.of(0).id, two.of(1).id]);
}

#[test]
fn an_incomplete_scan_remediates_nothing() {
    let old = Scan::new(1, &[found("B1", "a.py", 1), found("B1", "b.py", 1), found("B3", "c.py", 9)]).first();
    let new = || Scan::new(2, &[found("B1", "a.py", 1)]);
    let incomplete = new().compare(false, Some(&old), None);
    assert_eq!(buckets(&incomplete), [(of("B1"), Bucket::Common, 0, 1, 0)]);
    assert!(incomplete.comparison.remediated.is_empty());
    let complete = new().compare(true, Some(&old), None);
    assert_eq!(buckets(&complete), [(of("B1"), Bucket::Common, 0, 1, 1)]);
    assert_eq!(gone(&complete), [of("B3")]);
}

#[test]
fn the_severities_of_new_and_updated_occurrences_are_listed() {
    let scored = |path: &str, line, code: &str, hundredths| {
        let score = Score::from_hundredths(hundredths).map(|score| Scored { score, source: ScoreSource::ScannerWord });
        Finding { score, ..finding(0, "B1", path, line, &["x", code, "y"]) }
    };
    let old = Scan::new(1, &[scored("a.py", 5, "run(command, shell=True)", 950)]).first();
    let new = Scan::new(
        2,
        &[
            scored("a.py", 5, "run(command, shell=True, check=True)", 800),
            scored("b.py", 5, "popen(other)", 500),
            scored("c.py", 5, "popen(another)", 200),
        ],
    );
    let new = new.compare(true, Some(&old), None);
    let row = &new.comparison.issues[0];
    let levels = |levels: &BTreeSet<Severity>| levels.iter().copied().collect::<Vec<_>>();
    assert_eq!(levels(&row.levels_new), [Severity::Low, Severity::Medium]);
    assert_eq!(levels(&row.levels_updated), [Severity::High]);
    assert_eq!((row.division.new, row.division.common, row.division.updated), (2, 1, 1));
}

fn vulnerable(advisories: &[&str], package: &str, version: &str, path: &str) -> Finding {
    Finding {
        advisories: advisories.iter().map(|name| (*name).to_owned()).collect(),
        package: Some(Package { name: package.to_owned(), version: Some(version.to_owned()), ..Package::default() }),
        location: Some(finding::Location { path: path.to_owned(), ..Default::default() }),
        ..Finding::new(Kind::Dependency, advisories[0], "t", "m")
    }
}

#[test]
fn a_cve_that_is_reported_later_changes_no_id() {
    let old = Scan::new(1, &[vulnerable(&["GHSA-1"], "p", "1", "lock")]).first();
    let new = Scan::new(2, &[vulnerable(&["CVE-2020-1", "GHSA-1"], "p", "1", "lock")]).compare(true, Some(&old), None);
    assert_ne!(new.scan.contents.issues[0].id, old.scan.contents.issues[0].id, "the key's own id is another");
    assert_eq!(buckets(&new), [(old.comparison.issues[0].id, Bucket::Common, 0, 1, 0)]);
    assert!(gone(&new).is_empty());
    let third = Scan::new(3, &[vulnerable(&["CVE-2020-1"], "p", "1", "lock")]).compare(true, Some(&new), None);
    assert_eq!(
        third.comparison.issues[0].id, old.comparison.issues[0].id,
        "nor when the first name is no longer reported"
    );
    let back = Scan::new(4, &[vulnerable(&["GHSA-1"], "p", "1", "lock")]).compare(true, Some(&new), None);
    assert_eq!(buckets(&back), [(old.comparison.issues[0].id, Bucket::Common, 0, 1, 0)]);
}

#[test]
fn advisories_that_turn_out_to_be_one_are_not_remediated() {
    let old = Scan::new(1, &[vulnerable(&["GHSA-1"], "p", "1", "lock"), vulnerable(&["CVE-2020-1"], "p", "1", "lock")]);
    let old = old.first();
    let new = Scan::new(2, &[vulnerable(&["CVE-2020-1", "GHSA-1"], "p", "1", "lock")]).compare(true, Some(&old), None);
    assert!(gone(&new).is_empty());
    assert_eq!(buckets(&new)[0].1, Bucket::Common);
    let split =
        Scan::new(3, &[vulnerable(&["CVE-2020-1"], "p", "1", "lock"), vulnerable(&["GHSA-1"], "p", "1", "lock")]);
    let split = split.compare(true, Some(&new), None);
    assert!(split.comparison.issues.iter().all(|row| row.bucket == Bucket::Common), "{:?}", buckets(&split));
    assert_ne!(split.comparison.issues[0].id, split.comparison.issues[1].id);
}

#[test]
fn a_renamed_rule_is_the_same_issue() {
    let old = Scan::new(1, &[found("OLD1", "a.py", 1)]).first();
    let mut renamed = found("OLD1", "a.py", 1);
    (renamed.rule, renamed.former_rules) = ("NEW1".to_owned(), vec!["OLD1".to_owned()]);
    let new = Scan::new(2, &[renamed]).compare(true, Some(&old), None);
    assert_eq!(buckets(&new), [(of("OLD1"), Bucket::Common, 0, 1, 0)]);
    let older_tool = Scan::new(3, &[found("OLD1", "a.py", 1)]).compare(true, Some(&new), None);
    assert_eq!(buckets(&older_tool), [(of("OLD1"), Bucket::Common, 0, 1, 0)]);
}

#[test]
fn an_upgrade_that_is_still_vulnerable_is_the_same_issue_and_shows_both_versions() {
    let old =
        Scan::new(1, &[vulnerable(&["CVE-1"], "p", "1.0", "lib/p-1.0.jar"), vulnerable(&["CVE-2"], "q", "1", "lock")]);
    let old = old.first();
    let new =
        Scan::new(2, &[vulnerable(&["CVE-1"], "p", "1.1", "lib/p-1.1.jar"), vulnerable(&["CVE-2"], "q", "2", "lock")]);
    let new = new.compare(true, Some(&old), None);
    assert!(new.comparison.issues.iter().all(|row| row.bucket == Bucket::Common && row.division.new == 0));
    let jar = new.of(0).found.as_ref().unwrap();
    assert_eq!(
        (jar.stage, jar.path.as_deref(), jar.version.as_deref()),
        (Stage::Renamed, Some("lib/p-1.0.jar"), Some("1.0"))
    );
    let lock = new.of(1).found.as_ref().unwrap();
    assert_eq!((lock.stage, lock.path.as_deref(), lock.version.as_deref()), (Stage::Snippet, None, Some("1")));
}

#[test]
fn a_secret_without_digest_moves_with_its_file() {
    let secret = |path: &str| Finding {
        location: Some(finding::Location { path: path.to_owned(), line: Some(3), ..Default::default() }),
        code: Some(finding::Excerpt { first_line: 3, lines: vec!["password = ****".to_owned()] }),
        ..Finding::new(Kind::Secret, "generic", "t", "m")
    };
    let old = Scan::new(1, &[secret("old/a.env"), secret("b.env")]).first();
    let new = Scan::new(2, &[secret("new/a.env"), secret("b.env")]).compare(true, Some(&old), None);
    assert_eq!(new.of(0).id, old.of(0).id);
    let known: BTreeSet<_> = old.comparison.issues.iter().map(|row| row.id).collect();
    assert!(new.comparison.issues.iter().all(|row| row.bucket == Bucket::Common && known.contains(&row.id)));
    assert!(gone(&new).is_empty());
}

#[test]
fn an_occurrence_that_was_edited_in_a_renamed_file_is_not_also_remediated() {
    let secret = |path: &str, code: &str| Finding {
        location: Some(finding::Location { path: path.to_owned(), line: Some(3), ..Default::default() }),
        code: Some(finding::Excerpt { first_line: 3, lines: vec![code.to_owned()] }),
        ..Finding::new(Kind::Secret, "generic", "t", "m")
    };
    let known = |path: &str| secret(path, "the_token_of_the_service = '****'");
    let old = Scan::new(1, &[secret("old.py", "password_of_the_database = '****'"), known("old.py")]).first();
    let edited = secret("new.py", "password_of_the_databases = '****'");
    let new = Scan::new(2, &[edited, known("new.py")]).compare(true, Some(&old), None);
    assert_eq!(new.stages(), [Some(Stage::Edited), Some(Stage::Renamed)]);
    let sum =
        |field: fn(&Division) -> u32| new.comparison.issues.iter().map(|issue| field(&issue.division)).sum::<u32>();
    let gone: u32 = new.comparison.remediated.iter().map(|gone| gone.occurrences).sum();
    assert_eq!((sum(|d| d.common), sum(|d| d.new), sum(|d| d.remediated) + gone), (2, 0, 0));
}

#[test]
fn a_changed_severity_changes_no_id() {
    let (j, k) = (IssueId::from_bits([1; 16]), IssueId::from_bits([2; 16]));
    let span = |id, first| ComparableIssue { id, aliases: vec![], kin: None, first, occurrences: 1 };
    let families = crate::families::Families::of(&[span(k, 0), span(j, 1)], &[span(j, 0), span(k, 1)], &[k, j]);
    assert_eq!(families.partners, [Some(1), Some(0)], "each continues the one with its own key");
}

/// The forms of the occurrence of a finding: the one that a reviewer judges, and that of the first version.
fn forms(compared: &Compared, result: u32) -> (Short, Short) {
    let contents = &compared.scan.contents;
    let place = contents.occurrences.iter().find(|place| place.result == result).unwrap();
    let (tracked, path) = (compared.of(result), contents.name(place.path));
    (tracked.form(place, path), tracked.first_form(place, path))
}

const REMOVE: &str = "run(\"rm -rf /tmp/x\")";
const REMOVE_ALL: &str = "run(\"rm -rf / tmp/x\")";

fn shown(path: &str, code: &str) -> Scan {
    let rest = (1..4).map(|n| finding(n, "B9", path, n * 50, &["x", &format!("evaluate(argument_{n})"), "y"]));
    let all: Vec<_> = [finding(0, "B1", path, 10, &["x", code, "y"])].into_iter().chain(rest).collect();
    Scan::new(1, &all)
}

#[test]
fn white_space_that_means_something_changes_the_form_and_no_match() {
    let old = shown("a.py", REMOVE).first();
    let new = shown("a.py", REMOVE_ALL).compare(true, Some(&old), None);
    assert_eq!((new.of(0).id, new.stages()[0]), (old.of(0).id, Some(Stage::Context)));
    assert_ne!(forms(&new, 0).0, forms(&old, 0).0);
    assert_eq!(forms(&new, 0).1, forms(&old, 0).1, "to the first version they are the same");
    let indented = shown("a.py", &format!("    {REMOVE}")).compare(true, Some(&old), None);
    assert_ne!(forms(&indented, 0).0, forms(&old, 0).0);
    assert_eq!(forms(&shown("a.c", &format!("    {REMOVE}")).first(), 0).0, forms(&shown("a.c", REMOVE).first(), 0).0);
    let back = shown("a.py", REMOVE).compare(true, Some(&new), None);
    assert_eq!(forms(&back, 0).0, forms(&old, 0).0, "the code that was judged is back");
}

#[test]
fn the_form_is_kept_in_a_renamed_file_while_the_exact_code_is_the_same() {
    let old = shown("a.py", REMOVE).first();
    let renamed = shown("b.py", REMOVE).compare(true, Some(&old), None);
    assert_eq!((renamed.stages()[0], forms(&renamed, 0)), (Some(Stage::Renamed), forms(&old, 0)));
    let again = shown("b.py", REMOVE).compare(true, Some(&renamed), None);
    assert_eq!(forms(&again, 0), forms(&old, 0));
    let edited = shown("b.py", REMOVE_ALL).compare(true, Some(&renamed), None);
    assert_ne!(forms(&edited, 0).0, forms(&old, 0).0);
    let both = shown("b.py", REMOVE_ALL).compare(true, Some(&old), None);
    assert_eq!(both.stages()[0], Some(Stage::Renamed));
    assert_ne!(forms(&both, 0).0, forms(&old, 0).0);
}

#[test]
fn scans_of_earlier_versions_have_forms_of_the_first_version() {
    let mut scan = shown("a.py", REMOVE);
    scan.contents.occurrences.iter_mut().for_each(|place| place.signatures.exact = None);
    let old = scan.first();
    let (form, first) = forms(&old, 0);
    assert_eq!(form, first);
    let renamed = shown("b.py", REMOVE).compare(true, Some(&old), None);
    let (exact, kept) = forms(&renamed, 0);
    assert!(kept == first && exact != first, "both are known from the first scan on");
    let again = shown("c.py", REMOVE).compare(true, Some(&renamed), None);
    assert_eq!(forms(&again, 0), (exact, first));
}

/// A scan of few rules, files and pieces of code, so that many occurrences are similar.
fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let code = prop_oneof![
        Just(vec![]),
        Just(vec!["x", "evaluate(input())", "y"]),
        Just(vec!["z", "evaluate(input())", "y"]),
        Just(vec!["x", "g()", "y"]),
        Just(vec!["x", "evaluate(input(), 1)", "y"]),
    ];
    let one = (0..3_u8, 0..3_u8, 1..30_u32, code)
        .prop_map(|(rule, path, line, code)| finding(0, &format!("B{rule}"), &format!("{path}.py"), line, &code));
    proptest::collection::vec(one, 0..25)
}

proptest! {
    #[test]
    fn the_sums_add_up(a in any_findings(), b in any_findings()) {
        let old = Scan::new(1, &a).first();
        let new = Scan::new(2, &b).compare(true, Some(&old), None);
        let sum = |field: fn(&Division) -> u32| new.comparison.issues.iter().map(|issue| field(&issue.division)).sum::<u32>();
        let gone: u32 = new.comparison.remediated.iter().map(|gone| gone.occurrences).sum();
        let count = |list: &[Finding]| u32::try_from(list.len()).unwrap();
        prop_assert_eq!(sum(|d| d.new) + sum(|d| d.common), count(&b));
        prop_assert_eq!(gone + sum(|d| d.remediated) + sum(|d| d.common), count(&a));
        prop_assert!(sum(|d| d.updated) <= sum(|d| d.common));
        let mut ids: Vec<_> = new.comparison.occurrences.iter().map(|tracked| tracked.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), b.len(), "every occurrence has its own id");
        let common = new.comparison.issues.iter().filter(|row| row.bucket == Bucket::Common).count();
        prop_assert_eq!(common + new.comparison.remediated.len(), old.comparison.issues.len());
    }

    #[test]
    fn a_scan_against_itself_has_nothing_new_and_nothing_remediated(a in any_findings(), turn in 0..25_usize) {
        let old = Scan::new(1, &a).first();
        let mut turned = a.clone();
        turned.rotate_left(if a.is_empty() { 0 } else { turn % a.len() });
        let again = Scan::new(2, &turned).compare(true, Some(&old), None);
        prop_assert!(again.comparison.remediated.is_empty());
        let nothing = Division::default();
        prop_assert!(again.comparison.issues.iter().all(|row| row.bucket == Bucket::Common
            && (row.division.new, row.division.updated, row.division.remediated) == (nothing.new, nothing.updated, nothing.remediated)));
        let ids = |compared: &Compared| compared.comparison.occurrences.iter().map(|tracked| tracked.id).collect::<BTreeSet<_>>();
        prop_assert_eq!(ids(&again), ids(&old));
    }

    #[test]
    fn ids_are_stable_over_a_chain_of_scans_of_branches(a in any_findings(), b in any_findings()) {
        let main = Scan::new(1, &a).first();
        let branch = Scan::new(2, &b).compare(true, Some(&main), None);
        let again = Scan::new(3, &b).compare(true, Some(&main), Some(&branch));
        for result in 0..u32::try_from(b.len()).unwrap() {
            prop_assert_eq!(again.of(result).id, branch.of(result).id);
            prop_assert_eq!(again.of(result).found.is_some(), branch.of(result).found.is_some());
        }
    }
}
