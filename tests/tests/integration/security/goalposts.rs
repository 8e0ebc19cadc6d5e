//! Nobody moves the goalposts: what an upload is judged by belongs to people who are entitled to it.

use api::v1::{
    AcceptRequestItem, AcceptedAnswer, AuditItem, BaselineRequestItem, Execution, ScanAnswer, TargetItem, TokenItem,
};
use domain::verdict::Verdict;
use serde_json::{Value, json};
use tests::{App, Client, Options, Upload, each_store, reports};

/// The reports of the main branch and of a branch with more issues.
fn reports() -> (Vec<u8>, Vec<u8>) {
    let demo = reports::Program::demo();
    (demo.main_bytes(), demo.branch_bytes())
}

fn project(app: &App) -> Client {
    let admin = app.admin("shop");
    admin.create_project();
    admin
}

/// Issues a token; returns a client with it.
fn token(admin: &Client, body: &Value) -> Client {
    let item: TokenItem = admin.json("POST", "tokens", body).expect(201).read();
    admin.with_token(item.token.as_deref().unwrap())
}

fn strict(variant: &str, report: &[u8]) -> Upload {
    Upload::with_query(&format!("scanner=bandit&target=web&variant={variant}&fail_on_new=low"), report)
}

fn refused(client: &Client, upload: &Upload) -> String {
    client.send_upload(upload).expect(403).text()
}

#[test]
fn a_pull_request_cannot_move_what_it_is_judged_by() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, feature)) = (project(&app), reports());
        let protected = token(&admin, &json!({"name": "ci-main", "role": "uploader"}));
        let pull_request = token(&admin, &json!({"name": "ci-pr", "role": "uploader", "baselines": false}));
        protected.upload(&Upload::new("web", "main", main.clone()));
        for variant in ["main", "master"] {
            let text = refused(&pull_request, &Upload::new("web", variant, feature.clone()));
            assert!(text.contains("trusted for baselines"), "{text}");
        }
        let text = refused(
            &pull_request,
            &Upload::with_query("scanner=bandit&target=web&variant=pr&accept_missing=true", feature.clone()),
        );
        assert!(text.contains("secops or admin"), "{text}");
        for _ in 0..2 {
            let answer = pull_request.upload(&strict("pr", &feature));
            assert_eq!((answer.verdict, answer.issues.new), (Verdict::Fail, 3), "it fails again");
        }
        pull_request.json("PATCH", "targets/web", &json!({"baseline": {"variant": "pr"}})).expect(403);
    });
}

#[test]
fn a_rerun_of_a_failing_report_fails_until_a_reviewer_accepts_it_with_a_reason() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, feature)) = (project(&app), reports());
        let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        let first = developer.upload(&Upload::new("web", "main", main));
        let failed: Vec<ScanAnswer> = (0..3).map(|_| developer.upload(&strict("main", &feature))).collect();
        for answer in &failed {
            assert_eq!((answer.verdict, answer.issues.new), (Verdict::Fail, 3));
        }
        let compared = &failed[2].comparison;
        assert_eq!(
            (compared.with.as_str(), compared.scan, compared.previous),
            ("accepted", Some(first.scan.id), Some(failed[1].scan.id))
        );
        let accept =
            |client: &Client, body: &Value| client.json("POST", &format!("scans/{}/accept", failed[2].scan.id), body);
        accept(&developer, &json!({"comment": "mine"})).expect(403);
        accept(&reviewer, &json!({"comment": " "})).expect(400);
        let accepted: AcceptedAnswer = accept(&reviewer, &json!({"comment": "SEC-12"})).expect(200).read();
        assert_eq!((accepted.scan, accepted.accepted_by.as_str()), (failed[2].scan.id, "sec"));
        assert_eq!(developer.upload(&strict("main", &feature)).verdict, Verdict::Pass);
        let log: Vec<AuditItem> = admin.all("audit?what=scan_accepted", 10);
        assert_eq!((log.len(), log[0].by.subject.as_str(), log[0].why.as_deref()), (1, "sec", Some("SEC-12")));
    });
}

#[test]
fn a_failing_report_does_not_become_the_reference_by_an_upload_without_thresholds() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, feature)) = (project(&app), reports());
        let developer = admin.issue("dev", "developer");
        let first = developer.upload(&Upload::new("web", "main", main));
        assert_eq!(developer.upload(&strict("main", &feature)).verdict, Verdict::Fail);
        let looser = developer.upload(&Upload::new("web", "main", feature.clone()));
        assert_eq!((looser.verdict, looser.no_threshold), (Verdict::Pass, true));
        let again = developer.upload(&strict("main", &feature));
        assert_eq!((again.verdict, again.comparison.scan), (Verdict::Fail, Some(first.scan.id)));
    });
}

#[test]
fn a_scan_that_a_pull_request_planted_is_no_baseline() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, feature)) = (project(&app), reports());
        let pull_request = token(&admin, &json!({"name": "ci-pr", "role": "uploader", "baselines": false}));
        admin.upload(&Upload::new("web", "main", main));
        pull_request.upload(&Upload::new("web", "hotfix-1", feature.clone()));
        admin.set_baseline("web", "hotfix-1");
        let branch = pull_request.upload(&strict("pr", &feature));
        assert_eq!((branch.verdict, branch.comparison.with.as_str()), (Verdict::Fail, "baseline_untrusted"));
    });
}

#[test]
fn a_baseline_is_changed_by_two_people() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, feature)) = (project(&app), reports());
        let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        developer.upload(&Upload::new("web", "main", main));
        developer.upload(&Upload::new("web", "feature", feature.clone()));
        developer.set_baseline("web", "main");
        for baseline in [json!({"variant": "feature"}), json!({"regex": ".*"}), json!({"none": true}), Value::Null] {
            developer.json("PATCH", "targets/web", &json!({"baseline": baseline})).expect(403);
        }
        let body = json!({"baseline": {"variant": "feature"}, "reason": "it was merged"});
        let request = |client: &Client| client.json("POST", "targets/web/baseline-request", &body);
        let item: BaselineRequestItem = request(&developer).expect(201).read();
        assert_eq!(
            (item.now.baseline.variant.as_deref(), item.then.baseline.variant.as_deref()),
            (Some("main"), Some("feature"))
        );
        assert!(item.now.scan.is_some() && item.then.scan.is_some() && item.now.scan != item.then.scan);
        request(&developer).expect(409);
        assert_eq!(developer.upload(&strict("other", &feature)).verdict, Verdict::Fail, "a request changes nothing");
        let decide = |client: &Client, decision: &str, request: &str| {
            let body = json!({"request": request, "comment": "agreed"});
            client.json("POST", &format!("targets/web/baseline-request/{decision}"), &body)
        };
        let id = item.request.to_string();
        decide(&developer, "approve", &id).expect(403);
        let self_made = admin.issue_to("Dev", "dev-as-reviewer", "secops");
        decide(&self_made, "approve", &id).expect(409);
        decide(&reviewer, "withdraw", &id).expect(409);
        decide(&reviewer, "approve", &"0".repeat(32)).expect(409);
        let target: TargetItem = decide(&reviewer, "approve", &id).expect(200).read();
        assert_eq!(target.effective.variant.as_deref(), Some("feature"));
        decide(&reviewer, "reject", &id).expect(409);
        assert!(reviewer.page::<BaselineRequestItem>("baseline-requests").items.is_empty());
        assert_eq!(developer.upload(&strict("other", &feature)).verdict, Verdict::Pass);
        let log: Vec<AuditItem> = admin.all("audit?what=baseline_decided", 10);
        assert_eq!(log.iter().filter(|item| item.refused.is_none()).count(), 1);
    });
}

#[test]
fn a_scan_that_lacks_a_part_is_accepted_by_two_people() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = project(&app);
        let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        let run = |category: &str| json!({"tool": {"driver": {"name": "CodeQL"}}, "automationDetails": {"id": format!("{category}/")}, "results": []});
        let upload = |categories: &[&str]| {
            let runs: Vec<_> = categories.iter().map(|category| run(category)).collect();
            let report = json!({"version": "2.1.0", "runs": runs}).to_string();
            developer.upload(&Upload::with_query("scanner=sarif&target=web&variant=main", report.into_bytes()))
        };
        upload(&["go", "python"]);
        let lacks = upload(&["python"]);
        assert_eq!((lacks.verdict, lacks.report.missing.len()), (Verdict::Undecided, 1));
        let call = |client: &Client, path: &str, body: &Value| {
            client.json("POST", &format!("scans/{}/{path}", lacks.scan.id), body)
        };
        call(&developer, "accept", &json!({"comment": "mine"})).expect(403);
        let reason = json!({"reason": "go moved"});
        let item: AcceptRequestItem = call(&developer, "accept-request", &reason).expect(201).read();
        assert_eq!((item.missing, item.outdated), (vec!["codeql/go".to_owned()], false));
        call(&developer, "accept-request", &reason).expect(409);
        assert_eq!(reviewer.page::<AcceptRequestItem>("accept-requests").items.len(), 1);
        let self_made = admin.issue_to("Dev", "dev-as-reviewer", "secops");
        call(&self_made, "accept", &json!({"comment": "mine"})).expect(409);
        call(&reviewer, "accept-request/withdraw", &json!({})).expect(409);
        assert_eq!(upload(&["python"]).verdict, Verdict::Undecided, "a request changes nothing");
        call(&reviewer, "accept", &json!({"comment": "agreed"})).expect(200);
        assert!(reviewer.page::<AcceptRequestItem>("accept-requests").items.is_empty());
        assert_eq!(upload(&["python"]).verdict, Verdict::Pass);
        upload(&["go", "python"]);
        assert_eq!(upload(&["python"]).verdict, Verdict::Undecided, "it vanished again");
        let log: Vec<AuditItem> = admin.all("audit?what=scan_accept_requested", 10);
        assert_eq!(log.iter().filter(|item| item.refused.is_none()).count(), 1);
    });
}

#[test]
fn an_upload_is_never_looser_than_its_project() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, _)) = (project(&app), reports());
        let developer = admin.issue("dev", "developer");
        let free = developer.upload(&Upload::new("web", "main", main.clone()));
        assert_eq!((free.verdict, free.no_threshold), (Verdict::Pass, true), "a state of its own");
        let settings = json!({
            "criteria": {"fail_on_severity": "critical", "required_scanners": ["trivy"]},
            "target_criteria": {"web|api": {"fail_on_new": "low"}}
        });
        admin.json("PUT", "", &settings).expect(200);
        let judged = developer.upload(&Upload::new("web", "main", main.clone()).fail_on("none"));
        assert_eq!((judged.verdict, judged.no_threshold), (Verdict::Fail, false));
        assert!(judged.reasons[0].contains("is set to critical by the project"), "{:?}", judged.reasons);
        assert_eq!(judged.thresholds.unwrap().fail_on_new, "low");
        let clean = reports::bandit(&[]);
        developer.upload(&Upload::new("web", "main", clean.clone()).in_run("build", "1"));
        let run: Execution = developer.find("pipelines/build/executions/1");
        assert_eq!((run.verdict, run.missing_scanners[0].scanner.as_str()), (Verdict::Undecided, "trivy"));
        admin.json("PUT", "", &json!({"criteria": {"fail_on_severity": "critical"}})).expect(200);
        developer.upload(&Upload::new("web", "main", main).in_run("build", "2"));
        developer.upload(&Upload::new("web", "main", clean).in_run("build", "2"));
        let run: Execution = developer.find("pipelines/build/executions/2");
        assert_eq!((run.verdict, run.scans.len(), run.superseded.len()), (Verdict::Fail, 1, 1), "it keeps both");
    });
}

#[test]
fn a_token_ends_by_default_and_is_limited_to_its_variants_and_pipelines() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let (admin, (main, _)) = (project(&app), reports());
        let item: TokenItem =
            admin.json("POST", "tokens", &json!({"name": "ci", "role": "uploader"})).expect(201).read();
        assert!(item.expires_at.is_some() && item.baselines);
        let forever = json!({"name": "ci", "role": "uploader", "never_expires": true});
        let item: TokenItem = admin.json("POST", "tokens", &forever).expect(201).read();
        assert_eq!(item.expires_at, None);
        let both = json!({"name": "ci", "role": "uploader", "never_expires": true, "expires_in_days": 3});
        admin.json("POST", "tokens", &both).expect(400);
        let limits = json!({"name": "pr", "role": "uploader", "variants": ["pr-[0-9]+"], "pipelines": ["checks"]});
        let limited = token(&admin, &limits);
        limited.upload(&Upload::new("web", "pr-7", main.clone()).in_run("checks", "1"));
        let text = refused(&limited, &Upload::new("web", "pr-7", main.clone()).in_run("release", "1"));
        assert!(text.contains("limited to `checks`"), "{text}");
        let text = refused(&limited, &Upload::new("web", "main", main));
        assert!(text.contains("limited to `pr-[0-9]+`"), "{text}");
    });
}
