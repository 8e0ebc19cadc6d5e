//! What the documents name is there: a recipe that points at a file that moved is worse than none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use tests::workspace;

/// Folders of the repository that documents name files in.
const FOLDERS: [&str; 10] =
    ["components", "crates", "demo", "deploy", "docs", "tests", "wit", "xtask", ".ci", ".cargo"];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".git" && name != ".spin" {
            documents(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The paths of the repository that a text has between backticks.
fn named(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let is_path = |span: &&str| {
        let folder = span.split('/').next().unwrap_or_default();
        let file = ["spin.toml", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].contains(span);
        let plain = !span.contains([' ', '<', '{', '*', '…']);
        plain && (file || (span.contains('/') && FOLDERS.contains(&folder)))
    };
    spans.filter(is_path).map(str::to_owned).collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut found = Vec::new();
    documents(&workspace(), &mut found);
    let mut checked = 0;
    for document in &found {
        for path in named(&std::fs::read_to_string(document).unwrap()) {
            assert!(workspace().join(&path).exists(), "{} names {path}, which is not there", document.display());
            checked += 1;
        }
    }
    assert!(found.len() >= 6 && checked >= 30, "{} documents name {checked} paths", found.len());
}

#[test]
fn a_path_is_told_from_what_only_looks_like_one() {
    let text = "`crates/domain` and `a/b`, `GET /api/v1`, `crates/<name>`, `target/release/gatehouse`, `spin.toml`";
    assert_eq!(named(text), ["crates/domain", "spin.toml"]);
}
