//! The progress of an upload: a bar on standard error, after a second and only on a terminal.

use std::io::{self, IsTerminal as _, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar appears after this time.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
const TEMPLATE: &str = "{msg} [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}";

/// A reader that shows how much of it was read.
pub(crate) struct Progress<R> {
    inner: R,
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl<R> Progress<R> {
    /// A reader of `bytes` bytes.
    pub(crate) fn new(inner: R, bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden()).with_message("Uploading");
        // The template is constant; if it were wrong, the standard one would do.
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        Self { inner, bar, begun: Instant::now(), shown: !io::stderr().is_terminal() }
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.shown && SHOWN_AFTER < self.begun.elapsed() {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let read = self.inner.read(buffer)?;
        self.bar.inc(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
