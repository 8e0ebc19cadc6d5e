//! The start of every call that needs a token: opens the store, reads the time, authenticates the caller, finds the
//! call and checks that the caller is allowed to make it.

use crate::kv::SpinKv;
use crate::request::HttpRequest;
use crate::{now, variable};
use api::Problem;
use api::auth::{Identity, authenticate};
use api::calls::{CallSpec, CallTable, PathParams, RoutedCall, public, route};
use domain::ids::ProjectId;
use domain::time::Timestamp;

/// A call of the API, after its checks.
pub struct Session<C> {
    /// The store.
    pub kv: SpinKv,
    /// The time at which the call began.
    pub now: Timestamp,
    /// The authenticated caller, who is allowed to make the call.
    pub caller: Identity,
    /// The call.
    pub call: C,
    /// The values of the placeholders in the call's path.
    pub params: PathParams,
}

impl<C: CallTable> Session<C> {
    /// Checks a request and finds its call.
    ///
    /// # Errors
    /// In this order: the token is missing or not valid; the call does not exist; the project does not exist for this
    /// caller; the caller does not have the right; a query parameter is unknown.
    pub async fn open(request: &HttpRequest) -> Result<Self, Problem> {
        let (kv, now) = (SpinKv::open().await?, now());
        let (admin_token, header) = (variable("admin_token").await?, request.header("authorization")?);
        let caller = authenticate(&kv, &admin_token, header, request.client_address(), now).await?;
        let RoutedCall { call, params } = route::<C>(&request.method, &request.path)?;
        caller.authorize(params.project()?.as_ref(), call.spec().access)?;
        call.spec().check_query(&request.query)?;
        Ok(Self { kv, now, caller, call, params })
    }

    /// The project in the call's path.
    ///
    /// # Errors
    /// The path of this call has no project. That is a bug of ours.
    pub fn project(&self) -> Result<ProjectId, Problem> {
        self.params.read("project")
    }
}

/// True if a request is this call, which needs no token.
///
/// # Errors
/// The path is that of the call, but the method is not, or a query parameter is unknown.
pub fn is_public(request: &HttpRequest, row: &CallSpec) -> Result<bool, Problem> {
    let is_it = public::is_request_for(row, &request.method, &request.path)?;
    if is_it {
        row.check_query(&request.query)?;
    }
    Ok(is_it)
}
