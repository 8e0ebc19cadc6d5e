//! A retry is one scan and says that it is a retry; nobody can claim another's `Idempotency-Key`.

use api::v1::ScanAnswer;
use domain::verdict::Verdict;
use serde_json::{Value, json};
use tests::{App, Client, Options, Reply, Upload, each_store, reports};

fn is_repeated(reply: &Reply) -> bool {
    reply.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

fn keyed(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    client.send("POST", path, &[("idempotency-key", key.to_owned())], body.to_string().as_bytes())
}

#[test]
fn two_subjects_with_the_same_key_make_two_scans() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = app.admin("shop");
        admin.create_project();
        let (ann, bob) = (admin.issue("ann", "uploader"), admin.issue("bob", "uploader"));
        let upload = |seed| Upload::new("web", "main", reports::generated(20, seed)).key("build-7");
        let claimed: ScanAnswer = bob.send_upload(&upload(1)).expect(201).read();
        let first = ann.send_upload(&upload(2)).expect(201);
        let again = ann.send_upload(&upload(2)).expect(201);
        assert!(!is_repeated(&first) && is_repeated(&again));
        assert_eq!(first.json, again.json, "the answer is the same, with the time at which it was judged");
        let own: ScanAnswer = first.read();
        assert_ne!(own.scan.id, claimed.scan.id);
        assert_eq!((own.scan.uploaded_by.as_str(), own.judged_at.is_some()), ("ann", true));
        assert_eq!(admin.scans().len(), 2);
        // A second token of the same subject may retry.
        let other_token = admin.issue_to("ann", "ann-2", "uploader");
        assert!(is_repeated(&other_token.send_upload(&upload(2)).expect(201)));
    });
}

#[test]
fn a_repeated_answer_has_the_exemptions_of_its_time() {
    let app = App::new();
    let admin = app.admin("shop");
    admin.create_project();
    let (dev, sec) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    let upload = |key| Upload::new("web", "main", reports::generated(1, 1)).fail_on("low").key(key);
    let first: ScanAnswer = dev.upload(&upload("build-1"));
    assert_eq!(first.verdict, Verdict::Fail);
    let issue = dev.issues(&first, "").remove(0);
    let exemption = dev.request_exemption("web", &issue);
    sec.decide(&exemption.id, "approve").expect(200);
    let repeated = dev.send_upload(&upload("build-1")).expect(201);
    assert!(is_repeated(&repeated));
    assert_eq!(repeated.read::<ScanAnswer>().judged_at, first.judged_at);
    assert_eq!(dev.upload(&upload("build-2")).verdict, Verdict::Pass);
}

#[test]
fn a_repeated_change_of_an_exemption_says_so() {
    let app = App::new();
    let admin = app.admin("shop");
    admin.create_project();
    let (dev, sec) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    let scan = dev.upload(&Upload::new("web", "main", reports::generated(1, 1)));
    let issue = dev.issues(&scan, "").remove(0).id.to_string();
    let body = json!({"issue": issue, "scope": "target", "target": "web", "duration_days": 7, "reason": "other",
        "text": "why"});
    let first = keyed(&dev, "exemptions", "k", &body).expect(201);
    let again = keyed(&dev, "exemptions", "k", &body).expect(201);
    assert!(!is_repeated(&first) && is_repeated(&again));
    let approve = format!("exemptions/{}/approve", first.json["id"].as_str().unwrap());
    let decided = [(), ()].map(|()| keyed(&sec, &approve, "k", &json!({})).expect(200));
    assert_eq!(decided.each_ref().map(is_repeated), [false, true]);
    assert!(!is_repeated(&keyed(&dev, "exemptions", "", &json!({}))), "without a key nothing is repeated");
}
