//! A soak: a steady load for 20 minutes. Memory, open files and latency stay level.

use super::{Until, both_stores, check_goes_on, project, uploads_at_once};
use std::time::Duration;
use tests::{App, Options, Store};

/// The number of clients of the steady load on each store.
const CLIENTS: usize = 4;

/// Loads a server with this store, and checks that nothing grows.
fn soak(store: Store) {
    let app = App::start(Options::on(store));
    let client = project(&app);
    let (mut all, mut usages) = (Vec::new(), Vec::new());
    for round in 0..10 {
        let crowd = (&*format!("round{round}"), CLIENTS);
        let (figures, acknowledged) =
            uploads_at_once(&app.url(), &client, crowd, Until::Time(Duration::from_secs(120)));
        let usage = app.usage();
        eprintln!("{store:?}, minute {}: {usage:?}; {figures}", 2 * round + 2);
        assert_eq!(figures.failed, Vec::<String>::new());
        all.extend(acknowledged);
        usages.push((usage, figures.quantile(0.5)));
    }
    check_goes_on(&app, &app.admin("load"), &all);
    // The first two minutes warm up. Then nothing grows by half.
    let ((early, p50_early), (late, p50_late)) = (usages[1], usages[9]);
    assert!(late.memory_bytes < early.memory_bytes + early.memory_bytes / 2, "{early:?}, then {late:?}");
    assert!(late.open_files <= early.open_files + 16, "{early:?}, then {late:?}");
    assert!(p50_late < p50_early * 2, "the median went from {p50_early:?} to {p50_late:?}");
}

#[test]
#[ignore = "load: takes 20 minutes; `cargo xtask test --load` runs it"]
fn memory_files_and_latency_stay_level_for_twenty_minutes() {
    both_stores(soak);
}
