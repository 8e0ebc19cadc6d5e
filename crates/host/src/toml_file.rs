//! Reads a TOML document into a type that knows all its keys, and says where it went wrong.
//!
//! Refuses unknown keys by relying on `deny_unknown_fields` in the types it fills. Messages never quote the document,
//! because a line of it may hold a password.

use serde::de::DeserializeOwned;

/// A TOML document that is not what it should be: the fault of whoever wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct TomlError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1; the last line when the fault is something missing.
    pub line: usize,
    /// The fault, with the key's name.
    pub message: String,
}

/// Parses `text`, which came from `file`.
pub(crate) fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let line = 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        TomlError { file: file.to_owned(), line, message: error.message().replace('\n', " ") }
    })
}
