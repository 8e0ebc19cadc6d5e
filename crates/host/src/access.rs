//! The access log: one line for each request from outside, written when its response has been sent or given up.
//!
//! Holds neither headers nor query strings: both can carry secrets. Requests that fail have so many lines a second; how
//! many more there were is a line of its own, and the metrics count them all.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use crate::metrics::InFlight;

/// The logged status of a request whose client left before the answer; nginx logs the same number.
const CLIENT_GONE: u16 = 499;

/// Bytes of a path or method in the log. Longer ones are cut: a client must not fill the disk.
const LOGGED_BYTES: usize = 1024;

/// Lines per second for requests that fail. They cost their clients nothing, and a client must not fill the disk.
const FAILED_LINES: u64 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// The lines of the present second.
static LINES: Mutex<LineCount> = Mutex::new(LineCount { began: None, written: 0, left_out: 0 });

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

/// The lines for requests that failed within a second.
#[derive(Debug)]
struct LineCount {
    began: Option<Instant>,
    written: u64,
    left_out: u64,
}

impl LineCount {
    /// Begins another second if the present one is over. Returns the number of lines that were left out in it.
    fn left_out_before(&mut self, now: Instant) -> u64 {
        if self.began.is_some_and(|began| now.duration_since(began) < SECOND) {
            return 0;
        }
        let left_out = self.left_out;
        *self = Self { began: Some(now), written: 0, left_out: 0 };
        left_out
    }

    /// Counts a line for a request that failed. Returns false if it should be left out.
    fn admit(&mut self) -> bool {
        if self.written < FAILED_LINES {
            self.written += 1;
            return true;
        }
        self.left_out += 1;
        false
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let (left_out, written) = {
            let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
            (lines.left_out_before(Instant::now()), self.status < 400 || lines.admit())
        };
        if left_out != 0 {
            tracing::warn!(
                target: "gatehouse::access", left_out,
                "more requests failed than the log has lines for; the metrics count them by status"
            );
        }
        if !written {
            return;
        }
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
    fn requests_that_fail_have_a_limited_number_of_lines_a_second_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut lines = LineCount { began: None, written: 0, left_out: 0 };
        assert_eq!(lines.left_out_before(start), 0);
        let admitted = (0..FAILED_LINES + 3).filter(|_| lines.admit()).count();
        assert_eq!(u64::try_from(admitted), Ok(FAILED_LINES));
        assert_eq!(lines.left_out_before(start + SECOND / 2), 0, "the second is not over");
        assert!(!lines.admit());
        assert_eq!(lines.left_out_before(start + SECOND), 4);
        assert!(lines.admit());
        assert_eq!(lines.left_out_before(start + SECOND * 3), 0, "said once");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(cut("/a"), "/a");
        assert_eq!(cut(&"a".repeat(LOGGED_BYTES)), "a".repeat(LOGGED_BYTES));
        assert_eq!(cut(&"a".repeat(LOGGED_BYTES + 1)), format!("{}...", "a".repeat(LOGGED_BYTES)));
        assert_eq!(cut(&"ä".repeat(LOGGED_BYTES)), format!("{}...", "ä".repeat(LOGGED_BYTES / 2)));
    }
}
