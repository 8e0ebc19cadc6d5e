//! Rules about the text of sources and manifests, which no lint checks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, package_folders};

/// The one line of a component that only Wasm has: it exports the handler.
const EXPORT: &str = "#[cfg_attr(target_family = \"wasm\", spin_sdk::http_service)]";

/// The longest line with a comment, in characters.
const COMMENT_MAX: usize = 120;

/// Checks the workspace.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut violations = Vec::new();
    for folder in ["components", "crates", "fuzz", "tests", "xtask"] {
        violations.extend(comments(&sources(&workspace.root().join(folder))?));
    }
    for folder in ["components", "crates"] {
        for package in package_folders(&workspace.root().join(folder))? {
            let (manifest, sources) = (read(&package.join("Cargo.toml"))?, sources(&package.join("src"))?);
            violations.extend(only_in_wasm(&sources));
            violations.extend(untested(&package, &manifest, &sources));
        }
    }
    let lock = |path: &str| read(&workspace.root().join(path));
    violations.extend(other_versions(&lock("Cargo.lock")?, &lock("fuzz/Cargo.lock")?));
    anyhow::ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// Code that exists only in Wasm: clippy and native tests would not see it.
fn only_in_wasm(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let lines = sources.iter().flat_map(|(path, text)| text.lines().map(move |line| (path, line.trim())));
    lines
        .filter(|(_, line)| line.starts_with("#[cfg") && line.contains("target_") && *line != EXPORT)
        .map(|(path, line)| {
            format!(
                "{}: `{line}`: neither clippy nor native tests see this code; make it the same on all targets",
                path.display()
            )
        })
        .collect()
}

/// Comments that are too long, and docstrings that do not begin with what their item is or does.
fn comments(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in sources {
        let mut before = "";
        for (n, line) in text.lines().enumerate() {
            let (line_number, comment) = (n + 1, line.trim_start());
            let fault = if !comment.starts_with("//") {
                None
            } else if COMMENT_MAX < line.chars().count() && !comment.contains("://") {
                Some(format!("the comment has more than {COMMENT_MAX} characters; break it"))
            } else if !before.starts_with("///") && begins_with_a_question(comment) {
                Some("a docstring begins with what its item is or does: a noun or a verb".to_owned())
            } else {
                None
            };
            violations.extend(fault.map(|fault| format!("{}:{line_number}: {fault}", path.display())));
            before = comment;
        }
    }
    violations
}

fn begins_with_a_question(docstring: &str) -> bool {
    ["What ", "How ", "Whether "]
        .iter()
        .any(|word| docstring.strip_prefix("/// ").is_some_and(|text| text.starts_with(word)))
}

/// Packages with unit tests that their manifest disables.
fn untested(package: &Path, manifest: &str, sources: &BTreeMap<PathBuf, String>) -> Option<String> {
    let off = manifest.lines().any(|line| line.trim() == "test = false");
    let tests = sources.values().any(|text| text.lines().any(|line| line.trim() == "#[test]"));
    (off && tests).then(|| {
        format!("{}: Cargo.toml says `test = false`, so its tests never run; remove that line", package.display())
    })
}

/// Packages with another version in the fuzz crate than in the workspace: fuzzing would not run the shipped code.
fn other_versions(workspace: &str, fuzz: &str) -> Vec<String> {
    let versions = |lock: &str| {
        let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut name = String::new();
        for line in lock.lines() {
            if let Some(value) = line.strip_prefix("name = ") {
                value.trim_matches('"').clone_into(&mut name);
            } else if let Some(version) = line.strip_prefix("version = ").filter(|_| !name.is_empty()) {
                versions.entry(std::mem::take(&mut name)).or_default().push(version.trim_matches('"').to_owned());
            }
        }
        versions
    };
    let ours = versions(workspace);
    let mut violations = Vec::new();
    for (name, theirs) in versions(fuzz) {
        let Some(ours) = ours.get(&name) else { continue };
        for version in theirs.iter().filter(|version| !ours.contains(version)) {
            violations.push(format!(
                "fuzz/Cargo.lock has {name} {version}, Cargo.lock has {}; copy Cargo.lock to fuzz/Cargo.lock and run \
                 `cargo xtask check`",
                ours.join(" and ")
            ));
        }
    }
    violations
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path.clone(), read(&path)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> BTreeMap<PathBuf, String> {
        BTreeMap::from([(PathBuf::from("lib.rs"), text.to_owned())])
    }

    #[test]
    fn code_that_only_wasm_has_is_found() {
        assert_eq!(
            only_in_wasm(&file(&format!("{EXPORT}\nasync fn handle() {{}}\n#[cfg(test)]"))),
            Vec::<String>::new()
        );
        let found = only_in_wasm(&file("    #[cfg(target_arch = \"wasm32\")]\nfn x() {}"));
        assert!(found[0].starts_with("lib.rs: `#[cfg(target_arch"), "{found:?}");
    }

    #[test]
    fn long_comments_and_docstrings_that_begin_with_a_question_are_found() {
        let long = format!("    // {}", "a ".repeat(60));
        let found = comments(&file(&format!("/// A thing.\n/// What it is.\n{long}\n\n/// How it is.\nfn x() {{}}")));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("lib.rs:3: ") && found[1].starts_with("lib.rs:5: "), "{found:?}");
        assert_eq!(comments(&file(&format!("// https://example.org/{}", "a".repeat(120)))), Vec::<String>::new());
    }

    #[test]
    fn tests_that_a_manifest_switches_off_are_found() {
        let (on, off) = ("[lib]\ndoctest = false", "[lib]\ntest = false");
        let (with, without) = (file("    #[test]\n    fn x() {}"), file("fn x() {}"));
        assert!(untested(Path::new("a"), off, &with).is_some());
        assert!(untested(Path::new("a"), on, &with).is_none());
        assert!(untested(Path::new("a"), off, &without).is_none());
    }

    #[test]
    fn another_version_in_the_fuzz_crate_is_found() {
        let lock = |version: &str| format!("[[package]]\nname = \"a\"\nversion = \"{version}\"\nsource = \"x\"\n");
        assert_eq!(other_versions(&lock("1.0.0"), &lock("1.0.0")), Vec::<String>::new());
        assert!(other_versions(&lock("1.0.0"), &lock("1.0.1"))[0].starts_with("fuzz/Cargo.lock has a 1.0.1"));
        assert_eq!(other_versions("", &lock("1.0.1")), Vec::<String>::new());
    }
}
