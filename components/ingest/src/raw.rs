//! A report on its way into the store: decompressed, hashed, cut into encrypted segments as it arrives, never held as a
//! whole unless it is small; and the way back out of it for parsers.

use crate::body::{Encoding, Source};
use crate::peek::{Peeked, Unbase64};
use crate::sealing::{OVERHEAD_BYTES, Sealer};
use crate::sync_kv::SyncKv;
use api::problem::{Code, Problem};
use domain::digest::hex;
use domain::ids::ScanId;
use domain::limits::VALUE_BYTES_MAX;
use finding::limits::{COMPRESSION_RATIO_FLOOR_BYTES, COMPRESSION_RATIO_MAX, REPORT_BYTES_MAX};
use flate2::write::MultiGzDecoder;
use futures::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::io::{Read, Write as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::keys;
use store::kv::{Kv, KvError};

/// The largest report that is parsed from memory, in bytes; a larger one is read back from its segments.
const IN_MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How much of a report goes into one segment, in bytes.
const SEGMENT_BYTES: usize = VALUE_BYTES_MAX - OVERHEAD_BYTES;
/// What all uploads that share this instance may hold in memory together, in bytes: an instance has 128 MiB and serves
/// up to 16 requests at once.
const IN_MEMORY_TOTAL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many segments of one upload are being written at once.
const WRITES_AT_ONCE: usize = 4;
/// How many compressed bytes are decompressed at once: at deflate's best ratio of about 1000 they become 1 MiB.
const INFLATE_BYTES: usize = 1024;

static IN_MEMORY_TOTAL: AtomicUsize = AtomicUsize::new(0);

/// A report as received.
pub(crate) struct Received {
    /// Its size after decompression, in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the decompressed bytes, 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// How many raw segments were written.
    pub(crate) segments: u32,
    /// The report itself, if it is small.
    pub(crate) memory: Memory,
}

/// Where a report's segments go.
#[derive(Clone, Copy)]
pub(crate) struct Keep<'a> {
    /// The scan.
    pub(crate) scan: ScanId,
    /// The attempt at it.
    pub(crate) attempt: &'a str,
    /// What they are encrypted with.
    pub(crate) sealer: &'a Sealer,
}

/// Receives a report to its end. With `keep` absent it is only measured and hashed; else its segments are kept for this
/// scan and attempt.
pub(crate) async fn receive<K: Kv, S: Source>(
    kv: &K,
    keep: Option<Keep<'_>>,
    source: &mut S,
    written: &mut u32,
) -> Result<Received, Problem> {
    let mut segments = Segments { kv, keep, buffer: Vec::new(), written, writing: FuturesUnordered::new() };
    let mut report = Report { bytes: 0, hash: Sha256::new(), memory: Memory::default() };
    let taken = async {
        let mut source = Peeked::new(source).await?;
        match source.encoding() {
            Encoding::Identity => copy(&mut source, &mut report, &mut segments).await,
            Encoding::Gzip => inflate(&mut source, &mut report, &mut segments).await,
            Encoding::GzipBase64 => inflate(&mut Unbase64::new(source), &mut report, &mut segments).await,
        }
    }
    .await;
    // Also after an error: what is still being written must be there before it can be removed.
    let finished = segments.finish().await;
    taken?;
    finished?;
    let segments = *written;
    Ok(Received { bytes: report.bytes, sha256: hex(&report.hash.finalize()), segments, memory: report.memory })
}

async fn copy<K: Kv, S: Source>(
    source: &mut S,
    report: &mut Report,
    segments: &mut Segments<'_, K>,
) -> Result<(), Problem> {
    while let Some(bytes) = source.next().await? {
        report.take(&bytes)?;
        segments.take(&bytes).await?;
    }
    Ok(())
}

async fn inflate<K: Kv, S: Source>(
    source: &mut S,
    report: &mut Report,
    segments: &mut Segments<'_, K>,
) -> Result<(), Problem> {
    let broken = |error: std::io::Error| Problem::new(Code::ReportMalformed, format!("the body is not gzip: {error}"));
    let mut decoder = MultiGzDecoder::new(Vec::new());
    let mut compressed: u64 = 0;
    while let Some(bytes) = source.next().await? {
        for piece in bytes.chunks(INFLATE_BYTES) {
            compressed += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            decoder.write_all(piece).map_err(broken)?;
            let inflated = std::mem::take(decoder.get_mut());
            report.take(&inflated)?;
            let allowed = compressed.saturating_mul(COMPRESSION_RATIO_MAX).max(COMPRESSION_RATIO_FLOOR_BYTES);
            if report.bytes > allowed {
                let detail = format!(
                    "{compressed} bytes became {} and more, above {COMPRESSION_RATIO_MAX} times; no report compresses like that",
                    report.bytes
                );
                return Err(Problem::new(Code::CompressionBomb, detail));
            }
            segments.take(&inflated).await?;
        }
    }
    if compressed == 0 {
        return Ok(());
    }
    decoder.try_finish().map_err(|_| {
        Problem::new(Code::ReportTruncated, "the gzip data ends too early, or its checksum is not that of its content")
    })?;
    let inflated = std::mem::take(decoder.get_mut());
    report.take(&inflated)?;
    segments.take(&inflated).await
}

struct Report {
    bytes: u64,
    hash: Sha256,
    memory: Memory,
}

impl Report {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.bytes > REPORT_BYTES_MAX {
            let detail = format!("the report has more than {} MiB", REPORT_BYTES_MAX / 1024 / 1024);
            return Err(Problem::new(Code::ReportTooLarge, detail));
        }
        self.hash.update(bytes);
        self.memory.take(bytes);
        Ok(())
    }
}

/// The bytes of a small report, counted against what the instance may hold.
#[derive(Default)]
pub(crate) struct Memory {
    bytes: Vec<u8>,
    reserved: usize,
    gone: bool,
}

impl Memory {
    /// The whole report, if it stayed small enough.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        (!self.gone).then_some(self.bytes.as_slice())
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.gone {
            return;
        }
        let wanted = self.bytes.len() + bytes.len();
        if wanted > self.bytes.capacity() {
            let capacity = wanted.next_power_of_two();
            if wanted > IN_MEMORY_BYTES_MAX || !self.reserve(capacity) {
                *self = Self::default();
                self.gone = true;
                return;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn reserve(&mut self, capacity: usize) -> bool {
        let more = capacity.saturating_sub(self.reserved);
        let before = IN_MEMORY_TOTAL.fetch_add(more, Ordering::Relaxed);
        if before + more > IN_MEMORY_TOTAL_BYTES_MAX {
            IN_MEMORY_TOTAL.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.reserved = capacity;
        true
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        IN_MEMORY_TOTAL.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), KvError>> + 'a>>;

/// Cuts bytes into raw segments and writes them, several at once.
struct Segments<'a, K> {
    kv: &'a K,
    keep: Option<Keep<'a>>,
    buffer: Vec<u8>,
    written: &'a mut u32,
    writing: FuturesUnordered<Writing<'a>>,
}

impl<K: Kv> Segments<'_, K> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.keep.is_none() {
            return Ok(());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = (SEGMENT_BYTES - self.buffer.len()).min(rest.len());
            let (now, later) = rest.split_at(room);
            self.buffer.extend_from_slice(now);
            rest = later;
            if self.buffer.len() == SEGMENT_BYTES {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Problem> {
        if let Some(Keep { scan, attempt, sealer }) = self.keep {
            let (kv, key) = (self.kv, keys::raw(scan, attempt, *self.written));
            let bytes = sealer.seal(*self.written, std::mem::take(&mut self.buffer))?;
            *self.written += 1;
            self.writing.push(Box::pin(async move { kv.set(&key, &bytes).await }));
        }
        while self.writing.len() >= WRITES_AT_ONCE {
            self.written().await?;
        }
        Ok(())
    }

    async fn written(&mut self) -> Result<(), Problem> {
        match self.writing.next().await {
            Some(result) => Ok(result?),
            None => Ok(()),
        }
    }

    /// Writes what is left and waits for all of it, whatever becomes of each; the first failure is told.
    async fn finish(mut self) -> Result<(), Problem> {
        let mut result = if self.buffer.is_empty() { Ok(()) } else { self.write().await };
        while !self.writing.is_empty() {
            result = result.and(self.written().await);
        }
        result
    }
}

/// A report in its segments, for parsers.
pub(crate) struct Stored<'a, S> {
    sync: &'a S,
    keep: Keep<'a>,
    segments: u32,
    /// What the store said when it failed; a parser can only pass on an I/O error.
    failure: RefCell<Option<KvError>>,
}

impl<'a, S> Stored<'a, S> {
    pub(crate) fn new(sync: &'a S, keep: Keep<'a>, segments: u32) -> Self {
        Self { sync, keep, segments, failure: RefCell::new(None) }
    }

    /// What the store said when it failed.
    pub(crate) fn failure(self) -> Option<KvError> {
        self.failure.into_inner()
    }
}

impl<S: SyncKv> scanners::Source for Stored<'_, S> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(StoredReader { stored: self, next: 0, buffer: Vec::new(), at: 0 })
    }
}

struct StoredReader<'a, S> {
    stored: &'a Stored<'a, S>,
    next: u32,
    buffer: Vec<u8>,
    at: usize,
}

impl<S: SyncKv> StoredReader<'_, S> {
    fn segment(&self) -> Result<Vec<u8>, KvError> {
        let Keep { scan, attempt, sealer } = self.stored.keep;
        let key = keys::raw(scan, attempt, self.next);
        let sealed = self.stored.sync.get(&key)?.ok_or_else(|| KvError::Missing { key: key.clone() })?;
        sealer.open(&key, self.next, sealed)
    }
}

impl<S: SyncKv> Read for StoredReader<'_, S> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.buffer.len() {
            if self.next == self.stored.segments {
                return Ok(0);
            }
            self.buffer = self.segment().map_err(|error| {
                let text = error.to_string();
                self.stored.failure.replace(Some(error));
                std::io::Error::other(text)
            })?;
            (self.at, self.next) = (0, self.next + 1);
        }
        let mut rest = self.buffer.get(self.at..).unwrap_or_default();
        let length = rest.read(to)?;
        self.at += length;
        Ok(length)
    }
}
