//! Standard output: data and nothing else. A reader that closes it early is not an error.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Prints text, in colour where that is enabled.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = anstream::stdout().lock();
    ignore_closed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    ignore_closed(out.write_all(bytes).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// Prints a value as JSON. Nothing in it can steer a terminal: the notation escapes control characters.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    bytes(&serde_json::to_vec_pretty(value)?)
}

fn ignore_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
