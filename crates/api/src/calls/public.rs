//! Calls that need no token. Each has its own path with one method.

use super::spec::CallSpec;
use crate::access::Access;
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::ScannerItem;

/// The list of report formats.
pub static SCANNERS: CallSpec = CallSpec::get("/api/v1/scanners", Access::Public)
    .answers::<Page<ScannerItem>>(200)
    .summary("Lists the supported report formats, all on one page.");

/// The OpenAPI document.
pub static OPENAPI: CallSpec = CallSpec::get("/api/v1/openapi.json", Access::Public)
    .answers::<serde_json::Value>(200)
    .summary("Returns the OpenAPI 3.1 document of this API.");

/// All public calls, each with the component that answers it.
pub static ALL: [(&CallSpec, &str); 2] = [(&SCANNERS, "ingest"), (&OPENAPI, "projects")];

/// True if a request makes this call; `path` contains the decoded segments.
///
/// # Errors
/// `MethodNotAllowed`: the path is that of the call, but the method is not.
pub fn is_request_for(call: &CallSpec, method: &str, path: &[String]) -> Result<bool, Problem> {
    match (call.matches(path), call.method == method) {
        (true, false) => Err(Problem::not_allowed(method, call.method)),
        (matches, _) => Ok(matches),
    }
}
