//! Errors of starting and stopping a server.
//!
//! One variant for each module that can fail, with the error it gave as source.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::toml_file::TomlError;
use crate::{engine, kv, manifest, outbound, routes, variables};

/// Errors of starting and stopping a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read: the operator's to fix.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A component's file cannot be read, most often because it was not built.
    #[error("cannot read {} of component {component:?}", path.display())]
    ReadComponent {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The built-in manifest names a file that is not built in: a mistake of the program.
    #[error("component {component:?} has the source {name:?}, which is not built into this program")]
    NotEmbedded {
        /// The component.
        component: String,
        /// The file.
        name: String,
    },
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The runtime configuration is not valid.
    #[error(transparent)]
    RuntimeConfig(#[from] TomlError),
    /// A variable of the application has no value, or one too many.
    #[error(transparent)]
    Variables(#[from] variables::Error),
    /// A template of a component cannot be expanded.
    #[error("component {component:?}")]
    Template {
        /// The component.
        component: String,
        /// The reason.
        #[source]
        source: variables::Error,
    },
    /// A component's `allowed_outbound_hosts` are not valid.
    #[error("component {component:?}")]
    Outbound {
        /// The component.
        component: String,
        /// The reason.
        #[source]
        source: outbound::Error,
    },
    /// The routes cannot be served.
    #[error(transparent)]
    Routes(#[from] routes::Error),
    /// A key-value store cannot be opened.
    #[error(transparent)]
    KeyValue(#[from] kv::OpenError),
    /// A component cannot be run.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The address cannot be listened on: the operator's to fix.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The address of health and metrics cannot be listened on: the operator's to fix.
    #[error("cannot listen on {address} for health and metrics; choose another address, or none, with --admin-listen")]
    AdminListen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The server was started in a runtime with one thread: a mistake of the program.
    #[error("the server needs tokio's multi-threaded runtime")]
    Runtime,
    /// The server was stopped before everything it had accepted was finished.
    #[error("{unfinished} requests or instances were still at work after {grace:?} and were given up")]
    Unfinished {
        /// Their number.
        unfinished: usize,
        /// The time waited.
        grace: Duration,
    },
    /// A task of the host ended with a panic: a mistake of this crate.
    #[error("a task of the host failed")]
    Task(#[source] tokio::task::JoinError),
}
