//! The tutorial's steps from the first upload to the exemptions, over HTTP and on the command line.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::v1::{ExemptionItem, IssueItem, ScanAnswer};
use domain::comparison::Bucket;
use domain::exemption::Status;
use domain::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use tests::command::gatehouse;
use tests::reports::Program;
use tests::{App, Client, Options, Store, Upload, each_store};

const REACHED: &str = "Exited with message: fail_on_severity is set to critical and that threshold was reached.";

/// The output variables: those named, and 0 for all others.
fn variables(named: &[(&str, &str)]) -> BTreeMap<String, String> {
    let levels = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO", "UNASSIGNED", "TOTAL"];
    let all = levels.iter().flat_map(|level| [(*level).to_owned(), format!("NEW_{level}")]);
    let others = ["IGNORED", "NEW_OCCURRENCES", "REMEDIATED", "NOT_SEEN", "BLIND_SPOTS", "NEW_BLIND_SPOTS"];
    let others = others.map(str::to_owned);
    let mut variables: BTreeMap<_, _> = all.chain(others).map(|name| (name, "0".to_owned())).collect();
    for (name, value) in named {
        assert!(variables.insert((*name).to_owned(), (*value).to_owned()).is_some(), "{name}");
    }
    variables
}

/// The variables of the branch's scan, before and after its two critical issues are exempted.
fn of_the_branch(exempted: bool) -> BTreeMap<String, String> {
    if exempted {
        variables(&[
            ("MEDIUM", "2"),
            ("LOW", "1"),
            ("TOTAL", "3"),
            ("IGNORED", "2"),
            ("NEW_MEDIUM", "1"),
            ("NEW_LOW", "1"),
            ("NEW_TOTAL", "2"),
            ("NEW_OCCURRENCES", "4"),
        ])
    } else {
        variables(&[
            ("CRITICAL", "2"),
            ("MEDIUM", "2"),
            ("LOW", "1"),
            ("TOTAL", "5"),
            ("NEW_CRITICAL", "1"),
            ("NEW_MEDIUM", "1"),
            ("NEW_LOW", "1"),
            ("NEW_TOTAL", "3"),
            ("NEW_OCCURRENCES", "7"),
        ])
    }
}

fn rules(issues: &[IssueItem]) -> BTreeSet<(&str, &str)> {
    issues.iter().map(|issue| (issue.rule.as_str(), issue.severity.as_str())).collect()
}

fn check_main(client: &Client, main: &ScanAnswer) {
    assert_eq!((main.verdict, main.comparison.with.as_str(), main.comparison.scan), (Verdict::Pass, "none", None));
    assert_eq!((main.reasons.as_slice(), &main.message), (&[] as &[String], &None));
    assert_eq!((main.issues.new, main.issues.common, main.issues.remediated), (2, 0, 0));
    let expected = [
        ("CRITICAL", "1"),
        ("MEDIUM", "1"),
        ("TOTAL", "2"),
        ("NEW_CRITICAL", "1"),
        ("NEW_MEDIUM", "1"),
        ("NEW_TOTAL", "2"),
        ("NEW_OCCURRENCES", "2"),
    ];
    assert_eq!(main.variables, variables(&expected));
    let issues = client.issues(main, "");
    assert_eq!(rules(&issues), BTreeSet::from([("B324", "critical"), ("B608", "medium")]));
    assert!(issues.iter().all(|issue| issue.bucket == Bucket::New && !issue.exempted));
    let critical = issues.iter().find(|issue| issue.rule == "B324").unwrap();
    assert_eq!((critical.title.as_str(), critical.score), ("hashlib", Some(9.5)));
}

fn check_branch(client: &Client, branch: &ScanAnswer, main: &ScanAnswer) {
    assert_eq!((branch.verdict, branch.message.as_deref()), (Verdict::Fail, Some(REACHED)));
    assert_eq!((branch.comparison.with.as_str(), branch.comparison.scan), ("baseline", Some(main.scan.id)));
    assert_eq!((branch.issues.new, branch.issues.common, branch.issues.exempted), (3, 2, 0));
    assert_eq!((branch.occurrences.new, branch.occurrences.common, branch.occurrences.remediated), (7, 2, 0));
    assert_eq!((branch.report.results, branch.report.findings, branch.report.complete), (9, 9, true));
    assert_eq!(branch.variables, of_the_branch(false));
    let new = BTreeSet::from([("B404", "low"), ("B602", "critical"), ("B307", "medium")]);
    assert_eq!(rules(&client.issues(branch, "?bucket=new")), new);
    let common = BTreeSet::from([("B608", "medium"), ("B324", "critical")]);
    assert_eq!(rules(&client.issues(branch, "?bucket=common")), common);
    assert_eq!(client.issues(branch, "").len(), 5);
    let occurrences = client.occurrences(branch);
    assert_eq!(occurrences.iter().map(|place| place.result).collect::<BTreeSet<_>>(), (0..9).collect());
    let new = occurrences.iter().filter(|place| place.bucket == Bucket::New).count();
    assert_eq!((new, occurrences.len()), (7, 9));
}

/// A project with a client of each role: admin, developer, SecOps.
fn project(app: &App) -> (Client, Client, Client) {
    let admin = app.admin("tutorial");
    admin.create_project();
    let (developer, secops) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    (admin, developer, secops)
}

fn story(store: Store, program: &Program) {
    let mut app = App::start(Options::on(store));
    let (_, developer, secops) = project(&app);
    let main = developer.upload(&Upload::new(program.target, program.main, program.main_bytes()).fail_on("none"));
    check_main(&developer, &main);

    developer.set_baseline(program.target, program.main);
    let critical = Upload::new(program.target, program.branch, program.branch_bytes()).fail_on("critical");
    let branch = developer.upload(&critical);
    check_branch(&developer, &branch, &main);

    let criticals = developer.issues(&branch, "?severity=critical");
    let exemptions: Vec<ExemptionItem> =
        criticals.iter().map(|issue| developer.request_exemption(program.target, issue)).collect();
    assert!(exemptions.iter().all(|exemption| exemption.status == Status::Pending));
    assert_eq!(developer.upload(&critical).verdict, Verdict::Fail, "a pending request exempts nothing");

    for exemption in &exemptions {
        developer.decide(&exemption.id, "approve").expect_problem(403, "forbidden");
        let approved: ExemptionItem = secops.decide(&exemption.id, "approve").expect(200).read();
        assert_eq!((approved.status, approved.decided_by.as_deref()), (Status::Approved, Some("sec")));
    }
    let passed = developer.upload(&critical);
    assert_eq!((passed.verdict, &passed.message), (Verdict::Pass, &None));
    assert_eq!(passed.variables, of_the_branch(true));
    let exempted = developer.issues(&passed, "?exempted=true");
    assert_eq!(rules(&exempted), BTreeSet::from([("B324", "critical"), ("B602", "critical")]));
    let named: BTreeSet<_> = exempted.iter().map(|issue| issue.exemption.as_ref().unwrap().id.to_string()).collect();
    assert_eq!(named, exemptions.iter().map(|exemption| exemption.id.clone()).collect());
    assert_eq!(rules(&developer.issues(&passed, "?exempted=false")).len(), 3);
    let earlier: ScanAnswer = developer.find(&format!("scans/{}", branch.scan.id));
    assert_eq!(earlier, branch, "an earlier scan does not change");

    for exemption in &exemptions {
        developer.decide(&exemption.id, "cancel").expect(200);
    }
    let failed = developer.upload(&critical);
    assert_eq!((failed.verdict, failed.message.as_deref()), (Verdict::Fail, Some(REACHED)));
    assert_eq!(failed.variables, of_the_branch(false));
    app.stop();
}

fn story_of_the_command(store: Store, program: &Program) {
    let app = App::start(Options::on(store));
    let (_, developer, secops) = project(&app);
    let run = |arguments: &[&str]| gatehouse(&developer, arguments);
    let file = app.folder().join("gate.env");
    let upload = |report: &std::path::Path, variant: &str, level: &str| {
        let _ = std::fs::remove_file(&file);
        let report = report.to_str().unwrap();
        let ended = run(&[
            "upload",
            report,
            "--scanner",
            "bandit",
            "--target",
            program.target,
            "--variant",
            variant,
            "--fail-on-severity",
            level,
            "--output-file",
            file.to_str().unwrap(),
        ]);
        let written = std::fs::read_to_string(&file).unwrap();
        let pairs = written.lines().map(|line| line.split_once('=').unwrap());
        (ended, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>())
    };
    let (ended, _) = upload(&program.main_report, program.main, "none");
    ended.expect(0);
    run(&["targets", "set-baseline", program.target, program.main]).expect(0);

    let (ended, written) = upload(&program.branch_report, program.branch, "critical");
    let ended = ended.expect(1);
    assert_eq!((ended.last_line(), written), (REACHED, of_the_branch(false)));
    let newest = &developer.scans()[0].answer;
    for issue in developer.issues(newest, "") {
        assert!(ended.output.contains(&issue.rule), "the table names {}: {}", issue.rule, ended.output);
    }

    for issue in developer.issues(newest, "?severity=critical") {
        let issue = issue.id.to_string();
        let requested = run(&[
            "exemptions",
            "request",
            "--issue",
            &issue,
            "--target",
            program.target,
            "--days",
            "30",
            "--reason",
            "acceptable_risk",
            "--text",
            "The risk is known.",
        ]);
        let id = requested.expect(0).output.trim().to_owned();
        let refused = run(&["exemptions", "approve", &id]).expect(2);
        assert!(refused.log.contains("secops"), "{}", refused.log);
        gatehouse(&secops, &["exemptions", "approve", &id, "--comment", "agreed"]).expect(0);
    }
    let (ended, written) = upload(&program.branch_report, program.branch, "critical");
    let ended = ended.expect(0);
    assert_eq!(written, of_the_branch(true));
    let passed = "Passed: fail_on_severity is set to critical and that threshold was not reached.";
    assert_eq!(ended.last_line(), passed);
}

#[test]
fn the_tutorial_works_over_http_on_each_store() {
    each_store(|store| story(store, &Program::demo()));
}

#[test]
fn the_tutorial_works_on_the_command_line_on_each_store() {
    each_store(|store| story_of_the_command(store, &Program::demo()));
}

#[test]
#[ignore = "reads large data: cargo xtask test --data"]
fn the_tutorial_works_with_its_own_reports() {
    each_store(|store| {
        story(store, &Program::tutorial());
        story_of_the_command(store, &Program::tutorial());
    });
}
