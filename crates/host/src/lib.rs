//! The embedded host: serves a Spin application, a `spin.toml` and its WebAssembly components, where no `spin` is
//! installed.
//!
//! It implements the part of Spin 4.1 that such an application needs, in Spin's own file formats, so that either host
//! can take over from the other: HTTP triggers, variables, key-value stores on SQLite or Redis, calls to allowed hosts
//! and between components. What it does not implement it refuses by name when it starts; nothing is ignored.
//!
//! The manifest limits a component's rights, and [`Limits`] the resources of a request. A component that traps,
//! loops or fills its memory fails its own requests and no others.
//!
//! ```no_run
//! # async fn run() -> Result<(), host::Error> {
//! use host::{AppSource, Config, Server};
//!
//! let server = Server::start(Config::new(AppSource::Manifest("spin.toml".into()), ".spin")).await?;
//! println!("http://{}", server.local_addr());
//! server.shutdown(std::time::Duration::from_secs(30)).await
//! # }
//! ```
//!
//! The log goes through `tracing`: `gatehouse::access` has a line for each request, `gatehouse::guest` what components
//! print, `gatehouse::outbound` what was refused, and `gatehouse::kv` (at debug level) the work of the stores.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an outer crate: it is what reads files, clocks and the environment"
)]

mod access;
mod admin;
mod admission;
mod app;
mod bindings;
mod body;
mod client;
mod config;
mod connections;
mod counts;
pub mod engine;
mod error;
mod guest;
mod headers;
mod instance;
pub mod kv;
mod lifecycle;
mod limits;
pub mod manifest;
mod metrics;
pub mod outbound;
mod pace;
mod problem;
mod progress;
pub mod routes;
pub mod runtime_config;
mod server;
mod start;
pub mod toml_file;
pub mod variables;

pub use config::{AppSource, Config, default_cache_dir};
pub use error::Error;
pub use kv::KvStats;
pub use limits::{Limits, Reuse};
pub use manifest::Manifest;
pub use outbound::{Network, NotANetwork};
pub use server::Server;
