//! Every call of the API, declared once: its path, who may make it, its parameters, its request and its response.
//!
//! Each component has its own table. Routing, the permission check, the check of query parameters, the answer 405, the
//! OpenAPI document and `docs/api.md` all use these declarations, so a call cannot lack one of them.

mod routing;
mod spec;
mod table;

pub mod account;
pub mod audit;
pub mod exemptions;
pub mod ingest;
pub mod projects;
pub mod public;
pub mod results;

pub use routing::{all, allowed_methods, component, route};
pub use spec::{Answer, CallSpec, HasSchema, JsonType, Parameter, ParameterKind, RequestBody};
pub use table::{CallTable, PathParams, RoutedCall};

#[cfg(test)]
mod tests;
