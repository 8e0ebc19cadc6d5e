//! The SQLite back end: one file in Spin's own layout (its `key-value-spin/src/store.rs`), so that the same file serves
//! either host.
//!
//! One thread owns the only connection that writes ([`writer`]); it commits everything that is waiting in one
//! transaction, so that many writes cost one sync of the disk. Reads use connections of their own, which in WAL mode
//! never wait for the writer and see whatever was committed before they began. It does not namespace keys beyond the
//! label, and knows nothing of expiry.

mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use self::writer::{Change, Outcome, Writer};
use super::{Error, OpenError, Result};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL, \
                     value BLOB NOT NULL, PRIMARY KEY (store, key))";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const EXISTS: &str = "SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1";

/// Idle read connections that are kept. There are never more readers than threads that may block.
const READERS_KEPT: usize = 16;

pub(super) struct Sqlite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Writer,
}

impl Sqlite {
    /// Opens or creates the file and starts its writer, which counts its transactions in `commits`. The writer waits up
    /// to `lock_timeout` for another process that holds the file's lock.
    pub(super) fn open(
        path: &Path,
        lock_timeout: Duration,
        commits: Arc<AtomicU64>,
    ) -> std::result::Result<Self, OpenError> {
        let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let connection = open_for_writing(path, lock_timeout).map_err(failed)?;
        let reader = open_for_reading(path).map_err(failed)?;
        let writer =
            Writer::start(connection, commits).map_err(|source| OpenError::Thread { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), readers: Mutex::new(vec![reader]), writer })
    }

    /// Reads on the calling thread. A read of one key takes a few microseconds from the page cache; handing the thread
    /// over for that, with `block_in_place`, cost a quarter of the throughput when measured. Several keys are worth it.
    /// Never waits for a lock: that would keep the thread from others.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => open_for_reading(&self.path).map_err(backend)?,
        };
        let result = read(&connection).map_err(backend);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        result
    }

    pub(super) fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.read(|connection| get(connection, store, key))
    }

    pub(super) fn exists(&self, store: &str, key: &str) -> Result<bool> {
        self.read(|connection| connection.prepare_cached(EXISTS)?.exists(params![store, key]))
    }

    pub(super) fn get_many(&self, store: &str, keys: &[String]) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        let read_one = |connection: &Connection, key: &String| {
            let value = get(connection, store, key)?;
            Ok((key.clone(), value))
        };
        tokio::task::block_in_place(|| {
            self.read(|connection| keys.iter().map(|key| read_one(connection, key)).collect())
        })
    }

    pub(super) async fn keys(self: &Arc<Self>, store: &Arc<str>) -> Result<Vec<String>> {
        let (this, store) = (Arc::clone(self), Arc::clone(store));
        let listing = tokio::task::spawn_blocking(move || {
            this.read(|connection| connection.prepare_cached(KEYS)?.query_map([&store], |row| row.get(0))?.collect())
        });
        listing.await.map_err(|error| Error::Backend(error.to_string()))?
    }

    pub(super) async fn set_many(&self, store: &Arc<str>, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        self.writer.submit(store, Change::Set(pairs)).await.map(drop)
    }

    pub(super) async fn delete_many(&self, store: &Arc<str>, keys: Vec<String>) -> Result<()> {
        self.writer.submit(store, Change::Delete(keys)).await.map(drop)
    }

    pub(super) async fn increment(&self, store: &Arc<str>, key: String, delta: i64) -> Result<i64> {
        match self.writer.submit(store, Change::Increment { key, delta }).await? {
            Outcome::Sum(sum) => Ok(sum),
            Outcome::Done | Outcome::Unchanged => Err(Error::Backend("an increment had no sum".to_owned())),
        }
    }

    pub(super) async fn swap(
        &self,
        store: &Arc<str>,
        key: String,
        expected: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> Result<bool> {
        let outcome = self.writer.submit(store, Change::Swap { key, expected, new }).await?;
        Ok(outcome == Outcome::Done)
    }

    /// Commits what is waiting and closes the file.
    pub(super) async fn close(&self) {
        self.writer.close().await;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn open_for_writing(path: &Path, lock_timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(lock_timeout)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the log at every commit; NORMAL, the usual choice with WAL, would lose acknowledged writes when the
    // machine stops.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute(TABLE, [])?;
    Ok(connection)
}

fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn get(connection: &Connection, store: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.prepare_cached(GET)?.query_row(params![store, key], |row| row.get(0)).optional()
}

fn backend(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy) => Error::Locked,
        _ => Error::Backend(error.to_string()),
    }
}
