//! Calls that `audit` answers.

use super::spec::{CallSpec, Parameter, ParameterKind};
use super::table::calls;
use crate::access::Access;
use crate::v1::AuditItem;
use domain::role::Right;

const BY: Parameter =
    Parameter::optional("by", ParameterKind::Text, "Only entries of this person or machine, by its subject.");
const WHAT: Parameter = Parameter::optional(
    "what",
    ParameterKind::Text,
    "Only entries of this event, for example `exemption_approved`; also finds it inside a bulk.",
);
const REFUSED: Parameter = Parameter::optional(
    "refused",
    ParameterKind::Flag,
    "`true`: only entries that were refused. `false`: only entries that took effect.",
);
const SINCE: Parameter =
    Parameter::optional("since", ParameterKind::Text, "Only entries from this time on (RFC 3339).");
const UNTIL: Parameter = Parameter::optional("until", ParameterKind::Text, "Only entries up to this time (RFC 3339).");
const FORMAT: Parameter = Parameter::optional(
    "format",
    ParameterKind::Word(&["json", "jsonl"]),
    "`jsonl`: one entry per line, with the next page in the header `Link`. The header `Accept: application/jsonl` has \
     the same effect. Default: `json`.",
);

calls! {
    AuditCall of "audit":

    /// Lists the audit log of the project, newest entry first: who did what, when, from where and why.
    Project = CallSpec::get("/api/v1/projects/{project}/audit", Access::Right(Right::Decide))
        .query(&[
            BY,
            WHAT,
            Parameter::optional("target", ParameterKind::Text, "Only entries about this target."),
            REFUSED,
            SINCE,
            UNTIL,
            FORMAT,
        ])
        .lists::<AuditItem>();

    /// Lists the audit log of the installation, newest entry first: projects created, tokens of account admins, and
    /// exemptions approved for the whole account. Entries of a project are in the project's own log.
    Account = CallSpec::get("/api/v1/audit", Access::Account)
        .query(&[BY, WHAT, REFUSED, SINCE, UNTIL, FORMAT])
        .lists::<AuditItem>();
}
