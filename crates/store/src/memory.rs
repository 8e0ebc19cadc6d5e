//! A store in memory, for tests. It counts operations and can be made to fail.

use crate::kv::{BlockingKv, Counter, Kv, KvError};
use crate::poll::Clock;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A store in memory. Every operation yields once before it starts, so that concurrent futures interleave.
#[derive(Debug, Default)]
pub struct MemoryKv {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    counters: RefCell<BTreeMap<String, u64>>,
    reads: Cell<u64>,
    writes: Cell<u64>,
    fail_after_writes: Cell<Option<u64>>,
    time: Cell<Duration>,
}

/// The time that passes each time somebody who sleeps is asked if they are done. An operation of the store takes a turn
/// too, so those who work get on while others sleep, and a moment later is a moment later for all.
const TICK: Duration = Duration::from_millis(1);

impl MemoryKv {
    /// The numbers of reads and writes so far.
    pub fn operations(&self) -> (u64, u64) {
        (self.reads.get(), self.writes.get())
    }

    /// Lets this many further writes succeed and all later ones fail, like a host that dies. `None` ends the failure.
    pub fn fail_after_writes(&self, writes: Option<u64>) {
        self.fail_after_writes.set(writes);
    }

    /// All keys with their values.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.values.borrow().clone()
    }

    /// Lets the other futures get on once.
    pub async fn pause(&self) {
        Yield::default().await;
    }

    fn write(&self, key: &str) -> Result<(), KvError> {
        self.writes.set(self.writes.get() + 1);
        match self.fail_after_writes.get() {
            Some(0) => Err(KvError::Unavailable { key: key.to_owned(), reason: "made to fail".to_owned() }),
            Some(left) => {
                self.fail_after_writes.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl BlockingKv for MemoryKv {
    fn get_now(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.values.borrow().get(key).cloned())
    }

    fn set_now(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.write(key)?;
        let max = domain::limits::VALUE_BYTES_MAX;
        if value.len() > max {
            return Err(KvError::TooLarge { key: key.to_owned(), bytes: value.len(), max });
        }
        self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }
}

impl Kv for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        Yield::default().await;
        self.get_now(key)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        Yield::default().await;
        self.set_now(key, value)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        Yield::default().await;
        self.write(key)?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }
}

impl Counter for MemoryKv {
    async fn increment(&self, key: &str) -> Result<u64, KvError> {
        Yield::default().await;
        self.write(key)?;
        let mut counters = self.counters.borrow_mut();
        let counter = counters.entry(key.to_owned()).or_insert(0);
        *counter += 1;
        Ok(*counter)
    }
}

impl Clock for MemoryKv {
    fn now(&self) -> Duration {
        self.time.get()
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.time.get().saturating_add(duration);
        while self.time.get() < end {
            self.time.set(self.time.get() + TICK);
            Yield::default().await;
        }
    }
}

/// A future that is pending once.
#[derive(Default)]
struct Yield {
    done: bool,
}

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.done, true) {
            return Poll::Ready(());
        }
        ctx.waker().wake_by_ref();
        Poll::Pending
    }
}
