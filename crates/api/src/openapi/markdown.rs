//! Generates `docs/api.md` from the calls.

use super::generated::{compare, one_line};
use crate::calls::{RequestBody, all};
use std::fmt::Write as _;

const HEAD: &str = "\
# The API

This page lists every call, the callers that it permits, and what it does. `GET /api/v1/openapi.json` returns the same as
an OpenAPI 3.1 document, with the types, query parameters and statuses. `docs/problems.md` explains the errors.

- **Token.** Send it in the header `Authorization: Bearer <token>`. A project that the token gives no access to is
  answered like a project that does not exist.
- **Query parameters.** A call refuses parameters that it does not take.
- **Lists.** They come in pages: `limit` is the maximum number of items, and the `next` of a page is the `cursor` of the
  next one.
- **Retries.** Calls marked with \u{2020} take the header `Idempotency-Key`: a request that is repeated under the same key
  takes effect only once. A key belongs to the subject of the token and to the call, for an upload to its target, and holds
  for 7 days; after that it begins something new. The answer to a repeated request has the header
  `Idempotent-Replayed: true`. An answer to an upload has the exemptions of the time in its `judged_at`.
- **Versions.** Calls marked with \u{2021} take the header `If-Match: \"<version>\"`, with the `version` of an answer (it is
  also the `ETag`): the change takes effect only if nobody has changed the same thing since. Otherwise the answer is 412.

| method | path | permitted callers | description |
|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (call, _) in all() {
        let parameters: Vec<_> = call
            .parameters()
            .map(|parameter| format!("`{}`{}", parameter.name, if parameter.required { " (required)" } else { "" }))
            .collect();
        let body = match call.body {
            RequestBody::Report => " Body: the report.",
            RequestBody::None | RequestBody::Json(_) => "",
        };
        let parameters =
            if parameters.is_empty() { String::new() } else { format!(" Parameters: {}.", parameters.join(", ")) };
        let (key, callers) = (if call.repeatable { " \u{2020}" } else { "" }, call.access.callers());
        let version = if call.conditional { " \u{2021}" } else { "" };
        let _ = writeln!(
            page,
            "| {}{key}{version} | `{}` | {callers} | {}{body}{parameters} |",
            call.method,
            call.path,
            one_line(call.summary)
        );
    }
    page
}

#[test]
fn the_page_in_the_repository_matches_the_calls() {
    compare("docs/api.md", &page());
}
