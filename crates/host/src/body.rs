//! Bodies on their way through the host: requests are measured against the limits of size and of patience, responses
//! are counted.
//!
//! Nothing is buffered.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, EXPECT};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::access::AccessRecord;
use crate::admission::Admission;
use crate::connections::Busy;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::progress::Patience;

/// Time limit for reading the rest of a refused body, so that the client can read the refusal.
const DRAIN: Duration = Duration::from_secs(10);

/// The factor by which a compressed body is taken to be larger.
const COMPRESSION: u64 = 8;

/// A request body that fails once it is over a limit.
pub(crate) struct LimitedBody {
    /// None after a limit was passed.
    incoming: Option<Incoming>,
    /// False for a client that asked before it sends (`Expect`), until it was told to: reading tells it.
    invited: bool,
    left: u64,
    limit: u64,
    stall_timeout: Duration,
    patience: Patience,
    refused: Option<oneshot::Sender<Problem>>,
    /// The bytes from which on the request is large.
    large: u64,
    admission: Option<Admission>,
}

/// Resolves if a request body is over a limit; otherwise never.
pub(crate) struct Refused(oneshot::Receiver<Problem>);

impl LimitedBody {
    pub(crate) fn new(incoming: Incoming, headers: &HeaderMap, limits: &Limits) -> (Self, Refused) {
        let (sender, receiver) = oneshot::channel();
        let is_compressed = headers.contains_key(CONTENT_ENCODING);
        let body = Self {
            incoming: Some(incoming),
            invited: !headers.contains_key(EXPECT),
            left: limits.body_bytes,
            limit: limits.body_bytes,
            stall_timeout: limits.stall_timeout,
            patience: Patience::new(limits.stall_timeout),
            refused: Some(sender),
            large: if is_compressed { limits.large_bytes / COMPRESSION } else { limits.large_bytes },
            admission: None,
        };
        (body, Refused(receiver))
    }

    /// Counts the body with its request. It takes a place for large requests as soon as it is large: now, if its stated
    /// length is.
    ///
    /// # Errors
    /// There is no such place.
    pub(crate) fn admit(&mut self, admission: Admission) -> Result<(), Problem> {
        let is_large = self.large < self.size_hint().lower();
        let admission = self.admission.insert(admission);
        if is_large { admission.enlarge() } else { Ok(()) }
    }

    /// Ends the body. The problem is told before the component sees the error, so that the client gets this answer and
    /// not the component's.
    fn refuse(&mut self, problem: Problem) -> Option<Incoming> {
        if let Some(refused) = self.refused.take() {
            // Nobody listens once the component has answered.
            let _ = refused.send(problem);
        }
        self.incoming.take()
    }
}

impl Drop for LimitedBody {
    /// The answer may come before the body was read.
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take().filter(|incoming| self.invited && !incoming.is_end_stream()) {
            drain(incoming);
        }
    }
}

impl Refused {
    pub(crate) async fn wait(self) -> Problem {
        match self.0.await {
            Ok(problem) => problem,
            Err(_ended) => std::future::pending().await,
        }
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        this.invited = true;
        let Poll::Ready(polled) = Pin::new(incoming).poll_frame(ctx)? else {
            ready!(this.patience.poll_waiting(ctx));
            drop(this.refuse(Problem::BodyTimeout(this.stall_timeout)));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        let Some(frame) = polled else { return Poll::Ready(None) };
        let length = frame.data_ref().map_or(0, Bytes::len);
        this.patience.progress(length);
        match this.left.checked_sub(u64::try_from(length).unwrap_or(u64::MAX)) {
            Some(left) => {
                this.left = left;
                // A body in chunks states no length.
                let is_large = this.large < this.limit - left;
                let admission = this.admission.as_ref().filter(|_| is_large);
                if let Some(Err(problem)) = admission.map(Admission::enlarge) {
                    this.refuse(problem).into_iter().for_each(drain);
                    return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(this.large)))));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                if let Some(incoming) = this.refuse(Problem::PayloadTooLarge(this.limit)) {
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
fn drain(mut incoming: Incoming) {
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
    /// Keeps the connection from being idle.
    _busy: Busy,
}

impl ReplyBody {
    pub(crate) fn new(body: WasiBody, record: AccessRecord, admission: Option<Admission>, busy: Busy) -> Self {
        Self { body, record, _admission: admission, _busy: busy }
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
