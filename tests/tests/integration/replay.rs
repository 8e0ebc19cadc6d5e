//! A replay over HTTP and on the command line.

use api::v1::{IssueItem, OccurrenceItem, ReplayAnswer, ScanAnswer};
use serde_json::Value;
use tests::command::gatehouse;
use tests::{App, Options, Upload, each_store, reports};

#[test]
fn a_replay_is_a_scan_without_an_entry_in_any_list_on_each_store() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = app.admin("shop");
        admin.create_project();
        let developer = admin.issue("dev", "developer");
        // Large enough that findings and report are in segments of their own.
        developer.upload(&Upload::new("web", "main", reports::generated(300, 1)));
        let scan = developer.upload(&Upload::new("web", "main", reports::generated(900, 2)));

        let path = format!("scans/{}/replay", scan.scan.id);
        let replay: ReplayAnswer = developer.send("POST", &path, &[], b"").expect(200).read();
        assert_eq!((replay.from.as_str(), &replay.original), ("report", &scan));
        assert_eq!((replay.replay.issues, replay.replay.occurrences), (scan.issues, scan.occurrences));
        assert!(replay.comparison.examples.is_empty(), "{:?}", replay.comparison);
        assert_eq!(developer.find::<ScanAnswer>(&format!("scans/{}", replay.replay.scan.id)), replay.replay);
        let (issues, occurrences) = (developer.issues(&scan, ""), developer.occurrences(&scan));
        let again: (Vec<IssueItem>, Vec<OccurrenceItem>) =
            (developer.issues(&replay.replay, ""), developer.occurrences(&replay.replay));
        assert_eq!(again, (issues, occurrences));
        assert_eq!(developer.scans().len(), 2);

        assert_eq!(developer.send("POST", &path, &[], b"{}").expect(200).read::<ReplayAnswer>(), replay);
        let of_replay = format!("scans/{}/replay", replay.replay.scan.id);
        developer.send("POST", &of_replay, &[], b"").expect_problem(422, "not-replayable");

        let id = scan.scan.id.to_string();
        let shown = gatehouse(&developer, &["replay", &id]).expect(0);
        assert!(shown.output.contains("Nothing differs."), "{}", shown.output);
        let printed = gatehouse(&developer, &["replay", &id, "--format", "json"]).expect(0);
        let printed: Value = serde_json::from_str(&printed.output).unwrap_or_default();
        assert_eq!(printed["replay"]["scan"]["id"], replay.replay.scan.id.to_string());
        gatehouse(&developer, &["replay", &"0".repeat(32)]).expect(2);
    });
}
