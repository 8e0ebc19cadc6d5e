//! Version 1 of the HTTP API: what stands in requests and responses, problems, authentication and paging.
//!
//! The one place where wire formats are known. Nothing here decides about findings, and nothing knows the Spin SDK.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read fixtures"))]
#![forbid(unsafe_code)]

pub mod announce;
pub mod auth;
pub mod body;
pub mod calls;
pub mod context;
pub mod internal;
pub mod openapi;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod v1;

pub use problem::{Code, Problem};
