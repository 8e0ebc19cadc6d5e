//! The beginning of every call to a project: the store, the time, who calls, and what for.

use crate::kv::SpinKv;
use crate::request::Call;
use crate::{now, variable};
use api::Problem;
use api::auth::{Identity, authenticate};
use domain::ids::ProjectId;
use domain::time::Timestamp;

/// An authenticated call to a project.
pub struct Session {
    /// The store.
    pub kv: SpinKv,
    /// When the call began.
    pub now: Timestamp,
    /// Who calls.
    pub who: Identity,
    /// The project in the path.
    pub project: ProjectId,
    /// The path's segments after the project.
    pub rest: Vec<String>,
}

impl Session {
    /// Authenticates a call to `/api/v1/projects/{project}/…`. What the caller may do is for the route to check.
    ///
    /// # Errors
    /// There is no valid token, or the path names no project.
    pub async fn open(call: &Call) -> Result<Self, Problem> {
        let (kv, now) = (SpinKv::open().await?, now());
        let admin_token = variable("admin_token").await?;
        let who = authenticate(&kv, &admin_token, call.header("authorization")?, call.client_address(), now).await?;
        let [_, _, _, project, rest @ ..] = call.path.as_slice() else {
            return Err(Problem::not_found("projects are at /api/v1/projects/{project}"));
        };
        let project = project.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        Ok(Self { kv, now, who, project, rest: rest.to_vec() })
    }
}
