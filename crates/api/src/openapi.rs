//! The API as an OpenAPI 3.1 document, for clients and for the tests that hold the application to it.
//!
//! The document is a file. A test writes it from the calls and the types of version 1 and compares, so that components
//! carry neither the schemas nor what makes them: `GATEHOUSE_BLESS=1 cargo test -p api openapi` renews it and `docs/api.md`.

/// The document, as JSON.
pub const DOCUMENT: &str = include_str!("../openapi.json");

#[cfg(test)]
mod document;
#[cfg(test)]
mod page;
#[cfg(test)]
mod words;

#[cfg(test)]
pub(crate) use words::Word;
