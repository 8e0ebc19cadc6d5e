//! Reads reports: their input and output, their detection, and a reader for each notation.

pub(crate) mod archive;
pub(crate) mod encoding;
pub(crate) mod fields;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod report;
pub(crate) mod sniff;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod xml;
