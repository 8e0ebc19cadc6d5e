//! The calls of one instance to its stores: each in a task of its own, bounded in number and in time.
//!
//! A component may hold its instance, with a synchronous call or by computing, while others of its calls are under way.
//! Nobody polls their futures then. The Redis client gives its places to futures in turn and waits for each of them, so
//! a few futures that nobody polls would stop the store for every component. A task is always polled.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Error, Result};

/// Calls of an instance that are with the back end at a time; more wait.
const AT_WORK: usize = 64;

/// Calls of an instance that may be under way, those that wait included. More are refused, because each keeps its value
/// in the host's memory.
pub(super) const UNDER_WAY: usize = 1024;

/// The calls of one instance.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    under_way: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { under_way: Arc::new(Semaphore::new(UNDER_WAY)), at_work: Arc::new(Semaphore::new(AT_WORK)) }
    }
}

impl Calls {
    /// Does `work` in a task, which goes on when the caller no longer waits: a write is not ended half-way.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let Ok(under_way) = Arc::clone(&self.under_way).try_acquire_owned() else {
            return Err(Error::TooManyCalls(UNDER_WAY));
        };
        let at_work = Arc::clone(&self.at_work);
        // The wait for a place is in the task, too: a place must not be given to a future that nobody polls.
        let task = tokio::spawn(async move {
            let _under_way = under_way;
            let limited = tokio::time::timeout(limit, async {
                let _place = at_work.acquire().await;
                work.await
            });
            limited.await.unwrap_or(Err(Error::Timeout(limit)))
        });
        task.await.map_err(|error| Error::Backend(error.to_string()))?
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::task::Poll;

    use futures::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_an_error_that_says_so() {
        let limit = Duration::from_millis(20);
        let error = Calls::default().run(limit, pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(error, Error::Timeout(limit));
        assert!(error.to_string().contains("within 0.02 seconds"), "{error}");
    }

    #[tokio::test]
    async fn a_call_nobody_waits_for_is_finished() {
        let (sender, receiver) = oneshot::channel();
        let calls = Calls::default();
        let work = async move {
            tokio::task::yield_now().await;
            let _ = sender.send("done");
            Ok(())
        };
        let mut call = Box::pin(calls.run(PATIENCE, work));
        assert_eq!(futures::poll!(call.as_mut()), Poll::Pending);
        drop(call);
        assert_eq!(receiver.await, Ok("done"));
    }

    #[tokio::test]
    async fn calls_that_nobody_polls_keep_no_place() {
        let calls = Calls::default();
        let mut forgotten: Vec<_> = (0..2 * AT_WORK)
            .map(|_| {
                Box::pin(calls.run(PATIENCE, async {
                    tokio::task::yield_now().await;
                    Ok(())
                }))
            })
            .collect();
        for call in &mut forgotten {
            assert_eq!(futures::poll!(call.as_mut()), Poll::Pending);
        }
        assert_eq!(calls.run(PATIENCE, async { Ok(7) }).await, Ok(7));
        assert!(join_all(forgotten).await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn one_instance_cannot_pile_up_calls() {
        let calls = Calls::default();
        let mut waiting: Vec<_> =
            (0..UNDER_WAY).map(|_| Box::pin(calls.run(PATIENCE, pending::<Result<()>>()))).collect();
        for call in &mut waiting {
            assert_eq!(futures::poll!(call.as_mut()), Poll::Pending);
        }
        assert_eq!(calls.run(PATIENCE, async { Ok(()) }).await, Err(Error::TooManyCalls(UNDER_WAY)));
        assert_eq!(Calls::default().run(PATIENCE, async { Ok(()) }).await, Ok(()));
    }
}
