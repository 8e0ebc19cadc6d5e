//! Values that formats share: severities, CWEs, packages, secrets and others.

pub(crate) mod advisory;
pub(crate) mod cwe;
pub(crate) mod leak;
pub(crate) mod osv;
pub(crate) mod packages;
pub(crate) mod rating;
pub(crate) mod secret;
pub(crate) mod slug;
pub(crate) mod snippet;
pub(crate) mod time;
pub(crate) mod web;
