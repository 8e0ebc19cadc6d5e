//! Looks at the first bytes of a report before it is taken in: gzip is recognised by its mark, with or without a header
//! that says so, and so is gzip written in base64.

use crate::body::{Encoding, Part, Source};
use api::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

const GZIP: &[u8] = &[0x1F, 0x8B];
/// What the mark of gzip with its usual method and flags becomes in base64.
const GZIP_BASE64: &[u8] = b"H4sI";

/// A source whose first bytes were looked at.
pub(crate) struct Peeked<'a, S> {
    source: &'a mut S,
    first: BytesMut,
    /// Whether the source has ended: it is not asked again.
    ended: bool,
    encoding: Encoding,
}

impl<'a, S: Source> Peeked<'a, S> {
    pub(crate) async fn new(source: &'a mut S) -> Result<Self, Problem> {
        let (mut first, mut ended) = (BytesMut::new(), false);
        while !ended && first.len() < GZIP_BASE64.len() {
            match source.next().await? {
                Some(bytes) => first.extend_from_slice(&bytes),
                None => ended = true,
            }
        }
        let encoding = match source.encoding() {
            Encoding::Identity if first.starts_with(GZIP) => Encoding::Gzip,
            Encoding::Identity if first.starts_with(GZIP_BASE64) => Encoding::GzipBase64,
            said @ (Encoding::Identity | Encoding::Gzip | Encoding::GzipBase64 | Encoding::Decoded) => said,
        };
        Ok(Self { source, first, ended, encoding })
    }
}

impl<S: Source> Source for Peeked<'_, S> {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match (self.first.is_empty(), self.ended) {
            (false, _) => Ok(Some(std::mem::take(&mut self.first).freeze())),
            (true, false) => self.source.next().await,
            (true, true) => Ok(None),
        }
    }
}

/// Decodes base64 as it comes; line breaks and spaces in it are no matter.
pub(crate) struct Unbase64<S> {
    source: S,
    /// What it is part of, for errors.
    part: Part,
    /// Characters that are not yet four.
    rest: Vec<u8>,
}

impl<S> Unbase64<S> {
    pub(crate) fn new(source: S, part: Part) -> Self {
        Self { source, part, rest: Vec::new() }
    }
}

impl<S: Source> Source for Unbase64<S> {
    fn encoding(&self) -> Encoding {
        Encoding::Gzip
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let (whole, ended) = match self.source.next().await? {
                Some(bytes) => {
                    self.rest.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
                    (self.rest.len() / 4 * 4, false)
                }
                None => (self.rest.len(), true),
            };
            let four: Vec<u8> = self.rest.drain(..whole).collect();
            let decoded = STANDARD.decode(four).map_err(|error| {
                Problem::new(self.part.malformed(), format!("the body begins like gzip in base64 and is not: {error}"))
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
