//! What a request may use. Each limit has to be chosen: there is no `Default`.

use std::time::Duration;

/// The limits of a server. Exceeding one fails the request it concerns and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory one instance of a component may have. Beyond it, `memory.grow` fails in the guest.
    pub guest_memory_bytes: usize,
    /// How long a component may take from the arrival of the request head to the head of its response, the time the
    /// client needs to send the body included; and how long it may go on working after that.
    pub request_timeout: Duration,
    /// Bytes of request body as sent, before any decompression.
    pub body_bytes: u64,
    /// Requests from outside that may be in progress. Calls between components do not count.
    pub concurrent_requests: usize,
    /// How long a client may take to send the head of a request, and how long a connection may be idle.
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

/// How long an instance of a component serves before it is dropped. Only WASI 0.3 components are reused at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reuse {
    /// Requests one instance serves in its life; 1 means a fresh instance for each.
    pub requests: usize,
    /// Requests one instance serves at a time.
    pub concurrent: usize,
    /// How long an instance without work is kept.
    pub idle: Duration,
}

impl Reuse {
    /// What Spin 4.1 does by default: 128 requests, 16 at a time, 1 s (its `trigger-http/src/lib.rs`).
    pub const fn standard() -> Self {
        Self { requests: 128, concurrent: 16, idle: Duration::from_secs(1) }
    }
}
