//! The thread that writes a SQLite file.
//!
//! It takes every change that is waiting, applies them in one transaction, commits, and only then answers. It never
//! waits for more to arrive: under load changes gather while the previous transaction is being synced. A change that
//! fails on its own account (an increment of something that is no counter) is undone alone; when the transaction fails,
//! every change in it is reported as failed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::{Error, Result, backend, get};

const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (store, key) DO UPDATE SET value = ?3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const CREATE: &str = "INSERT OR IGNORE INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)";
const REPLACE: &str = "UPDATE spin_key_value SET value = ?4 WHERE store = ?1 AND key = ?2 AND value = ?3";

/// Changes in one transaction, so that the first of very many does not wait for the last.
const GROUP_CHANGES_MAX: usize = 1024;

/// Bytes of a counter's value, a little-endian `i64`.
const COUNTER_BYTES: usize = 8;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Change {
    Set(Vec<(String, Vec<u8>)>),
    Delete(Vec<String>),
    Increment { key: String, delta: i64 },
    Swap { key: String, expected: Option<Vec<u8>>, new: Vec<u8> },
}

/// The result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// A swap found another value.
    Unchanged,
    Sum(i64),
}

struct Job {
    store: Arc<str>,
    change: Change,
    reply: oneshot::Sender<Result<Outcome>>,
}

pub(super) struct Writer {
    /// None once closed. The thread ends when the sender is gone and the queue is empty.
    running: Mutex<Option<(Sender<Job>, JoinHandle<()>)>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, commits: Arc<AtomicU64>) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("kv-writer".to_owned())
            .spawn(move || run(connection, &receiver, &commits))?;
        Ok(Self { running: Mutex::new(Some((sender, thread))) })
    }

    /// Has a change made; returns when it is durable.
    pub(super) async fn submit(&self, store: &Arc<str>, change: Change) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        let job = Job { store: Arc::clone(store), change, reply };
        {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let (sender, _) = running.as_ref().ok_or(Error::Closed)?;
            sender.send(job).map_err(|_| Error::Closed)?;
        }
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Waits until everything submitted so far is written and the file is closed.
    pub(super) async fn close(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((sender, thread)) = running else { return };
        drop(sender);
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the thread that writes the key-value store ended with a panic");
        }
    }
}

fn run(mut connection: Connection, jobs: &Receiver<Job>, commits: &AtomicU64) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP_CHANGES_MAX - 1));
        let outcomes = commit(&mut connection, &group, commits);
        for (job, outcome) in group.into_iter().zip(outcomes) {
            // Nobody waits any more when the request was given up.
            let _ = job.reply.send(outcome);
        }
    }
    // Leaves one file behind instead of three; a failure costs nothing, the log is replayed at the next start.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

/// Applies a group in one transaction. One outcome for each job, in their order.
fn commit(connection: &mut Connection, group: &[Job], commits: &AtomicU64) -> Vec<Result<Outcome>> {
    let all_failed = |error: rusqlite::Error| {
        tracing::error!(%error, changes = group.len(), "a key-value transaction failed");
        let error = backend(error);
        group.iter().map(|_| Err(error.clone())).collect()
    };
    let mut transaction = match connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return all_failed(error),
    };
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group {
        match apply_alone(&mut transaction, job) {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => return all_failed(error),
        }
    }
    match transaction.commit() {
        Ok(()) => {
            commits.fetch_add(1, Relaxed);
            outcomes
        }
        Err(error) => all_failed(error),
    }
}

/// Applies one change; the outer error is for what spoils the transaction. Only a change of several statements needs a
/// savepoint to be undone: a single statement undoes itself.
fn apply_alone(transaction: &mut rusqlite::Transaction<'_>, job: &Job) -> rusqlite::Result<Result<Outcome>> {
    let several = match &job.change {
        Change::Set(pairs) => 1 < pairs.len(),
        Change::Delete(keys) => 1 < keys.len(),
        Change::Increment { .. } | Change::Swap { .. } => false,
    };
    let outcome = if several {
        let savepoint = transaction.savepoint()?;
        let outcome = apply(&savepoint, job);
        if outcome.is_ok() {
            savepoint.commit()?;
        }
        outcome
    } else {
        apply(transaction, job)
    };
    // SQLite ends the whole transaction on its own when, say, the disk is full.
    if transaction.is_autocommit() {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
            outcome.err().map(|error| error.to_string()),
        ));
    }
    Ok(outcome)
}

fn apply(connection: &Connection, job: &Job) -> Result<Outcome> {
    let store = &*job.store;
    let execute = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute(parameters)).map_err(backend)
    };
    match &job.change {
        Change::Set(pairs) => {
            for (key, value) in pairs {
                execute(SET, params![store, key, value])?;
            }
            Ok(Outcome::Done)
        }
        Change::Delete(keys) => {
            for key in keys {
                execute(DELETE, params![store, key])?;
            }
            Ok(Outcome::Done)
        }
        Change::Increment { key, delta } => {
            let before = match get(connection, store, key).map_err(backend)? {
                None => 0,
                Some(value) => counter(key, &value)?,
            };
            let sum = before.checked_add(*delta).ok_or_else(|| Error::Overflow { key: key.clone(), delta: *delta })?;
            execute(SET, params![store, key, sum.to_le_bytes()])?;
            Ok(Outcome::Sum(sum))
        }
        Change::Swap { key, expected, new } => {
            let changed = match expected {
                Some(expected) => execute(REPLACE, params![store, key, expected, new])?,
                None => execute(CREATE, params![store, key, new])?,
            };
            Ok(if changed == 1 { Outcome::Done } else { Outcome::Unchanged })
        }
    }
}

fn counter(key: &str, value: &[u8]) -> Result<i64> {
    let bytes: [u8; COUNTER_BYTES] =
        value.try_into().map_err(|_| Error::NotACounter { key: key.to_owned(), bytes: value.len() })?;
    Ok(i64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::sqlite::{open_for_reading, open_for_writing};
    use std::time::Duration;

    fn set(pairs: &[(&str, &[u8])]) -> Change {
        Change::Set(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect())
    }

    #[tokio::test]
    async fn on_a_full_disk_what_does_not_fit_fails_as_a_whole_and_what_fits_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full.db");
        let connection = open_for_writing(&path, Duration::from_secs(1)).unwrap();
        // SQLite's limit of the file's size has the effect of a full disk.
        connection.pragma_update(None, "max_page_count", 40).unwrap();
        let writer = Writer::start(connection, Arc::default()).unwrap();
        let (store, large) = (Arc::from("default"), vec![7; 100_000]);
        writer.submit(&store, set(&[("kept", &large)])).await.unwrap();

        let error = writer.submit(&store, set(&[("first", b"v"), ("second", &large)])).await.unwrap_err();
        assert!(matches!(&error, Error::Backend(text) if text.contains("full")), "{error:?}");
        let read = |key: &str| get(&open_for_reading(&path).unwrap(), "default", key).unwrap();
        assert_eq!((read("first"), read("second")), (None, None), "a part of a change was written");
        assert_eq!(read("kept"), Some(large.clone()));

        writer.submit(&store, set(&[("small", b"v")])).await.unwrap();
        writer.submit(&store, Change::Delete(vec!["kept".to_owned()])).await.unwrap();
        writer.submit(&store, set(&[("first", b"v"), ("second", &large)])).await.unwrap();
        assert_eq!((read("first"), read("second")), (Some(b"v".to_vec()), Some(large)));
        writer.close().await;
    }
}
