//! `docs/api.md` is written from the calls.

use super::document::summary;
use crate::calls::{Body, every};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# The API

Every call, who may make it and what it does. `GET /api/v1/openapi.json` says the same and the rest, as OpenAPI 3.1: query
parameters, types, statuses. `docs/problems.md` explains the errors.

A token goes into the header `Authorization: Bearer <token>`. A project that the token is not for is answered like one that
does not exist. A parameter that a call does not know is refused. Lists come in pages: `limit` says how many items, and
`next` is the `cursor` of the next page. Calls with a key (\u{2020}) take an `Idempotency-Key`: sent again under it they are
done once.

| method | path | who | what |
|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in every() {
        let parameters: Vec<_> = row.parameters().map(|parameter| format!("`{}`", parameter.name)).collect();
        let parameters = match (parameters.is_empty(), &row.body) {
            (true, _) => String::new(),
            (false, Body::Report) => format!(" Body: the report. Parameters: {}.", parameters.join(", ")),
            (false, Body::None | Body::Json(_)) => format!(" Parameters: {}.", parameters.join(", ")),
        };
        let (key, who) = (if row.repeatable { " \u{2020}" } else { "" }, row.access.who());
        let _ = writeln!(page, "| {}{key} | `{}` | {who} | {}{parameters} |", row.method, row.path, summary(row));
    }
    page
}

/// Compares a file of the repository with what it must be, or writes it where `GATEHOUSE_BLESS` is set.
pub(super) fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{path} is not up to date: GATEHOUSE_BLESS=1 cargo test -p api openapi");
}

#[test]
fn the_page_of_calls_is_what_they_say() {
    compare("docs/api.md", &page());
}
