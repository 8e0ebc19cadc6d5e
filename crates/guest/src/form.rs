//! Multipart forms (RFC 7578) as they arrive: part by part, and each part piece by piece, so that nothing needs to be held.

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

/// How many bytes a form may have before its first part, between parts, or in the head of one.
pub const AHEAD_BYTES_MAX: usize = 256 * 1024;

/// How many bytes a form's reader was given since it last gave some back: it keeps them all.
type Ahead = Rc<Cell<usize>>;

/// A form.
pub struct Multipart {
    parts: multer::Multipart<'static>,
    ahead: Ahead,
}

/// A part of a form. The form goes on only once this is let go.
pub struct Part {
    field: multer::Field<'static>,
    ahead: Ahead,
}

impl Multipart {
    /// The form that these bytes are; `content_type` is the header that says so.
    ///
    /// # Errors
    /// The header says of no form, or not how its parts are told apart.
    pub fn open(
        content_type: &str,
        bytes: impl Stream<Item = Result<Bytes, Problem>> + 'static,
    ) -> Result<Self, Problem> {
        let boundary = multer::parse_boundary(content_type).map_err(|error| not_a_form(&error))?;
        let ahead = Ahead::default();
        // multer wants a stream that could change threads; a component has only one.
        let bytes = SendWrapper::new(counted(Box::pin(bytes), Rc::clone(&ahead)));
        Ok(Self { parts: multer::Multipart::new(bytes, boundary), ahead })
    }

    /// The next part, if there is one.
    ///
    /// # Errors
    /// The connection broke, or the form is not one.
    pub async fn next(&mut self) -> Result<Option<Part>, Problem> {
        let field = self.parts.next_field().await.map_err(|error| not_a_form(&error))?;
        self.ahead.set(0);
        Ok(field.map(|field| Part { field, ahead: Rc::clone(&self.ahead) }))
    }
}

impl Part {
    /// Its name.
    pub fn name(&self) -> Option<&str> {
        self.field.name()
    }

    /// The name of the file that it is, if it is one. A field for a file where none was chosen has an empty one.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next bytes of it, or nothing at its end.
    ///
    /// # Errors
    /// The connection broke, or the form is not one.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let bytes = self.field.chunk().await.map_err(|error| not_a_form(&error));
        self.ahead.set(0);
        bytes
    }
}

/// A body as a stream of its bytes.
pub fn stream_of(body: Body) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(body, |mut body| async move { Ok(body.next().await?.map(|bytes| (bytes, body))) })
}

/// The bytes one after the other, as long as not too many of them lead to no part.
fn counted(
    bytes: impl Stream<Item = Result<Bytes, Problem>> + Unpin,
    ahead: Ahead,
) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold((bytes, ahead), |(mut bytes, ahead)| async move {
        // multer takes all that is ready before it looks at any of it.
        breathe().await;
        let Some(piece) = bytes.try_next().await? else { return Ok(None) };
        ahead.set(ahead.get().saturating_add(piece.len()));
        if AHEAD_BYTES_MAX.saturating_add(piece.len()) < ahead.get() {
            let detail = format!("the form has more than {AHEAD_BYTES_MAX} bytes where no part of it is");
            return Err(Problem::new(Code::ReportMalformed, detail));
        }
        Ok(Some((piece, (bytes, ahead))))
    })
}

/// Lets whoever waits look at what there is so far.
async fn breathe() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
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
    let detail = format!("the multipart form can't be read: {error}; or send the report as the body itself");
    Problem::new(Code::ReportMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_forms_own_bytes_are_refused_for_is_told_as_it_is() {
        let bomb = Problem::new(Code::CompressionBomb, "1 byte became 2");
        assert_eq!(not_a_form(&multer::Error::StreamReadFailed(Box::new(bomb.clone()))), bomb);
        assert_eq!(not_a_form(&multer::Error::IncompleteStream).code, Code::ReportMalformed);
    }

    #[test]
    fn a_body_that_is_no_form_is_refused() {
        let open = |content_type| Multipart::open(content_type, stream::empty()).err().map(|problem| problem.code);
        assert_eq!(open("multipart/form-data; boundary=b"), None);
        assert_eq!(open("multipart/form-data"), Some(Code::ReportMalformed));
        assert_eq!(open("text/plain"), Some(Code::ReportMalformed));
    }
}
