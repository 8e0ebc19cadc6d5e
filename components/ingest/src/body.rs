//! The body of an upload as its parts, each a stream of bytes. A body is one of: the report itself; a form with one
//! file (`curl -F report=@report.json`); a form with a sidecar and then a report. The sidecar comes first, so that
//! neither has to be kept in memory.

use crate::encoding::{Encoding, PeekedSource};
use crate::inflate::Inflated;
use api::problem::{Code, Problem};
use api::v1::{REPORT_PART, SOURCE_PART};
use bytes::Bytes;
use futures::stream::{self, Stream};
use guest::{Body, form};
use spin_sdk::http::HeaderMap;
use store::raw::RawPart;

/// The kind of a part of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadPart {
    /// The sidecar: code from the working tree for the report's findings.
    Sidecar,
    /// The report.
    Report,
}

impl UploadPart {
    /// The name in error messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Report => "report",
        }
    }

    /// The part as it is stored.
    pub(crate) fn raw(self) -> RawPart {
        match self {
            Self::Sidecar => RawPart::Sidecar,
            Self::Report => RawPart::Report,
        }
    }

    /// The problem code for a part that cannot be read.
    pub(crate) fn malformed(self) -> Code {
        match self {
            Self::Sidecar => Code::SourceMalformed,
            Self::Report => Code::ReportMalformed,
        }
    }

    /// The problem code for a part that is cut off.
    pub(crate) fn truncated(self) -> Code {
        match self {
            Self::Sidecar => Code::SourceMalformed,
            Self::Report => Code::ReportTruncated,
        }
    }
}

/// A stream of bytes.
#[allow(async_fn_in_trait)]
pub trait ByteSource {
    /// The encoding of the bytes.
    fn encoding(&self) -> Encoding;

    /// Reads the next bytes. Returns `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or the form is malformed.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem>;
}

impl<S: ByteSource> ByteSource for &mut S {
    fn encoding(&self) -> Encoding {
        S::encoding(self)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        S::next(self).await
    }
}

/// The parts of an upload. As a [`ByteSource`] it has the bytes of the part that [`next_part`](Self::next_part) opened
/// last.
#[allow(async_fn_in_trait)]
pub trait UploadParts: ByteSource {
    /// Opens the next part. Returns `None` after the last one.
    ///
    /// # Errors
    /// The connection broke, the form is malformed, or it has parts that an upload does not have.
    async fn next_part(&mut self) -> Result<Option<UploadPart>, Problem>;
}

/// The body of an upload request. Nothing of it is read before its first part is opened.
pub(crate) enum UploadBody {
    Plain(PlainBody),
    /// A form that is not opened yet, with the value of its header `Content-Type`.
    UnreadForm(Option<RequestBody>, String),
    Form(Box<FormBody>),
}

/// A body that is the report itself.
pub(crate) struct PlainBody {
    body: RequestBody,
    /// True if the report was opened.
    opened: bool,
}

/// A form of a report, or of a sidecar and a report.
pub(crate) struct FormBody {
    multipart: form::Multipart,
    file: Option<form::Part>,
    /// The kind of the part that was opened last.
    part: Option<UploadPart>,
    encoding: Encoding,
}

/// Prepares to read a body, as its headers say.
///
/// # Errors
/// The encoding is not supported, or a header cannot be read.
pub(crate) fn of_headers(headers: &HeaderMap, body: Body) -> Result<UploadBody, Problem> {
    let header = |name: &str| Ok::<_, Problem>(guest::header(headers, name)?.unwrap_or_default().trim());
    let unsupported = |detail: String| Problem::new(Code::UnsupportedEncoding, detail);
    if headers.get_all("content-encoding").iter().count() > 1 {
        return Err(unsupported("the header `Content-Encoding` is present more than once; send it once".to_owned()));
    }
    let encoding = match header("content-encoding")?.to_ascii_lowercase().as_str() {
        "" | "identity" => Encoding::Identity,
        "gzip" | "x-gzip" => Encoding::Gzip,
        other => {
            let other = other.escape_default();
            return Err(unsupported(format!("the encoding `{other}` is not supported; send gzip, or no encoding")));
        }
    };
    let (content_type, body) = (header("content-type")?, RequestBody { body, encoding });
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok(UploadBody::Plain(PlainBody { body, opened: false }));
    }
    Ok(UploadBody::UnreadForm(Some(body), content_type.to_owned()))
}

/// The body of a request, with the encoding that its header announces.
pub(crate) struct RequestBody {
    body: Body,
    encoding: Encoding,
}

impl ByteSource for RequestBody {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.body.next().await
    }
}

/// Turns a source into a stream of its bytes.
fn stream_of(source: impl ByteSource) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(source, |mut source| async move { Ok(source.next().await?.map(|bytes| (bytes, source))) })
}

impl ByteSource for UploadBody {
    fn encoding(&self) -> Encoding {
        match self {
            Self::Plain(plain) => plain.body.encoding(),
            Self::UnreadForm(body, _) => body.as_ref().map_or(Encoding::Identity, RequestBody::encoding),
            Self::Form(form) => form.encoding,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self {
            Self::Plain(plain) => plain.body.next().await,
            // No part is opened.
            Self::UnreadForm(..) => Ok(None),
            Self::Form(form) => match &mut form.file {
                Some(file) => file.next().await,
                None => Ok(None),
            },
        }
    }
}

impl UploadParts for UploadBody {
    async fn next_part(&mut self) -> Result<Option<UploadPart>, Problem> {
        if let Self::UnreadForm(body, content_type) = self
            && let Some(body) = body.take()
        {
            *self = Self::Form(Box::new(FormBody::open(PeekedSource::open(body).await?, content_type)?));
        }
        match self {
            Self::UnreadForm(..) => Ok(None),
            Self::Plain(plain) => Ok((!std::mem::replace(&mut plain.opened, true)).then_some(UploadPart::Report)),
            Self::Form(form) => form.next_part().await,
        }
    }
}

impl FormBody {
    fn open<S: ByteSource + 'static>(body: PeekedSource<S>, content_type: &str) -> Result<Self, Problem> {
        // The header is about the whole form or, as some clients use it, about the file in it.
        let (multipart, encoding) = match body.encoding() {
            Encoding::Gzip if body.is_gzip() => {
                let inflated = Inflated::new(body, UploadPart::Report);
                (form::Multipart::open(content_type, stream_of(inflated))?, Encoding::Decoded)
            }
            announced @ (Encoding::Identity | Encoding::Gzip | Encoding::GzipBase64 | Encoding::Decoded) => {
                (form::Multipart::open(content_type, stream_of(body))?, announced)
            }
        };
        Ok(Self { multipart, file: None, part: None, encoding })
    }

    async fn next_part(&mut self) -> Result<Option<UploadPart>, Problem> {
        // The form goes on only after its last file is dropped.
        self.file = None;
        let file = self.multipart.next().await?;
        let part = match &file {
            Some(file) => Some(part_after(self.part, file.name())?),
            None => None,
        };
        match (part, self.part) {
            (Some(part), _) => {
                (self.file, self.part) = (file, Some(part));
                Ok(Some(part))
            }
            (None, Some(_)) => Ok(None),
            (None, None) => {
                let detail = "the form has no file; send one, as `curl -F report=@report.json` does";
                Err(Problem::new(Code::ReportEmpty, detail))
            }
        }
    }
}

/// The kind of the file with this name that comes after the part `before`. Any file that an upload does not have is an
/// error, because it would be ignored silently.
fn part_after(before: Option<UploadPart>, name: Option<&str>) -> Result<UploadPart, Problem> {
    match (before, name) {
        (None, Some(SOURCE_PART)) => Ok(UploadPart::Sidecar),
        // The report may have any name if it is the only file.
        (None, Some(_) | None) | (Some(UploadPart::Sidecar), Some(REPORT_PART)) => Ok(UploadPart::Report),
        (Some(UploadPart::Sidecar | UploadPart::Report), _) => {
            let detail = format!(
                "the form has an unexpected part; send one report in each upload: one file, or a `{SOURCE_PART}` and \
                 then a `{REPORT_PART}`"
            );
            Err(Problem::new(Code::ReportMalformed, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UploadPart::{Report, Sidecar};
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures::executor::block_on;
    use guest::form::AHEAD_BYTES_MAX;
    use std::io::Write as _;

    const FORM: &str = "multipart/form-data; boundary=b";

    /// A body in memory, in pieces of a few bytes.
    struct Pieces(Bytes, Encoding);

    impl ByteSource for Pieces {
        fn encoding(&self) -> Encoding {
            self.1
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            let length = self.0.len().min(7);
            Ok((0 < length).then(|| self.0.split_to(length)))
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let part = |(name, content): &(&str, &[u8])| {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n");
            [head.as_bytes(), content, b"\r\n"].concat()
        };
        [parts.iter().flat_map(part).collect(), b"--b--\r\n".to_vec()].concat()
    }

    type Read = (Vec<(UploadPart, Vec<u8>)>, Encoding);

    /// The parts of a form in order, and their encoding.
    fn read(body: Vec<u8>, encoding: Encoding) -> Result<Read, Problem> {
        block_on(async {
            let body = PeekedSource::open(Pieces(body.into(), encoding)).await?;
            let mut upload = UploadBody::Form(Box::new(FormBody::open(body, FORM)?));
            let mut parts = Vec::new();
            while let Some(part) = upload.next_part().await? {
                let mut content = Vec::new();
                while let Some(bytes) = upload.next().await? {
                    content.extend_from_slice(&bytes);
                }
                parts.push((part, content));
            }
            assert_eq!(upload.next_part().await, Ok(None), "the end stays the end");
            Ok((parts, upload.encoding()))
        })
    }

    /// A body of so many pieces without any part.
    struct Endless(usize);

    impl ByteSource for Endless {
        fn encoding(&self) -> Encoding {
            Encoding::Identity
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            self.0 = self.0.saturating_sub(1);
            Ok((0 < self.0).then(|| Bytes::from(vec![b'x'; 32 * 1024])))
        }
    }

    #[test]
    fn a_form_without_a_part_is_refused_before_it_fills_the_memory() {
        let problem = block_on(async {
            let peeked = PeekedSource::open(Endless(1_000_000)).await?;
            FormBody::open(peeked, FORM)?.next_part().await
        });
        assert!(problem.unwrap_err().detail.contains("bytes outside its parts"));
        // A part itself may be larger.
        let large = vec![b'y'; 3 * AHEAD_BYTES_MAX];
        let whole = form(&[("report", &large)]);
        let (length, _) = block_on(async {
            let body = PeekedSource::open(Chunks(whole.into())).await?;
            let mut upload = UploadBody::Form(Box::new(FormBody::open(body, FORM)?));
            let (mut length, part) = (0, upload.next_part().await?);
            while let Some(bytes) = upload.next().await? {
                length += bytes.len();
            }
            Ok::<_, Problem>((length, part))
        })
        .unwrap();
        assert_eq!(length, large.len());
    }

    /// A body in memory, in large pieces.
    struct Chunks(Bytes);

    impl ByteSource for Chunks {
        fn encoding(&self) -> Encoding {
            Encoding::Identity
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            let length = self.0.len().min(32 * 1024);
            Ok((0 < length).then(|| self.0.split_to(length)))
        }
    }

    #[test]
    fn the_parts_of_a_form_come_one_after_the_other_however_they_are_compressed() {
        let (code, report) = (b"{\"v\":1}\n".as_slice(), b"a report".as_slice());
        let both = form(&[("source", code), ("report", report)]);
        let parts = vec![(Sidecar, code.to_vec()), (Report, report.to_vec())];
        assert_eq!(read(both.clone(), Encoding::Identity), Ok((parts.clone(), Encoding::Identity)));
        assert_eq!(read(gzip(&both), Encoding::Gzip), Ok((parts, Encoding::Decoded)));
        // If the form itself is not compressed, the header is about the file in it.
        let packed = form(&[("any", &gzip(report))]);
        assert_eq!(read(packed, Encoding::Gzip), Ok((vec![(Report, gzip(report))], Encoding::Gzip)));
    }

    #[test]
    fn malformed_forms_and_compression_bombs_are_refused() {
        let both = form(&[("source", b"{}"), ("report", b"{}")]);
        let code = |body: Vec<u8>, encoding| read(body, encoding).unwrap_err().code;
        assert_eq!(code(Vec::new(), Encoding::Identity), Code::ReportMalformed);
        assert_eq!(code(form(&[]), Encoding::Identity), Code::ReportEmpty);
        assert_eq!(code(both[..both.len() - 9].to_vec(), Encoding::Identity), Code::ReportMalformed);
        let packed = gzip(&both);
        assert_eq!(code(packed[..packed.len() - 9].to_vec(), Encoding::Gzip), Code::ReportTruncated);
        let bomb = form(&[("report", &vec![b' '; 4 << 20])]);
        assert_eq!(code(gzip(&bomb), Encoding::Gzip), Code::CompressionBomb);
        assert_eq!(code(form(&[("report", b"{}"), ("source", b"{}")]), Encoding::Identity), Code::ReportMalformed);
    }

    #[test]
    fn a_form_is_one_file_or_a_source_and_a_report_in_this_order() {
        for (before, name, expected) in [
            (None, Some("report"), Some(Report)),
            (None, Some("anything"), Some(Report)),
            (None, None, Some(Report)),
            (None, Some("source"), Some(Sidecar)),
            (Some(Sidecar), Some("report"), Some(Report)),
            (Some(Sidecar), Some("anything"), None),
            (Some(Sidecar), Some("source"), None),
            (Some(Sidecar), None, None),
            (Some(Report), Some("source"), None),
            (Some(Report), Some("report"), None),
            (Some(Report), None, None),
        ] {
            assert_eq!(part_after(before, name).ok(), expected, "{name:?} after {before:?}");
        }
    }
}
