//! An incoming request body whose rest can be discarded. A browser reads the answer only after it has sent the whole
//! body; an earlier answer shows as a broken connection.

use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::stream::{self, LocalBoxStream, Stream, StreamExt as _};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// The most bytes to discard: the size of the largest report.
const DISCARDED_BYTES_MAX: u64 = finding::limits::REPORT_BYTES_MAX;

/// An incoming body.
pub(crate) struct Incoming {
    bytes: Rc<RefCell<LocalBoxStream<'static, Result<Bytes, Problem>>>>,
    is_discarded: Rc<Cell<bool>>,
    /// The waker of the task that waits for the next bytes.
    waiting: Rc<RefCell<Option<Waker>>>,
}

impl Incoming {
    /// The body of this stream.
    pub(crate) fn new(bytes: impl Stream<Item = Result<Bytes, Problem>> + 'static) -> Self {
        Self { bytes: Rc::new(RefCell::new(bytes.boxed_local())), is_discarded: Rc::default(), waiting: Rc::default() }
    }

    /// The bytes, until the rest is discarded.
    pub(crate) fn reader(&self) -> impl Stream<Item = Result<Bytes, Problem>> + 'static {
        let (bytes, waiting) = (Rc::clone(&self.bytes), Rc::clone(&self.waiting));
        let is_discarded = Rc::clone(&self.is_discarded);
        stream::poll_fn(move |context| match is_discarded.get() {
            // Of two tasks that wait for the same bytes only one would be woken.
            true => Poll::Ready(Some(Err(Problem::new(Code::ReportTruncated, "the upload was aborted")))),
            false => {
                waiting.replace(Some(context.waker().clone()));
                bytes.borrow_mut().poll_next_unpin(context)
            }
        })
    }

    /// Discards the rest, up to the size of the largest report.
    pub(crate) async fn discard(&self) {
        self.is_discarded.set(true);
        // Otherwise the reader would wait for bytes that are read here.
        let waker = self.waiting.take();
        waker.iter().for_each(Waker::wake_by_ref);
        let mut read: u64 = 0;
        while read < DISCARDED_BYTES_MAX {
            let next = stream::poll_fn(|context| self.bytes.borrow_mut().poll_next_unpin(context)).next().await;
            let Some(Ok(bytes)) = next else { return };
            read = read.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    #[test]
    fn the_rest_is_discarded_and_the_reader_fails() {
        let read = Rc::new(Cell::new(0));
        let count = Rc::clone(&read);
        let pieces = stream::iter(0..10).map(move |_| {
            count.set(count.get() + 1);
            Ok(Bytes::from_static(b"x"))
        });
        block_on(async {
            let incoming = Incoming::new(pieces);
            let mut reader = incoming.reader();
            assert_eq!(reader.next().await, Some(Ok(Bytes::from_static(b"x"))));
            incoming.discard().await;
            assert_eq!(read.get(), 10);
            assert!(reader.next().await.is_some_and(|end| end.is_err()), "the upload is incomplete");
        });
    }
}
