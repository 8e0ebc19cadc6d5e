//! Blind spots over HTTP: random histories of files that cannot be read, and can be read again.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::v1::{OccurrenceItem, ScanAnswer};
use domain::ids::ScanId;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::{App, Client, Options, Random, Upload, each_store, reports};

const FILES: [&str; 4] = ["a.py", "b.py", "lib/c.py", "lib/d.py"];
const RULES: u64 = 3;
const SCANS: usize = 16;

/// A weakness: the number of its rule, and its file.
type Weakness = (u64, &'static str);

fn report(present: &BTreeSet<Weakness>, unread: &[&str]) -> Vec<u8> {
    // Code that no other file has: it cannot have moved.
    let result = |(rule, file): &Weakness| {
        let at = u64::try_from(FILES.iter().position(|known| known == file).unwrap()).unwrap();
        reports::result(*rule, "LOW", file, 10 + 100 * at + 20 * rule)
    };
    let results: Vec<Value> = present.iter().filter(|(_, file)| !unread.contains(file)).map(result).collect();
    let mut report: Value = serde_json::from_slice(&reports::bandit(&results)).unwrap();
    let errors =
        unread.iter().map(|file| json!({"filename": file, "reason": "syntax error while parsing AST from file"}));
    report["errors"] = errors.collect();
    report.to_string().into_bytes()
}

/// The ids of occurrences, by rule and path.
fn ids(occurrences: Vec<OccurrenceItem>) -> BTreeMap<(String, String), String> {
    let row = |one: OccurrenceItem| ((one.rule, one.path.unwrap()), one.id.to_string());
    occurrences.into_iter().map(row).collect()
}

/// The occurrences that a scan has and those that it did not see.
fn known(client: &Client, answer: &ScanAnswer) -> BTreeMap<(String, String), String> {
    let path = format!("scans/{}/occurrences", answer.scan.id);
    let mut known = ids(client.all(&path, 7));
    let unseen = ids(client.all(&format!("{path}?bucket=not_seen"), 7));
    assert!(unseen.keys().all(|place| !known.contains_key(place)), "seen and not seen: {unseen:?}");
    known.extend(unseen);
    known
}

#[test]
fn found_and_not_seen_and_remediated_are_together_what_the_reference_scan_had() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let client = app.admin("blind");
        client.create_project();
        let mut random = Random::seeded(20_261_130);
        let mut before: BTreeMap<ScanId, BTreeMap<(String, String), String>> = BTreeMap::new();
        for n in 0..SCANS {
            let variant = if n == 0 || random.below(2) == 0 { "main" } else { "feature" };
            let mut present = BTreeSet::new();
            for file in FILES {
                present.extend((0..RULES).filter(|_| random.below(100) < 70).map(|rule| (rule, file)));
            }
            let unread: Vec<&str> = FILES.into_iter().filter(|_| random.below(100) < 40).collect();
            let answer = client.upload(&Upload::new("web", variant, report(&present, &unread)));
            let what = format!("{store:?}, scan {n} of {variant} without {unread:?}");
            assert!(answer.report.complete, "{what}");
            let now = known(&client, &answer);
            if let Some(had) = answer.comparison.scan.map(|scan| &before[&scan]) {
                let tally = answer.occurrences;
                let sum = tally.common + tally.not_seen + tally.remediated;
                assert_eq!(sum, u64::try_from(had.len()).unwrap(), "{what}");
                for (place, id) in had {
                    let (rule, path) = place;
                    let is_present =
                        present.iter().any(|(number, file)| file == path && *rule == format!("B{}", 100 + number));
                    let is_gone = !unread.contains(&path.as_str()) && !is_present;
                    assert_eq!(now.get(place), (!is_gone).then_some(id), "{what}: {rule} in {path}");
                }
            }
            before.insert(answer.scan.id, now);
        }
    });
}
