//! What a call is declared by.

use crate::page::Page;
use crate::problem::Code;
use domain::role::{Right, Role};

/// A call. It is built by [`Row::get`] and its like, and by what is added to it then.
#[derive(Debug)]
pub struct Row {
    /// The method, in upper case.
    pub method: &'static str,
    /// The path, with names in braces for segments that vary.
    pub path: &'static str,
    /// Who may make it.
    pub access: Access,
    /// What it does, in a sentence or two.
    pub summary: &'static str,
    /// The query parameters, without those of a page.
    pub query: &'static [Parameter],
    /// Whether it answers with a page of a list.
    pub paged: bool,
    /// Whether it takes an `Idempotency-Key`.
    pub repeatable: bool,
    /// What it takes.
    pub body: Body,
    /// What it answers when all is well.
    pub answer: Answer,
    /// The problems it can answer with besides those that every call of its kind can.
    pub problems: &'static [Code],
}

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Everybody with a token, whatever it is good for.
    Anybody,
    /// Who has this right in the project that the path names.
    Right(Right),
    /// The account admin: the installation's.
    Account,
}

/// What a call takes as its body.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// A JSON object.
    Json(Shape),
    /// A scanner's report, maybe with code beside it.
    Report,
}

/// What a call answers.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; absent where there is none.
    pub shape: Option<Shape>,
}

/// The type of a JSON body. Only tests, which write the OpenAPI document, know more of it than that it is there.
#[derive(Debug)]
pub struct Shape {
    /// Its schema, from a generator that collects the types it refers to.
    #[cfg(test)]
    pub(crate) schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// A type that has a schema.
#[cfg(test)]
pub trait Described: schemars::JsonSchema {}
#[cfg(test)]
impl<T: schemars::JsonSchema> Described for T {}

/// A type that has a schema when the document is written, which only tests do.
#[cfg(not(test))]
pub trait Described {}
#[cfg(not(test))]
impl<T> Described for T {}

impl Shape {
    #[cfg_attr(not(test), expect(clippy::extra_unused_type_parameters, reason = "only tests look at the type"))]
    const fn of<T: Described>() -> Self {
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
    /// What stands in it.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// What stands in a query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Parameter {
    /// One that must be there.
    pub(crate) const fn required(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, required: true, meaning }
    }

    /// One that may be absent.
    pub(crate) const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, required: false, meaning }
    }
}

/// What every list takes.
const PAGE: [Parameter; 2] = [
    Parameter::optional("limit", Kind::Number(1, 1_000), "The most items of a page; 50 if absent."),
    Parameter::optional("cursor", Kind::Text, "Where the page begins: the `next` of the page before, unchanged."),
];

impl Row {
    const fn new(method: &'static str, path: &'static str, access: Access) -> Self {
        Self {
            method,
            path,
            access,
            summary: "",
            query: &[],
            paged: false,
            repeatable: false,
            body: Body::None,
            answer: Answer { status: 204, shape: None },
            problems: &[],
        }
    }

    /// A `GET`.
    pub(crate) const fn get(path: &'static str, access: Access) -> Self {
        Self::new("GET", path, access)
    }

    /// A `POST`.
    pub(crate) const fn post(path: &'static str, access: Access) -> Self {
        Self::new("POST", path, access)
    }

    /// A `PUT`.
    pub(crate) const fn put(path: &'static str, access: Access) -> Self {
        Self::new("PUT", path, access)
    }

    /// A `PATCH`.
    pub(crate) const fn patch(path: &'static str, access: Access) -> Self {
        Self::new("PATCH", path, access)
    }

    /// A `DELETE`.
    pub(crate) const fn delete(path: &'static str, access: Access) -> Self {
        Self::new("DELETE", path, access)
    }

    /// What it does.
    pub(crate) const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// It takes these query parameters.
    pub(crate) const fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// It takes an `Idempotency-Key`.
    pub(crate) const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// It takes a JSON body.
    pub(crate) const fn takes<T: Described>(self) -> Self {
        Self { body: Body::Json(Shape::of::<T>()), ..self }
    }

    /// It takes a report.
    pub(crate) const fn takes_report(self) -> Self {
        Self { body: Body::Report, ..self }
    }

    /// It answers with this status and a JSON body; without this, with 204 and none.
    pub(crate) const fn answers<T: Described>(self, status: u16) -> Self {
        Self { answer: Answer { status, shape: Some(Shape::of::<T>()) }, ..self }
    }

    /// It answers with a page of a list, and takes the parameters of one.
    pub(crate) const fn lists<T: Described>(self) -> Self
    where
        Page<T>: Described,
    {
        Self { paged: true, ..self.answers::<Page<T>>(200) }
    }

    /// It takes the parameters of a page: its answer holds one, and says more.
    pub(crate) const fn paged(self) -> Self {
        Self { paged: true, ..self }
    }

    /// It can answer with these problems too.
    pub(crate) const fn problems(self, problems: &'static [Code]) -> Self {
        Self { problems, ..self }
    }

    /// All query parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.query.iter().chain(PAGE.iter().filter(|_| self.paged))
    }

    /// Every problem it can answer with, besides those of its path and method.
    pub fn all_problems(&self) -> Vec<Code> {
        let of_access: &[Code] = match self.access {
            Access::Public => &[],
            Access::Anybody => &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts],
            Access::Right(_) => {
                &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts, Code::Forbidden, Code::NotFound]
            }
            Access::Account => &[Code::Unauthenticated, Code::TokenExpired, Code::TooManyAttempts, Code::Forbidden],
        };
        let of_body: &[Code] = match self.body {
            Body::Json(_) => &[Code::InvalidBody],
            Body::None | Body::Report => &[],
        };
        let always = [Code::InvalidParameter, Code::Internal, Code::Unavailable];
        let mut all: Vec<_> = [&always, of_access, of_body, self.problems].into_iter().flatten().copied().collect();
        all.sort_by_key(|code| (code.status(), *code));
        all.dedup();
        all
    }

    /// Whether a path is this one's; `path` is its segments, decoded.
    pub fn matches(&self, path: &[String]) -> bool {
        let fits = |(part, value): (&'static str, &String)| match name(part) {
            Some(_) => !value.is_empty(),
            None => part == value,
        };
        segments(self.path).count() == path.len() && segments(self.path).zip(path).all(fits)
    }

    /// Which of the path's segments are fixed, in their order.
    pub(super) fn fixed(&self) -> Vec<bool> {
        segments(self.path).map(|part| name(part).is_none()).collect()
    }
}

impl Access {
    /// The right in a word: `public`, `anybody`, `account`, or a right's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Anybody => "anybody",
            Self::Account => "account",
            Self::Right(Right::Upload) => "upload",
            Self::Right(Right::Read) => "read",
            Self::Right(Right::Develop) => "develop",
            Self::Right(Right::Decide) => "decide",
            Self::Right(Right::Administer) => "administer",
        }
    }

    /// Who that is, in words.
    pub fn who(self) -> String {
        match self {
            Self::Public => "everybody".to_owned(),
            Self::Anybody => "everybody with a token".to_owned(),
            Self::Account => "account admin".to_owned(),
            Self::Right(right) => right.roles().map(Role::as_str).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The segments of a template.
pub(super) fn segments(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.trim_start_matches('/').split('/')
}

/// The name in a template's segment, if it has one.
pub(super) fn name(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
