//! Sending a decision on a request, as a form of its page says.

use crate::client::Api;
use crate::form::Form;
use crate::request::PageRequest;
use api::problem::{Code, Problem};
use domain::ids::EventId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Sends a decision. An approval is for the version that the page showed; `unversioned` is the problem of a form
/// without one. `body` makes the body of the request's id and the comment.
///
/// # Errors
/// The form names no request, or the API's problem.
pub(crate) async fn send<A: Api, T: DeserializeOwned, B: Serialize>(
    request: &PageRequest<'_, A>,
    path: &str,
    decision: &str,
    form: &Form,
    body: impl FnOnce(EventId, String) -> B,
    unversioned: fn() -> Problem,
) -> Result<T, Problem> {
    let id = form.text("request").parse();
    let id = id.map_err(|error| Problem::new(Code::InvalidBody, format!("field `request`: {error}")))?;
    let body = body(id, form.text("comment").to_owned());
    match (decision, form.number::<u64>("version").ok().flatten()) {
        ("approve", None) => Err(unversioned()),
        ("approve", Some(version)) => request.api.send_on("POST", path, &body, Some(version)).await,
        (_, _) => request.api.send("POST", path, &body).await,
    }
}
