//! The body of an upload as its parts, each a run of bytes: the body as it is; the one file of a form
//! (`curl -F report=@report.json`); or the two of a form that brings code from the working tree, the sidecar first, so
//! that neither needs to be held.

use crate::inflate::Inflated;
use api::problem::{Code, Problem};
use api::v1::{REPORT_PART, SOURCE_PART};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream};
use guest::{Body, form};
use spin_sdk::http::HeaderMap;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all, so far as is said.
    Identity,
    /// gzip (RFC 1952), one or more members.
    Gzip,
    /// gzip written in base64 (RFC 4648), as GitHub takes SARIF.
    GzipBase64,
    /// No longer: what stood around it was compressed. Nothing is compressed twice.
    Decoded,
}

/// What a part of an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the working tree shows of the report's findings.
    Sidecar,
    /// The report.
    Report,
}

impl Part {
    /// The problem of a part that can't be read.
    pub(crate) fn malformed(self) -> Code {
        match self {
            Self::Sidecar => Code::SourceMalformed,
            Self::Report => Code::ReportMalformed,
        }
    }

    /// The problem of a part that was cut off.
    pub(crate) fn truncated(self) -> Code {
        match self {
            Self::Sidecar => Code::SourceMalformed,
            Self::Report => Code::ReportTruncated,
        }
    }
}

/// Where bytes come from.
#[allow(async_fn_in_trait)]
pub trait Source {
    /// How they are compressed.
    fn encoding(&self) -> Encoding;

    /// The next bytes, or nothing at the end.
    ///
    /// # Errors
    /// The connection broke, or the form is not one.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem>;
}

impl<S: Source> Source for &mut S {
    fn encoding(&self) -> Encoding {
        S::encoding(self)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        S::next(self).await
    }
}

/// The parts of an upload: its bytes are those of the part that was gone to last.
#[allow(async_fn_in_trait)]
pub trait Parts: Source {
    /// Goes to the next part, if there is one.
    ///
    /// # Errors
    /// The connection broke, the form is not one, or it has other parts than an upload has.
    async fn part(&mut self) -> Result<Option<Part>, Problem>;
}

/// A request's body.
pub(crate) enum Incoming {
    Plain(Plain),
    Form(Box<Form>),
}

/// A body that is the report.
pub(crate) struct Plain {
    body: Body,
    encoding: Encoding,
    begun: bool,
}

/// A form of one file, which is the report, or of the sidecar and the report.
pub(crate) struct Form {
    multipart: form::Multipart,
    file: Option<form::Part>,
    /// What `file` is; before the first there is none.
    part: Option<Part>,
    encoding: Encoding,
}

/// Opens a body by its headers.
///
/// # Errors
/// It is compressed in a way that is not read, or says that it is a form and is none.
pub(crate) async fn open(headers: &HeaderMap, body: Body) -> Result<Incoming, Problem> {
    let header = |name: &str| Ok::<_, Problem>(guest::header(headers, name)?.unwrap_or_default().trim());
    if headers.get_all("content-encoding").iter().count() > 1 {
        return Err(Problem::new(
            Code::UnsupportedEncoding,
            "only one encoding is read, and the header is there twice",
        ));
    }
    let encoding = match header("content-encoding")?.to_ascii_lowercase().as_str() {
        "" | "identity" => Encoding::Identity,
        "gzip" | "x-gzip" => Encoding::Gzip,
        other => {
            let detail = format!("`{}` is not read; send gzip, or no encoding", other.escape_default());
            return Err(Problem::new(Code::UnsupportedEncoding, detail));
        }
    };
    let content_type = header("content-type")?;
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok(Incoming::Plain(Plain { body, encoding, begun: false }));
    }
    let body = Whole::begin(Bare { body, encoding }).await?;
    Ok(Incoming::Form(Box::new(Form::open(body, content_type)?)))
}

/// A body as it arrives.
struct Bare {
    body: Body,
    encoding: Encoding,
}

impl Source for Bare {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.body.next().await
    }
}

/// How gzip begins.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// A form's body, of which the first bytes were looked at.
struct Whole<S> {
    first: BytesMut,
    body: S,
}

impl<S: Source> Whole<S> {
    async fn begin(mut body: S) -> Result<Self, Problem> {
        let mut first = BytesMut::new();
        while first.len() < GZIP.len() {
            let Some(bytes) = body.next().await? else { break };
            first.extend_from_slice(&bytes);
        }
        Ok(Self { first, body })
    }
}

impl<S: Source> Source for Whole<S> {
    fn encoding(&self) -> Encoding {
        self.body.encoding()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.first.is_empty() {
            false => Ok(Some(std::mem::take(&mut self.first).freeze())),
            true => self.body.next().await,
        }
    }
}

/// A source as a stream of its bytes.
fn stream_of(body: impl Source) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(body, |mut body| async move { Ok(body.next().await?.map(|bytes| (bytes, body))) })
}

impl Source for Incoming {
    fn encoding(&self) -> Encoding {
        match self {
            Self::Plain(plain) => plain.encoding,
            Self::Form(form) => form.encoding,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self {
            Self::Plain(plain) => plain.body.next().await,
            Self::Form(form) => match &mut form.file {
                Some(file) => file.next().await,
                None => Ok(None),
            },
        }
    }
}

impl Parts for Incoming {
    async fn part(&mut self) -> Result<Option<Part>, Problem> {
        match self {
            Self::Plain(plain) => Ok((!std::mem::replace(&mut plain.begun, true)).then_some(Part::Report)),
            Self::Form(form) => form.part().await,
        }
    }
}

impl Form {
    fn open<S: Source + 'static>(body: Whole<S>, content_type: &str) -> Result<Self, Problem> {
        // The header may speak of the whole form or, as some clients mean it, of the file in it.
        let (multipart, encoding) = match body.encoding() {
            Encoding::Gzip if body.first.starts_with(&GZIP) => {
                let inflated = Inflated::new(body, Part::Report);
                (form::Multipart::open(content_type, stream_of(inflated))?, Encoding::Decoded)
            }
            said @ (Encoding::Identity | Encoding::Gzip | Encoding::GzipBase64 | Encoding::Decoded) => {
                (form::Multipart::open(content_type, stream_of(body))?, said)
            }
        };
        Ok(Self { multipart, file: None, part: None, encoding })
    }

    async fn part(&mut self) -> Result<Option<Part>, Problem> {
        // The form goes on only once its last file is let go.
        self.file = None;
        let file = self.multipart.next().await?;
        let part = match &file {
            Some(file) => Some(following(self.part, file.name())?),
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

/// What the file of this name is, behind this part. A file that is not read would be lost without a word.
fn following(before: Option<Part>, name: Option<&str>) -> Result<Part, Problem> {
    match (before, name) {
        (None, Some(SOURCE_PART)) => Ok(Part::Sidecar),
        // The report alone may have any name.
        (None, Some(_) | None) | (Some(Part::Sidecar), Some(REPORT_PART)) => Ok(Part::Report),
        (Some(Part::Sidecar | Part::Report), _) => {
            let detail = format!(
                "the form has other parts than a `{REPORT_PART}`, or a `{SOURCE_PART}` and behind it a `{REPORT_PART}`; \
                 send one report in each upload"
            );
            Err(Problem::new(Code::ReportMalformed, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Part::{Report, Sidecar};
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures::executor::block_on;
    use guest::form::AHEAD_BYTES_MAX;
    use std::io::Write as _;

    const FORM: &str = "multipart/form-data; boundary=b";

    /// A body in memory, in pieces of a few bytes.
    struct Pieces(Bytes, Encoding);

    impl Source for Pieces {
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

    type Read = (Vec<(Part, Vec<u8>)>, Encoding);

    /// The parts of a form as they come, and how they are compressed.
    fn read(body: Vec<u8>, encoding: Encoding) -> Result<Read, Problem> {
        block_on(async {
            let body = Whole::begin(Pieces(body.into(), encoding)).await?;
            let mut incoming = Incoming::Form(Box::new(Form::open(body, FORM)?));
            let mut parts = Vec::new();
            while let Some(part) = incoming.part().await? {
                let mut content = Vec::new();
                while let Some(bytes) = incoming.next().await? {
                    content.extend_from_slice(&bytes);
                }
                parts.push((part, content));
            }
            assert_eq!(incoming.part().await, Ok(None), "the end stays the end");
            Ok((parts, incoming.encoding()))
        })
    }

    /// A body of so many pieces in which there is no part.
    struct Endless(usize);

    impl Source for Endless {
        fn encoding(&self) -> Encoding {
            Encoding::Identity
        }
        async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
            self.0 = self.0.saturating_sub(1);
            Ok((0 < self.0).then(|| Bytes::from(vec![b'x'; 32 * 1024])))
        }
    }

    #[test]
    fn a_form_that_never_comes_to_a_part_is_given_up_and_not_held() {
        let problem = block_on(async {
            let whole = Whole::begin(Endless(1_000_000)).await?;
            Form::open(whole, FORM)?.part().await
        });
        assert!(problem.unwrap_err().detail.contains("bytes where no part of it is"));
        // A part itself may be as large as it likes.
        let large = vec![b'y'; 3 * AHEAD_BYTES_MAX];
        let whole = form(&[("report", &large)]);
        let (length, _) = block_on(async {
            let body = Whole::begin(Chunks(whole.into())).await?;
            let mut incoming = Incoming::Form(Box::new(Form::open(body, FORM)?));
            let (mut length, part) = (0, incoming.part().await?);
            while let Some(bytes) = incoming.next().await? {
                length += bytes.len();
            }
            Ok::<_, Problem>((length, part))
        })
        .unwrap();
        assert_eq!(length, large.len());
    }

    /// A body in memory, in large pieces.
    struct Chunks(Bytes);

    impl Source for Chunks {
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
        // What the header says of a form that is not compressed is of the file in it.
        let packed = form(&[("any", &gzip(report))]);
        assert_eq!(read(packed, Encoding::Gzip), Ok((vec![(Report, gzip(report))], Encoding::Gzip)));
    }

    #[test]
    fn a_form_that_is_none_or_a_bomb_is_refused() {
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
            assert_eq!(following(before, name).ok(), expected, "{name:?} behind {before:?}");
        }
    }
}
