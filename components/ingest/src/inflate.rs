//! Decompresses as it comes, and stops at what no report compresses like.

use crate::body::{Encoding, Part, Source};
use api::problem::{Code, Problem};
use bytes::{Buf as _, Bytes};
use finding::limits::{COMPRESSION_RATIO_FLOOR_BYTES, COMPRESSION_RATIO_MAX};
use flate2::write::MultiGzDecoder;
use std::io::Write as _;

/// How many compressed bytes are decompressed at once: at deflate's best ratio of about 1000 they become 1 MiB.
const INFLATE_BYTES: usize = 1024;

/// What a source of gzip is, decompressed.
pub(crate) struct Inflated<S> {
    source: S,
    /// What it is part of, for errors.
    part: Part,
    /// Compressed bytes that came and are not yet decompressed.
    rest: Bytes,
    /// Gone once the compressed data has ended.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    compressed: u64,
    inflated: u64,
}

impl<S: Source> Inflated<S> {
    pub(crate) fn new(source: S, part: Part) -> Self {
        let decoder = Some(MultiGzDecoder::new(Vec::new()));
        Self { source, part, rest: Bytes::new(), decoder, compressed: 0, inflated: 0 }
    }

    /// Counts what was decompressed.
    fn checked(&mut self, inflated: Vec<u8>) -> Result<Bytes, Problem> {
        self.inflated += u64::try_from(inflated.len()).unwrap_or(u64::MAX);
        let allowed = self.compressed.saturating_mul(COMPRESSION_RATIO_MAX).max(COMPRESSION_RATIO_FLOOR_BYTES);
        if self.inflated > allowed {
            let detail = format!(
                "{} bytes became {} and more, above {COMPRESSION_RATIO_MAX} times; {} compresses like that",
                self.compressed,
                self.inflated,
                match self.part {
                    Part::Sidecar => "no code",
                    Part::Report => "no report",
                }
            );
            return Err(Problem::new(Code::CompressionBomb, detail));
        }
        Ok(inflated.into())
    }
}

impl<S: Source> Source for Inflated<S> {
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
                            let what = "the gzip data ends too early, or its checksum is not that of its content";
                            return Err(Problem::new(self.part.truncated(), what));
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
