//! Patience with a client: how long it is waited for while it sends a body or reads a response.
//!
//! A plain time limit between two bytes lets a client that sends a byte a second stay for ever, and one for the whole
//! transfer refuses large ones over slow lines. So waiting uses time up, and progress gives it back.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Bytes that give a second back. The slowest line that is served.
const BYTES_PER_SECOND: u64 = 1024;

/// The time a client may still be waited for.
#[derive(Debug, Clone, Copy)]
struct Credit {
    limit: Duration,
    left: Duration,
}

impl Credit {
    fn new(limit: Duration) -> Self {
        Self { limit, left: limit }
    }

    /// The client was waited for, and went on with this many bytes.
    fn progress(&mut self, waited: Duration, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = Duration::from_micros(bytes.saturating_mul(1_000_000) / BYTES_PER_SECOND);
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.limit);
    }
}

/// A client that is waited for now and then.
#[derive(Debug)]
pub(crate) struct Patience {
    credit: Credit,
    waiting_since: Option<Instant>,
    /// None until the first wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { credit: Credit::new(limit), waiting_since: None, timer: None }
    }

    /// Goes on waiting; ready when the client has been waited for too long.
    pub(crate) fn poll_waiting(&mut self, ctx: &mut Context<'_>) -> Poll<()> {
        let left = self.credit.left;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            timer.as_mut().reset(now + left);
        }
        timer.as_mut().poll(ctx)
    }

    /// Ends the wait, if there was one: the client took or gave this many bytes.
    pub(crate) fn progress(&mut self, bytes: usize) {
        let waited = self.waiting_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.credit.progress(waited, bytes);
    }
}

/// A connection whose writes fail with `TimedOut` when the client does not read.
#[derive(Debug)]
pub(crate) struct ImpatientStream {
    stream: TcpStream,
    patience: Patience,
}

impl ImpatientStream {
    pub(crate) fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, patience: Patience::new(limit) }
    }

    fn written(&mut self, ctx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Pending => return self.patience.poll_waiting(ctx).map(|()| Err(io::ErrorKind::TimedOut.into())),
            Poll::Ready(Ok(bytes)) => self.patience.progress(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        polled
    }
}

impl AsyncRead for ImpatientStream {
    fn poll_read(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(ctx, buffer)
    }
}

impl AsyncWrite for ImpatientStream {
    fn poll_write(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(ctx, bytes);
        self.written(ctx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(ctx, slices);
        self.written(ctx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(ctx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// The seconds after which a client that goes on with `bytes` every `pause` is given up, if it is within an hour.
    fn given_up_after(bytes: usize, pause: Duration) -> Option<u64> {
        let mut credit = Credit::new(LIMIT);
        let mut elapsed = Duration::ZERO;
        while elapsed < Duration::from_secs(3600) {
            if credit.left <= pause {
                return Some((elapsed + credit.left).as_secs());
            }
            credit.progress(pause, bytes);
            elapsed += pause;
        }
        None
    }

    #[test]
    fn only_a_client_that_makes_progress_is_waited_for() {
        let second = Duration::from_secs(1);
        assert_eq!(given_up_after(0, second), Some(10));
        // A byte a second is no progress.
        assert_eq!(given_up_after(1, second), Some(10));
        assert_eq!(given_up_after(512, second), Some(19));
        assert_eq!(given_up_after(1025, second), None);
        // Pauses are forgiven up to the limit, whatever came before.
        assert_eq!(given_up_after(1 << 20, 9 * second), None);
        assert_eq!(given_up_after(1 << 20, 11 * second), Some(10));
    }
}
