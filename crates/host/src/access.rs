//! The access log: one line for each request from outside, written when its response has been sent or given up.
//!
//! Holds neither headers nor query strings: both can carry secrets.

use std::net::SocketAddr;
use std::time::Instant;

use http::{Method, StatusCode};

use crate::metrics::InFlight;

/// The logged status of a request whose client left before the answer; nginx logs the same number.
const CLIENT_GONE: u16 = 499;

/// Bytes of a path or method in the log. Longer ones are cut: a client must not fill the disk.
const LOGGED_BYTES: usize = 1024;

/// A line of the log in the making.
pub(crate) struct AccessRecord {
    method: String,
    path: String,
    client: SocketAddr,
    /// The component's id; empty when the host answered.
    component: String,
    status: u16,
    bytes: usize,
    started: Instant,
    _in_flight: InFlight,
}

impl AccessRecord {
    pub(crate) fn start(method: &Method, path: &str, client: SocketAddr, in_flight: InFlight) -> Self {
        let component = String::new();
        Self {
            method: cut(method.as_str()),
            path: cut(path),
            client,
            component,
            status: CLIENT_GONE,
            bytes: 0,
            started: Instant::now(),
            _in_flight: in_flight,
        }
    }

    pub(crate) fn component(&mut self, id: &str) {
        id.clone_into(&mut self.component);
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// More of the body was handed to the connection.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The body ended early.
    pub(crate) fn broken(&self, error: &wasmtime_wasi_http::Error) {
        tracing::warn!(
            target: "gatehouse::access", path = %self.path, component = %self.component, %error,
            "a response ended early"
        );
    }
}

fn cut(text: &str) -> String {
    match text.get(..text.floor_char_boundary(LOGGED_BYTES)) {
        Some(beginning) if LOGGED_BYTES < text.len() => format!("{beginning}..."),
        _ => text.to_owned(),
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        tracing::info!(
            target: "gatehouse::access",
            method = %self.method,
            path = %self.path,
            status = self.status,
            bytes = self.bytes,
            duration_ms = self.started.elapsed().as_secs_f64() * 1000.0,
            client = %self.client,
            component = %self.component,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(cut("/a"), "/a");
        assert_eq!(cut(&"a".repeat(LOGGED_BYTES)), "a".repeat(LOGGED_BYTES));
        assert_eq!(cut(&"a".repeat(LOGGED_BYTES + 1)), format!("{}...", "a".repeat(LOGGED_BYTES)));
        assert_eq!(cut(&"ä".repeat(LOGGED_BYTES)), format!("{}...", "ä".repeat(LOGGED_BYTES / 2)));
    }
}
