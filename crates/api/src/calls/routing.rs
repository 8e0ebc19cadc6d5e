//! From a request's method and path to the call and the component that answers it.

use super::account::AccountCall;
use super::audit::AuditCall;
use super::exemptions::ExemptionsCall;
use super::ingest::IngestCall;
use super::projects::ProjectsCall;
use super::public;
use super::results::ResultsCall;
use super::spec::CallSpec;
use super::table::{CallTable, PathParams, RoutedCall};
use crate::problem::Problem;

/// The declarations of all calls, each with the component that answers it, in the order of the documentation.
pub fn all() -> impl Iterator<Item = (&'static CallSpec, &'static str)> {
    fn specs<C: CallTable>() -> impl Iterator<Item = (&'static CallSpec, &'static str)> {
        C::ALL.iter().map(|call| (call.spec(), C::COMPONENT))
    }
    public::ALL
        .into_iter()
        .chain(specs::<AccountCall>())
        .chain(specs::<ProjectsCall>())
        .chain(specs::<IngestCall>())
        .chain(specs::<ResultsCall>())
        .chain(specs::<ExemptionsCall>())
        .chain(specs::<AuditCall>())
}

/// Finds the call of a component that a request makes; `path` contains the decoded segments.
///
/// # Errors
/// `NotFound`: no call has the path. `MethodNotAllowed`: the component has no call with this method and path.
pub fn route<C: CallTable>(method: &str, path: &[String]) -> Result<RoutedCall<C>, Problem> {
    let Some(template) = template(path) else {
        return Err(Problem::not_found("the path does not exist; write a slash inside a name as %2F"));
    };
    let matches = |call: &&C| call.spec().path == template && call.spec().method == method;
    match C::ALL.iter().find(matches) {
        Some(call) => Ok(RoutedCall { call: *call, params: PathParams::new(template, path) }),
        None => Err(Problem::not_allowed(method, &allowed_methods(path).join(", "))),
    }
}

/// The component that answers a request; absent if there is no such call.
pub fn component(method: &str, path: &[String]) -> Option<&'static str> {
    let template = template(path)?;
    all().find(|(spec, _)| spec.path == template && spec.method == method).map(|(_, component)| component)
}

/// The methods that a path has, in all components.
pub fn allowed_methods(path: &[String]) -> Vec<&'static str> {
    let Some(template) = template(path) else { return Vec::new() };
    all().filter(|(spec, _)| spec.path == template).map(|(spec, _)| spec.method).collect()
}

/// The template that matches a path. If several match, the one whose first fixed segment comes earlier wins, as in
/// OpenAPI.
fn template(path: &[String]) -> Option<&'static str> {
    let matching = all().map(|(spec, _)| spec).filter(|spec| spec.matches(path));
    matching.max_by_key(|spec| spec.fixed_segments()).map(|spec| spec.path)
}
