//! Bodies on their way through the host: requests are measured against the limit, responses are counted.
//!
//! Nothing is buffered.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::access::AccessRecord;
use crate::admission::Admission;

/// Time limit for reading the rest of a refused body, so that the client can read the refusal.
const DRAIN: Duration = Duration::from_secs(10);

/// A request body that fails once it is over the limit.
pub(crate) struct LimitedBody {
    /// None after the limit was passed.
    incoming: Option<Incoming>,
    left: u64,
    limit: u64,
    exceeded: Option<oneshot::Sender<()>>,
}

/// Resolves if a request body turns out too large; otherwise never.
pub(crate) struct Exceeded(oneshot::Receiver<()>);

impl LimitedBody {
    pub(crate) fn new(incoming: Incoming, limit: u64) -> (Self, Exceeded) {
        let (sender, receiver) = oneshot::channel();
        (Self { incoming: Some(incoming), left: limit, limit, exceeded: Some(sender) }, Exceeded(receiver))
    }
}

impl Exceeded {
    pub(crate) async fn wait(self) {
        if self.0.await.is_err() {
            std::future::pending().await
        }
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        let Some(frame) = ready!(Pin::new(incoming).poll_frame(ctx)?) else { return Poll::Ready(None) };
        let bytes = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        match this.left.checked_sub(bytes) {
            Some(left) => {
                this.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                // Told before the component is, so that the client gets this answer and not the component's.
                if let Some(exceeded) = this.exceeded.take() {
                    let _ = exceeded.send(());
                }
                if let Some(incoming) = this.incoming.take() {
                    drain(incoming);
                }
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(this.limit)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

/// Reads and forgets a body for a while. A connection that is closed with unread data is reset, which can destroy the
/// response before the client has read it.
pub(crate) fn drain(mut incoming: Incoming) {
    tokio::spawn(tokio::time::timeout(DRAIN, async move { while let Some(Ok(_)) = incoming.frame().await {} }));
}

/// A whole body.
pub(crate) fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(Error::from).boxed_unsync()
}

/// A response body that holds its request's admission, and whose end is the end of its line in the access log.
pub(crate) struct ReplyBody {
    body: WasiBody,
    record: AccessRecord,
    _admission: Option<Admission>,
}

impl ReplyBody {
    pub(crate) fn new(body: WasiBody, record: AccessRecord, admission: Option<Admission>) -> Self {
        Self { body, record, _admission: admission }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = ready!(Pin::new(&mut self.body).poll_frame(ctx));
        match &polled {
            Some(Ok(frame)) => self.record.sent(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(error)) => self.record.broken(error),
            None => {}
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
