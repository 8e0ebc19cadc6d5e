//! Decompresses gzip as a stream, and stops at data that expands more than a report does.

use crate::body::{ByteSource, UploadPart};
use crate::encoding::Encoding;
use api::problem::{Code, Problem};
use bytes::{Buf as _, Bytes};
use finding::limits::{COMPRESSION_RATIO_FLOOR_BYTES, COMPRESSION_RATIO_MAX};
use flate2::write::MultiGzDecoder;
use std::io::Write as _;

/// The number of compressed bytes that are decompressed at once. At deflate's best ratio of about 1000 they become 1
/// MiB.
const INFLATE_BYTES: usize = 1024;

/// Decompresses a source of gzip.
pub(crate) struct Inflated<S> {
    source: S,
    /// The part that the source is, for errors.
    part: UploadPart,
    /// The compressed bytes that were read and are not decompressed yet.
    rest: Bytes,
    /// Absent once the compressed data has ended.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    compressed: u64,
    inflated: u64,
}

impl<S: ByteSource> Inflated<S> {
    pub(crate) fn new(source: S, part: UploadPart) -> Self {
        let decoder = Some(MultiGzDecoder::new(Vec::new()));
        Self { source, part, rest: Bytes::new(), decoder, compressed: 0, inflated: 0 }
    }

    /// Counts decompressed bytes and checks the ratio.
    fn checked(&mut self, inflated: Vec<u8>) -> Result<Bytes, Problem> {
        self.inflated += u64::try_from(inflated.len()).unwrap_or(u64::MAX);
        let allowed = self.compressed.saturating_mul(COMPRESSION_RATIO_MAX).max(COMPRESSION_RATIO_FLOOR_BYTES);
        if self.inflated > allowed {
            let detail = format!(
                "{} compressed bytes of the {} became {} bytes or more; at most {COMPRESSION_RATIO_MAX} times as many \
                 are allowed",
                self.compressed,
                self.part.name(),
                self.inflated
            );
            return Err(Problem::new(Code::CompressionBomb, detail));
        }
        Ok(inflated.into())
    }
}

impl<S: ByteSource> ByteSource for Inflated<S> {
    fn encoding(&self) -> Encoding {
        Encoding::Decoded
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while let Some(decoder) = &mut self.decoder {
            if self.rest.is_empty() {
                match self.source.next().await? {
                    Some(bytes) => self.rest = bytes,
                    None => {
                        let mut decoder = self.decoder.take();
                        let ended = decoder.as_mut().filter(|_| 0 < self.compressed).map(MultiGzDecoder::try_finish);
                        if let Some(Err(_)) = ended {
                            let detail = "the gzip data is cut off, or its checksum is wrong";
                            return Err(Problem::new(self.part.truncated(), detail));
                        }
                        let last = decoder.as_mut().map(|decoder| std::mem::take(decoder.get_mut()));
                        let last = last.filter(|last| !last.is_empty());
                        return last.map(|last| self.checked(last)).transpose();
                    }
                }
                continue;
            }
            let piece = self.rest.get(..self.rest.len().min(INFLATE_BYTES)).unwrap_or_default();
            let written = decoder.write_all(piece);
            written.map_err(|error| Problem::new(self.part.malformed(), format!("the body is not gzip: {error}")))?;
            let length = piece.len();
            self.compressed += u64::try_from(length).unwrap_or(u64::MAX);
            let inflated = std::mem::take(decoder.get_mut());
            self.rest.advance(length);
            let inflated = self.checked(inflated)?;
            if !inflated.is_empty() {
                return Ok(Some(inflated));
            }
        }
        Ok(None)
    }
}
