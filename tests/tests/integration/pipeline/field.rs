//! Pairs of small reports, in the folder `field` of the crate `scanners`, whose findings peers take for new ones.

use crate::pipeline::wiring::{System, upload_of};
use serde_json::Value;
use std::path::Path;

#[test]
fn another_checkout_or_a_corrected_id_makes_nothing_new() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/scanners/field");
    let read = |file: &Value| std::fs::read(folder.join(file.as_str().unwrap())).unwrap();
    let table: Value = serde_json::from_slice(&read(&"expected.json".into())).unwrap();
    let pairs = table["pair"].as_array().unwrap();
    assert_eq!(pairs.len(), 7);
    let system = System::new();
    for (n, pair) in pairs.iter().enumerate() {
        let target = format!("target-{n}");
        let scan = |variant, report: &Value| system.upload(upload_of("auto", &target, variant, &read(report))).unwrap();
        let main = scan("main", &pair["main"]);
        let branch = scan("pr", &pair["pr"]);
        let what = format!("{}: {}", pair["pr"], pair["why"]);
        assert_eq!(branch.comparison.scan, Some(main.scan.id), "{what}");
        let tally = branch.occurrences;
        assert_eq!((Some(tally.new), tally.remediated), (pair["new"].as_u64(), 0), "{what}");
        assert!(0 < tally.common, "{what}");
    }
}
