//! The file of a form, streamed into the body of another request.

use super::fields::invalid;
use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::stream::{self, LocalBoxStream, StreamExt as _};
use guest::form::{Multipart, Part};
use http_body::Frame;
use http_body_util::StreamBody;
use std::cell::RefCell;
use std::rc::Rc;

/// The problem that ended a transfer early, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct RelayError(Rc<RefCell<Option<Problem>>>);

/// The transfer of a file.
pub(crate) struct Relay {
    form: Multipart,
    file: Part,
    /// The first bytes of the file, which are read already.
    first: Bytes,
    error: RelayError,
}

/// The unread rest of a form.
enum Rest {
    First(Relay),
    File(Multipart, Part),
}

impl RelayError {
    /// Takes the problem.
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.borrow_mut().take()
    }
}

impl Relay {
    /// Reads the first bytes of the file. Without them no request is sent.
    ///
    /// # Errors
    /// No file was selected, it is empty, or the connection broke.
    pub(crate) async fn begin(form: Multipart, mut file: Part) -> Result<Self, Problem> {
        loop {
            match file.next().await? {
                Some(first) if first.is_empty() => {}
                Some(first) => return Ok(Self { form, file, first, error: RelayError::default() }),
                None if file.file_name().is_some_and(str::is_empty) => {
                    return Err(Problem::new(Code::ReportEmpty, "no file was selected"));
                }
                None => return Err(Problem::new(Code::ReportEmpty, "the file is empty")),
            }
        }
    }

    /// The problem that ends the transfer early; set while the body is sent.
    pub(crate) fn error(&self) -> RelayError {
        self.error.clone()
    }

    /// The file as a body. The body fails if the form has fields after the file, which would be lost.
    pub(crate) fn body(self) -> StreamBody<LocalBoxStream<'static, Result<Frame<Bytes>, Problem>>> {
        let error = self.error.clone();
        let pieces = stream::try_unfold(Rest::First(self), next).map(move |piece| {
            if let Err(problem) = &piece {
                *error.0.borrow_mut() = Some(problem.clone());
            }
            piece.map(Frame::data)
        });
        StreamBody::new(pieces.boxed_local())
    }
}

async fn next(rest: Rest) -> Result<Option<(Bytes, Rest)>, Problem> {
    let (mut form, mut file) = match rest {
        Rest::First(Relay { form, file, first, error: _ }) => return Ok(Some((first, Rest::File(form, file)))),
        Rest::File(form, file) => (form, file),
    };
    if let Some(bytes) = file.next().await? {
        return Ok(Some((bytes, Rest::File(form, file))));
    }
    drop(file);
    match form.next().await? {
        None => Ok(None),
        Some(_) => Err(invalid("unexpected field after the file; upload one report at a time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::BodyExt;

    /// The transferred bytes of a form that begins with its file, and the problem that ended the transfer.
    fn sent(text: &str) -> (Result<Vec<u8>, Problem>, Option<Problem>) {
        let pieces: Vec<_> = text.as_bytes().chunks(50).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        block_on(async {
            let mut form = Multipart::open("multipart/form-data; boundary=b", stream::iter(pieces)).unwrap();
            let file = form.next().await.unwrap().unwrap();
            let relay = match Relay::begin(form, file).await {
                Ok(relay) => relay,
                Err(problem) => return (Err(problem), None),
            };
            let error = relay.error();
            let body = BodyExt::collect(relay.body()).await;
            (body.map(|body| body.to_bytes().to_vec()), error.take())
        })
    }

    fn part(file_name: &str, content: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; name=\"report\"; filename=\"{file_name}\"\r\n\r\n{content}\r\n")
    }

    #[test]
    fn a_file_is_sent_unchanged() {
        let content = "0123456789\r\n".repeat(100);
        assert_eq!(sent(&format!("{}--b--\r\n", part("r.json", &content))), (Ok(content.into_bytes()), None));
    }

    #[test]
    fn nothing_is_sent_without_a_file() {
        let detail = |name| sent(&format!("{}--b--\r\n", part(name, ""))).0.unwrap_err().detail;
        assert_eq!(detail(""), "no file was selected");
        assert!(detail("r.json").contains("the file is empty"));
    }

    #[test]
    fn a_form_that_ends_early_or_continues_after_the_file_is_refused() {
        let (cut, why) = sent(&part("r.json", &"0123456789".repeat(100)));
        assert!(cut.is_err() && why.is_some());
        let (more, why) = sent(&format!("{}{}--b--\r\n", part("a", "x"), part("b", "y")));
        assert!(more.is_err() && why.is_some_and(|problem| problem.detail.contains("unexpected field after the file")));
    }
}
