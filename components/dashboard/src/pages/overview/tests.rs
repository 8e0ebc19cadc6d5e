use crate::testing::{FakeApi, session, text, with_get};
use api::problem::{Code, Problem};
use api::v1::{
    AcceptRequested, DayItem, EffectiveBaseline, FailingVariant, LastScan, Levels, Overview, OverviewExemptions,
    OverviewTarget,
};
use domain::ids::ScanId;
use domain::role::Role;
use domain::target::TargetType;
use domain::verdict::Verdict;

const AT: &str = "2026-11-24T10:00:00.000Z";

fn scan() -> ScanId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

fn overview() -> Overview {
    let open = Levels { critical: 1, high: 2, ..Levels::default() };
    let day = |day: &str, scans, open| DayItem {
        day: day.to_owned(),
        open,
        new: 3,
        remediated: 1,
        scans,
        failed: 0,
        undecided: 0,
    };
    Overview {
        days: vec![day("2026-11-23", 0, Levels::default()), day("2026-11-24", 2, open)],
        targets: vec![OverviewTarget {
            id: "a/<script>".to_owned(),
            target_type: TargetType::Repository,
            baseline: EffectiveBaseline {
                from: "built_in".to_owned(),
                regex: Some("main|master".to_owned()),
                variant: None,
            },
            last_scan: Some(LastScan {
                scan: scan(),
                variant: "main".to_owned(),
                scanner: "bandit".to_owned(),
                at: AT.to_owned(),
                no_threshold: false,
                verdict: Verdict::Pass,
            }),
            open,
            more_series: false,
            failing_variants: 1,
        }],
        more_targets: false,
        failing: vec![FailingVariant {
            target: "a/<script>".to_owned(),
            variant: "feature".to_owned(),
            scan: scan(),
            at: AT.to_owned(),
            verdict: Verdict::Undecided,
        }],
        failing_total: 3,
        exemptions: OverviewExemptions { pending: 1, ending: 2, ending_days: 7, approved: 4 },
        settings_requested: false,
        accept_requested: Vec::new(),
    }
}

fn page_for(role: Role, overview: &Overview) -> String {
    let api = FakeApi::default().answer("GET /api/v1/projects/shop/overview?days=30", overview);
    let session = session(role);
    let reply = with_get(&api, &session, "/projects/shop", async |request| super::page(request, "shop").await);
    text(&reply.unwrap())
}

#[test]
fn open_issues_failing_gates_and_requests_are_shown() {
    let page = page_for(Role::Secops, &overview());
    for part in [
        "3 open issues, 1 of them critical, 3 more than on 2026-11-23.",
        "6 new issues (up) and 2 remediated (down) in 2 days.",
        "and 2 more variants",
        "1 request to review",
        "2 expire within 7 days",
        "/projects/shop/exemptions?status=expiring&amp;within=7",
        "/projects/shop/targets/a%2F%3Cscript%3E",
        "/projects/shop/scans/0123456789abcdef0123456789abcdef",
        "no variant matches the pattern",
        r#"<span class="badge critical">1 critical</span>"#,
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script>"), "escaped");
    assert!(!page.contains("style="), "the policy forbids it");
}

#[test]
fn only_reviewers_see_requests_to_review() {
    let page = page_for(Role::Viewer, &overview());
    assert!(page.contains("1 pending request") && !page.contains("Upload report"));
}

#[test]
fn a_requested_change_of_the_settings_is_linked() {
    let requested = Overview { settings_requested: true, ..overview() };
    let link = "href=\"/projects/shop/settings\">Show the request</a>";
    assert!(page_for(Role::Developer, &requested).contains(link));
    assert!(!page_for(Role::Secops, &overview()).contains(link), "without a request");
}

#[test]
fn scans_that_are_requested_to_be_accepted_are_linked() {
    let one = AcceptRequested { scan: scan(), target: "web".to_owned(), variant: "<main>".to_owned() };
    let requested = Overview { accept_requested: vec![one; 6], ..overview() };
    let page = page_for(Role::Developer, &requested);
    assert!(page.contains("It is requested that scans are accepted") && page.contains("and more"), "{page}");
    assert!(page.contains("<bdi>web:&lt;main&gt;</bdi>"), "{page}");
}

#[test]
fn a_project_without_a_scan_explains_the_first_upload() {
    let empty = Overview { targets: Vec::new(), failing: Vec::new(), failing_total: 0, ..overview() };
    let page = page_for(Role::Admin, &empty);
    assert!(page.contains("export GATEHOUSE_URL=http://gatehouse.test"), "{page}");
    assert!(
        page.contains("http://gatehouse.test/api/v1/projects/shop/scans?scanner=auto&amp;target=web&amp;variant=main")
    );
    assert!(page.contains("/projects/shop/upload") && page.contains("/projects/shop/tokens"));
    let page = page_for(Role::Viewer, &empty);
    assert!(!page.contains("href=\"/projects/shop/tokens\"") && !page.contains("href=\"/projects/shop/upload\""));
}

#[test]
fn the_api_refuses_an_unknown_period() {
    let refused = Problem::parameter("days", "99 is not from 1 to 90");
    let api = FakeApi::default().refuse("GET /api/v1/projects/shop/overview?days=99", &refused);
    let session = session(Role::Viewer);
    let reply = with_get(&api, &session, "/projects/shop?days=99", async |request| super::page(request, "shop").await);
    assert_eq!(reply.unwrap_err().code, Code::InvalidParameter);
}
