//! The body of an upload as a run of bytes: as it is, or the first file of a form (`curl -F report=@report.json`).

use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::stream::{self, Stream};
use guest::Body;
use send_wrapper::SendWrapper;
use spin_sdk::http::HeaderMap;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip (RFC 1952), one or more members.
    Gzip,
    /// gzip written in base64 (RFC 4648), as GitHub takes SARIF.
    GzipBase64,
}

/// Where the bytes of a report come from.
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

/// A request's body.
pub(crate) enum Incoming {
    Plain(Body, Encoding),
    Form(Box<Form>),
}

/// A form of which the first file is the report.
pub(crate) struct Form {
    multipart: multer::Multipart<'static>,
    file: Option<multer::Field<'static>>,
    encoding: Encoding,
}

/// Opens a body by its headers.
///
/// # Errors
/// It is compressed in a way that is not read, or says that it is a form and is none.
pub(crate) fn open(headers: &HeaderMap, body: Body) -> Result<Incoming, Problem> {
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
        return Ok(Incoming::Plain(body, encoding));
    }
    let boundary = multer::parse_boundary(content_type).map_err(|error| not_a_form(&error))?;
    // multer wants a stream that could change threads; a component has only one.
    let multipart = multer::Multipart::new(SendWrapper::new(chunks(body)), boundary);
    Ok(Incoming::Form(Box::new(Form { multipart, file: None, encoding })))
}

fn chunks(body: Body) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(body, |mut body| async move { Ok(body.next().await?.map(|bytes| (bytes, body))) })
}

fn not_a_form(error: &multer::Error) -> Problem {
    let detail = format!("the multipart form can't be read: {error}; or send the report as the body itself");
    Problem::new(Code::ReportMalformed, detail)
}

impl Source for Incoming {
    fn encoding(&self) -> Encoding {
        match self {
            Self::Plain(_, encoding) => *encoding,
            Self::Form(form) => form.encoding,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self {
            Self::Plain(body, _) => body.next().await,
            Self::Form(form) => form.next().await,
        }
    }
}

impl Form {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.file.is_none() {
            let file = self.multipart.next_field().await.map_err(|error| not_a_form(&error))?;
            self.file = Some(file.ok_or_else(|| {
                Problem::new(Code::ReportEmpty, "the form has no file; send one, as `curl -F report=@report.json` does")
            })?);
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        if let Some(bytes) = file.chunk().await.map_err(|error| not_a_form(&error))? {
            return Ok(Some(bytes));
        }
        // A second file would be lost without a word.
        self.file = None;
        match self.multipart.next_field().await.map_err(|error| not_a_form(&error))? {
            None => {
                self.multipart = multer::Multipart::new(stream::empty::<Result<Bytes, Problem>>(), "ended");
                Ok(None)
            }
            Some(_) => {
                Err(Problem::new(Code::ReportMalformed, "the form has several parts; send one report in each upload"))
            }
        }
    }
}
