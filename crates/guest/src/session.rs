//! The beginning of every call: the store, the time, who calls, and what for.

use crate::kv::SpinKv;
use crate::request::Call;
use crate::{now, variable};
use api::Problem;
use api::auth::{Identity, authenticate};
use domain::ids::ProjectId;
use domain::time::Timestamp;

/// An authenticated call.
pub struct Session<P> {
    /// The store.
    pub kv: SpinKv,
    /// When the call began.
    pub now: Timestamp,
    /// Who calls.
    pub who: Identity,
    /// The project in the path; none in a call to the account.
    pub project: P,
    /// The path's segments after the project, or after `/api/v1`.
    pub rest: Vec<String>,
}

impl Session<ProjectId> {
    /// Authenticates a call to `/api/v1/projects/{project}/…`. What the caller may do is for the route to check.
    ///
    /// # Errors
    /// There is no valid token, or the path names no project.
    pub async fn open(call: &Call) -> Result<Self, Problem> {
        let Session { kv, now, who, project: (), rest } = Session::open_account(call).await?;
        let [_, project, rest @ ..] = rest.as_slice() else {
            return Err(Problem::not_found("projects are at /api/v1/projects/{project}"));
        };
        let project = project.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        Ok(Self { kv, now, who, project, rest: rest.to_vec() })
    }
}

impl Session<()> {
    /// Authenticates a call to `/api/v1/…` that is to no project. What the caller may do is for the route to check.
    ///
    /// # Errors
    /// There is no valid token.
    pub async fn open_account(call: &Call) -> Result<Self, Problem> {
        let (kv, now) = (SpinKv::open().await?, now());
        let admin_token = variable("admin_token").await?;
        let who = authenticate(&kv, &admin_token, call.header("authorization")?, call.client_address(), now).await?;
        Ok(Self { kv, now, who, project: (), rest: call.path.iter().skip(2).cloned().collect() })
    }
}
