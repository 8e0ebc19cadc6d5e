//! Reports that need more memory than a component has: they are refused for good, with the number, and others go on.

use super::{Until, Uploader, project};
use std::time::Instant;
use tests::{App, Options, Upload, each_store, reports};

#[test]
#[ignore = "load: takes minutes; `cargo xtask test --load` runs it"]
fn half_a_million_results_are_refused_for_good_and_others_go_on() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let client = project(&app);
        let mut small = Uploader::new(&app.url(), &client, "small");
        small.run(Until::Uploads(1));
        let report = reports::generated(500_000, 1);
        let started = Instant::now();
        let reply = client.send_upload(&Upload::new("large", "main", report));
        eprintln!("{store:?}: refused after {:?}: {}", started.elapsed(), reply.text());
        reply.expect_problem(413, "report-too-large");
        assert!(reply.text().contains("findings of the report need more than"), "{}", reply.text());
        assert_eq!(client.scans().len(), 1, "a scan was left behind");
        small.run(Until::Uploads(2));
        assert_eq!(small.figures.failed, Vec::<String>::new());
    });
}
