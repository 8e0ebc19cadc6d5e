//! A part of an upload as a parser's input, read back from its raw segments.

use scanners::{Input, Source};
use std::cell::RefCell;
use std::io::Read;
use store::kv::{BlockingKv, KvError};
use store::raw::{RawPart, RawSegments, SEGMENT_BYTES};

/// The largest part that is kept in memory while it is parsed, in bytes. An instance has 128 MiB and parses one report
/// at a time. A larger one is read from its segments, several times if the parser needs that.
const IN_MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A part of an upload in its raw segments.
pub(crate) struct StoredPart<'a, K> {
    kv: &'a K,
    segments: &'a RawSegments,
    part: RawPart,
    count: u32,
    /// The error of the store. A parser can only pass on an I/O error.
    failure: RefCell<Option<KvError>>,
}

impl<'a, K: BlockingKv> StoredPart<'a, K> {
    /// A part of `count` segments.
    pub(crate) fn new(kv: &'a K, segments: &'a RawSegments, part: RawPart, count: u32) -> Self {
        Self { kv, segments, part, count, failure: RefCell::new(None) }
    }

    /// The whole part, if it is small enough to be kept in memory.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub(crate) fn in_memory(&self) -> Result<Option<Vec<u8>>, KvError> {
        let segments = usize::try_from(self.count).unwrap_or(usize::MAX);
        if segments.saturating_mul(SEGMENT_BYTES) > IN_MEMORY_BYTES_MAX {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for n in 0..self.count {
            bytes.extend(self.segment(n)?);
        }
        Ok(Some(bytes))
    }

    /// The part as a parser's input; `in_memory` is its bytes, if they are there.
    pub(crate) fn input<'b>(&'b self, in_memory: Option<&'b [u8]>) -> Input<'b> {
        match in_memory {
            Some(bytes) => Input::Memory(bytes),
            None => Input::Stream(self),
        }
    }

    /// The error of the store, if a segment could not be read.
    pub(crate) fn failure(self) -> Option<KvError> {
        self.failure.into_inner()
    }

    fn segment(&self, n: u32) -> Result<Vec<u8>, KvError> {
        let key = self.segments.key(self.part, n);
        let encrypted = self.kv.get_now(&key)?.ok_or(KvError::Missing { key })?;
        self.segments.decrypt(self.part, n, &encrypted)
    }
}

impl<K: BlockingKv> Source for StoredPart<'_, K> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(SegmentReader { stored: self, next: 0, buffer: Vec::new(), at: 0 })
    }
}

struct SegmentReader<'a, K> {
    stored: &'a StoredPart<'a, K>,
    next: u32,
    buffer: Vec<u8>,
    at: usize,
}

impl<K: BlockingKv> Read for SegmentReader<'_, K> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.buffer.len() {
            if self.next == self.stored.count {
                return Ok(0);
            }
            self.buffer = self.stored.segment(self.next).map_err(|error| {
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
    use domain::ids::ScanId;
    use store::memory::MemoryKv;
    use store::raw::RawKey;

    /// A report of these segments in a store.
    fn stored(contents: &[Vec<u8>]) -> (MemoryKv, RawSegments) {
        let key = RawKey::new([7; 32]);
        let segments = RawSegments { scan: ScanId::from_bits([1; 16]), attempt: "a".to_owned(), key };
        let kv = MemoryKv::default();
        for (n, content) in (0..).zip(contents) {
            let (key, bytes) = segments.encrypt(RawPart::Report, n, content).unwrap();
            kv.set_now(&key, &bytes).unwrap();
        }
        (kv, segments)
    }

    #[test]
    fn a_part_is_the_same_from_memory_and_as_a_stream() {
        let contents = [vec![b'a'; SEGMENT_BYTES], vec![b'b'; 10]];
        let (kv, segments) = stored(&contents);
        let part = StoredPart::new(&kv, &segments, RawPart::Report, 2);
        let mut streamed = Vec::new();
        part.open().read_to_end(&mut streamed).unwrap();
        assert_eq!(streamed, contents.concat());
        assert_eq!(part.in_memory().unwrap(), Some(streamed));
    }

    #[test]
    fn a_part_above_the_limit_is_not_read_into_memory() {
        let most = u32::try_from(IN_MEMORY_BYTES_MAX / SEGMENT_BYTES).unwrap();
        let contents = vec![Vec::new(); usize::try_from(most).unwrap()];
        let (kv, segments) = stored(&contents);
        let part = |count| StoredPart::new(&kv, &segments, RawPart::Report, count);
        assert_eq!(part(most).in_memory(), Ok(Some(Vec::new())));
        let before = kv.operations();
        assert_eq!(part(most + 1).in_memory(), Ok(None));
        assert_eq!(kv.operations(), before);
    }

    #[test]
    fn a_missing_segment_is_the_stores_error() {
        let (kv, segments) = stored(&[b"a".to_vec()]);
        let part = StoredPart::new(&kv, &segments, RawPart::Report, 2);
        assert!(part.open().read_to_end(&mut Vec::new()).is_err());
        assert!(matches!(part.in_memory(), Err(KvError::Missing { .. })));
        assert!(matches!(part.failure(), Some(KvError::Missing { .. })));
    }
}
