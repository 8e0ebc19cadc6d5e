//! Rules about the imports of compiled components:
//!
//! - Only `ledger` imports `wasi:keyvalue/atomics`, because not every platform offers it.
//! - A component uses the store by calls that block its instance (`wasi:keyvalue`) or by asynchronous ones
//!   (`spin:key-value`), never both: while a call blocks, nobody polls the asynchronous calls of the same instance,
//!   which then hold up everybody's calls in the client of the store.
//!
//! The imports are read from each file's import sections (Component Model, `design/mvp/Binary.md`).

use std::fs;

use anyhow::{Context as _, Result};

use crate::workspace::{Profile, Workspace};

/// The interface that one component alone imports.
const ATOMICS: &str = "wasi:keyvalue/atomics";
/// The one component that imports it.
const IMPORTER: &str = "ledger";
/// The interfaces whose calls block the instance.
const BLOCKING: &str = "wasi:keyvalue/";
/// The interfaces whose calls do not.
const ASYNCHRONOUS: &str = "spin:key-value/";

/// Checks all components of the workspace.
pub(crate) fn check(workspace: &Workspace, profile: Profile) -> Result<()> {
    let mut components = Vec::new();
    for name in workspace.components()? {
        let path = workspace.wasm(&name, profile);
        let bytes =
            fs::read(&path).with_context(|| format!("cannot read {}; run `cargo xtask build`", path.display()))?;
        let imports = imports(&bytes).with_context(|| format!("{} is not a component as expected", path.display()))?;
        components.push((name, imports));
    }
    let violations = violations(&components);
    anyhow::ensure!(violations.is_empty(), "{}", violations.join("; "));
    Ok(())
}

fn violations(components: &[(String, Vec<String>)]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, imports) in components {
        let has = |interface: &str| imports.iter().any(|import| import.starts_with(interface));
        match (name == IMPORTER, has(ATOMICS)) {
            (true, true) | (false, false) => {}
            (true, false) => {
                violations.push(format!("{name} does not import {ATOMICS}; update the rule if this is intended"))
            }
            (false, true) => {
                violations
                    .push(format!("{name} imports {ATOMICS}, which only {IMPORTER} may; call {IMPORTER} instead"));
            }
        }
        if has(BLOCKING) && has(ASYNCHRONOUS) {
            violations.push(format!(
                "{name} imports both {BLOCKING}* and {ASYNCHRONOUS}*; a component uses the store by calls that block its \
                 instance or by asynchronous calls, never both (ARCHITECTURE.md, \"State\")"
            ));
        }
    }
    if !components.iter().any(|(name, _)| name == IMPORTER) {
        violations.push(format!("the component {IMPORTER} is missing"));
    }
    violations
}

/// The magic number of Wasm with the version and layer of a component.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// The id of an import section.
const IMPORT_SECTION: u8 = 10;

/// The names of a component's imports.
fn imports(component: &[u8]) -> Result<Vec<String>> {
    let mut rest = component.strip_prefix(PREAMBLE).context("it does not begin as a component does")?;
    let mut names = Vec::new();
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        let length = number(&mut rest)?;
        let mut section = take(&mut rest, length)?;
        if *id == IMPORT_SECTION {
            for _ in 0..number(&mut section)? {
                names.push(import(&mut section)?);
            }
            anyhow::ensure!(section.is_empty(), "an import section has a rest of {} bytes", section.len());
        }
    }
    Ok(names)
}

/// Reads an import and returns its name.
fn import(bytes: &mut &[u8]) -> Result<String> {
    let kind = byte(bytes)?;
    anyhow::ensure!(kind <= 1, "an import's name has the unknown kind {kind}");
    let length = number(bytes)?;
    let name = String::from_utf8(take(bytes, length)?.to_vec()).context("an import's name is not text")?;
    // What is imported: nearly always an instance, by the number of its type.
    match byte(bytes)? {
        0x00 => {
            byte(bytes)?;
            number(bytes)?;
        }
        0x01 | 0x04 | 0x05 => {
            number(bytes)?;
        }
        0x03 => {
            if byte(bytes)? == 0 {
                number(bytes)?;
            }
        }
        sort => anyhow::bail!("the import {name} is of the unknown sort {sort}"),
    }
    Ok(name)
}

fn byte(bytes: &mut &[u8]) -> Result<u8> {
    let (first, rest) = bytes.split_first().context("it ends early")?;
    *bytes = rest;
    Ok(*first)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length).context("it ends early")?;
    *bytes = rest;
    Ok(taken)
}

/// Reads a number in LEB128.
fn number(bytes: &mut &[u8]) -> Result<usize> {
    let (mut value, mut shift) = (0_usize, 0);
    loop {
        let next = byte(bytes)?;
        anyhow::ensure!(shift < 35, "a number is longer than 32 bits");
        value |= usize::from(next & 0x7F) << shift;
        if next & 0x80 == 0 {
            return Ok(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(components: &[(&str, &[&str])]) -> Vec<String> {
        let owned = components
            .iter()
            .map(|(name, imports)| ((*name).to_owned(), imports.iter().map(|name| (*name).to_owned()).collect()));
        violations(&owned.collect::<Vec<_>>())
    }

    const STORE: &str = "wasi:keyvalue/store@0.2.0-draft2";
    const COUNTER: &str = "wasi:keyvalue/atomics@0.2.0-draft2";
    const SPIN: &str = "spin:key-value/key-value@3.0.0";

    #[test]
    fn only_the_ledger_imports_atomics() {
        assert_eq!(check(&[("gate", &[SPIN]), ("ledger", &[COUNTER])]), Vec::<String>::new());
        assert!(check(&[("gate", &[COUNTER]), ("ledger", &[COUNTER])])[0].starts_with("gate imports"));
        assert!(check(&[("gate", &[]), ("ledger", &[STORE])])[0].starts_with("ledger does not import"));
        assert_eq!(check(&[("gate", &[])]), ["the component ledger is missing"]);
    }

    #[test]
    fn no_component_uses_the_store_in_both_ways() {
        let ledger: (&str, &[&str]) = ("ledger", &[STORE, COUNTER]);
        assert_eq!(check(&[ledger, ("parser", &[STORE]), ("gate", &[SPIN])]), Vec::<String>::new());
        for both in [[STORE, SPIN], [SPIN, "wasi:keyvalue/batch@0.2.0-draft2"]] {
            assert!(check(&[ledger, ("ingest", &both)])[0].starts_with("ingest imports both"), "{both:?}");
        }
        assert!(check(&[("ledger", &[STORE, COUNTER, SPIN])])[0].starts_with("ledger imports both"));
    }

    /// A component with a custom section and these imports.
    fn component(imports: &[(&str, &[u8])]) -> Vec<u8> {
        let small = |length: usize| u8::try_from(length).unwrap();
        let mut section = vec![small(imports.len())];
        for (name, what) in imports {
            section.extend([0, small(name.len())]);
            section.extend(name.bytes().chain(what.iter().copied()));
        }
        let mentions = b"\x0fspin:key-value/";
        let head = [PREAMBLE, &[0, small(mentions.len())], mentions, &[IMPORT_SECTION]].concat();
        // The length in two bytes, as it may be written.
        let length = [small(section.len() & 0x7F) | 0x80, small(section.len() >> 7)];
        [head, length.to_vec(), section].concat()
    }

    #[test]
    fn imports_are_read_from_the_import_sections_alone() {
        let file =
            component(&[(STORE, &[5, 0]), ("a-type", &[3, 0, 1]), ("a-resource", &[3, 1]), ("f", &[1, 0x85, 1])]);
        assert_eq!(imports(&file).unwrap(), [STORE, "a-type", "a-resource", "f"]);
        assert_eq!(imports(&component(&[])).unwrap(), Vec::<String>::new());
        assert!(imports(&file[..file.len() - 1]).is_err());
        assert!(imports(b"\0asm\x01\0\0\0").unwrap_err().to_string().contains("as a component does"));
        assert!(imports(&component(&[("x", &[9])])).unwrap_err().to_string().contains("unknown sort 9"));
    }
}
