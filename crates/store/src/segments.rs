//! Long lists of records, cut into values of at most 256 KiB.
//!
//! A list is a sequence of JSON lines. It is cut when a segment is full, even inside a record. The manifest says which
//! record begins where. It is written last, so a list is either complete or missing. A short list is part of its
//! manifest and needs no separate value.

use crate::keys;
use crate::kv::{Kv, KvError};
use domain::limits::VALUE_BYTES_MAX;
use futures::stream::{FuturesUnordered, StreamExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::BufRead as _;
use std::pin::Pin;

/// The maximum size in bytes of a list that its manifest contains.
const INLINE_BYTES_MAX: usize = 32 * 1024;
/// The number of a list's segments that are written concurrently.
const WRITES_AT_ONCE: usize = 8;

/// The index of a list: which record begins in which segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format's version: 1.
    pub v: u8,
    /// The number of records.
    pub records: u32,
    /// For each segment: the number of the first record that begins in it, and the byte offset of that record.
    pub starts: Vec<(u32, u32)>,
    /// The list itself, if it is short.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inline: Option<String>,
}

impl Manifest {
    /// The number of segments.
    pub fn segments(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }
}

/// A segment that is ready to be written.
#[derive(Debug)]
pub struct Segment {
    /// The segment's number in the list.
    pub n: u32,
    /// The segment's bytes.
    pub bytes: Vec<u8>,
}

/// Cuts records into segments. It does not write them.
#[derive(Debug, Default)]
pub struct Builder {
    buffer: Vec<u8>,
    cut: u32,
    records: u32,
    starts: Vec<(u32, u32)>,
}

impl Builder {
    /// Adds a record and returns the segments that it fills.
    ///
    /// # Errors
    /// The record cannot be written as JSON, or is the 4,294,967,296th.
    pub fn push<T: Serialize>(&mut self, record: &T) -> Result<Vec<Segment>, KvError> {
        let unwritable = |reason: String| KvError::Unreadable { key: "a record".to_owned(), reason };
        if self.starts.is_empty() {
            self.starts.push((0, 0));
        }
        serde_json::to_writer(&mut self.buffer, record).map_err(|error| unwritable(error.to_string()))?;
        self.buffer.push(b'\n');
        self.records = self.records.checked_add(1).ok_or_else(|| unwritable("too many records".to_owned()))?;
        let mut full = Vec::new();
        while self.buffer.len() >= VALUE_BYTES_MAX {
            let rest = self.buffer.split_off(VALUE_BYTES_MAX);
            full.push(Segment { n: self.cut, bytes: std::mem::replace(&mut self.buffer, rest) });
            self.cut += 1;
            // The next record begins after the rest of this one, which may fill whole further segments.
            let offset = u32::try_from(self.buffer.len().min(VALUE_BYTES_MAX)).unwrap_or(u32::MAX);
            self.starts.push((self.records, offset));
        }
        Ok(full)
    }

    /// Returns the last segment, if bytes are left, and the manifest, which must be written after all segments.
    pub fn finish(mut self) -> (Option<Segment>, Manifest) {
        let fits = self.cut == 0 && self.buffer.len() <= INLINE_BYTES_MAX;
        match String::from_utf8(std::mem::take(&mut self.buffer)) {
            Ok(inline) if fits => {
                let manifest = Manifest { v: 1, records: self.records, starts: Vec::new(), inline: Some(inline) };
                (None, manifest)
            }
            // Only a whole list is certainly text: a segment may begin or end inside a character.
            Ok(text) => self.finished(text.into_bytes()),
            Err(cut) => self.finished(cut.into_bytes()),
        }
    }

    fn finished(mut self, rest: Vec<u8>) -> (Option<Segment>, Manifest) {
        let last = (!rest.is_empty()).then_some(Segment { n: self.cut, bytes: rest });
        if last.is_none() {
            self.starts.pop();
        }
        (last, Manifest { v: 1, records: self.records, starts: self.starts, inline: None })
    }
}

/// A segment on its way into the store.
type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), KvError>> + 'a>>;

/// Writes a list while it grows, several segments concurrently.
pub struct Writer<'a, K> {
    kv: &'a K,
    list: String,
    builder: Builder,
    writing: FuturesUnordered<Writing<'a>>,
}

impl<'a, K: Kv> Writer<'a, K> {
    /// Starts an empty list; `list` is the start of its segments' keys.
    pub fn new(kv: &'a K, list: String) -> Self {
        Self { kv, list, builder: Builder::default(), writing: FuturesUnordered::new() }
    }

    /// Adds a record.
    pub async fn push<T: Serialize>(&mut self, record: &T) -> Result<(), KvError> {
        for segment in self.builder.push(record)? {
            self.write(segment).await?;
        }
        Ok(())
    }

    /// Writes the rest, waits until all segments are written, and returns the manifest.
    pub async fn finish(mut self) -> Result<Manifest, KvError> {
        let (last, manifest) = std::mem::take(&mut self.builder).finish();
        if let Some(segment) = last {
            self.write(segment).await?;
        }
        while let Some(written) = self.writing.next().await {
            written?;
        }
        Ok(manifest)
    }

    async fn write(&mut self, segment: Segment) -> Result<(), KvError> {
        let (kv, key) = (self.kv, keys::segment(&self.list, segment.n));
        self.writing.push(Box::pin(async move { kv.set(&key, &segment.bytes).await }));
        while self.writing.len() >= WRITES_AT_ONCE {
            if let Some(written) = self.writing.next().await {
                written?;
            }
        }
        Ok(())
    }
}

/// Reads a list from any record on, with one segment in memory at a time.
pub struct Reader<'a, K> {
    kv: &'a K,
    list: &'a str,
    manifest: &'a Manifest,
    next_segment: usize,
    buffer: Vec<u8>,
    at: usize,
    left: u32,
}

impl<'a, K: Kv> Reader<'a, K> {
    /// Opens the list under `list` at the record `from`.
    pub async fn open(kv: &'a K, list: &'a str, manifest: &'a Manifest, from: u32) -> Result<Self, KvError> {
        let mut reader =
            Self { kv, list, manifest, next_segment: 0, buffer: Vec::new(), at: 0, left: manifest.records };
        if let Some(inline) = &manifest.inline {
            reader.buffer = inline.clone().into_bytes();
            reader.next_segment = usize::MAX;
        }
        reader.skip_to(from).await?;
        Ok(reader)
    }

    /// Skips to the record at this position. Does nothing if it is before the next record. Skipped segments are not
    /// read.
    pub async fn skip_to(&mut self, position: u32) -> Result<(), KvError> {
        // The last segment in which a record at or before the wanted one begins.
        let segment = self.manifest.starts.partition_point(|(first, _)| *first <= position).saturating_sub(1);
        if let (true, Some((first, offset))) = (self.next_segment <= segment, self.manifest.starts.get(segment)) {
            self.next_segment = segment;
            self.buffer.clear();
            self.left = self.manifest.records.saturating_sub(*first);
            if self.left > 0 {
                self.load().await?;
                self.at = usize::try_from(*offset).unwrap_or(usize::MAX);
            }
        }
        while self.manifest.records.saturating_sub(self.left) < position && self.line().await?.is_some() {}
        Ok(())
    }

    /// Reads the next record; `None` at the end of the list.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, KvError> {
        let list = self.list;
        match self.line().await? {
            None => Ok(None),
            Some(line) => serde_json::from_slice(line)
                .map(Some)
                .map_err(|error| KvError::Unreadable { key: list.to_owned(), reason: error.to_string() }),
        }
    }

    /// Reads the next record as JSON; `None` at the end of the list.
    pub async fn line(&mut self) -> Result<Option<&[u8]>, KvError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut searched = self.at;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(length) = line_end(rest) {
                let start = self.at;
                self.at = searched + length + 1;
                self.left -= 1;
                return Ok(self.buffer.get(start..self.at - 1));
            }
            self.buffer.drain(..self.at.min(self.buffer.len()));
            self.at = 0;
            searched = self.buffer.len();
            self.load().await?;
        }
    }

    async fn load(&mut self) -> Result<(), KvError> {
        let n = u32::try_from(self.next_segment).unwrap_or(u32::MAX);
        let key = keys::segment(self.list, n);
        let known = self.next_segment < self.manifest.starts.len();
        let bytes = if known { self.kv.get(&key).await? } else { None };
        self.buffer.extend(bytes.ok_or(KvError::Missing { key })?);
        self.next_segment += 1;
        Ok(())
    }
}

/// The length of the first line without its end; absent if the text contains no line end.
fn line_end(mut text: &[u8]) -> Option<usize> {
    let whole = text;
    // `skip_until` searches by machine words, which is faster. Reading from memory does not fail.
    let length = text.skip_until(b'\n').ok()?.checked_sub(1)?;
    (whole.get(length) == Some(&b'\n')).then_some(length)
}

/// Reads the records at these positions, in ascending order. Segments without one of them are not read.
pub async fn read_at<T: DeserializeOwned>(
    kv: &impl Kv,
    list: &str,
    manifest: &Manifest,
    positions: impl IntoIterator<Item = u32>,
) -> Result<Vec<T>, KvError> {
    let mut positions = positions.into_iter().peekable();
    let Some(first) = positions.peek() else { return Ok(Vec::new()) };
    let mut reader = Reader::open(kv, list, manifest, *first).await?;
    let mut records = Vec::new();
    for position in positions {
        reader.skip_to(position).await?;
        let record = reader.next().await?;
        records.push(record.ok_or_else(|| KvError::Missing { key: format!("{list} record {position}") })?);
    }
    Ok(records)
}

/// Reads at most `count` records from `from` on.
pub async fn read<T: DeserializeOwned>(
    kv: &impl Kv,
    list: &str,
    manifest: &Manifest,
    from: u32,
    count: u32,
) -> Result<Vec<T>, KvError> {
    let mut reader = Reader::open(kv, list, manifest, from).await?;
    let available = manifest.records.saturating_sub(from).min(count);
    let mut records = Vec::with_capacity(usize::try_from(available).unwrap_or(0));
    for _ in 0..count {
        match reader.next().await? {
            Some(record) => records.push(record),
            None => break,
        }
    }
    Ok(records)
}

/// Reads all records.
pub async fn read_all<T: DeserializeOwned>(kv: &impl Kv, list: &str, manifest: &Manifest) -> Result<Vec<T>, KvError> {
    read(kv, list, manifest, 0, u32::MAX).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryKv;
    use futures::executor::block_on;
    use proptest::prelude::*;

    fn write(kv: &MemoryKv, records: &[String]) -> Manifest {
        block_on(async {
            let mut writer = Writer::new(kv, "gh:list".to_owned());
            for record in records {
                writer.push(record).await.unwrap();
            }
            writer.finish().await.unwrap()
        })
    }

    fn check(lengths: &[usize], from: u32, count: u32) {
        let kv = MemoryKv::default();
        let records: Vec<String> =
            lengths.iter().enumerate().map(|(n, length)| format!("{n}ü\n").repeat(1 + length / 4)).collect();
        let manifest = write(&kv, &records);
        let manifest: Manifest = serde_json::from_str(&serde_json::to_string(&manifest).unwrap()).unwrap();
        assert_eq!(manifest.records as usize, records.len());
        let read: Vec<String> = block_on(read(&kv, "gh:list", &manifest, from, count)).unwrap();
        let from = (from as usize).min(records.len());
        let to = from.saturating_add(count as usize).min(records.len());
        assert!(read == records[from..to], "lengths {lengths:?}, from {from} to {to}: {} records", read.len());
        for (key, value) in kv.contents() {
            assert!(value.len() <= VALUE_BYTES_MAX, "{key} has {} bytes", value.len());
        }
    }

    #[test]
    fn reading_scattered_records_reads_only_their_segments() {
        for length in [10, 10_000, VALUE_BYTES_MAX, VALUE_BYTES_MAX * 2] {
            let kv = MemoryKv::default();
            let records: Vec<String> = (0..60).map(|n| format!("{n}{}", "x".repeat(length))).collect();
            let manifest = write(&kv, &records);
            for places in [vec![], vec![0], vec![59], vec![0, 1, 2, 30, 31, 58, 59], (0..60).collect()] {
                let before = kv.operations().0;
                let read: Vec<String> = block_on(read_at(&kv, "gh:list", &manifest, places.clone())).unwrap();
                assert!(read.iter().eq(places.iter().map(|at| &records[*at as usize])), "{length}: {places:?}");
                let most = (places.len() * (2 + length / VALUE_BYTES_MAX)) as u64;
                assert!(kv.operations().0 - before <= most, "{length}: {places:?}");
            }
            let beyond: Result<Vec<String>, _> = block_on(read_at(&kv, "gh:list", &manifest, [60]));
            assert_eq!(beyond, Err(KvError::Missing { key: "gh:list record 60".to_owned() }));
        }
    }

    #[test]
    fn a_short_list_needs_no_segment_and_an_empty_one_is_readable() {
        let kv = MemoryKv::default();
        let manifest = write(&kv, &["a".to_owned(), "b".to_owned()]);
        assert_eq!(kv.operations(), (0, 0));
        assert_eq!(manifest.inline.as_deref(), Some("\"a\"\n\"b\"\n"));
        check(&[], 0, 10);
        check(&[], 5, 10);
        check(&[1, 2, 3], 1, 1);
    }

    #[test]
    fn records_larger_than_a_segment_or_ending_on_its_edge_are_kept_whole() {
        for length in [VALUE_BYTES_MAX - 9, VALUE_BYTES_MAX, VALUE_BYTES_MAX * 3, 40_000] {
            for from in 0..6 {
                check(&[length, 5, length, length, 7], from, 2);
            }
        }
    }

    #[test]
    fn a_record_that_fills_a_segment_exactly_is_read_back() {
        let kv = MemoryKv::default();
        let exact = "x".repeat(VALUE_BYTES_MAX - 3);
        let manifest = write(&kv, &[exact.clone(), "next".to_owned()]);
        assert_eq!(manifest.starts, [(0, 0), (1, 0)]);
        let next: Vec<String> = block_on(read(&kv, "gh:list", &manifest, 1, 1)).unwrap();
        assert_eq!(next, ["next"]);
        let alone = write(&MemoryKv::default(), &[exact]);
        assert_eq!((alone.starts, alone.records), (vec![(0, 0)], 1));
    }

    #[test]
    fn a_missing_segment_is_an_error_and_never_a_shorter_list() {
        let kv = MemoryKv::default();
        let manifest = write(&kv, &["x".repeat(VALUE_BYTES_MAX), "y".to_owned()]);
        block_on(kv.delete("gh:list:1")).unwrap();
        let result: Result<Vec<String>, _> = block_on(read_all(&kv, "gh:list", &manifest));
        assert_eq!(result, Err(KvError::Missing { key: "gh:list:1".to_owned() }));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn any_records_are_read_back_from_anywhere(
            lengths in proptest::collection::vec(prop_oneof![0..2000_usize, 100_000..700_000_usize], 0..8),
            from in 0..10_u32,
            count in 0..10_u32,
        ) {
            check(&lengths, from, count);
        }
    }
}
