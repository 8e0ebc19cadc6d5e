//! Crowds: many clients upload at once. On a host that mixes synchronous and asynchronous calls to the store, 48
//! clients on Redis stopped everything.

use super::{Until, both_stores, check_goes_on, project, uploads_at_once};
use std::time::Duration;
use tests::{App, Options, Store, each_store};

/// Crowds of these sizes upload, one after the other.
fn crowds(store: Store, sizes: &[usize], until: Until) {
    let app = App::start(Options::on(store));
    let client = project(&app);
    let admin = app.admin("load");
    let mut all = Vec::new();
    for clients in sizes {
        let crowd = (&*format!("of{clients}"), *clients);
        let (figures, acknowledged) = uploads_at_once(&app.url(), &client, crowd, until);
        eprintln!("{store:?}, {clients} clients, {until:?}: {figures}");
        assert_eq!(figures.failed, Vec::<String>::new(), "{clients} clients on {store:?}");
        all.extend(acknowledged);
        check_goes_on(&app, &admin, &all);
    }
}

#[test]
fn a_crowd_on_each_store_is_answered_and_loses_nothing() {
    each_store(|store| crowds(store, &[16, 100], Until::Uploads(2)));
}

#[test]
#[ignore = "load: takes minutes; `cargo xtask test --load` runs it"]
fn crowds_of_every_size_are_answered_and_lose_nothing() {
    each_store(|store| crowds(store, &[16, 64, 200, 500], Until::Uploads(4)));
}

#[test]
#[ignore = "load: takes 20 minutes; `cargo xtask test --load` runs it"]
fn crowds_of_every_size_for_five_minutes_are_answered_and_lose_nothing() {
    for clients in [16, 64, 200, 500] {
        both_stores(|store| crowds(store, &[clients], Until::Time(Duration::from_secs(300))));
    }
}
