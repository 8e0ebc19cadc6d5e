//! The time of a start when the components were compiled before.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use crate::support::TestApp;

/// Time limit for a start with eight compiled components: the platform requires 300 ms; the rest is room for the
/// other tests that run beside this one.
const START_MAX_MS: u128 = 2_000;

#[test]
fn compiled_components_start_fast() {
    let mut manifest = String::new();
    for id in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        write!(
            manifest,
            "[[trigger.http]]\nroute = \"/{id}/...\"\ncomponent = \"{id}\"\n[component.{id}]\nsource = \"{{probe}}\"\n"
        )
        .unwrap();
    }
    drop(TestApp::start(&manifest));
    let state = Arc::new(tempfile::tempdir().unwrap());
    let started = Instant::now();
    let app = TestApp::restart(state, &manifest, |_| {});
    let duration_ms = started.elapsed().as_millis();
    println!("start with compiled code: {duration_ms} ms");
    app.get("/h/hello").expect(200, "hello");
    assert!(duration_ms < START_MAX_MS, "{duration_ms} ms");
}
