//! Writes a part of an upload as raw segments, while it arrives.

use crate::body::UploadPart;
use api::problem::Problem;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::pin::Pin;
use store::kv::{Kv, KvError};
use store::raw::{RawSegments, SEGMENT_BYTES};

/// The number of segments of one upload that are written at the same time.
const WRITES_AT_ONCE: usize = 4;

type Write<'a> = Pin<Box<dyn Future<Output = Result<(), KvError>> + 'a>>;

/// Cuts a part into raw segments and writes them, several at once.
pub(crate) struct SegmentWriter<'a, K> {
    kv: &'a K,
    /// Absent if nothing is to be written.
    segments: Option<&'a RawSegments>,
    part: UploadPart,
    buffer: Vec<u8>,
    /// The number of segments that were written or are being written.
    written: &'a mut u32,
    writes: FuturesUnordered<Write<'a>>,
}

impl<'a, K: Kv> SegmentWriter<'a, K> {
    pub(crate) fn new(kv: &'a K, segments: Option<&'a RawSegments>, part: UploadPart, written: &'a mut u32) -> Self {
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
            let kv = self.kv;
            let (key, bytes) = segments.encrypt(self.part.raw(), *self.written, &self.buffer)?;
            self.buffer.clear();
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ScanId;
    use futures::executor::block_on;
    use store::memory::MemoryKv;
    use store::raw::RawKey;
    use store::scans::Written;

    #[test]
    fn report_and_sidecar_are_cut_and_read_back_and_discarded() {
        let (kv, scan) = (MemoryKv::default(), ScanId::from_bits([1; 16]));
        let segments = RawSegments { scan, attempt: "a".to_owned(), key: RawKey::new([7; 32]) };
        let text = |c: u8| (0..SEGMENT_BYTES + 10).map(|at| c ^ u8::try_from(at % 7).unwrap()).collect::<Vec<_>>();
        let parts = [(UploadPart::Sidecar, text(b'a')), (UploadPart::Report, text(b'A'))];
        let mut written = Written::default();
        for (part, content) in &parts {
            let count = if *part == UploadPart::Report { &mut written.raw } else { &mut written.source };
            let mut writer = SegmentWriter::new(&kv, Some(&segments), *part, count);
            block_on(writer.push(content)).unwrap();
            assert_eq!(block_on(writer.finish()), Ok(2));
        }
        assert_eq!(written, Written { raw: 2, source: 2, findings: 0 });
        for (part, content) in parts {
            let read = (0..2).flat_map(|n| {
                let encrypted = block_on(kv.get(&segments.key(part.raw(), n))).unwrap().unwrap();
                segments.decrypt(part.raw(), n, &encrypted).unwrap()
            });
            assert_eq!(read.collect::<Vec<_>>(), content);
        }
        block_on(store::scans::discard(&kv, scan, "a", written)).unwrap();
        assert!(kv.contents().is_empty());
    }
}
