//! The limits of a page, and the formats of the answer.

use super::*;
use api::auth::authenticate;
use api::page::wanted;
use api::query::Query;
use domain::event::{Actor, Entry};
use domain::ids::{EventId, TokenId};
use domain::project::{InProject, ProjectEvent};
use domain::role::Role;
use domain::settings::Settings;
use domain::token::IssuedToken;
use domain::upload_limits::UploadLimits;
use futures::executor::block_on;
use store::memory::MemoryKv;
use store::{document, keys};

fn now() -> Timestamp {
    Timestamp::from_ms(0)
}

/// A project with its creation and this number of tokens, whose names have this number of characters.
fn project_of(tokens: usize, name: usize) -> MemoryKv {
    let kv = MemoryKv::default();
    let project: ProjectId = "shop".parse().unwrap();
    let journal = JournalId::Project { project: project.clone() };
    let token = |n: usize| IssuedToken {
        id: TokenId::of(&n.to_string()),
        sha256: String::new(),
        name: "x".repeat(name),
        subject: "ci".parse().unwrap(),
        role: Role::Viewer,
        expires: Some(now()),
        targets: None,
        uploads: UploadLimits::default(),
    };
    let created = ProjectEvent::settings_set(Settings::default());
    let events = [created].into_iter().chain((0..tokens).map(|n| ProjectEvent::TokenIssued { token: token(n) }));
    for (n, event) in (1..).zip(events) {
        let id = EventId::derived("test", &[&u64::to_be_bytes(n)]);
        let by = Actor { subject: "ann".parse().unwrap(), role: Role::Admin, token: None, address: None };
        let entry = Entry { v: 1, id, at: now(), by, event: InProject { project: project.clone(), event } };
        block_on(document::put(&kv, &keys::journal_event(&journal, n), &entry)).unwrap();
    }
    kv
}

/// The installation's admin token.
const ROOT: &str = "gate_0123456789abcdefghijklmnopqrstuv";

/// The number of entries on each page.
fn pages(kv: &MemoryKv, filter: &AuditFilter) -> Vec<usize> {
    let caller = block_on(authenticate(kv, ROOT, Some(&format!("Bearer {ROOT}")), None, now())).unwrap();
    let (job, project) = (AuditJob { kv, now: now(), caller }, "shop".parse().unwrap());
    let (mut counts, mut from) = (Vec::new(), None);
    loop {
        let page = block_on(job.project(&project, filter, Wanted { limit: 1000, from })).unwrap();
        counts.push(page.items.len());
        let Some(next) = page.next else { return counts };
        from = wanted(&mut Query::parse(&format!("cursor={next}")).unwrap(), "audit").unwrap().from;
    }
}

#[test]
fn a_page_reads_a_limited_number_of_events_and_the_next_continues() {
    let kv = project_of(EXAMINED_MAX * 2, 1);
    let first = AuditFilter { what: Some("settings_set".to_owned()), ..AuditFilter::default() };
    assert_eq!(pages(&kv, &first), [0, 0, 1], "the very first event, from the end");
    let unknown = AuditFilter { by: "unknown".parse().ok(), ..AuditFilter::default() };
    assert_eq!(pages(&project_of(EXAMINED_MAX - 1, 1), &unknown), [0], "all were read");
}

#[test]
fn a_page_of_large_events_is_shorter() {
    let tokens = 100;
    let counts = pages(&project_of(tokens, 100_000), &AuditFilter::default());
    assert_eq!(counts.iter().sum::<usize>(), tokens + 1);
    assert_eq!(counts.first(), Some(&(PAGE_BYTES_MAX / 100_000 + 1)), "{counts:?}");
}

#[test]
fn lines_are_requested_by_parameter_or_header() {
    let read = |format: Option<&str>, accept| AuditFormat::read(format.map(str::to_owned), accept);
    for accept in [None, Some("*/*"), Some("application/json"), Some("application/jsonlines")] {
        assert_eq!(read(None, accept).unwrap(), AuditFormat::Page, "{accept:?}");
        assert_eq!(read(Some("jsonl"), accept).unwrap(), AuditFormat::Lines, "{accept:?}");
    }
    for accept in ["application/jsonl", "text/html, Application/JSONL;q=0.9"] {
        assert_eq!(read(None, Some(accept)).unwrap(), AuditFormat::Lines, "{accept}");
        assert_eq!(read(Some("json"), Some(accept)).unwrap(), AuditFormat::Page, "the parameter counts");
    }
    assert!(read(Some("csv"), None).is_err());
}
