//! Every path that a document names exists: recipes must not point at moved files.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tests::workspace;

/// Folders of the repository that documents name files in.
const FOLDERS: [&str; 10] =
    ["components", "crates", "demo", "deploy", "docs", "tests", "wit", "xtask", ".ci", ".cargo"];

/// Every file below a folder with this ending, except in folders of builds and data.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".git" && name != ".spin" {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// The paths of the repository that a text names between backticks: those that begin with one of its folders, and Rust
/// sources by the end of their path.
fn named(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let is_path = |span: &&str| {
        let folder = span.split('/').next().unwrap_or_default();
        let file = ["spin.toml", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].contains(span);
        let plain = !span.contains([' ', '<', '{', '*', '…', ':']);
        plain && (file || span.ends_with(".rs") || (span.contains('/') && FOLDERS.contains(&folder)))
    };
    spans.filter(is_path).map(str::to_owned).collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let (mut found, mut sources) = (Vec::new(), Vec::new());
    files(&workspace(), ".md", &mut found);
    files(&workspace(), ".rs", &mut sources);
    let mut checked = 0;
    let mut missing = Vec::new();
    for document in &found {
        for path in named(&std::fs::read_to_string(document).unwrap()) {
            // `Path::ends_with` compares whole names.
            let exists = workspace().join(&path).exists() || sources.iter().any(|source| source.ends_with(&path));
            if !exists {
                missing.push(format!("{} names {path}, which does not exist", document.display()));
            }
            checked += 1;
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(found.len() >= 6 && checked >= 30, "{} documents name {checked} paths", found.len());
}

/// The names of tests in a text: words in backticks with three underscores or more.
fn named_tests(text: &str) -> BTreeSet<&str> {
    let words = text.split('`').skip(1).step_by(2);
    words
        .filter(|word| word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = std::fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let (_, model) = text.split_once("## Threat model").unwrap();
    let named = named_tests(model);
    assert!(named.len() > 15, "{named:?}");
    let mut sources = Vec::new();
    for folder in ["tests/tests", "crates/host/tests"] {
        files(&workspace().join(folder), ".rs", &mut sources);
    }
    let sources: String = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for test in named {
        assert!(sources.contains(&format!("fn {test}()")), "SECURITY.md names the test `{test}`, which does not exist");
    }
}

#[test]
fn only_real_paths_are_read_from_a_text() {
    let text =
        "`crates/domain`, `a/b`, `GET /api/v1`, `crates/<name>`, `target/release/gatehouse`, `spin.toml`, `job.rs`";
    assert_eq!(named(text), ["crates/domain", "spin.toml", "job.rs"]);
}
