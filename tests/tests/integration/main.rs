//! Every suite of the package, in one program: suites that wait for a process, a browser or a store overlap with
//! others.
//!
//! `cargo xtask test -p tests crash::` runs one suite. The suite `pipeline` needs no process and no build of the
//! components.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes, wait and read files")]

mod bad_input;
mod blind_spots;
mod browser;
mod concurrency;
mod crash;
mod documents;
mod hosts;
mod isolation;
mod load;
mod model;
mod paging;
mod pipeline;
mod replay;
mod roles;
mod security;
mod tokens;
mod tutorial;
