//! Standard output and error of a component, line by line in the log.
//!
//! Lines are cut at a limit, and control characters are escaped by the log's own formatting; nothing reaches the host's
//! terminal directly.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Bytes of one line; the rest becomes the next.
const LINE_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// The standard output or error of one instance.
#[derive(Clone)]
pub(super) struct GuestOutput(Arc<Mutex<Lines>>);

struct Lines {
    component: Arc<str>,
    stream: Stream,
    /// The line that is not complete yet.
    pending: Vec<u8>,
}

impl GuestOutput {
    pub(super) fn new(component: Arc<str>, stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(Lines { component, stream, pending: Vec::new() })))
    }
}

impl Lines {
    fn write(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.push(line);
            self.emit();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.push(bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(LINE_BYTES_MAX) {
            if LINE_BYTES_MAX < self.pending.len() + part.len() {
                self.emit();
            }
            self.pending.extend_from_slice(part);
        }
    }

    fn emit(&mut self) {
        let line = String::from_utf8_lossy(&self.pending);
        let component = &*self.component;
        match self.stream {
            Stream::Stdout => tracing::info!(target: "gatehouse::guest", component, line = line.trim_end()),
            Stream::Stderr => tracing::warn!(target: "gatehouse::guest", component, line = line.trim_end()),
        }
        self.pending.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.emit();
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
