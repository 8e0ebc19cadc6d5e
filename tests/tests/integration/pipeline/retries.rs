//! Retries of uploads under an `Idempotency-Key`: whose a key is, how long it holds, and what a repeated answer says.

use crate::pipeline::wiring::{System, Upload, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{DecisionBody, ScanAnswer};
use domain::ids::ScanId;
use domain::verdict::Verdict;
use futures::executor::block_on;
use futures::future::{join, join_all};
use store::scans::{Answered, Frozen};
use store::{document, keys};

fn keyed(token: &str) -> Upload {
    upload("main", MAIN).key("build-7").token(token)
}

#[test]
fn the_same_key_of_another_subject_or_target_is_another_key() {
    let system = System::new();
    let (ann, bob) = (system.token("ann", "uploader"), system.token("bob", "uploader"));
    let first = system.uploaded(keyed(&ann)).unwrap();
    let other = system.uploaded(keyed(&bob)).unwrap();
    assert!(!first.is_repeated && !other.is_repeated);
    assert_ne!(first.answer.scan.id, other.answer.scan.id);
    // Bob cannot claim the key with something else before Ann uses it, or afterwards.
    let hostile = upload("main", FEATURE).key("build-8").token(&bob);
    system.uploaded(hostile).unwrap();
    let mine = system.uploaded(upload("main", MAIN).key("build-8").token(&ann)).unwrap();
    assert_eq!((mine.is_repeated, mine.answer.scan.uploaded_by.as_str()), (false, "ann"));
    let elsewhere = upload_of("bandit", "other", "main", MAIN).key("build-7").token(&ann);
    assert!(!system.uploaded(elsewhere).unwrap().is_repeated);
    assert_eq!(system.scans("main"), 5);
}

#[test]
fn a_repeated_answer_says_so_and_has_the_exemptions_of_its_time() {
    let system = System::new();
    let failing = || upload("main", FEATURE).fail_on("critical").key("build-7");
    let first = system.uploaded(failing()).unwrap();
    assert!(!first.is_repeated && first.answer.judged_at.is_some());
    for issue in system.issues(first.answer.scan.id, "critical") {
        let id = system.request_exemption(&issue);
        system.decide(&id, "approve", "sec").unwrap();
    }
    let again = system.uploaded(failing()).unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.answer, first.answer, "with the time as of which exemptions count");
    assert_eq!(again.answer.verdict, Verdict::Fail);
    let new = system.uploaded(upload("main", FEATURE).fail_on("critical").key("build-8")).unwrap();
    assert_eq!((new.is_repeated, new.answer.verdict), (false, Verdict::Pass));
}

#[test]
fn requests_at_once_under_one_key_are_judged_once_whatever_is_decided_meanwhile() {
    for later in (0..160).step_by(4) {
        let system = System::new();
        let failing = |key| upload("main", FEATURE).fail_on("critical").key(key);
        let earlier = system.uploaded(failing("build-6")).unwrap().answer;
        let requested: Vec<_> =
            system.issues(earlier.scan.id, "critical").iter().map(|issue| system.request_exemption(issue)).collect();
        let contexts = [system.context(), system.context(), system.context()];
        let uploads = contexts.iter().enumerate().map(|(n, context)| {
            let system = &system;
            async move {
                system.pauses(n * later).await;
                system.upload_with(context, failing("build-7")).await.unwrap()
            }
        });
        let decisions: Vec<_> =
            requested.iter().map(|id| system.deciding(id, "approve", "sec", DecisionBody::default())).collect();
        let decided = async {
            system.pauses(later * 3 / 2).await;
            for decision in decisions {
                decision.await.unwrap();
            }
        };
        let before = system.gates_run();
        let (answers, ()) = block_on(join(join_all(uploads), decided));
        assert_eq!(system.gates_run() - before, 1, "{later} steps apart");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{later} steps apart: {answers:#?}");
        let again = system.uploaded(failing("build-7")).unwrap();
        assert_eq!((again.is_repeated, &again.answer), (true, &answers[0]));
    }
}

#[test]
fn of_retries_at_once_after_a_death_one_judges() {
    for writes in 0.. {
        let system = System::new();
        system.kv.fail_after_writes(Some(writes));
        let died = system.uploaded(upload("main", FEATURE).key("build-7")).is_err();
        system.kv.fail_after_writes(None);
        let before = system.gates_run();
        let contexts = [system.context(), system.context(), system.context()];
        let retries =
            contexts.iter().map(|context| system.upload_with(context, upload("main", FEATURE).key("build-7")));
        let answers = block_on(join_all(retries));
        assert!(system.gates_run() - before <= 1, "dead after {writes} writes");
        assert!(answers.iter().all(|answer| answer.as_ref() == answers[0].as_ref()), "{writes}: {answers:#?}");
        assert!(answers[0].is_ok(), "{writes}: {answers:#?}");
        if !died {
            break;
        }
    }
}

#[test]
fn a_key_holds_for_seven_days() {
    let system = System::new();
    let send = |report: &[u8]| system.uploaded(upload("main", report).key("nightly"));
    let first = send(MAIN).unwrap();
    system.pass_days(6);
    assert!(send(MAIN).unwrap().is_repeated);
    assert_eq!(send(FEATURE).unwrap_err().code, Code::IdempotencyMismatch);
    system.pass_days(1);
    let second = send(FEATURE).unwrap();
    assert!(!second.is_repeated && second.answer.scan.id != first.answer.scan.id);
    assert_eq!(send(FEATURE).unwrap().answer, second.answer, "the new scan has the key now");
    system.pass_days(7);
    let context = system.context();
    let at_once = (0..4).map(|_| system.upload_with(&context, upload("main", MAIN).key("nightly")));
    let answers = block_on(join_all(at_once));
    let third = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == third), "retries at once are one scan");
    assert!(![first.answer.scan.id, second.answer.scan.id].contains(&third.scan.id));
    assert_eq!(system.scans("main"), 3);
}

#[test]
fn a_retry_of_an_upload_to_an_earlier_version_finds_its_scan() {
    let system = System::new();
    let (ann, bob) = (system.token("ann", "uploader"), system.token("bob", "uploader"));
    let first = system.uploaded(keyed(&ann)).unwrap().answer;
    // What an earlier version stored: the same under the id of the first recipe.
    let earlier = ScanId::of_first_idempotency_key(&"shop".parse().unwrap(), "build-7");
    let stored = block_on(Frozen::get(&system.kv, first.scan.id)).unwrap();
    block_on(async {
        let mut frozen = stored.clone();
        frozen.record.id = earlier;
        document::put(&system.kv, &keys::scan(earlier), &frozen).await.unwrap();
        let mut answered: Answered<ScanAnswer> = document::get(&system.kv, &keys::answer(first.scan.id)).await.unwrap();
        answered.answer.scan.id = earlier;
        document::put(&system.kv, &keys::answer(earlier), &answered).await.unwrap();
        store::kv::Kv::delete(&system.kv, &keys::scan(first.scan.id)).await.unwrap();
    });
    let again = system.uploaded(keyed(&ann)).unwrap();
    assert_eq!((again.is_repeated, again.answer.scan.id), (true, earlier));
    // Bob's is compared with the variant's newest scan.
    block_on(document::put(&system.kv, &keys::scan(first.scan.id), &stored)).unwrap();
    assert!(!system.uploaded(keyed(&bob)).unwrap().is_repeated, "it is Ann's");
}
