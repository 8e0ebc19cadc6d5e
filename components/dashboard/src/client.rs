//! The API, as the pages ask it: with the token of whoever is signed in, over service chaining. So a page shows what its
//! reader may see and does what they may do, and no rule is written twice.

use api::Problem;
use api::problem::Code;
use bytes::Bytes;
use guest::Reply;
use guest::chain::{OutgoingRequest, check_reply, parse_reply};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What messages call whichever component answers.
pub(crate) const API: &str = "api";

/// The API's calls.
#[allow(async_fn_in_trait)]
pub(crate) trait Api {
    /// Makes a call; `path` is its path with its query. The answer may be a problem.
    ///
    /// # Errors
    /// There is no such call, or its component could not be reached.
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Problem>;

    /// Asks.
    ///
    /// # Errors
    /// The API's problem.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        parse_reply(API, &self.call("GET", path, None).await?)
    }

    /// Asks for what may not be there.
    ///
    /// # Errors
    /// The API's problem, if it is another than that.
    async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Problem> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(problem) if problem.code == Code::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Sends JSON, and reads what comes back.
    ///
    /// # Errors
    /// The API's problem.
    async fn send<T: DeserializeOwned>(&self, method: &str, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        let json = serde_json::to_vec(body).map_err(|error| Problem::internal(error.to_string()))?;
        parse_reply(API, &self.call(method, path, Some(json)).await?)
    }

    /// Sends a request that is answered by nothing.
    ///
    /// # Errors
    /// The API's problem.
    async fn delete(&self, path: &str) -> Result<(), Problem> {
        check_reply(API, &self.call("DELETE", path, None).await?)
    }
}

/// The API by service chaining.
pub(crate) struct Chained<'a> {
    /// The token that calls are made with.
    pub(crate) token: &'a str,
    /// The address of who asked for the page.
    pub(crate) client: Option<&'a str>,
}

impl Api for Chained<'_> {
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Problem> {
        let authorization = format!("Bearer {}", self.token);
        let media_type = body.is_some().then_some("application/json");
        let onward = onward(method, path, &authorization, self.client, media_type)?;
        onward.send(Full::new(Bytes::from(body.unwrap_or_default()))).await
    }
}

/// A request to the component that answers this call.
///
/// # Errors
/// There is no such call, which is our fault.
pub(crate) fn onward<'a>(
    method: &'a str,
    path: &'a str,
    authorization: &'a str,
    client: Option<&'a str>,
    media_type: Option<&'a str>,
) -> Result<OutgoingRequest<'a>, Problem> {
    let (bare, _) = path.split_once('?').unwrap_or((path, ""));
    let component = api::calls::component(method, &api::path::segments(bare)?)
        .ok_or_else(|| Problem::internal(format!("a page asks for {method} {bare}, which is no call")))?;
    Ok(OutgoingRequest { component, method, path, authorization: Some(authorization), client, media_type })
}

/// Whether a problem is one of what was asked for, and not of who asked or of us: it can be told beside what was asked.
pub(crate) fn is_refusal(problem: &Problem) -> bool {
    let status = problem.code.status();
    (400..500).contains(&status) && status != 401
}
