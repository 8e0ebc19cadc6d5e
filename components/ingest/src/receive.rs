//! Receives the parts of an upload: decodes, measures and hashes them, and stores them as raw segments, all as a
//! stream.

use crate::body::{ByteSource, UploadPart, UploadParts};
use crate::encoding::{Base64Decoder, Encoding, PeekedSource};
use crate::inflate::Inflated;
use crate::raw_segments::SegmentWriter;
use api::problem::{Code, Problem};
use domain::digest::hex;
use domain::scan::ScanRequest;
use finding::limits::{REPORT_BYTES_MAX, SOURCE_BYTES_MAX};
use sha2::{Digest as _, Sha256};
use store::kv::Kv;
use store::raw::RawSegments;
use store::scans::{Frozen, Written};

/// A received part of an upload.
pub(crate) struct ReceivedPart {
    /// The size of the decoded part, in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the decoded part, 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// The number of raw segments that were written.
    pub(crate) segments: u32,
}

/// A received upload.
pub(crate) struct ReceivedUpload {
    /// The sidecar, if the upload has one.
    pub(crate) sidecar: Option<ReceivedPart>,
    /// The report.
    pub(crate) report: ReceivedPart,
}

impl ReceivedUpload {
    /// Checks that this upload is the same as that of the scan that was frozen under its `Idempotency-Key`.
    ///
    /// # Errors
    /// It has another report, another sidecar or other parameters.
    pub(crate) fn check_same(&self, frozen: &Frozen, request: &ScanRequest) -> Result<(), Problem> {
        let record = &frozen.record;
        let difference = if record.report_sha256 != self.report.sha256 {
            "another report"
        } else if record.source_sha256.as_ref() != self.sidecar.as_ref().map(|sidecar| &sidecar.sha256) {
            "another sidecar"
        } else if record.request != *request {
            "other parameters"
        } else {
            return Ok(());
        };
        // The caller may not have the right to see another target's scan.
        let same_target = record.request.target == request.target;
        let of = if same_target { format!(", for scan {}", record.id) } else { String::new() };
        let detail = format!("the key was already used with {difference}{of}; use a new key");
        Err(Problem::new(Code::IdempotencyMismatch, detail))
    }
}

/// Receives all parts of an upload, and writes their raw segments to `segments`. Without `segments` the parts are only
/// measured and hashed. `written` counts the segments, also if this fails.
///
/// # Errors
/// A part cannot be decoded or is too large, there is no report, or the store failed.
pub(crate) async fn receive(
    kv: &impl Kv,
    segments: Option<&RawSegments>,
    parts: &mut impl UploadParts,
    written: &mut Written,
) -> Result<ReceivedUpload, Problem> {
    let (mut sidecar, mut report) = (None, None);
    while let Some(part) = parts.next_part().await? {
        let (received, written) = match part {
            UploadPart::Sidecar => (&mut sidecar, &mut written.source),
            UploadPart::Report => (&mut report, &mut written.raw),
        };
        *received = Some(receive_part(SegmentWriter::new(kv, segments, part, written), part, parts).await?);
    }
    let no_report = "the form has a `source` but no `report` after it; send both, the `source` first";
    let report = report.ok_or_else(|| Problem::new(Code::ReportEmpty, no_report))?;
    Ok(ReceivedUpload { sidecar, report })
}

async fn receive_part<K: Kv, S: ByteSource>(
    mut segments: SegmentWriter<'_, K>,
    part: UploadPart,
    source: &mut S,
) -> Result<ReceivedPart, Problem> {
    let mut content = PartContent { part, bytes: 0, hash: Sha256::new() };
    let copied = async {
        let mut source = PeekedSource::open(source).await?;
        match source.detected_encoding() {
            Encoding::Identity | Encoding::Decoded => copy(&mut source, &mut content, &mut segments).await,
            Encoding::Gzip => copy(&mut Inflated::new(source, part), &mut content, &mut segments).await,
            Encoding::GzipBase64 => {
                let mut source = Inflated::new(Base64Decoder::new(source, part), part);
                copy(&mut source, &mut content, &mut segments).await
            }
        }
    }
    .await;
    // Even after an error: a segment can be removed only when its write is done.
    let finished = segments.finish().await;
    copied?;
    let PartContent { bytes, hash, .. } = content;
    Ok(ReceivedPart { bytes, sha256: hex(&hash.finalize()), segments: finished? })
}

async fn copy<K: Kv, S: ByteSource>(
    source: &mut S,
    content: &mut PartContent,
    segments: &mut SegmentWriter<'_, K>,
) -> Result<(), Problem> {
    while let Some(bytes) = source.next().await? {
        content.push(&bytes)?;
        segments.push(&bytes).await?;
    }
    Ok(())
}

/// The decoded bytes of a part so far.
struct PartContent {
    part: UploadPart,
    bytes: u64,
    hash: Sha256,
}

impl PartContent {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let (code, bytes_max) = match self.part {
            UploadPart::Sidecar => (Code::SourceTooLarge, SOURCE_BYTES_MAX),
            UploadPart::Report => (Code::ReportTooLarge, REPORT_BYTES_MAX),
        };
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.bytes > bytes_max {
            let detail = format!("the {} is larger than {} MiB", self.part.name(), bytes_max / 1024 / 1024);
            return Err(Problem::new(code, detail));
        }
        self.hash.update(bytes);
        Ok(())
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

    /// Parts in memory.
    struct Form {
        parts: VecDeque<(UploadPart, VecDeque<Bytes>)>,
        now: VecDeque<Bytes>,
    }

    impl Form {
        fn new(parts: impl IntoIterator<Item = (UploadPart, Vec<Bytes>)>) -> Self {
            Self { parts: parts.into_iter().map(|(part, bytes)| (part, bytes.into())).collect(), now: VecDeque::new() }
        }
    }

    impl ByteSource for Form {
        fn encoding(&self) -> Encoding {
            Encoding::Identity
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            Ok(self.now.pop_front())
        }
    }

    impl UploadParts for Form {
        async fn next_part(&mut self) -> Result<Option<UploadPart>, Problem> {
            let Some((part, bytes)) = self.parts.pop_front() else { return Ok(None) };
            self.now = bytes;
            Ok(Some(part))
        }
    }

    fn sidecar_of(pieces: Vec<Bytes>) -> Result<ReceivedUpload, Problem> {
        let parts = [(UploadPart::Sidecar, pieces), (UploadPart::Report, vec![Bytes::from_static(b"{}")])];
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
    fn a_sidecar_without_a_report_is_refused() {
        let mut form = Form::new([(UploadPart::Sidecar, vec![Bytes::from_static(b"{\"v\": 1}")])]);
        let received = block_on(receive(&MemoryKv::default(), None, &mut form, &mut Written::default()));
        assert_eq!(received.err().unwrap().code, Code::ReportEmpty);
    }
}
