//! The file of a form as the body of another request, piece by piece.

use super::fields::unfit;
use api::problem::{Code, Problem};
use bytes::Bytes;
use futures::stream::{self, LocalBoxStream, StreamExt as _};
use guest::form::{Multipart, Part};
use http_body::Frame;
use http_body_util::StreamBody;
use std::cell::RefCell;
use std::rc::Rc;

/// Why a file was given up on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal(Rc<RefCell<Option<Problem>>>);

/// A file on its way: its first bytes, and where the rest comes from.
pub(crate) struct Relay {
    form: Multipart,
    file: Part,
    first: Bytes,
    refusal: Refusal,
}

/// What is left of a form.
enum Rest {
    First(Relay),
    File(Multipart, Part),
}

impl Refusal {
    /// The reason, if there is one.
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.borrow_mut().take()
    }
}

impl Relay {
    /// The form's file, if there is something in it: nothing is sent on for a file that was not chosen.
    ///
    /// # Errors
    /// No file was chosen, it is empty, or the connection broke.
    pub(crate) async fn begin(form: Multipart, mut file: Part) -> Result<Self, Problem> {
        loop {
            match file.next().await? {
                Some(first) if first.is_empty() => {}
                Some(first) => return Ok(Self { form, file, first, refusal: Refusal::default() }),
                None if file.file_name().is_some_and(str::is_empty) => {
                    return Err(Problem::new(Code::ReportEmpty, "no file was chosen"));
                }
                None => return Err(Problem::new(Code::ReportEmpty, "the file is empty: there is no report in it")),
            }
        }
    }

    /// Why the file was given up, once it was sent.
    pub(crate) fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    /// The file as a body. It ends as a whole one only where the form ends too: what stands behind the file would be lost.
    pub(crate) fn body(self) -> StreamBody<LocalBoxStream<'static, Result<Frame<Bytes>, Problem>>> {
        let refusal = self.refusal.clone();
        let pieces = stream::try_unfold(Rest::First(self), next).map(move |piece| {
            if let Err(problem) = &piece {
                *refusal.0.borrow_mut() = Some(problem.clone());
            }
            piece.map(Frame::data)
        });
        StreamBody::new(pieces.boxed_local())
    }
}

async fn next(rest: Rest) -> Result<Option<(Bytes, Rest)>, Problem> {
    let (mut form, mut file) = match rest {
        Rest::First(Relay { form, file, first, refusal: _ }) => return Ok(Some((first, Rest::File(form, file)))),
        Rest::File(form, file) => (form, file),
    };
    if let Some(bytes) = file.next().await? {
        return Ok(Some((bytes, Rest::File(form, file))));
    }
    drop(file);
    match form.next().await? {
        None => Ok(None),
        Some(_) => Err(unfit("something stands behind its file; send one report in each upload")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::BodyExt;

    /// What is sent on of a form that begins with its file, and why it was given up.
    fn sent(text: &str) -> (Result<Vec<u8>, Problem>, Option<Problem>) {
        let pieces: Vec<_> = text.as_bytes().chunks(50).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        block_on(async {
            let mut form = Multipart::open("multipart/form-data; boundary=b", stream::iter(pieces)).unwrap();
            let file = form.next().await.unwrap().unwrap();
            let relay = match Relay::begin(form, file).await {
                Ok(relay) => relay,
                Err(problem) => return (Err(problem), None),
            };
            let refusal = relay.refusal();
            let body = BodyExt::collect(relay.body()).await;
            (body.map(|body| body.to_bytes().to_vec()), refusal.take())
        })
    }

    fn part(file_name: &str, content: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; name=\"report\"; filename=\"{file_name}\"\r\n\r\n{content}\r\n")
    }

    #[test]
    fn a_file_is_sent_as_it_is() {
        let content = "0123456789\r\n".repeat(100);
        assert_eq!(sent(&format!("{}--b--\r\n", part("r.json", &content))), (Ok(content.into_bytes()), None));
    }

    #[test]
    fn nothing_is_sent_of_no_file() {
        let detail = |name| sent(&format!("{}--b--\r\n", part(name, ""))).0.unwrap_err().detail;
        assert_eq!(detail(""), "no file was chosen");
        assert!(detail("r.json").contains("the file is empty"));
    }

    #[test]
    fn what_breaks_off_or_goes_on_is_not_sent_as_a_whole() {
        let (cut, why) = sent(&part("r.json", &"0123456789".repeat(100)));
        assert!(cut.is_err() && why.is_some());
        let (more, why) = sent(&format!("{}{}--b--\r\n", part("a", "x"), part("b", "y")));
        assert!(more.is_err() && why.is_some_and(|problem| problem.detail.contains("stands behind its file")));
    }
}
