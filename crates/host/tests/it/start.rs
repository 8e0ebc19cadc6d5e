//! Faults that keep a server from starting, and their messages.

use std::error::Error as _;
use std::sync::Arc;

use host::{AppSource, Config, Error};

use crate::support::{PROBE, TestApp, config};

fn refusal(manifest: &str, change: impl FnOnce(&mut Config)) -> String {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let error = TestApp::try_start(Arc::clone(&state), manifest, change).err().unwrap();
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message.replace(state.path().to_str().unwrap(), "DIR")
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let component = |rest: &str| {
        format!("[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n[component.a]\nsource = \"{{probe}}\"\n{rest}")
    };
    let cases = [
        (component("sqlite_databases = [\"default\"]"), "DIR/spin.toml:11: unknown field `sqlite_databases`"),
        (
            component("allowed_outbound_hosts = [\"example.com\"]"),
            "component \"a\": \"example.com\" is not an allowed outbound host: it must have the form",
        ),
        (
            component("[component.a.variables]\nx = \"{{ y }}\""),
            "component \"a\": the template \"{{ y }}\" refers to variable \"y\", which the manifest does not declare",
        ),
        (component("key_value_stores = [\"other\"]"), "component \"a\" uses the key-value store \"other\""),
        (
            component("[variables]\ntoken = { required = true }"),
            "variable \"token\" is required but has no value: set SPIN_VARIABLE_TOKEN in the environment",
        ),
        (
            component("[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\""),
            "the routes \"/...\" and \"/...\" match the same paths",
        ),
        (
            component("").replace("{probe}", "missing.wasm"),
            "cannot read DIR/missing.wasm of component \"a\": No such file or directory",
        ),
        (component("").replace("{probe}", "spin.toml"), "component \"a\" is not a valid WebAssembly component"),
    ];
    for (manifest, message) in cases {
        let refused = refusal(&manifest, |_| {});
        assert!(refused.starts_with(message), "{refused}\nis not\n{message}");
    }
}

#[test]
fn an_unknown_variable_in_the_configuration_is_refused() {
    let refused = refusal(PROBE, |config| {
        config.variables.insert("typo".to_owned(), String::new());
    });
    assert_eq!(refused, "a value was given for variable \"typo\", which the manifest does not declare");
}

#[test]
fn a_taken_port_is_named() {
    let app = TestApp::start(PROBE);
    let address = app.address();
    let refused = refusal(PROBE, |config| config.listen = address);
    assert!(refused.starts_with(&format!("cannot listen on {address}: ")), "{refused}");
}

#[test]
fn the_manifest_tells_its_variables_before_the_start() {
    let state = tempfile::tempdir().unwrap();
    let config = config(state.path(), "[variables]\nadmin_token = { default = \"\", secret = true }");
    let manifest = config.app.manifest().unwrap();
    assert!(manifest.variables["admin_token"].secret);
    let missing = AppSource::Manifest(state.path().join("none.toml")).manifest();
    assert!(matches!(missing, Err(Error::Read { .. })));
}
