//! A store that stops answering, under load: each request is answered within seconds, and when the store is back the
//! next request succeeds without a restart.

use super::{Until, check_goes_on, project, uploads_at_once};
use std::time::{Duration, Instant};
use tests::{App, Options, Store, Upload, reports};

/// The time limit for the answer to a request while the store does not answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);

#[test]
fn a_crowd_goes_on_when_redis_answers_again() {
    let app = App::start(Options::on(Store::Redis));
    let client = project(&app);
    let (url, crowd, until) = (app.url(), ("crowd", 16), Until::Uploads(6));
    let (figures, acknowledged) = std::thread::scope(|scope| {
        let uploads = scope.spawn(|| uploads_at_once(&url, &client, crowd, until));
        // In the middle of the load.
        let admin = app.admin("load");
        while admin.scans().len() < 16 {
            assert!(!uploads.is_finished(), "the load ended before the store stopped");
        }
        app.pause_store();
        let started = Instant::now();
        let reply = admin.get("scans?limit=1").expect(503);
        assert!(started.elapsed() < ANSWER_MAX, "{:?}: {}", started.elapsed(), reply.text());
        app.resume_store();
        uploads.join().unwrap()
    });
    eprintln!("with the store stopped under load: {figures}");
    assert_eq!(figures.failed, Vec::<String>::new());
    assert!(figures.longest_refusal() < ANSWER_MAX, "{figures}");
    check_goes_on(&app, &app.admin("load"), &acknowledged);
}

#[test]
fn while_redis_does_not_answer_requests_are_refused_and_afterwards_they_succeed() {
    let app = App::start(Options::on(Store::Redis));
    let client = project(&app);
    let admin = app.admin("load");
    let (figures, acknowledged) = uploads_at_once(&app.url(), &client, ("before", 8), Until::Uploads(1));
    assert_eq!(figures.failed, Vec::<String>::new());

    app.pause_store();
    let started = Instant::now();
    let upload = Upload::new("web", "while-stopped", reports::generated(3, 1)).key("while-stopped");
    let reply = client.send_upload(&upload).expect(503);
    let answered = started.elapsed();
    eprintln!("with the store stopped, an upload was refused after {answered:?}");
    assert!(super::retry_after(&reply).is_some(), "{}", reply.text());
    assert!(answered < ANSWER_MAX, "an upload was answered only after {answered:?}");
    app.resume_store();

    let reply = client.send_upload(&upload);
    assert_eq!(reply.status, 201, "the same upload, when the store is back: {}", reply.text());
    check_goes_on(&app, &admin, &acknowledged);
}
