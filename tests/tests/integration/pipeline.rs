//! All components' jobs wired together over a store in memory: the main job, and its death at every single write.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod accept_requests;
mod audit;
mod baselines;
mod blind_spots;
mod deaths;
mod executions;
mod exempting;
mod field;
mod formats;
mod goalposts;
mod incomplete;
mod interleaved;
mod judged;
mod overview;
mod pairs;
mod queries;
mod replay;
mod report_age;
mod rescoring;
mod retries;
mod settings;
mod settings_requests;
mod source;
mod tokens;
mod tracking;
mod wiring;

use api::problem::Code;
use domain::verdict::Verdict;
use futures::executor::block_on;
use std::time::Duration;
use store::poll::Clock as _;
use wiring::{ADMIN, System, Upload, bandit, upload};

const MAIN: &[u8] = include_bytes!("../../../demo/reports/main.json");
const FEATURE: &[u8] = include_bytes!("../../../demo/reports/feature.json");

#[test]
fn the_tutorials_story_on_our_own_program() {
    let system = System::new();
    let main = system.upload(upload("main", MAIN)).unwrap();
    assert_eq!((main.verdict, main.comparison.with.as_str()), (Verdict::Pass, "none"));
    assert_eq!(
        (main.issues.new, main.variables["CRITICAL"].as_str(), main.variables["MEDIUM"].as_str()),
        (2, "1", "1")
    );

    system.set_baseline("main");
    let critical = || upload("feature", FEATURE).fail_on("critical");
    let feature = system.upload(critical()).unwrap();
    assert_eq!(feature.verdict, Verdict::Fail);
    assert_eq!(
        feature.message.as_deref(),
        Some("Exited with message: fail_on_severity is set to critical and that threshold was reached.")
    );
    assert_eq!((feature.issues.new, feature.issues.common), (3, 2));
    assert_eq!((feature.occurrences.new, feature.occurrences.common, feature.report.findings), (7, 2, 9));
    assert_eq!((feature.comparison.with.as_str(), feature.comparison.scan), ("baseline", Some(main.scan.id)));

    let criticals = system.issues(feature.scan.id, "critical");
    let exemptions: Vec<_> = criticals.iter().map(|issue| system.request_exemption(issue)).collect();
    assert_eq!(system.upload(critical()).unwrap().verdict, Verdict::Fail, "a request alone exempts nothing");
    exemptions.iter().for_each(|id| system.decide(id, "approve", "sec").unwrap());
    let passed = system.upload(critical()).unwrap();
    assert_eq!((passed.verdict, passed.variables["IGNORED"].as_str(), passed.issues.exempted), (Verdict::Pass, "2", 2));
    assert!(system.issues(passed.scan.id, "critical").iter().all(|issue| issue.exempted));
    exemptions.iter().for_each(|id| system.decide(id, "cancel", "dev").unwrap());
    assert_eq!(system.upload(critical()).unwrap().verdict, Verdict::Fail);
}

#[test]
fn nobody_approves_their_own_and_no_decision_is_made_twice() {
    let system = System::new();
    let scan = system.upload(upload("main", MAIN)).unwrap().scan.id;
    let id = system.request_exemption(&system.issues(scan, "critical")[0]);
    assert_eq!(system.decide(&id, "approve", "dev").unwrap_err().code, Code::Conflict);
    system.decide(&id, "approve", "sec").unwrap();
    assert_eq!(system.decide(&id, "approve", "sec").unwrap_err().code, Code::Conflict);
    assert_eq!(system.decide(&id, "reject", "sec"), Ok(()));
}

#[test]
fn a_developer_does_not_end_the_exemption_of_another_person() {
    let system = System::new();
    let scan = system.upload(upload("main", MAIN)).unwrap().scan.id;
    let other = system.issued(wiring::token_body("eve", "developer"));
    let id = system.request_exemption(&system.issues(scan, "critical")[0]);
    let refused = |when: &str| {
        let problem = system.decide_as(&other, &id, "cancel").unwrap_err();
        assert_eq!(problem.code, Code::Forbidden, "{when}");
        assert!(problem.detail.contains("`dev`, who requested it, can withdraw it, and a reviewer"), "{problem}");
    };
    refused("pending");
    system.decide(&id, "approve", "sec").unwrap();
    refused("approved");
    system.decide(&id, "reject", "sec").unwrap();
    system.decide_as(&other, &id, "reopen").unwrap();
    system.decide_as(&other, &id, "cancel").unwrap();
    let reviewed = system.request_exemption(&system.issues(scan, "critical")[0]);
    system.decide(&reviewed, "cancel", "sec").unwrap();
}

/// Dies at write n, for every n that an upload makes, then sends the same upload again under its key.
#[test]
fn an_upload_that_dies_at_any_write_is_finished_by_a_retry_with_the_answer_of_an_undisturbed_run() {
    let in_run = |upload: Upload| upload.with("pipeline", "build").with("execution", "7");
    let keyed = || in_run(upload("feature", FEATURE).fail_on("critical").key("build-7"));
    let prepared = || {
        let system = System::new();
        system.upload(upload("main", MAIN)).unwrap();
        system.set_baseline("main");
        system
    };
    let undisturbed = prepared().upload(keyed()).unwrap();
    let (mut dead, mut longest) = (0, Duration::ZERO);
    for writes in 0.. {
        let system = prepared();
        system.kv.fail_after_writes(Some(writes));
        let first = system.upload(keyed());
        system.kv.fail_after_writes(None);
        if let Ok(answer) = first {
            assert_eq!(answer, undisturbed);
            break;
        }
        dead += 1;
        let begun = system.kv.now();
        assert_eq!(system.upload(keyed()).unwrap(), undisturbed, "dead after {writes} writes");
        let took = system.kv.now() - begun;
        assert!(took < deaths::DEAD_MAX, "dead after {writes} writes: the retry took {took:?}");
        longest = longest.max(took);
        assert_eq!(system.upload(keyed()).unwrap(), undisturbed, "and again");
        assert_eq!(system.scans("feature"), 1, "it counts once, dead after {writes} writes");
        let execution = system.execution_for(ADMIN, "build", "7").unwrap();
        assert_eq!((execution.scans.len(), execution.superseded.len()), (1, 0), "dead after {writes} writes");
        assert_eq!(execution.scans[0].answer, undisturbed, "dead after {writes} writes");
        let today = system.overview(1).days.remove(0);
        assert_eq!((today.scans, today.failed), (2, 1), "it is one of the day's, dead after {writes} writes");
        let next = system.upload(upload("feature", FEATURE)).unwrap();
        assert_eq!(
            (next.issues.new, next.occurrences.common),
            (3, 2),
            "the next one is compared as if nothing had been"
        );
    }
    println!("{dead} deaths; the longest retry: {longest:?}");
    assert!(dead > 8, "an upload makes at least so many writes: {dead}");
}

#[test]
fn concurrent_uploads_under_one_key_are_one_scan() {
    let system = System::new();
    let context = system.context();
    let uploads = (0..6).map(|_| system.upload_with(&context, upload("main", MAIN).key("k")));
    let answers = block_on(futures::future::join_all(uploads));
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(system.scans("main"), 1);
    assert_eq!(system.overview(1).days[0].scans, 1);
}

#[test]
fn a_key_is_for_one_report_and_one_set_of_parameters() {
    let system = System::new();
    system.upload(upload("main", MAIN).key("k")).unwrap();
    let refused = |asked| system.upload(asked).unwrap_err().code;
    assert_eq!(refused(upload("main", FEATURE).key("k")), Code::IdempotencyMismatch);
    assert_eq!(refused(upload("other", MAIN).key("k")), Code::IdempotencyMismatch);
    assert_eq!(system.scans("main"), 1);
}

#[test]
fn a_bad_report_leaves_nothing_behind() {
    let bomb = wiring::gzip(&vec![b' '; 64 * 1024 * 1024]);
    let cases: [(&[u8], Code); 7] = [
        (b"", Code::ReportEmpty),
        (&FEATURE[..FEATURE.len() / 2], Code::ReportTruncated),
        (b"<xml/>", Code::ReportMalformed),
        (b"{\"version\": \"2.1.0\", \"runs\": []}", Code::WrongTool),
        (&b"[".repeat(100_000), Code::ReportTooDeep),
        (&bomb, Code::CompressionBomb),
        (&wiring::gzip(FEATURE)[..500], Code::ReportTruncated),
    ];
    for (report, expected) in cases {
        let system = System::new();
        let before = system.kv.contents();
        let gzip = report.starts_with(&[0x1f, 0x8b]);
        let asked = if gzip { upload("main", report).gzip() } else { upload("main", report) };
        assert_eq!(system.upload(asked).unwrap_err().code, expected);
        assert_eq!(system.kv.contents(), before, "{expected:?}");
        system.upload(upload("main", MAIN)).unwrap();
    }
}

#[test]
fn a_compressed_report_is_the_same_report() {
    let system = System::new();
    let plain = system.upload(upload("main", MAIN)).unwrap();
    let two_members = [wiring::gzip(&MAIN[..100]), wiring::gzip(&MAIN[100..])].concat();
    for body in [wiring::gzip(MAIN), two_members] {
        let answer = system.upload(upload("main", &body).gzip()).unwrap();
        assert_eq!((answer.report, answer.issues.common), (plain.report.clone(), 2));
    }
}

#[test]
fn a_large_report_is_read_back_from_its_segments_with_the_same_result() {
    let report = bandit(40_000);
    assert!(report.len() > 16 * 1024 * 1024, "{} bytes must not fit into memory's share", report.len());
    let system = System::new();
    let answer = system.upload(upload("main", &report)).unwrap();
    assert_eq!((answer.report.results, answer.report.findings), (40_000, 40_000));
    let again = system.upload(upload("main", &report)).unwrap();
    assert_eq!((again.occurrences.new, again.occurrences.common, again.issues.remediated), (0, 40_000, 0));
    assert_eq!(system.all_occurrences(again.scan.id).len(), 40_000);
}

#[test]
fn an_incomplete_scan_remediates_nothing_is_undecided_and_is_never_compared_with() {
    let system = System::new();
    let first = system.upload(upload("main", FEATURE)).unwrap();
    let mut broken: serde_json::Value = serde_json::from_slice(MAIN).unwrap();
    broken["errors"] = serde_json::json!([{"filename": 5}]);
    let broken = system.upload(upload("main", broken.to_string().as_bytes())).unwrap();
    assert_eq!((broken.verdict, broken.issues.remediated, broken.report.complete), (Verdict::Undecided, 0, false));
    let next = system.upload(upload("main", FEATURE)).unwrap();
    assert_eq!(next.comparison.scan, Some(first.scan.id));
    let fewer = system.upload(upload("main", MAIN)).unwrap();
    assert_eq!((fewer.issues.remediated, fewer.issues.common), (3, 2));
}

#[test]
fn reads_and_writes_of_an_upload_do_not_grow_with_history() {
    let system = System::new();
    let cost = |upload: Upload| {
        let before = system.kv.operations();
        system.upload(upload).unwrap();
        let after = system.kv.operations();
        (after.0 - before.0, after.1 - before.1)
    };
    let after = |uploads: usize| (0..uploads).fold((0, 0), |_, _| cost(upload("main", MAIN)));
    let early = after(10);
    assert_eq!(after(500), early);
    let in_run = || upload("main", MAIN).with("pipeline", "build").with("execution", "7");
    let of_run = (0..10).fold((0, 0), |_, _| cost(in_run()));
    assert_eq!((0..300).fold((0, 0), |_, _| cost(in_run())), of_run, "nor with what is in the pipeline's run");
    println!("one upload: {} reads, {} writes; of a pipeline's run: {} and {}", early.0, early.1, of_run.0, of_run.1);
}

#[test]
fn tokens_open_their_own_project_as_their_role_allows() {
    let system = System::new();
    let viewer = system.token("viewer", "viewer");
    assert_eq!(system.upload(upload("main", MAIN).token(&viewer)).unwrap_err().code, Code::Forbidden);
    assert_eq!(system.upload(upload("main", MAIN).token("gate_wrong")).unwrap_err().code, Code::Unauthenticated);
    assert_eq!(system.upload(upload("main", MAIN).project("other")).unwrap_err().code, Code::NotFound);
    assert!(system.upload(upload("main", MAIN).token(ADMIN)).is_ok());
    let elsewhere = System::new_project("elsewhere");
    let foreign = elsewhere.token("dev", "developer");
    assert_eq!(system.upload(upload("main", MAIN).token(&foreign)).unwrap_err().code, Code::Unauthenticated);
}
