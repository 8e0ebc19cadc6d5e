//! The beginning of every call that needs a token: the store, the time, which call it is, who makes it, and whether they may.

use crate::kv::SpinKv;
use crate::request::Call;
use crate::{now, variable};
use api::Problem;
use api::auth::{Identity, authenticate};
use api::calls::{CallSpec, CallTable, PathParams, RoutedCall, public, route};
use domain::ids::ProjectId;
use domain::time::Timestamp;

/// A call whose caller may make it.
pub struct Session<C> {
    /// The store.
    pub kv: SpinKv,
    /// When the call began.
    pub now: Timestamp,
    /// Who calls.
    pub who: Identity,
    /// What they call.
    pub call: C,
    /// What stands in the path for the names in braces.
    pub params: PathParams,
}

impl<C: CallTable> Session<C> {
    /// Authenticates the caller, finds the call, and checks that they may make it and that it knows its parameters.
    ///
    /// # Errors
    /// In this order: there is no valid token; there is no such call; the project is not the caller's to see; the right
    /// is missing; a query parameter is not known.
    pub async fn open(request: &Call) -> Result<Self, Problem> {
        let (kv, now) = (SpinKv::open().await?, now());
        let (admin_token, header) = (variable("admin_token").await?, request.header("authorization")?);
        let who = authenticate(&kv, &admin_token, header, request.client_address(), now).await?;
        let RoutedCall { call, params } = route::<C>(&request.method, &request.path)?;
        who.authorize(params.project()?.as_ref(), call.spec().access)?;
        call.spec().check_query(&request.query)?;
        Ok(Self { kv, now, who, call, params })
    }

    /// The project that the call is to.
    ///
    /// # Errors
    /// The call's path names none, which is our fault.
    pub fn project(&self) -> Result<ProjectId, Problem> {
        self.params.read("project")
    }
}

/// Whether a request is this call, which needs no token.
///
/// # Errors
/// The path is the call's and the method is not, or a query parameter is not known.
pub fn is_public(request: &Call, row: &CallSpec) -> Result<bool, Problem> {
    let is_it = public::is_request_for(row, &request.method, &request.path)?;
    if is_it {
        row.check_query(&request.query)?;
    }
    Ok(is_it)
}
