//! Version 1 of the HTTP API: requests, responses, problems, authentication and paging.
//!
//! The only crate that knows the formats on the wire. It makes no decision about findings and does not use the Spin
//! SDK.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests renew documents"))]
#![forbid(unsafe_code)]

pub mod access;
pub mod auth;
pub mod body;
pub mod calls;
pub mod internal;
pub mod openapi;
pub mod outbox;
pub mod page;
pub mod path;
pub mod problem;
pub mod project_context;
pub mod query;
pub mod scan_answer;
pub mod v1;

pub use problem::{Code, Problem};
