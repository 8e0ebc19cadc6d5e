//! The audit log: one entry for every action and refused attempt, of this project only.

use super::wiring::{ADMIN, System, upload};
use super::{FEATURE, MAIN};
use ::audit::job::{AuditJob, lines};
use api::auth::Identity;
use api::page::{Page, Wanted};
use api::problem::{Code, Problem};
use api::v1::{AuditItem, SettingsBody};
use domain::audit::AuditFilter;
use futures::executor::block_on;
use std::collections::BTreeSet;
use store::audit::Position;

fn page(
    system: &System,
    caller: Identity,
    filter: &AuditFilter,
    wanted: Wanted<Position>,
) -> Result<Page<AuditItem>, Problem> {
    let calls = system.calls();
    let job = AuditJob { kv: &system.kv, now: calls.now, caller };
    block_on(job.project(&calls.project, filter, wanted))
}

/// All entries that match a filter, in pages of this size, the oldest first.
fn entries(system: &System, filter: &AuditFilter, limit: usize) -> Vec<AuditItem> {
    let (mut from, mut items) = (None, Vec::new());
    loop {
        let page = page(system, system.who(ADMIN), filter, Wanted { limit, from }).unwrap();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        let Some(cursor) = page.next else { break };
        let mut query = api::query::Query::parse(&format!("cursor={cursor}")).unwrap();
        from = api::page::wanted(&mut query, "audit").unwrap().from;
    }
    items.reverse();
    items
}

/// A project with one action of every kind, a second apart.
fn story() -> System {
    let system = System::new();
    let tick = || drop(system.context());
    tick();
    let token = system.token("ci", "developer");
    // The record for a pipeline's run adds no entry.
    let in_run = upload("main", MAIN).with("pipeline", "build").with("execution", "7");
    let scan = system.upload(in_run.token(&token)).unwrap().scan.id;
    tick();
    system.set_baseline("main");
    tick();
    let exemption = system.request_exemption(&system.issues(scan, "critical")[0]);
    for (verb, person, allowed) in
        [("approve", "dev", false), ("approve", "sec", true), ("reject", "sec", true), ("cancel", "dev", true)]
    {
        tick();
        assert_eq!(system.decide(&exemption, verb, person).is_ok(), allowed, "{verb}");
    }
    tick();
    let id = domain::ids::TokenId::of(&token).to_string();
    block_on(system.tokens(Some("shop")).revoke(&id)).unwrap();
    tick();
    system.settings(SettingsBody { rejected_allowed: Some(1), ..SettingsBody::default() });
    system
}

const STORY: [&str; 11] = [
    "settings_set",
    "token_issued",
    "target_created",
    "scan_recorded",
    "baseline_set",
    "exemption_requested",
    "exemption_approved",
    "exemption_approved",
    "exemption_rejected",
    "exemption_cancelled",
    "token_revoked",
];

#[test]
fn every_action_and_every_refused_attempt_is_one_entry() {
    let system = story();
    let all = entries(&system, &AuditFilter::default(), 1000);
    let what: Vec<_> = all.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, [&STORY[..], &["settings_set"]].concat());
    let refused: Vec<_> = all.iter().map(|entry| entry.refused.is_some()).collect();
    assert_eq!(refused.iter().filter(|refused| **refused).count(), 1);
    assert_eq!(all[6].refused.as_deref(), Some("`dev` requested the exemption and cannot approve it"));
    assert!(all.iter().all(|entry| !entry.repeated));
    assert_eq!(all.iter().map(|entry| &entry.id).collect::<BTreeSet<_>>().len(), all.len());

    let times: Vec<_> = all.iter().map(|entry| entry.at.clone()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!((all[5].by.subject.as_str(), all[5].why.as_deref()), ("dev", Some("not reachable")));
    assert_eq!((all[3].by.subject.as_str(), all[3].by.role.as_str()), ("ci", "developer"));
    assert_eq!(all[3].by.token, Some(all[1].about.tokens[0].clone()), "the token that was issued, by its id");
    for entry in &all[2..10] {
        assert_eq!(entry.about.targets, ["notes"], "{}", entry.what);
    }
    assert!(all[5..10].iter().all(|entry| entry.about.exemptions == all[5].about.exemptions));
    assert_eq!(
        (all[11].details["settings"]["rejected_allowed"].as_u64(), all[11].journal.as_str()),
        (Some(1), "project:shop")
    );
}

#[test]
fn it_contains_no_secret_and_no_hash_of_a_token() {
    let system = story();
    let lines = lines(&entries(&system, &AuditFilter::default(), 1000)).unwrap();
    let text = String::from_utf8(lines).unwrap();
    assert_eq!(text.lines().count(), STORY.len() + 1);
    let token = "gate_ci_shop";
    for secret in [token, ADMIN, &domain::ids::token_digest(token)] {
        assert!(!text.contains(&format!("\"{secret}\"")), "{secret}");
    }
    let first: AuditItem = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first.what, "settings_set", "a line is an entry");
}

#[test]
fn pages_of_any_size_give_the_same_entries() {
    let system = story();
    let all = entries(&system, &AuditFilter::default(), 1000);
    for limit in 1..=all.len() {
        assert_eq!(entries(&system, &AuditFilter::default(), limit), all, "{limit}");
    }
}

#[test]
fn filters_return_the_matching_entries_in_pages_of_any_size() {
    let system = story();
    let all = entries(&system, &AuditFilter::default(), 1000);
    let at = |n: usize| Some(all[n].at.parse().unwrap());
    let what = |what: &str| AuditFilter { what: Some(what.to_owned()), ..AuditFilter::default() };
    let cases: [(AuditFilter, &[usize]); 9] = [
        (what("exemption_approved"), &[6, 7]),
        (what("scan_recorded"), &[3]),
        (what("no_such_thing"), &[]),
        (AuditFilter { by: "dev".parse().ok(), ..AuditFilter::default() }, &[5, 6, 9]),
        (AuditFilter { target: "notes".parse().ok(), ..AuditFilter::default() }, &[2, 3, 4, 5, 6, 7, 8, 9]),
        (AuditFilter { refused: Some(true), ..AuditFilter::default() }, &[6]),
        (AuditFilter { refused: Some(false), ..AuditFilter::default() }, &[0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]),
        (AuditFilter { since: at(9), ..AuditFilter::default() }, &[9, 10, 11]),
        (AuditFilter { since: at(5), until: at(7), ..AuditFilter::default() }, &[5, 6, 7]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|n| all[*n].clone()).collect();
        for limit in [1, 2, 50] {
            assert_eq!(entries(&system, &filter, limit), expected, "{filter:?} by {limit}");
        }
    }
    let unknown = AuditFilter { target: "other".parse().ok(), ..AuditFilter::default() };
    let refused = page(&system, system.who(ADMIN), &unknown, Wanted { limit: 1, from: None }).unwrap_err();
    assert_eq!(refused.code, Code::InvalidParameter);
}

#[test]
fn a_refusal_stays_listed_after_many_later_events() {
    let system = story();
    for n in 0..300 {
        system.settings(SettingsBody { rejected_allowed: Some(n), ..SettingsBody::default() });
    }
    let exemption =
        system.request_exemption(&system.issues(system.upload(upload("b", FEATURE)).unwrap().scan.id, "critical")[0]);
    for _ in 0..300 {
        system.decide(&exemption, "approve", "dev").unwrap_err();
    }
    let refused = AuditFilter { refused: Some(true), ..AuditFilter::default() };
    let known = entries(&system, &refused, 1000);
    assert_eq!(known.len(), 301);
    assert_eq!(known[0].refused.as_deref(), Some("`dev` requested the exemption and cannot approve it"));
    assert_eq!(entries(&system, &AuditFilter::default(), 100).len(), STORY.len() + 1 + 300 + 2 + 300);
}

#[test]
fn a_scan_that_a_retry_records_twice_is_marked_the_second_time() {
    let mut died = 0;
    for writes in 0.. {
        let system = System::new();
        system.kv.fail_after_writes(Some(writes));
        let first = system.upload(upload("main", MAIN).key("k"));
        system.kv.fail_after_writes(None);
        if first.is_ok() {
            break;
        }
        system.upload(upload("main", MAIN).key("k")).unwrap();
        let scans =
            entries(&system, &AuditFilter { what: Some("scan_recorded".to_owned()), ..AuditFilter::default() }, 10);
        let repeated: Vec<_> = scans.iter().map(|entry| entry.repeated).collect();
        assert!(repeated == [false] || repeated == [false, true], "dead after {writes}: {repeated:?}");
        died += usize::from(repeated.len() == 2);
    }
    assert!(died > 0, "some crash is between the event and the answer");
}

#[test]
fn only_secops_and_admins_of_the_project_may_read_it() {
    let system = story();
    let foreign = system.token_of("other", "boss", "admin");
    let read_by = |token: &str| {
        let wanted = Wanted { limit: 10, from: None };
        page(&system, system.who(token), &AuditFilter::default(), wanted)
            .map(|page| page.items.len())
            .map_err(|e| e.code)
    };
    for (role, expected) in [
        ("uploader", Err(Code::Forbidden)),
        ("viewer", Err(Code::Forbidden)),
        ("developer", Err(Code::Forbidden)),
        ("secops", Ok(10)),
        ("admin", Ok(10)),
    ] {
        assert_eq!(read_by(&system.token(role, role)), expected, "{role}");
    }
    assert_eq!(read_by(&foreign), Err(Code::NotFound), "another project does not exist for the caller");
}

#[test]
fn actions_of_another_project_are_not_listed() {
    let system = story();
    let before = entries(&system, &AuditFilter::default(), 1000);
    let token = system.token_of("other", "boss", "admin");
    system.upload(upload("main", MAIN).project("other").token(&token)).unwrap();
    assert_eq!(entries(&system, &AuditFilter::default(), 1000), before);
}
