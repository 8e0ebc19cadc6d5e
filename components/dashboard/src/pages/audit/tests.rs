use super::*;
use crate::session::Session;
use crate::testing::{FakeApi, session, text, with_get};
use api::v1::{AuditAbout, AuditActor};
use domain::role::Role;

fn item(n: u64) -> AuditItem {
    AuditItem {
        id: "0e".to_owned(),
        at: "2026-11-24T00:00:00Z".to_owned(),
        by: AuditActor {
            subject: "<ann>".to_owned(),
            role: "secops".to_owned(),
            token: None,
            address: Some("192.0.2.7".to_owned()),
        },
        what: "exemption_many".to_owned(),
        about: AuditAbout {
            targets: vec!["a/b".to_owned()],
            exemptions: (0..7).map(|n| format!("0{n}")).collect(),
            tokens: vec!["0c".to_owned()],
            scans: vec!["0d".to_owned()],
        },
        why: Some("<script>".to_owned()),
        details: serde_json::json!({"text": "\u{1b}[31m<b>", "project": "shop"}),
        refused: Some("number 2: no".to_owned()),
        repeated: true,
        journal: "ex:shop".to_owned(),
        n,
    }
}

fn of(items: Vec<AuditItem>, next: Option<&str>) -> page::Page<AuditItem> {
    page::Page { items, next: next.map(str::to_owned) }
}

fn show(api: &FakeApi, project: Option<&str>, url: &str, rest: &[&str]) -> Result<Reply, Problem> {
    let session = Session { project: project.map(str::to_owned), ..session(Role::Admin) };
    with_get(api, &session, url, async |request| route(request, project, rest).await)
}

#[test]
fn entries_are_escaped_and_linked() {
    let call = "GET /api/v1/projects/shop/audit?limit=25&by=ann&refused=true&since=2026-11-01T00%3A00%3A00.000Z";
    let api = FakeApi::default().answer(call, &of(vec![item(1)], Some("c=")));
    let here = "/projects/shop/audit?by=ann&refused=true&since=2026-11-01";
    let page = text(&show(&api, Some("shop"), here, &[]).unwrap());
    for shown in [
        "Several exemptions changed",
        "number 2: no",
        "Repeated",
        "&lt;ann&gt;",
        "from <bdi>192.0.2.7",
        "&lt;script&gt;",
        "href=\"/projects/shop/targets/a%2Fb\"",
        "href=\"/projects/shop/exemptions/04\"",
        "and 2 more exemptions",
        "href=\"/projects/shop/scans/0d\"",
        "value=\"2026-11-01T00:00\"",
        "href=\"/projects/shop/audit?by=ann&amp;refused=true&amp;since=2026-11-01&amp;cursor=c%3D\"",
        "href=\"/projects/shop/audit/export?by=ann&amp;refused=true&amp;since=2026-11-01\"",
    ] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    for never in ["<script>", "<ann>", "\u{1b}", "exemptions/05\"", "/tokens/0c"] {
        assert!(!page.contains(never), "the page contains {never:?}: {page}");
    }
}

#[test]
fn a_filter_error_is_shown_on_the_page() {
    let api = FakeApi::default()
        .refuse("GET /api/v1/audit?limit=25&since=soon", &Problem::parameter("since", "`soon` is not a time"));
    let reply = show(&api, None, "/account/audit?since=soon", &[]).unwrap();
    assert_eq!(reply.status, 400);
    assert!(text(&reply).contains("is not a time") && text(&reply).contains("id=\"since\""));
}

#[test]
fn the_account_names_projects() {
    let api = FakeApi::default().answer("GET /api/v1/audit?limit=25", &of(vec![item(1)], None));
    let page = text(&show(&api, None, "/account/audit", &[]).unwrap());
    assert!(page.contains("href=\"/projects/shop\"") && page.contains("href=\"/projects/shop/exemptions/00\""));
}

#[test]
fn a_file_has_all_pages_or_is_refused() {
    let base = "GET /api/v1/projects/shop/audit?limit=1000";
    let api = FakeApi::default()
        .answer(base, &of(vec![item(2)], Some("1")))
        .answer(&format!("{base}&cursor=1"), &of(vec![], Some("2")))
        .answer(&format!("{base}&cursor=2"), &of(vec![item(1)], None));
    let reply = show(&api, Some("shop"), "/projects/shop/audit/export", &["export"]).unwrap();
    assert_eq!(reply.media_type, "application/jsonl");
    assert!(
        reply
            .headers
            .contains(&("content-disposition", "attachment; filename=\"audit-shop-2026-11-24.jsonl\"".to_owned()))
    );
    let lines: Vec<AuditItem> = text(&reply).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [item(2), item(1)]);

    let endless = FakeApi::default()
        .answer(base, &of(vec![], Some("1")))
        .answer(&format!("{base}&cursor=1"), &of(vec![], Some("1")));
    let problem = show(&endless, Some("shop"), "/projects/shop/audit/export", &["export"]).unwrap_err();
    assert!(problem.detail.contains("select a shorter time range"), "{}", problem.detail);
    let large = AuditItem { details: "x".repeat(BYTES).into(), ..item(1) };
    let api = FakeApi::default().answer(base, &of(vec![large], None));
    assert!(show(&api, Some("shop"), "/projects/shop/audit/export", &["export"]).is_err());
}

/// The size of an entry that exceeds the limit of a file.
const BYTES: usize = 8 * 1024 * 1024;
