//! Neighbours: a small upload beside large ones.

use super::{Until, Uploader, project};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::{App, Figures, Options, Upload, each_store, reports};

/// Measures small uploads while `large` clients upload reports of so many results, and hands their figures to `check`,
/// after those of a quiet server.
fn beside(large: usize, results: u64, time: Duration, check: impl Fn(&Figures, &Figures)) {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let client = project(&app);
        let mut quiet = Uploader::new(&app.url(), &client, "quiet");
        quiet.run(Until::Uploads(20));
        let (ended, report) = (AtomicBool::new(false), reports::generated(results, 1));
        let (figures, uploads) = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..large)
                .map(|n| {
                    let (client, ended, report) = (client.at(&app.url()), &ended, &report);
                    scope.spawn(move || {
                        let mut uploads = 0;
                        while !ended.load(Ordering::Relaxed) {
                            let reply = client.send_upload(&Upload::new("large", &format!("v{n}"), report.clone()));
                            // 504: many at once take longer than a request may.
                            let expected = [201, 429, 503, 504].contains(&reply.status);
                            assert!(expected, "{}: {}", reply.status, reply.text());
                            uploads += usize::from(reply.status == 201);
                            // As a client does that is asked to.
                            let pause =
                                reply.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                            let again = Instant::now() + Duration::from_secs(pause.unwrap_or(0));
                            while Instant::now() < again && !ended.load(Ordering::Relaxed) {
                                std::thread::sleep(Duration::from_millis(20));
                            }
                        }
                        uploads
                    })
                })
                .collect();
            let mut small = Uploader::new(&app.url(), &client, "small");
            small.run(Until::Time(time));
            ended.store(true, Ordering::Relaxed);
            let uploads: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
            (small.figures, uploads)
        });
        let Figures { failed, .. } = &figures;
        assert_eq!(*failed, Vec::<String>::new());
        assert!(0 < uploads || 1 < large, "the only large upload was not accepted");
        eprintln!("{store:?}, quiet: {}", quiet.figures);
        eprintln!("{store:?}, beside {large} uploads of {results} results ({uploads} accepted): {figures}");
        check(&quiet.figures, &figures);
    });
}

#[test]
fn small_uploads_are_accepted_beside_a_large_one() {
    beside(1, 20_000, Duration::from_secs(4), |_, beside| assert!(beside.accepted() > 0, "none was accepted"));
}

#[test]
#[ignore = "load: takes minutes; `cargo xtask test --load` runs it"]
fn small_uploads_are_at_most_ten_times_as_slow_beside_the_largest_ones() {
    let check = |quiet: &Figures, beside: &Figures| {
        let (quiet, beside) = (quiet.quantile(0.5), beside.quantile(0.5));
        assert!(!beside.is_zero() && beside <= quiet * 10, "p50 {beside:?}, and {quiet:?} alone");
    };
    beside(1, 100_000, Duration::from_secs(60), check);
    beside(15, 100_000, Duration::from_secs(120), check);
}
