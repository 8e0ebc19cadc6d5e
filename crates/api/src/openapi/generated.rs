//! Generated files of the repository.

use std::path::Path;

/// Compares a file of the repository with its expected text, or writes it if `GATEHOUSE_BLESS` is set.
pub(super) fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{path} is out of date; run GATEHOUSE_BLESS=1 cargo test -p api openapi");
}

/// Joins the lines of a doc comment.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
