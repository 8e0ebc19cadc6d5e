//! Signs of life of uploads that others wait for.
//!
//! While an upload works, it writes a document again and again. Who waits for it compares the document with what it was
//! before: unchanged for a while, by the waiter's own clock, means that the upload is dead. So no clocks of two hosts
//! are compared. A living upload that is merely slow may be taken for dead; then both go on, and the scan is frozen
//! once all the same.

use api::problem::Problem;
use futures::future::{Either, select};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use store::document;
use store::kv::{Kv, KvError};
use store::poll::Clock;
use store::records::SignOfLife;

/// The time between two signs of life. Work that takes less time writes none.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// The time without a new sign of life after which an upload is taken for dead: several signs are missing.
pub(crate) const DEAD_AFTER: Duration = Duration::from_millis(1500);

/// When work shows its first sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// At once: it goes on where a dead upload stopped.
    AtOnce,
    /// Only if it takes long.
    Later,
}

/// Runs `work`, and meanwhile shows signs of life under these keys. They are removed when the work is done.
///
/// # Errors
/// The work or the store failed.
pub(crate) async fn while_alive<T>(
    kv: &impl Kv,
    clock: &impl Clock,
    keys: &[String],
    first: First,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let mut work = pin!(work);
    let mut shown = first == First::AtOnce;
    if shown {
        show(kv, clock, keys).await?;
    }
    let done = loop {
        let writes = Cell::new(false);
        let beat = async {
            clock.sleep(BEAT_EVERY).await;
            writes.set(true);
            show(kv, clock, keys).await
        };
        match select(work.as_mut(), pin!(beat)).await {
            Either::Right((written, _)) => {
                written?;
                shown = true;
            }
            Either::Left((done, beat)) => {
                // A write that has begun might otherwise be done after the sign is removed.
                if writes.get() {
                    beat.await?;
                    shown = true;
                }
                break done;
            }
        }
    };
    if shown {
        for key in keys {
            kv.delete(key).await?;
        }
    }
    done
}

async fn show(kv: &impl Kv, clock: &impl Clock, keys: &[String]) -> Result<(), KvError> {
    let beat = u64::try_from(clock.now().as_nanos()).unwrap_or(u64::MAX);
    for key in keys {
        document::put(kv, key, &SignOfLife::beat(beat)).await?;
    }
    Ok(())
}

/// The signs of life that a waiter has looked at.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// For each key: the value, and when it was first seen.
    seen: BTreeMap<String, (Option<Vec<u8>>, Duration)>,
}

/// A sign of life, as a waiter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The time for which it has not changed since the waiter first looked at it.
    pub(crate) silent: Duration,
    /// True if nobody has this turn.
    pub(crate) given_up: bool,
}

impl Signs {
    /// Looks at a sign of life.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn look(&mut self, kv: &impl Kv, clock: &impl Clock, key: String) -> Result<Seen, KvError> {
        let value = kv.get(&key).await?;
        let now = clock.now();
        let sign = value.as_deref().map(|value| document::decode::<SignOfLife>(&key, value)).transpose()?;
        let given_up = sign.is_some_and(|sign| sign.given_up);
        let (known, since) = self.seen.entry(key).or_insert_with(|| (value.clone(), now));
        if *known != value {
            (*known, *since) = (value, now);
        }
        Ok(Seen { silent: now.saturating_sub(*since), given_up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::future::join;
    use store::memory::MemoryKv;

    const KEY: &str = "gh:sign";

    fn keys() -> [String; 1] {
        [KEY.to_owned()]
    }

    /// Looks at the sign of life until it is silent for so long, at most for a minute. Returns when that was.
    async fn dead(kv: &MemoryKv) -> Option<Duration> {
        let mut signs = Signs::default();
        let found = store::poll::until(kv, Duration::from_secs(60), async |_| {
            let seen = signs.look(kv, kv, KEY.to_owned()).await?;
            Ok::<_, KvError>((seen.silent >= DEAD_AFTER).then_some(kv.now()))
        });
        found.await.unwrap()
    }

    #[test]
    fn short_work_writes_nothing_and_long_work_leaves_nothing() {
        for (takes, beats) in [(400, false), (5_000, true)] {
            let kv = MemoryKv::default();
            let work = async {
                kv.sleep(Duration::from_millis(takes)).await;
                Ok(7)
            };
            assert_eq!(block_on(while_alive(&kv, &kv, &keys(), First::Later, work)), Ok(7));
            assert_eq!(kv.operations().1 > 0, beats, "{takes} ms");
            assert!(kv.contents().is_empty());
        }
    }

    #[test]
    fn work_of_a_minute_is_alive_all_the_time_and_dead_work_is_seen_after_it() {
        let kv = MemoryKv::default();
        let work = async {
            kv.sleep(Duration::from_secs(20)).await;
            Ok(kv.now())
        };
        let (ended, dead) = block_on(join(while_alive(&kv, &kv, &keys(), First::Later, work), dead(&kv)));
        let silent = dead.unwrap().saturating_sub(ended.unwrap());
        assert!(DEAD_AFTER <= silent && silent < Duration::from_secs(2), "{silent:?} after its end");
    }

    #[test]
    fn an_upload_without_a_sign_is_dead_and_so_is_one_of_an_old_version() {
        for old in [false, true] {
            let kv = MemoryKv::default();
            if old {
                block_on(kv.set(KEY, br#"{"v":1,"findings":100000}"#)).unwrap();
            }
            let dead = block_on(dead(&kv)).unwrap();
            assert!(DEAD_AFTER <= dead && dead < Duration::from_secs(2), "{dead:?}");
        }
    }

    #[test]
    fn a_retry_shows_a_sign_at_once() {
        let kv = MemoryKv::default();
        let work = async { Ok(kv.contents().contains_key(KEY)) };
        assert_eq!(block_on(while_alive(&kv, &kv, &keys(), First::AtOnce, work)), Ok(true));
        assert!(kv.contents().is_empty());
    }

    #[test]
    fn an_error_of_the_work_is_its_result() {
        let kv = MemoryKv::default();
        let work = async { Err::<(), _>(Problem::internal("failed")) };
        let failed = block_on(while_alive(&kv, &kv, &keys(), First::Later, work));
        assert_eq!(failed, Err(Problem::internal("failed")));
    }
}
