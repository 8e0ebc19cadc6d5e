//! An upload as it comes in, of which the rest can be let go. A browser listens for the answer only once it has sent
//! everything: one that is answered before tells of a broken connection instead.

use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::stream::{self, LocalBoxStream, Stream, StreamExt as _};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How many bytes are read for nothing: as many as the largest report has.
const LEFT_BYTES_MAX: u64 = finding::limits::REPORT_BYTES_MAX;

/// What comes in.
pub(crate) struct Incoming {
    bytes: Rc<RefCell<LocalBoxStream<'static, Result<Bytes, Problem>>>>,
    left: Rc<Cell<bool>>,
    /// Whoever waits for the next bytes.
    waiting: Rc<RefCell<Option<Waker>>>,
}

impl Incoming {
    /// What comes in by this stream.
    pub(crate) fn new(bytes: impl Stream<Item = Result<Bytes, Problem>> + 'static) -> Self {
        Self { bytes: Rc::new(RefCell::new(bytes.boxed_local())), left: Rc::default(), waiting: Rc::default() }
    }

    /// The bytes, until the rest is let go.
    pub(crate) fn reader(&self) -> impl Stream<Item = Result<Bytes, Problem>> + 'static {
        let (bytes, left, waiting) = (Rc::clone(&self.bytes), Rc::clone(&self.left), Rc::clone(&self.waiting));
        stream::poll_fn(move |context| match left.get() {
            // Two who wait for the same bytes would not both be woken.
            true => Poll::Ready(Some(Err(Problem::new(Code::ReportTruncated, "the upload was given up")))),
            false => {
                waiting.replace(Some(context.waker().clone()));
                bytes.borrow_mut().poll_next_unpin(context)
            }
        })
    }

    /// Lets the rest go, as far as that is worth it.
    pub(crate) async fn leave(&self) {
        self.left.set(true);
        // Else it would wait for bytes that are read here.
        let waker = self.waiting.take();
        waker.iter().for_each(Waker::wake_by_ref);
        let mut read: u64 = 0;
        while read < LEFT_BYTES_MAX {
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
    fn what_is_left_is_read_and_nobody_else_gets_it() {
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
            incoming.leave().await;
            assert_eq!(read.get(), 10);
            assert!(reader.next().await.is_some_and(|end| end.is_err()), "it is no whole upload");
        });
    }
}
