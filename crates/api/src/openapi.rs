//! The API as an OpenAPI 3.1 document, for clients and for the tests that compare the application with it.
//!
//! The document is a file. A test generates it from the calls and the types of version 1 and compares, so that
//! components contain neither the schemas nor their generator. `GATEHOUSE_BLESS=1 cargo test -p api openapi` renews it
//! and `docs/api.md`.

/// The document, as JSON.
pub const DOCUMENT: &str = include_str!("../openapi.json");

#[cfg(test)]
mod document;
#[cfg(test)]
mod enum_schema;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod markdown;

#[cfg(test)]
pub(crate) use enum_schema::EnumSchema;
