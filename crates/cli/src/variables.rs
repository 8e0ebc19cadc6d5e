//! The file of output variables: `NAME=value`, a line each, for the next step of a pipeline to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Writes the variables to `path`, replacing its content.
pub(crate) fn write(path: &Path, variables: &BTreeMap<String, String>) -> Result<()> {
    let lines = lines(variables)?;
    std::fs::write(path, lines).with_context(|| format!("cannot write the output variables to {}", path.display()))
}

/// The variables as lines. A shell may source them and a CI service may split them, so names and values are checked.
fn lines(variables: &BTreeMap<String, String>) -> Result<String> {
    let mut text = String::new();
    for (name, value) in variables {
        let legal_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let legal_value = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        anyhow::ensure!(legal_name && legal_value, "the server sent the output variable {name:?} with value {value:?}");
        writeln!(text, "{name}={value}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Option<String> {
        lines(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()).ok()
    }

    #[test]
    fn a_variable_is_a_line() {
        assert_eq!(check(&[("NEW_LOW", "0"), ("CRITICAL", "2")]).as_deref(), Some("CRITICAL=2\nNEW_LOW=0\n"));
    }

    #[test]
    fn only_numbers_and_words_are_written_for_a_shell_to_read() {
        for pair in [("A", "1\nPATH=/x"), ("A", "$(x)"), ("A", "a b"), ("a", "1"), ("", "1"), ("A=B", "1")] {
            assert_eq!(check(&[pair]), None, "{pair:?}");
        }
    }

    #[test]
    fn the_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, "OLD=1\nOLD=2\n").unwrap();
        write(&path, &BTreeMap::from([("TOTAL".to_owned(), "5".to_owned())])).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "TOTAL=5\n");
    }
}
