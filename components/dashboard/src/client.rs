//! The client of the API. Calls are made with the user's token, so the API alone decides what a page may show and do.

use api::Problem;
use api::problem::Code;
use bytes::Bytes;
use guest::Reply;
use guest::chain::{OutgoingRequest, check_reply, parse_reply};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The name of the API in error messages; a call may go to any of its components.
pub(crate) const API: &str = "api";

/// The API's calls.
#[allow(async_fn_in_trait)]
pub(crate) trait Api {
    /// Makes a call. `path` contains the query; `on` is the version that a change is made on. The reply may be a
    /// problem.
    ///
    /// # Errors
    /// The API has no such call, or its component cannot be reached.
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>, on: Option<u64>) -> Result<Reply, Problem>;

    /// Gets a value.
    ///
    /// # Errors
    /// The API's problem.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        parse_reply(API, &self.call("GET", path, None, None).await?)
    }

    /// Gets a value that may be missing.
    ///
    /// # Errors
    /// The API's problem, unless it is `not_found`.
    async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Problem> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(problem) if problem.code == Code::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Sends JSON and reads the answer.
    ///
    /// # Errors
    /// The API's problem.
    async fn send<T: DeserializeOwned>(&self, method: &str, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        self.send_on(method, path, body, None).await
    }

    /// Sends JSON as a change of this version, and reads the answer.
    ///
    /// # Errors
    /// The API's problem.
    async fn send_on<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: &impl Serialize,
        version: Option<u64>,
    ) -> Result<T, Problem> {
        let json = serde_json::to_vec(body).map_err(|error| Problem::internal(error.to_string()))?;
        parse_reply(API, &self.call(method, path, Some(json), version).await?)
    }

    /// Sends a `DELETE`, whose answer is empty.
    ///
    /// # Errors
    /// The API's problem.
    async fn delete(&self, path: &str) -> Result<(), Problem> {
        check_reply(API, &self.call("DELETE", path, None, None).await?)
    }
}

/// The API over service chaining.
pub(crate) struct ChainedApi<'a> {
    /// The token that calls are made with.
    pub(crate) token: &'a str,
    /// The network address of the browser.
    pub(crate) client: Option<&'a str>,
    /// The reason why nothing is changed: every call other than `GET` is refused with it.
    pub(crate) paused: Option<&'static str>,
}

impl Api for ChainedApi<'_> {
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>, on: Option<u64>) -> Result<Reply, Problem> {
        if let Some(reason) = self.paused.filter(|_| method != "GET") {
            return Err(Problem::new(Code::Conflict, reason));
        }
        let authorization = format!("Bearer {}", self.token);
        let media_type = body.is_some().then_some("application/json");
        let onward = OutgoingRequest { version: on, ..onward(method, path, &authorization, self.client, media_type)? };
        onward.send(Full::new(Bytes::from(body.unwrap_or_default()))).await
    }
}

/// A request to the component that answers this call.
///
/// # Errors
/// The API has no such call: an internal error.
pub(crate) fn onward<'a>(
    method: &'a str,
    path: &'a str,
    authorization: &'a str,
    client: Option<&'a str>,
    media_type: Option<&'a str>,
) -> Result<OutgoingRequest<'a>, Problem> {
    let (bare, _) = path.split_once('?').unwrap_or((path, ""));
    let component = api::calls::component(method, &api::path::segments(bare)?)
        .ok_or_else(|| Problem::internal(format!("a page calls {method} {bare}, which the API does not have")))?;
    Ok(OutgoingRequest {
        component,
        method,
        path,
        authorization: Some(authorization),
        client,
        media_type,
        version: None,
    })
}

/// True if the request was at fault, and not the token or the server: the page can show the problem beside the form.
pub(crate) fn is_refusal(problem: &Problem) -> bool {
    let status = problem.code.status();
    (400..500).contains(&status) && status != 401
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    #[test]
    fn nothing_is_changed_for_a_form_without_a_session() {
        let api = ChainedApi { token: "gate_x", client: None, paused: Some("the session has ended") };
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let problem = block_on(api.call(method, "/api/v1/projects/shop", None, None)).unwrap_err();
            assert_eq!((problem.code, problem.detail.as_str()), (Code::Conflict, "the session has ended"), "{method}");
        }
    }
}
