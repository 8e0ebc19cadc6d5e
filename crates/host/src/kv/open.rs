//! Opens the stores a server needs, from the manifest's labels and the runtime configuration.
//!
//! Opens only labels that some component was granted. Labels that lead to one file share one writer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::redis::Redis;
use super::sqlite::Sqlite;
use super::stats::Stats;
use super::{Backend, Calls, KvStats, Store};
use crate::runtime_config::{KeyValueStore, RuntimeConfig};

/// The label that needs no configuration.
const DEFAULT_LABEL: &str = "default";

/// Spin's name for the file that holds the stores.
const DEFAULT_FILE: &str = "sqlite_key_value.db";

/// The reason why a store cannot be opened; the operator has to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A label without configuration.
    #[error(
        "component {component:?} uses the key-value store {label:?}, for which the runtime configuration has no \
         [key_value_store.{label}]"
    )]
    Unconfigured {
        /// The component.
        component: String,
        /// The label.
        label: String,
    },
    /// The directory for the file cannot be made.
    #[error("cannot create the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be used.
    #[error("cannot open the SQLite file {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: rusqlite::Error,
    },
    /// The thread that writes the file cannot be started.
    #[error("cannot start the thread that writes {}", path.display())]
    Thread {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The server cannot be reached. The URL is not shown, because it may hold a password.
    #[error("cannot connect to the Redis server of the key-value store {label:?}")]
    Redis {
        /// The label.
        label: String,
        /// The reason.
        #[source]
        source: redis::RedisError,
    },
}

/// The open stores of a server.
pub(crate) struct Stores {
    by_label: BTreeMap<String, Store>,
    files: BTreeMap<PathBuf, Arc<Sqlite>>,
    stats: Arc<Stats>,
}

/// Everything needed to open the stores.
pub(crate) struct OpenStores<'a> {
    pub(crate) state_dir: &'a Path,
    pub(crate) runtime_config: &'a RuntimeConfig,
    /// Time limit of a call.
    pub(crate) timeout: Duration,
}

/// Time limit for waiting on another process that holds a file's lock: less than that of the call, so that the error
/// says what it waited for.
pub(super) fn lock_timeout(timeout: Duration) -> Duration {
    timeout / 2
}

impl OpenStores<'_> {
    /// Opens the stores for these grants, pairs of component and label.
    pub(crate) async fn open<'g>(
        &self,
        grants: impl IntoIterator<Item = (&'g str, &'g str)>,
    ) -> Result<Stores, OpenError> {
        let stats = Arc::<Stats>::default();
        let mut stores = Stores { by_label: BTreeMap::new(), files: BTreeMap::new(), stats: Arc::clone(&stats) };
        for (component, label) in grants {
            if stores.by_label.contains_key(label) {
                continue;
            }
            let backend = match self.runtime_config.key_value_stores.get(label) {
                None if label == DEFAULT_LABEL => stores.file(self.state_dir.join(DEFAULT_FILE), self.timeout)?,
                None => {
                    return Err(OpenError::Unconfigured { component: component.to_owned(), label: label.to_owned() });
                }
                Some(KeyValueStore::Spin { path: None }) => {
                    stores.file(self.state_dir.join(DEFAULT_FILE), self.timeout)?
                }
                Some(KeyValueStore::Spin { path: Some(path) }) => {
                    stores.file(self.state_dir.join(path), self.timeout)?
                }
                Some(KeyValueStore::Redis { url }) => Backend::Redis(
                    Redis::connect(url, self.timeout)
                        .await
                        .map_err(|source| OpenError::Redis { label: label.to_owned(), source })?,
                ),
            };
            let (stats, calls) = (Arc::clone(&stats), Calls::default());
            let store = Store { label: label.into(), backend, stats, timeout: self.timeout, calls };
            stores.by_label.insert(label.to_owned(), store);
        }
        Ok(stores)
    }
}

impl Stores {
    fn file(&mut self, path: PathBuf, timeout: Duration) -> Result<Backend, OpenError> {
        if let Some(open) = self.files.get(&path) {
            return Ok(Backend::Sqlite(Arc::clone(open)));
        }
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
        }
        let sqlite = Arc::new(Sqlite::open(&path, lock_timeout(timeout), Arc::clone(&self.stats.commits))?);
        self.files.insert(path, Arc::clone(&sqlite));
        Ok(Backend::Sqlite(sqlite))
    }

    pub(crate) fn get(&self, label: &str) -> Option<&Store> {
        self.by_label.get(label)
    }

    pub(crate) fn stats(&self) -> KvStats {
        self.stats.now()
    }

    /// Finishes every write that was asked for, and closes the files. Operations after this fail.
    pub(crate) async fn close(&self) {
        for sqlite in self.files.values() {
            sqlite.close().await;
        }
    }
}
