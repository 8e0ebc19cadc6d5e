//! Small pieces of markup that pages share.

pub(crate) mod badge;
pub(crate) mod baseline;
pub(crate) mod chart;
pub(crate) mod cwe;
pub(crate) mod diff;
pub(crate) mod exemption;
pub(crate) mod list;
pub(crate) mod notice;
pub(crate) mod request;
pub(crate) mod text;
pub(crate) mod time;
