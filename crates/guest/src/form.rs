//! Multipart forms (RFC 7578), read as a stream: one part after the other, and each part in pieces.

use crate::request::Body;
use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::{self, Stream};
use send_wrapper::SendWrapper;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// The limit for the bytes of a form before its first part, between two parts, or in the head of a part.
pub const AHEAD_BYTES_MAX: usize = 256 * 1024;

/// The number of bytes that the reader of a form took since it last returned a part or a piece of one. It keeps them in
/// memory.
type Ahead = Rc<Cell<usize>>;

/// A form that is being read.
pub struct Multipart {
    parts: multer::Multipart<'static>,
    ahead: Ahead,
}

/// A part of a form. Drop it before the next part is read.
pub struct Part {
    field: multer::Field<'static>,
    ahead: Ahead,
}

impl Multipart {
    /// Starts to read a form. `content_type` is the value of the header `Content-Type`.
    ///
    /// # Errors
    /// The header is not that of a form, or has no boundary.
    pub fn open(
        content_type: &str,
        bytes: impl Stream<Item = Result<Bytes, Problem>> + 'static,
    ) -> Result<Self, Problem> {
        let boundary = multer::parse_boundary(content_type).map_err(|error| not_a_form(&error))?;
        let ahead = Ahead::default();
        // multer needs a stream that is `Send`; a component has one thread only.
        let bytes = SendWrapper::new(limited(Box::pin(bytes), Rc::clone(&ahead)));
        Ok(Self { parts: multer::Multipart::new(bytes, boundary), ahead })
    }

    /// Reads the head of the next part. Returns `None` after the last part.
    ///
    /// # Errors
    /// The connection broke, or the form is malformed.
    pub async fn next(&mut self) -> Result<Option<Part>, Problem> {
        let field = self.parts.next_field().await.map_err(|error| not_a_form(&error))?;
        self.ahead.set(0);
        Ok(field.map(|field| Part { field, ahead: Rc::clone(&self.ahead) }))
    }
}

impl Part {
    /// The name of the part.
    pub fn name(&self) -> Option<&str> {
        self.field.name()
    }

    /// The file name, if the part is a file. It is empty if the user chose no file.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// Reads the next bytes of the part. Returns `None` at its end.
    ///
    /// # Errors
    /// The connection broke, or the form is malformed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let bytes = self.field.chunk().await.map_err(|error| not_a_form(&error));
        self.ahead.set(0);
        bytes
    }
}

/// Turns a body into a stream of its bytes.
pub fn stream_of(body: Body) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(body, |mut body| async move { Ok(body.next().await?.map(|bytes| (bytes, body))) })
}

/// Limits the bytes that are read without a part: the stream fails after more than [`AHEAD_BYTES_MAX`].
fn limited(
    bytes: impl Stream<Item = Result<Bytes, Problem>> + Unpin,
    ahead: Ahead,
) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold((bytes, ahead), |(mut bytes, ahead)| async move {
        // multer takes all bytes that are ready before it looks at the first.
        yield_now().await;
        let Some(piece) = bytes.try_next().await? else { return Ok(None) };
        ahead.set(ahead.get().saturating_add(piece.len()));
        if AHEAD_BYTES_MAX.saturating_add(piece.len()) < ahead.get() {
            let detail = format!("the form has more than {AHEAD_BYTES_MAX} bytes outside its parts");
            return Err(Problem::new(Code::ReportMalformed, detail));
        }
        Ok(Some((piece, (bytes, ahead))))
    })
}

/// Returns control to the reader once, so that it looks at the bytes it has.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn not_a_form(error: &multer::Error) -> Problem {
    if let multer::Error::StreamReadFailed(inner) = error
        && let Some(problem) = inner.downcast_ref::<Problem>()
    {
        return problem.clone();
    }
    let detail = format!("the multipart form cannot be read: {error}; fix the form, or send the report as the body");
    Problem::new(Code::ReportMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_the_bytes_is_returned_unchanged() {
        let bomb = Problem::new(Code::CompressionBomb, "1 byte became 2");
        assert_eq!(not_a_form(&multer::Error::StreamReadFailed(Box::new(bomb.clone()))), bomb);
        assert_eq!(not_a_form(&multer::Error::IncompleteStream).code, Code::ReportMalformed);
    }

    #[test]
    fn content_types_that_are_not_a_form_are_refused() {
        let open = |content_type| Multipart::open(content_type, stream::empty()).err().map(|problem| problem.code);
        assert_eq!(open("multipart/form-data; boundary=b"), None);
        assert_eq!(open("multipart/form-data"), Some(Code::ReportMalformed));
        assert_eq!(open("text/plain"), Some(Code::ReportMalformed));
    }
}
