//! The harness of the end-to-end suites: starts the application as a process and talks to it only over HTTP.
//!
//! The suites run against the embedded host (`gatehouse up`), or against the `spin` binary that `GATEHOUSE_SPIN` names.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes, wait and read files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot continue has failed")]

mod app;
mod browser;
mod client;
pub mod command;
mod files;
pub mod hosts;
mod load;
mod network;
mod process;
mod random;
mod redis_server;
mod reply;
pub mod reports;
pub mod sample;
mod schema;
mod upload;
mod visitor;
mod wire;

pub use app::{ADMIN, App, Options, Store, each_store, embedded_only};
pub use browser::Browser;
pub use client::{Client, Page};
pub use files::{StoreFile, binary, component, data, workspace};
pub use load::Figures;
pub use network::{Hosts, Network};
pub use process::Usage;
pub use random::Random;
pub use reply::Reply;
pub use schema::Schemas;
pub use upload::Upload;
pub use visitor::{Visitor, unpacked};
