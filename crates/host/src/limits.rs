//! Limits of requests and connections. Every limit must be chosen; there is no `Default`.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The limits of a server. Exceeding one fails the request it concerns and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory one instance of a component may have. Beyond it, `memory.grow` fails in the guest.
    pub guest_memory_bytes: usize,
    /// Bytes of linear memory of all instances. While they have more, no request is accepted.
    pub total_memory_bytes: usize,
    /// Time limit of a component from the arrival of the request's head to the head of its response, including the time
    /// in which the client sends the body; and again for its work after that.
    pub request_timeout: Duration,
    /// Time limit of a call to a key-value store. The component gets an error that says so.
    pub store_timeout: Duration,
    /// Bytes of request body as sent, before any decompression.
    pub body_bytes: u64,
    /// Requests from outside that may be in progress. Calls between components do not count.
    pub concurrent_requests: usize,
    /// Of these, requests without a credential, which is a header `Authorization` or `Cookie`; a quarter of them for
    /// one client network.
    pub anonymous_requests: usize,
    /// Of all requests, large ones that may be in progress. They keep a core busy each, so more of them would only hold
    /// one another up, and everyone else. The last place is for a project and a credential that have none.
    pub large_requests: usize,
    /// Bytes of body from which on a request is large; an eighth of it, if the body is compressed.
    pub large_bytes: u64,
    /// Open connections. When there are no more, the one that has been idle for longest is closed for the next.
    pub connections: usize,
    /// Of these, connections of one client network.
    pub connections_per_client: usize,
    /// Time limit for the head of a request.
    pub header_timeout: Duration,
    /// Time limit for a connection without a request.
    pub idle_timeout: Duration,
    /// Age at which a connection ends, with its request in progress finished.
    pub connection_age: Duration,
    /// Time that a client may be waited for while it sends a body or reads a response. Each KiB that it sends or reads
    /// gives it a second of this back.
    pub stall_timeout: Duration,
}

/// The number of cores that the host may use; 1 if the system does not tell.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

impl Limits {
    /// 128 MiB for an instance and 4 GiB for all; 30 s for a request and 10 s for a call to a store; 300 MiB of body;
    /// 256 requests, 128 of them without a credential, and as many with over 4 MiB of body as there are cores, at least
    /// 2; 1,024 connections, 256 of them for one client network; 30 s for a head, 15 s without a request, 10 minutes of
    /// age, 15 s of waiting for a client.
    pub fn standard() -> Self {
        Self {
            guest_memory_bytes: 128 << 20,
            total_memory_bytes: 4 << 30,
            request_timeout: Duration::from_secs(30),
            store_timeout: Duration::from_secs(10),
            body_bytes: 300 << 20,
            concurrent_requests: 256,
            anonymous_requests: 128,
            large_requests: cores().max(2),
            large_bytes: 4 << 20,
            connections: 1024,
            connections_per_client: 256,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(15),
            connection_age: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(15),
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
    /// 128 requests, as many as in Spin 4.1; one at a time, where Spin has 16; 1 s (its `trigger-http/src/lib.rs`). A
    /// request that computes holds up all others of its instance.
    pub const fn standard() -> Self {
        Self { requests: 128, concurrent: 1, idle: Duration::from_secs(1) }
    }
}
