//! The declaration of a call.

use crate::access::Access;
use crate::page::Page;
use crate::problem::{Code, Problem};
use crate::query::Query;

/// The declaration of a call. It starts with [`CallSpec::get`] or another method; the builder functions add the rest.
#[derive(Debug)]
pub struct CallSpec {
    /// The HTTP method, in upper case.
    pub method: &'static str,
    /// The path template, with a name in braces for each segment that varies.
    pub path: &'static str,
    /// The callers that the call permits.
    pub access: Access,
    /// A description in a few sentences, for users.
    pub summary: &'static str,
    /// The query parameters, without `limit` and `cursor`.
    pub query: &'static [Parameter],
    /// True if the call takes `limit` and `cursor`.
    pub paged: bool,
    /// True if the call takes an `Idempotency-Key`.
    pub repeatable: bool,
    /// True if the call takes `If-Match` with a version.
    pub conditional: bool,
    /// The request body.
    pub body: RequestBody,
    /// The response if the call succeeds.
    pub answer: Answer,
    /// The problems that are specific to this call; see [`CallSpec::all_problems`].
    pub problems: &'static [Code],
}

/// The request body of a call.
#[derive(Debug)]
pub enum RequestBody {
    /// No body.
    None,
    /// A JSON object.
    Json(JsonType),
    /// A scanner's report, optionally with a sidecar of code.
    Report,
}

/// The response of a call that succeeds.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; absent for 204.
    pub body: Option<JsonType>,
}

/// The type of a JSON body. Only tests know its schema, because only they write the OpenAPI document.
#[derive(Debug)]
pub struct JsonType {
    /// Returns the schema; the generator collects the types that it refers to.
    #[cfg(test)]
    pub(crate) schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// A type with a JSON schema.
#[cfg(test)]
pub trait HasSchema: schemars::JsonSchema {}
#[cfg(test)]
impl<T: schemars::JsonSchema> HasSchema for T {}

/// A type with a JSON schema; only tests generate it.
#[cfg(not(test))]
pub trait HasSchema {}
#[cfg(not(test))]
impl<T> HasSchema for T {}

impl JsonType {
    #[cfg_attr(not(test), expect(clippy::extra_unused_type_parameters, reason = "only tests use the type"))]
    const fn of<T: HasSchema>() -> Self {
        Self {
            #[cfg(test)]
            schema: |generator| generator.subschema_for::<T>(),
        }
    }
}

/// A query parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The values that it takes.
    pub kind: ParameterKind,
    /// True if the call fails without it.
    pub required: bool,
    /// Its meaning in one or two sentences, for users.
    pub meaning: &'static str,
}

/// The values that a query parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number between the two, both included.
    Number(u32, u32),
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Parameter {
    /// A required parameter.
    pub(crate) const fn required(name: &'static str, kind: ParameterKind, meaning: &'static str) -> Self {
        Self { name, kind, required: true, meaning }
    }

    /// An optional parameter.
    pub(crate) const fn optional(name: &'static str, kind: ParameterKind, meaning: &'static str) -> Self {
        Self { name, kind, required: false, meaning }
    }
}

/// The parameters of every list.
const PAGE: [Parameter; 2] = [
    Parameter::optional(
        "limit",
        ParameterKind::Number(1, 1_000),
        "The maximum number of items on the page. Default: 50.",
    ),
    Parameter::optional(
        "cursor",
        ParameterKind::Text,
        "The start of the page: the `next` of the previous page, unchanged. Default: the first page.",
    ),
];

impl CallSpec {
    const fn new(method: &'static str, path: &'static str, access: Access) -> Self {
        Self {
            method,
            path,
            access,
            summary: "",
            query: &[],
            paged: false,
            repeatable: false,
            conditional: false,
            body: RequestBody::None,
            answer: Answer { status: 204, body: None },
            problems: &[],
        }
    }

    /// A `GET` call.
    pub(crate) const fn get(path: &'static str, access: Access) -> Self {
        Self::new("GET", path, access)
    }

    /// A `POST` call.
    pub(crate) const fn post(path: &'static str, access: Access) -> Self {
        Self::new("POST", path, access)
    }

    /// A `PUT` call.
    pub(crate) const fn put(path: &'static str, access: Access) -> Self {
        Self::new("PUT", path, access)
    }

    /// A `PATCH` call.
    pub(crate) const fn patch(path: &'static str, access: Access) -> Self {
        Self::new("PATCH", path, access)
    }

    /// A `DELETE` call.
    pub(crate) const fn delete(path: &'static str, access: Access) -> Self {
        Self::new("DELETE", path, access)
    }

    /// Sets the description.
    pub(crate) const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Sets the query parameters.
    pub(crate) const fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// Allows an `Idempotency-Key`.
    pub(crate) const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// Allows an `If-Match` with a version.
    pub(crate) const fn conditional(self) -> Self {
        Self { conditional: true, ..self }
    }

    /// Sets a JSON request body.
    pub(crate) const fn takes<T: HasSchema>(self) -> Self {
        Self { body: RequestBody::Json(JsonType::of::<T>()), ..self }
    }

    /// Sets a report as the request body.
    pub(crate) const fn takes_report(self) -> Self {
        Self { body: RequestBody::Report, ..self }
    }

    /// Sets the status and JSON body of the response. The default is 204 without a body.
    pub(crate) const fn answers<T: HasSchema>(self, status: u16) -> Self {
        Self { answer: Answer { status, body: Some(JsonType::of::<T>()) }, ..self }
    }

    /// Makes the response a page of a list, and adds the parameters of a page.
    pub(crate) const fn lists<T: HasSchema>(self) -> Self
    where
        Page<T>: HasSchema,
    {
        Self { paged: true, ..self.answers::<Page<T>>(200) }
    }

    /// Adds the parameters of a page, for a response that contains a page among other fields.
    pub(crate) const fn paged(self) -> Self {
        Self { paged: true, ..self }
    }

    /// Sets the problems that are specific to this call.
    pub(crate) const fn problems(self, problems: &'static [Code]) -> Self {
        Self { problems, ..self }
    }

    /// All query parameters, with `limit` and `cursor`.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.query.iter().chain(PAGE.iter().filter(|_| self.paged))
    }

    /// Checks, before any parameter is read, that the call takes all parameters of a query.
    ///
    /// # Errors
    /// `InvalidParameter`: the call does not take a parameter. It is misspelt or belongs to another call.
    pub fn check_query(&self, query: &Query) -> Result<(), Problem> {
        let is_known = |name: &str| self.parameters().any(|parameter| parameter.name == name);
        let Some(unknown) = query.names().find(|name| !is_known(name)) else { return Ok(()) };
        let known: Vec<_> = self.parameters().map(|parameter| format!("`{}`", parameter.name)).collect();
        Err(match known.as_slice() {
            [] => Problem::parameter(unknown, "unknown parameter; this call takes none"),
            [only] => Problem::parameter(unknown, format_args!("unknown parameter; expected {only}")),
            _ => Problem::parameter(unknown, format_args!("unknown parameter; expected one of {}", known.join(", "))),
        })
    }

    /// Every problem that the call can answer with, except those of an unknown path or method. Sorted by status.
    pub fn all_problems(&self) -> Vec<Code> {
        let of_access: &[Code] = match self.access {
            Access::Public => &[],
            Access::AnyToken => &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts],
            Access::Right(_) => {
                &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts, Code::Forbidden, Code::NotFound]
            }
            Access::Account => &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts, Code::Forbidden],
        };
        let of_body: &[Code] = match self.body {
            RequestBody::Json(_) => &[Code::InvalidBody],
            RequestBody::None | RequestBody::Report => &[],
        };
        let always = [Code::InvalidParameter, Code::Internal, Code::Unavailable];
        let mut all: Vec<_> = [&always, of_access, of_body, self.problems].into_iter().flatten().copied().collect();
        all.sort_by_key(|code| (code.status(), *code));
        all.dedup();
        all
    }

    /// True if a path matches the template; `path` contains the decoded segments.
    pub fn matches(&self, path: &[String]) -> bool {
        let fits = |(part, value): (&'static str, &String)| match variable(part) {
            Some(_) => !value.is_empty(),
            None => part == value,
        };
        segments(self.path).count() == path.len() && segments(self.path).zip(path).all(fits)
    }

    /// For each segment of the template, in order: true if the segment is fixed.
    pub(super) fn fixed_segments(&self) -> Vec<bool> {
        segments(self.path).map(|part| variable(part).is_none()).collect()
    }
}

/// The segments of a path template.
pub(super) fn segments(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.trim_start_matches('/').split('/')
}

/// The name in braces of a template's segment; absent if the segment is fixed.
pub(super) fn variable(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
