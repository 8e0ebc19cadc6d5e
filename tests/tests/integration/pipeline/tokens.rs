//! Tokens for some targets, tokens of the account, and revoked tokens.

use crate::pipeline::wiring::{ADMIN, System, bandit, token_body, upload, upload_of};
use api::Problem;
use api::auth::authenticate;
use api::page::Wanted;
use api::problem::Code;
use api::v1::{AccountTokenBody, ScanAnswer, TargetPatch, TokenBody, TokenItem};
use domain::limits::TOKEN_TARGETS_MAX;
use domain::version::Versions;
use futures::executor::block_on;
use futures::future::join;
use projects::job::ProjectJob;

/// A project with a scan of `notes` and one of `other`.
fn two_targets() -> (System, ScanAnswer, ScanAnswer) {
    let system = System::new();
    let [notes, other] =
        ["notes", "other"].map(|target| system.upload(upload_of("bandit", target, "main", &bandit(3))).unwrap());
    (system, notes, other)
}

fn for_notes(name: &str, role: &str) -> TokenBody {
    TokenBody { targets: Some(vec!["notes".to_owned()]), ..token_body(name, role) }
}

fn token_for_notes(system: &System, name: &str, role: &str) -> String {
    system.issue(Some("shop"), for_notes(name, role)).unwrap().token.unwrap()
}

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

fn listed(system: &System, project: Option<&str>) -> Vec<TokenItem> {
    block_on(system.tokens(project).list(Wanted { limit: 500, from: None })).unwrap().items
}

fn revoke(system: &System, project: Option<&str>, id: &str) -> Result<(), Problem> {
    block_on(system.tokens(project).revoke(id))
}

fn authenticated(system: &System, token: &str) -> Option<Code> {
    let header = format!("Bearer {token}");
    code(block_on(authenticate(&system.kv, ADMIN, Some(&header), None, system.calls().now)))
}

#[test]
fn a_token_for_some_targets_uploads_only_to_them() {
    let (system, _, _) = two_targets();
    for role in ["uploader", "developer"] {
        let token = token_for_notes(&system, role, role);
        let send = |target: &str| system.upload(upload_of("bandit", target, "main", &bandit(3)).token(&token));
        assert_eq!(code(send("notes")), None);
        // It makes no difference whether the target exists.
        let [existing, missing] = ["other", "third"].map(|target| send(target).unwrap_err());
        assert_eq!([existing.code, missing.code], [Code::NotFound, Code::NotFound]);
        assert_eq!(existing.detail.replace("other", "third"), missing.detail);
    }
    let targets = block_on(system.project_job(system.who(ADMIN)).targets(Wanted { limit: 9, from: None })).unwrap();
    let names: Vec<_> = targets.items.into_iter().map(|item| item.name).collect();
    assert_eq!(names, ["notes", "other"], "no target was created");
}

#[test]
fn for_a_token_with_targets_the_others_do_not_exist() {
    let (system, notes, other) = two_targets();
    let developer = token_for_notes(&system, "dev", "developer");
    let results = system.results_for(&developer);
    let all = || Wanted { limit: 500, from: None };

    let scans = block_on(results.scans(&Default::default(), Wanted { limit: 500, from: None }));
    assert_eq!(scans.unwrap().items.iter().map(|item| item.id).collect::<Vec<_>>(), [notes.scan.id]);
    let of_other = results::scans::ScanFilter { target: Some("other".parse().unwrap()), ..Default::default() };
    let scans = block_on(results.scans(&of_other, Wanted { limit: 500, from: None }));
    assert_eq!(code(scans), Some(Code::InvalidParameter), "as for a target that does not exist");

    let occurrence = system.all_occurrences(other.scan.id).remove(0);
    let at = |scan: &ScanAnswer| {
        let id = scan.scan.id;
        [
            code(block_on(results.scan(id))),
            code(block_on(results.issues(
                id,
                &Default::default(),
                Default::default(),
                Wanted { limit: 9, from: None },
            ))),
            code(block_on(results.occurrences(id, None, None, all()))),
            code(block_on(results.occurrences(id, Some(occurrence.issue), None, all()))),
            code(system.replay_with(id, Versions::CURRENT, &developer, "")),
        ]
    };
    assert_eq!(at(&other), [Some(Code::NotFound); 5]);
    assert_eq!(at(&notes), [None; 5]);
    let explained = block_on(results.explain(other.scan.id, occurrence.id));
    assert_eq!(code(explained), Some(Code::NotFound));

    let project = system.project_job(system.who(&developer));
    let listed = block_on(project.targets(Wanted { limit: 9, from: None })).unwrap();
    assert_eq!(listed.items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["notes"]);
    assert_eq!(block_on(project.project()).unwrap().targets, 1);
    let patch = || serde_json::from_str::<TargetPatch>(r#"{"baseline": {"variant": "main"}}"#).unwrap();
    let of_target = |name: &str| {
        [
            code(block_on(project.target(name))),
            code(block_on(project.variants(name, None, Wanted { limit: 9, from: None }))),
            code(block_on(project.set_baseline(name, patch(), None))),
        ]
    };
    assert_eq!(of_target("other"), [Some(Code::NotFound); 3]);
    assert_eq!(of_target("notes"), [None; 3]);
    let untouched = block_on(system.project_job(system.who(ADMIN)).target("other")).unwrap();
    assert_eq!(untouched.baseline, None, "nor can it change a target that it does not see");
}

#[test]
fn a_token_has_a_limited_number_of_targets_and_an_admins_has_none() {
    let system = System::new();
    let issue = |role: &str, targets: Vec<String>| {
        code(system.issue(Some("shop"), TokenBody { targets: Some(targets), ..token_body("t", role) }))
    };
    let many = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>();
    assert_eq!(issue("viewer", many(TOKEN_TARGETS_MAX)), None);
    for (role, targets) in [
        ("viewer", many(TOKEN_TARGETS_MAX + 1)),
        ("viewer", many(0)),
        ("viewer", vec!["no target".to_owned()]),
        ("admin", many(1)),
    ] {
        assert_eq!(issue(role, targets.clone()), Some(Code::InvalidBody), "{role} {targets:?}");
    }
}

#[test]
fn the_list_has_targets_and_last_use_but_no_token() {
    let system = System::new();
    let issued = system.issue(Some("shop"), for_notes("dev", "developer")).unwrap();
    let item = listed(&system, Some("shop")).remove(0);
    assert_eq!(item.targets, Some(vec!["notes".to_owned()]));
    assert_eq!((item.last_used_at, item.last_used_address, item.token), (None, None, None));
    system.upload(upload("main", &bandit(1)).token(&issued.token.unwrap())).unwrap();
    let item = listed(&system, Some("shop")).remove(0);
    assert_eq!(item.last_used_at, Some(system.calls().now.to_string()));
}

#[test]
fn an_account_admin_has_a_name_and_all_projects() {
    let system = System::new();
    let body =
        AccountTokenBody { name: "ann".to_owned(), subject: None, expires_in_days: Some(30), never_expires: None };
    let issued = system.issue(None, body.into()).unwrap();
    let token = issued.token.clone().unwrap();
    assert_eq!((issued.role.as_str(), issued.subject.as_str()), ("admin", "ann"));
    let ann = system.who(&token);
    assert!(ann.require_installation().is_ok() && ann.require_all_targets().is_ok());
    assert_eq!(ann.actor.subject.as_str(), "ann");
    let made = api::project_context::ProjectContext { project: "new".parse().unwrap(), ..system.calls() };
    block_on(ProjectJob { context: made, caller: ann }.put_project(Default::default(), false, None)).unwrap();
    assert!(system.upload(upload("main", &bandit(1)).project("new").token(&token)).is_ok());

    assert_eq!(listed(&system, None).iter().map(|item| &item.id).collect::<Vec<_>>(), [&issued.id]);
    assert_eq!(listed(&system, Some("shop")), [], "it is no project's");
    assert_eq!(code(revoke(&system, Some("shop"), &issued.id)), Some(Code::NotFound));
    assert_eq!(code(revoke(&system, None, &issued.id)), None);
    assert_eq!(authenticated(&system, &token), Some(Code::Unauthenticated));
    assert_eq!(code(revoke(&system, None, &issued.id)), Some(Code::Conflict));
    assert_eq!(listed(&system, None), []);
}

#[test]
fn a_revoked_token_is_removed_and_cannot_return() {
    let system = System::new();
    let token = system.token("dev", "developer");
    assert_eq!(authenticated(&system, &token), None);
    let id = listed(&system, Some("shop")).remove(0).id;
    revoke(&system, Some("shop"), &id).unwrap();
    assert_eq!(authenticated(&system, &token), Some(Code::Unauthenticated));
    let digest = domain::ids::token_digest(&token);
    let left: Vec<_> = system.kv.contents().into_keys().filter(|key| key.contains(&digest)).collect();
    assert_eq!(left, [] as [String; 0]);
}

/// Revokes at every moment of an issue: a token that is not listed afterwards is not valid.
#[test]
fn a_token_revoked_while_it_is_issued_is_not_valid() {
    let mut revoked_early = 0;
    for pauses in 0..60 {
        let system = System::new();
        let secret = "gate_dev".to_owned();
        let id = domain::ids::TokenId::of(&secret).to_string();
        let (issuing, revoking) = (system.tokens(Some("shop")), system.tokens(Some("shop")));
        let issue = issuing.issue(token_body("dev", "developer"), secret.clone());
        let revoke = async {
            system.pauses(pauses).await;
            revoking.revoke(&id).await
        };
        let (issued, revoked) = block_on(join(issue, revoke));
        revoked_early += usize::from(issued.is_err() && revoked.is_ok());
        let opens = authenticated(&system, &secret).is_none();
        let known = !listed(&system, Some("shop")).is_empty();
        assert_eq!((opens, known), (revoked.is_err(), revoked.is_err()), "after {pauses} pauses");
    }
    assert!(revoked_early > 0, "the revocation came early at least once");
}

#[test]
fn each_caller_lists_the_projects_that_it_may_see() {
    let (system, ..) = two_targets();
    let own = token_for_notes(&system, "ann", "viewer");
    let neighbour = system.token_of("other", "bob", "admin");
    let page = |token: &str, limit, from| {
        let (caller, calls) = (system.who(token), system.calls());
        block_on(projects::account::projects(&system.kv, &caller, calls.now, Wanted { limit, from })).unwrap()
    };
    let listed = |token: &str| {
        let items = page(token, 50, None).items;
        items.into_iter().map(|item| (item.id, item.targets)).collect::<Vec<_>>()
    };
    assert_eq!(listed(ADMIN), [("other".to_owned(), 0), ("shop".to_owned(), 2)]);
    assert_eq!(listed(&own), [("shop".to_owned(), 1)], "only its targets count");
    assert_eq!(listed(&neighbour), [("other".to_owned(), 0)]);
    let first = page(ADMIN, 1, None);
    assert_eq!((first.items[0].id.as_str(), first.next.is_some()), ("other", true));
    assert_eq!(page(ADMIN, 1, Some("other".to_owned())).items[0].id, "shop");
}
