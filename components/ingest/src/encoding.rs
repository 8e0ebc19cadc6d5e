//! Detects how a part of an upload is encoded: gzip has a magic number, with or without a header that announces it, and
//! so has gzip in base64.

use crate::body::{ByteSource, UploadPart};
use api::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

/// The magic number of gzip.
const GZIP: &[u8] = &[0x1F, 0x8B];
/// The first bytes of gzip with its usual method and flags, in base64.
const GZIP_BASE64: &[u8] = b"H4sI";

/// The encoding of a body or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// No encoding, or none that a header announces.
    Identity,
    /// gzip (RFC 1952), one or more members.
    Gzip,
    /// gzip in base64 (RFC 4648), as GitHub accepts SARIF.
    GzipBase64,
    /// None any more: the whole body was compressed and is decompressed already. No part is decompressed twice.
    Decoded,
}

/// A source whose first bytes were read already, to detect its encoding.
pub(crate) struct PeekedSource<S> {
    source: S,
    first: BytesMut,
    /// True if the source has ended. It is not read again.
    ended: bool,
}

impl<S: ByteSource> PeekedSource<S> {
    /// Reads the first bytes of a source.
    ///
    /// # Errors
    /// The source failed.
    pub(crate) async fn open(mut source: S) -> Result<Self, Problem> {
        let (mut first, mut ended) = (BytesMut::new(), false);
        while !ended && first.len() < GZIP_BASE64.len() {
            match source.next().await? {
                Some(bytes) => first.extend_from_slice(&bytes),
                None => ended = true,
            }
        }
        Ok(Self { source, first, ended })
    }

    /// True if the first bytes are those of gzip.
    pub(crate) fn is_gzip(&self) -> bool {
        self.first.starts_with(GZIP)
    }

    /// The encoding that a header announces, or else the one that the first bytes show.
    pub(crate) fn detected_encoding(&self) -> Encoding {
        match self.source.encoding() {
            Encoding::Identity if self.is_gzip() => Encoding::Gzip,
            Encoding::Identity if self.first.starts_with(GZIP_BASE64) => Encoding::GzipBase64,
            announced @ (Encoding::Identity | Encoding::Gzip | Encoding::GzipBase64 | Encoding::Decoded) => announced,
        }
    }
}

impl<S: ByteSource> ByteSource for PeekedSource<S> {
    fn encoding(&self) -> Encoding {
        self.source.encoding()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match (self.first.is_empty(), self.ended) {
            (false, _) => Ok(Some(std::mem::take(&mut self.first).freeze())),
            (true, false) => self.source.next().await,
            (true, true) => Ok(None),
        }
    }
}

/// Decodes base64 as a stream. Line breaks and spaces are ignored.
pub(crate) struct Base64Decoder<S> {
    source: S,
    /// The part that the source is, for errors.
    part: UploadPart,
    /// The characters that are not decoded yet: fewer than four between two reads.
    rest: Vec<u8>,
}

impl<S> Base64Decoder<S> {
    pub(crate) fn new(source: S, part: UploadPart) -> Self {
        Self { source, part, rest: Vec::new() }
    }
}

impl<S: ByteSource> ByteSource for Base64Decoder<S> {
    fn encoding(&self) -> Encoding {
        Encoding::Gzip
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let (length, ended) = match self.source.next().await? {
                Some(bytes) => {
                    self.rest.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
                    (self.rest.len() / 4 * 4, false)
                }
                None => (self.rest.len(), true),
            };
            let characters: Vec<u8> = self.rest.drain(..length).collect();
            let decoded = STANDARD.decode(characters).map_err(|error| {
                let detail = format!("the body begins like gzip in base64 but cannot be decoded: {error}");
                Problem::new(self.part.malformed(), detail)
            })?;
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
            if ended {
                return Ok(None);
            }
        }
    }
}
