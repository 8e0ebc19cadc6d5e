//! The raw segments of an upload: its parts as they are stored, cut and encrypted. Written as a stream, and read back for
//! parsers.

use crate::body::UploadPart;
use crate::encryption::{OVERHEAD_BYTES, SegmentCipher};
use crate::sync_kv::SyncKv;
use api::problem::Problem;
use domain::ids::ScanId;
use domain::limits::VALUE_BYTES_MAX;
use futures::stream::{FuturesUnordered, StreamExt as _};
use scanners::{Input, Source as _};
use std::cell::RefCell;
use std::io::Read;
use std::pin::Pin;
use store::keys;
use store::kv::{Kv, KvError};

/// The content of one segment before encryption, in bytes.
const SEGMENT_BYTES: usize = VALUE_BYTES_MAX - OVERHEAD_BYTES;
/// The number of segments of one upload that are written at the same time.
const WRITES_AT_ONCE: usize = 4;
/// Added to the number of a sidecar's segment before encryption: report and sidecar have the same key, and no number may
/// be used twice with it.
const SIDECAR_NUMBERS: u32 = 1 << 31;

/// The segments of one attempt to upload a scan.
#[derive(Clone, Copy)]
pub(crate) struct AttemptSegments<'a> {
    /// The scan.
    pub(crate) scan: ScanId,
    /// The name of the attempt.
    pub(crate) attempt: &'a str,
    /// The cipher of the attempt.
    pub(crate) cipher: &'a SegmentCipher,
}

impl AttemptSegments<'_> {
    /// The store's key of a segment, and the number under which it is encrypted.
    fn key_and_number(self, part: UploadPart, n: u32) -> (String, u32) {
        match part {
            UploadPart::Sidecar => (keys::source(self.scan, self.attempt, n), SIDECAR_NUMBERS | n),
            UploadPart::Report => (keys::raw(self.scan, self.attempt, n), n),
        }
    }
}

type Write<'a> = Pin<Box<dyn Future<Output = Result<(), KvError>> + 'a>>;

/// Cuts a part into raw segments and writes them, several at once.
pub(crate) struct SegmentWriter<'a, K> {
    kv: &'a K,
    /// Absent if nothing is to be written.
    segments: Option<AttemptSegments<'a>>,
    part: UploadPart,
    buffer: Vec<u8>,
    /// The number of segments that were written or are being written.
    written: &'a mut u32,
    writes: FuturesUnordered<Write<'a>>,
}

impl<'a, K: Kv> SegmentWriter<'a, K> {
    pub(crate) fn new(
        kv: &'a K,
        segments: Option<AttemptSegments<'a>>,
        part: UploadPart,
        written: &'a mut u32,
    ) -> Self {
        Self { kv, segments, part, buffer: Vec::new(), written, writes: FuturesUnordered::new() }
    }

    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.segments.is_none() {
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
        if let Some(segments) = self.segments {
            let (kv, (key, number)) = (self.kv, segments.key_and_number(self.part, *self.written));
            let bytes = segments.cipher.encrypt(number, std::mem::take(&mut self.buffer))?;
            *self.written += 1;
            self.writes.push(Box::pin(async move { kv.set(&key, &bytes).await }));
        }
        while self.writes.len() >= WRITES_AT_ONCE {
            self.wait_for_a_write().await?;
        }
        Ok(())
    }

    async fn wait_for_a_write(&mut self) -> Result<(), Problem> {
        match self.writes.next().await {
            Some(result) => Ok(result?),
            None => Ok(()),
        }
    }

    /// Writes the rest and waits until all writes are done, even if some fail. Returns the number of segments, or the
    /// first error.
    pub(crate) async fn finish(mut self) -> Result<u32, Problem> {
        let mut result = if self.buffer.is_empty() { Ok(()) } else { self.write().await };
        while !self.writes.is_empty() {
            result = result.and(self.wait_for_a_write().await);
        }
        result.map(|()| *self.written)
    }
}

/// A part of an upload for parsers: in memory if it is small, else in its segments.
pub(crate) struct StoredPart<'a, S> {
    sync: &'a S,
    segments: AttemptSegments<'a>,
    part: UploadPart,
    count: u32,
    in_memory: Option<&'a [u8]>,
    /// The error of the store. A parser can only pass on an I/O error.
    failure: RefCell<Option<KvError>>,
}

impl<'a, S: SyncKv> StoredPart<'a, S> {
    /// A part of `count` segments.
    pub(crate) fn new(sync: &'a S, segments: AttemptSegments<'a>, part: UploadPart, count: u32) -> Self {
        Self { sync, segments, part, count, in_memory: None, failure: RefCell::new(None) }
    }

    /// The same part, read from memory if its bytes are there.
    pub(crate) fn or_in_memory(self, in_memory: Option<&'a [u8]>) -> Self {
        Self { in_memory, ..self }
    }

    /// The part as a parser's input.
    pub(crate) fn input(&self) -> Input<'_> {
        match self.in_memory {
            Some(bytes) => Input::Memory(bytes),
            None => Input::Stream(self),
        }
    }

    /// A reader from the start of the part.
    pub(crate) fn reader(&self) -> Box<dyn Read + '_> {
        match self.in_memory {
            Some(bytes) => Box::new(bytes),
            None => self.open(),
        }
    }

    /// The error of the store, if a segment could not be read.
    pub(crate) fn failure(self) -> Option<KvError> {
        self.failure.into_inner()
    }
}

impl<S: SyncKv> scanners::Source for StoredPart<'_, S> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(SegmentReader { stored: self, next: 0, buffer: Vec::new(), at: 0 })
    }
}

struct SegmentReader<'a, S> {
    stored: &'a StoredPart<'a, S>,
    next: u32,
    buffer: Vec<u8>,
    at: usize,
}

impl<S: SyncKv> SegmentReader<'_, S> {
    fn segment(&self) -> Result<Vec<u8>, KvError> {
        let StoredPart { sync, segments, part, .. } = self.stored;
        let (key, number) = segments.key_and_number(*part, self.next);
        let encrypted = sync.get(&key)?.ok_or_else(|| KvError::Missing { key: key.clone() })?;
        segments.cipher.decrypt(&key, number, encrypted)
    }
}

impl<S: SyncKv> Read for SegmentReader<'_, S> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.buffer.len() {
            if self.next == self.stored.count {
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
    use futures::executor::block_on;
    use std::collections::BTreeSet;
    use store::memory::MemoryKv;
    use store::scans::Written;

    #[test]
    fn report_and_sidecar_have_different_keys_and_numbers() {
        let (kv, cipher, scan) = (MemoryKv::default(), SegmentCipher::new([7; 32]), ScanId::from_bits([1; 16]));
        let segments = AttemptSegments { scan, attempt: "a", cipher: &cipher };
        let text = |c: u8| (0..SEGMENT_BYTES + 10).map(|at| c ^ u8::try_from(at % 7).unwrap()).collect::<Vec<_>>();
        let parts = [(UploadPart::Sidecar, text(b'a')), (UploadPart::Report, text(b'A'))];
        let mut written = Written::default();
        for (part, content) in &parts {
            let count = if *part == UploadPart::Report { &mut written.raw } else { &mut written.source };
            let mut writer = SegmentWriter::new(&kv, Some(segments), *part, count);
            block_on(writer.push(content)).unwrap();
            assert_eq!(block_on(writer.finish()), Ok(2));
        }
        assert_eq!(written, Written { raw: 2, source: 2, findings: 0 });
        for (part, content) in parts {
            let mut read = Vec::new();
            StoredPart::new(&kv, segments, part, 2).reader().read_to_end(&mut read).unwrap();
            assert_eq!(read, content);
        }
        let of_part = |part| (0..2).map(move |n| segments.key_and_number(part, n).1);
        let numbers: BTreeSet<u32> = [UploadPart::Sidecar, UploadPart::Report].into_iter().flat_map(of_part).collect();
        assert_eq!(numbers.len(), 4, "no number is used twice under one key");
        block_on(store::scans::discard(&kv, scan, "a", written)).unwrap();
        assert!(kv.contents().is_empty());
    }
}
