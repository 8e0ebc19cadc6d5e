//! A rule about the imports of compiled components: only `ledger` may import `wasi:keyvalue/atomics`, because not every
//! platform offers it. The check searches each file for the interface's name.

use std::fs;

use anyhow::{Context as _, Result};

use crate::workspace::{Profile, Workspace};

/// The interface, as a compiled component names it.
const INTERFACE: &str = "wasi:keyvalue/atomics";
/// The one component that imports it.
const IMPORTER: &str = "ledger";

/// Checks all components of the workspace.
pub(crate) fn check(workspace: &Workspace, profile: Profile) -> Result<()> {
    let mut files = Vec::new();
    for name in workspace.components()? {
        let path = workspace.wasm(&name, profile);
        let bytes =
            fs::read(&path).with_context(|| format!("cannot read {}; run `cargo xtask build`", path.display()))?;
        files.push((name, bytes));
    }
    let violations = violations(&files);
    anyhow::ensure!(violations.is_empty(), "{}", violations.join("; "));
    Ok(())
}

fn violations(files: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut violations: Vec<_> = files
        .iter()
        .filter_map(|(name, bytes)| match (name == IMPORTER, holds(bytes, INTERFACE.as_bytes())) {
            (true, true) | (false, false) => None,
            (true, false) => Some(format!("{name} does not import {INTERFACE}; update the rule if this is intended")),
            (false, true) => {
                Some(format!("{name} imports {INTERFACE}, which only {IMPORTER} may; call {IMPORTER} instead"))
            }
        })
        .collect();
    if !files.iter().any(|(name, _)| name == IMPORTER) {
        violations.push(format!("the component {IMPORTER} is missing"));
    }
    violations
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)]) -> Vec<String> {
        violations(&files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_ledger_imports_it() {
        let import = "..wasi:keyvalue/atomics@0.2.0..";
        assert_eq!(check(&[("gate", "x"), ("ledger", import)]), Vec::<String>::new());
        assert!(check(&[("gate", import), ("ledger", import)])[0].starts_with("gate imports"));
        assert!(check(&[("gate", "x"), ("ledger", "x")])[0].starts_with("ledger does not import"));
        assert_eq!(check(&[("gate", "x")]), ["the component ledger is missing"]);
    }
}
