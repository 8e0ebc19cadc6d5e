//! A report, and the sidecar before it, on their way into the store: decompressed, hashed, cut into encrypted segments as
//! they arrive, never held as a whole unless they are small; and the way back out of it for parsers.

use crate::body::{Encoding, Part, Parts, Source};
use crate::inflate::Inflated;
use crate::peek::{Peeked, Unbase64};
use crate::sealing::{OVERHEAD_BYTES, Sealer};
use crate::sync_kv::SyncKv;
use api::problem::{Code, Problem};
use domain::digest::hex;
use domain::ids::ScanId;
use domain::limits::VALUE_BYTES_MAX;
use finding::limits::{REPORT_BYTES_MAX, SOURCE_BYTES_MAX};
use futures::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::io::Read;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::Written;

/// The largest report that is parsed from memory, in bytes; a larger one is read back from its segments.
const IN_MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How much of a report goes into one segment, in bytes.
const SEGMENT_BYTES: usize = VALUE_BYTES_MAX - OVERHEAD_BYTES;
/// What all uploads that share this instance may hold in memory together, in bytes: an instance has 128 MiB and serves
/// up to 16 requests at once.
const IN_MEMORY_TOTAL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many segments of one upload are being written at once.
const WRITES_AT_ONCE: usize = 4;
/// What is added to the number of a sidecar's segment before it is encrypted: report and sidecar have one key, and no
/// number may be used twice under it.
const SIDECAR_NUMBERS: u32 = 1 << 31;

static IN_MEMORY_TOTAL: AtomicUsize = AtomicUsize::new(0);

/// A part of an upload as received.
pub(crate) struct Received {
    /// Its size after decompression, in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the decompressed bytes, 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// How many raw segments were written.
    pub(crate) segments: u32,
    /// The part itself, if it is small.
    pub(crate) memory: Memory,
}

/// Where an upload's segments go.
#[derive(Clone, Copy)]
pub(crate) struct Keep<'a> {
    /// The scan.
    pub(crate) scan: ScanId,
    /// The attempt at it.
    pub(crate) attempt: &'a str,
    /// What they are encrypted with.
    pub(crate) sealer: &'a Sealer,
}

/// What was received of an upload.
pub(crate) struct Upload {
    /// What the working tree shows, if it came with it.
    pub(crate) sidecar: Option<Received>,
    /// The report.
    pub(crate) report: Received,
}

/// Receives all parts of an upload. With `keep` absent they are only measured and hashed; else their segments are kept for
/// this scan and attempt.
pub(crate) async fn receive<K: Kv, P: Parts>(
    kv: &K,
    keep: Option<Keep<'_>>,
    parts: &mut P,
    written: &mut Written,
) -> Result<Upload, Problem> {
    let (mut sidecar, mut report) = (None, None);
    while let Some(part) = parts.part().await? {
        match part {
            Part::Sidecar => sidecar = Some(receive_part(kv, keep, part, parts, &mut written.source).await?),
            Part::Report => report = Some(receive_part(kv, keep, part, parts, &mut written.raw).await?),
        }
    }
    let without = "the form has a `source` and no `report` behind it; send both, the `source` first";
    let report = report.ok_or_else(|| Problem::new(Code::ReportEmpty, without))?;
    Ok(Upload { sidecar, report })
}

async fn receive_part<K: Kv, S: Source>(
    kv: &K,
    keep: Option<Keep<'_>>,
    part: Part,
    source: &mut S,
    written: &mut u32,
) -> Result<Received, Problem> {
    let mut segments = Segments { kv, keep, part, buffer: Vec::new(), written, writing: FuturesUnordered::new() };
    let mut taken = Taken { part, bytes: 0, hash: Sha256::new(), memory: Memory::default() };
    let copied = async {
        let mut source = Peeked::new(source).await?;
        match source.encoding() {
            Encoding::Identity | Encoding::Decoded => copy(&mut source, &mut taken, &mut segments).await,
            Encoding::Gzip => copy(&mut Inflated::new(source, part), &mut taken, &mut segments).await,
            Encoding::GzipBase64 => {
                copy(&mut Inflated::new(Unbase64::new(source, part), part), &mut taken, &mut segments).await
            }
        }
    }
    .await;
    // Also after an error: what is still being written must be there before it can be removed.
    let finished = segments.finish().await;
    copied?;
    finished?;
    let segments = *written;
    Ok(Received { bytes: taken.bytes, sha256: hex(&taken.hash.finalize()), segments, memory: taken.memory })
}

async fn copy<K: Kv, S: Source>(
    source: &mut S,
    taken: &mut Taken,
    segments: &mut Segments<'_, K>,
) -> Result<(), Problem> {
    while let Some(bytes) = source.next().await? {
        taken.take(&bytes)?;
        segments.take(&bytes).await?;
    }
    Ok(())
}

/// What has arrived of a part, decompressed.
struct Taken {
    part: Part,
    bytes: u64,
    hash: Sha256,
    memory: Memory,
}

impl Taken {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let (code, name, most) = match self.part {
            Part::Sidecar => (Code::SourceTooLarge, "sidecar", SOURCE_BYTES_MAX),
            Part::Report => (Code::ReportTooLarge, "report", REPORT_BYTES_MAX),
        };
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.bytes > most {
            return Err(Problem::new(code, format!("the {name} has more than {} MiB", most / 1024 / 1024)));
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

/// The key of a part's segment, and the number under which it is encrypted.
fn place(keep: Keep<'_>, part: Part, n: u32) -> (String, u32) {
    let Keep { scan, attempt, sealer: _ } = keep;
    match part {
        Part::Sidecar => (keys::source(scan, attempt, n), SIDECAR_NUMBERS | n),
        Part::Report => (keys::raw(scan, attempt, n), n),
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
    part: Part,
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
        if let Some(keep) = self.keep {
            let (kv, (key, number)) = (self.kv, place(keep, self.part, *self.written));
            let bytes = keep.sealer.seal(number, std::mem::take(&mut self.buffer))?;
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

/// A part in its segments, for parsers.
pub(crate) struct Stored<'a, S> {
    sync: &'a S,
    keep: Keep<'a>,
    part: Part,
    segments: u32,
    /// What the store said when it failed; a parser can only pass on an I/O error.
    failure: RefCell<Option<KvError>>,
}

impl<'a, S> Stored<'a, S> {
    pub(crate) fn new(sync: &'a S, keep: Keep<'a>, part: Part, segments: u32) -> Self {
        Self { sync, keep, part, segments, failure: RefCell::new(None) }
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
        let (key, number) = place(self.stored.keep, self.stored.part, self.next);
        let sealed = self.stored.sync.get(&key)?.ok_or_else(|| KvError::Missing { key: key.clone() })?;
        self.stored.keep.sealer.open(&key, number, sealed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures::executor::block_on;
    use std::collections::VecDeque;
    use std::io::Write as _;
    use store::memory::MemoryKv;

    /// Parts in memory: the first one's bytes, then the next one's.
    struct Form {
        parts: VecDeque<(Part, VecDeque<Bytes>)>,
        now: VecDeque<Bytes>,
    }

    impl Form {
        fn new(parts: impl IntoIterator<Item = (Part, Vec<Bytes>)>) -> Self {
            Self { parts: parts.into_iter().map(|(part, bytes)| (part, bytes.into())).collect(), now: VecDeque::new() }
        }
    }

    impl Source for Form {
        fn encoding(&self) -> Encoding {
            Encoding::Identity
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            Ok(self.now.pop_front())
        }
    }

    impl Parts for Form {
        async fn part(&mut self) -> Result<Option<Part>, Problem> {
            let Some((part, bytes)) = self.parts.pop_front() else { return Ok(None) };
            self.now = bytes;
            Ok(Some(part))
        }
    }

    fn sidecar_of(pieces: Vec<Bytes>) -> Result<Upload, Problem> {
        let parts = [(Part::Sidecar, pieces), (Part::Report, vec![Bytes::from_static(b"{}")])];
        block_on(receive(&MemoryKv::default(), None, &mut Form::new(parts), &mut Written::default()))
    }

    #[test]
    fn a_sidecar_at_the_limit_is_taken_and_one_byte_more_is_refused() {
        const PIECE: usize = 1 << 20;
        let piece = Bytes::from(vec![b' '; PIECE]);
        let pieces = vec![piece; usize::try_from(SOURCE_BYTES_MAX).unwrap() / PIECE];
        let taken = sidecar_of(pieces.clone()).unwrap();
        assert_eq!((taken.sidecar.unwrap().bytes, taken.report.bytes), (SOURCE_BYTES_MAX, 2));
        let over = [pieces, vec![Bytes::from_static(b" ")]].concat();
        assert_eq!(sidecar_of(over).err().unwrap().code, Code::SourceTooLarge);
    }

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_compressed_sidecar_is_the_same_sidecar_and_one_that_is_a_bomb_or_cut_is_refused() {
        let text = br#"{"v": 1, "git": {}}"#;
        let sha256 = |pieces| sidecar_of(pieces).map(|taken| taken.sidecar.map(|sidecar| sidecar.sha256));
        assert_eq!(sha256(vec![gzip(text)]), sha256(vec![Bytes::from_static(text)]));
        assert_eq!(sha256(vec![gzip(&vec![b' '; 8 << 20])]).unwrap_err().code, Code::CompressionBomb);
        let packed = gzip(text);
        assert_eq!(sha256(vec![packed.slice(..packed.len() - 3)]).unwrap_err().code, Code::SourceMalformed);
        assert_eq!(sha256(vec![Bytes::from_static(b"\x1f\x8bxxxxxxxxxxxx")]).unwrap_err().code, Code::SourceMalformed);
    }

    #[test]
    fn a_sidecar_without_a_report_is_no_upload() {
        let mut form = Form::new([(Part::Sidecar, vec![Bytes::from_static(b"{\"v\": 1}")])]);
        let received = block_on(receive(&MemoryKv::default(), None, &mut form, &mut Written::default()));
        assert_eq!(received.err().unwrap().code, Code::ReportEmpty);
    }

    #[test]
    fn report_and_sidecar_are_kept_under_keys_and_numbers_of_their_own() {
        let (kv, sealer, scan) = (MemoryKv::default(), Sealer::new([7; 32]), ScanId::from_bits([1; 16]));
        let keep = Keep { scan, attempt: "a", sealer: &sealer };
        let text = |c: u8| (0..SEGMENT_BYTES + 10).map(|at| c ^ u8::try_from(at % 7).unwrap()).collect::<Vec<_>>();
        let (code, report) = (text(b'a'), text(b'A'));
        let parts = [(Part::Sidecar, vec![code.clone().into()]), (Part::Report, vec![report.clone().into()])];
        let mut written = Written::default();
        block_on(receive(&kv, Some(keep), &mut Form::new(parts), &mut written)).unwrap();
        assert_eq!(written, Written { raw: 2, source: 2, findings: 0 });
        for (part, expected) in [(Part::Sidecar, code), (Part::Report, report)] {
            let mut read = Vec::new();
            let stored = Stored::new(&kv, keep, part, 2);
            scanners::Source::open(&stored).read_to_end(&mut read).unwrap();
            assert_eq!(read, expected);
        }
        let numbers: std::collections::BTreeSet<u32> =
            [Part::Sidecar, Part::Report].iter().flat_map(|part| (0..2).map(|n| place(keep, *part, n).1)).collect();
        assert_eq!(numbers.len(), 4, "no number is used twice under one key");
        block_on(store::scans::discard(&kv, scan, "a", written)).unwrap();
        assert!(kv.contents().is_empty());
    }
}
