//! Calls that need no token. Each is a path of its own with one method.

use super::{Access, Row};
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::ScannerItem;

/// The formats.
pub static SCANNERS: Row = Row::get("/api/v1/scanners", Access::Public)
    .answers::<Page<ScannerItem>>(200)
    .summary("The report formats that are read, all on one page.");

/// The OpenAPI document.
pub static OPENAPI: Row = Row::get("/api/v1/openapi.json", Access::Public)
    .answers::<serde_json::Value>(200)
    .summary("This API as an OpenAPI 3.1 document.");

/// All of them, each with the component that answers it.
pub static ALL: [(&Row, &str); 2] = [(&SCANNERS, "ingest"), (&OPENAPI, "projects")];

/// Whether a request is this call; `path` is its path's segments, decoded.
///
/// # Errors
/// `MethodNotAllowed`: the path is its, and the method is not.
pub fn is(row: &Row, method: &str, path: &[String]) -> Result<bool, Problem> {
    match (row.matches(path), row.method == method) {
        (true, false) => Err(Problem::not_allowed(method, row.method)),
        (matches, _) => Ok(matches),
    }
}
