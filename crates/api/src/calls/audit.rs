//! The calls that `audit` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::v1::AuditItem;
use domain::role::Right;

const BY: Parameter = Parameter::optional("by", Kind::Text, "Only what this person or machine did.");
const WHAT: Parameter = Parameter::optional(
    "what",
    Kind::Text,
    "Only what does this, for example `exemption_approved`; also inside a bulk.",
);
const REFUSED: Parameter =
    Parameter::optional("refused", Kind::Flag, "Only what was refused, or only what took effect.");
const SINCE: Parameter = Parameter::optional("since", Kind::Text, "From this time on (RFC 3339).");
const UNTIL: Parameter = Parameter::optional("until", Kind::Text, "Up to this time (RFC 3339).");
const FORMAT: Parameter = Parameter::optional(
    "format",
    Kind::Word(&["json", "jsonl"]),
    "`jsonl`: an entry a line, and the next page in the header `Link`. The header `Accept: application/jsonl` asks for it too.",
);

calls! {
    "audit":

    /// What happened in the project, the newest first: who did what, when, from where and why.
    Project = Row::get("/api/v1/projects/{project}/audit", Access::Right(Right::Decide))
        .query(&[
            BY,
            WHAT,
            Parameter::optional("target", Kind::Text, "Only what is about this target."),
            REFUSED,
            SINCE,
            UNTIL,
            FORMAT,
        ])
        .lists::<AuditItem>();

    /// What happened in the installation besides its projects, the newest first.
    Account = Row::get("/api/v1/audit", Access::Account)
        .query(&[BY, WHAT, REFUSED, SINCE, UNTIL, FORMAT])
        .lists::<AuditItem>();
}
