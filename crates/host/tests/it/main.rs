//! The host from outside: real components, real HTTP, a server of its own for each test.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes, wait and read files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod admin;
mod clients;
mod cold_start;
mod limits;
mod outbound;
mod redis_server;
mod requests;
mod shutdown;
mod start;
mod stores;
mod support;
