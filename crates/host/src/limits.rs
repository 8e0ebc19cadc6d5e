//! Limits of a request. Every limit must be chosen; there is no `Default`.

use std::time::Duration;

/// The limits of a server. Exceeding one fails the request it concerns and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory one instance of a component may have. Beyond it, `memory.grow` fails in the guest.
    pub guest_memory_bytes: usize,
    /// Time limit of a component from the arrival of the request's head to the head of its response, including the time in
    /// which the client sends the body; and again for its work after that.
    pub request_timeout: Duration,
    /// Bytes of request body as sent, before any decompression.
    pub body_bytes: u64,
    /// Requests from outside that may be in progress. Calls between components do not count.
    pub concurrent_requests: usize,
    /// Time limit for the head of a request, and for an idle connection.
    pub header_timeout: Duration,
    /// Open connections; more wait to be accepted.
    pub connections: usize,
}

impl Limits {
    /// 128 MiB, 30 s, 300 MiB, 256 requests, 30 s for a head, 1,024 connections.
    pub const fn standard() -> Self {
        Self {
            guest_memory_bytes: 128 << 20,
            request_timeout: Duration::from_secs(30),
            body_bytes: 300 << 20,
            concurrent_requests: 256,
            header_timeout: Duration::from_secs(30),
            connections: 1024,
        }
    }
}

/// Limits of the reuse of an instance. Only WASI 0.3 components are reused at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reuse {
    /// Requests one instance serves in its life; 1 means a fresh instance for each.
    pub requests: usize,
    /// Requests one instance serves at a time.
    pub concurrent: usize,
    /// Time until an idle instance is dropped.
    pub idle: Duration,
}

impl Reuse {
    /// Returns Spin 4.1's default: 128 requests, 16 at a time, 1 s (its `trigger-http/src/lib.rs`).
    pub const fn standard() -> Self {
        Self { requests: 128, concurrent: 16, idle: Duration::from_secs(1) }
    }
}
