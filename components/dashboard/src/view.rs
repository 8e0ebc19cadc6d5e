//! Small pieces that pages are made of.

pub(crate) mod badge;
pub(crate) mod chart;
pub(crate) mod cwe;
pub(crate) mod list;
pub(crate) mod notice;
pub(crate) mod text;
pub(crate) mod time;
