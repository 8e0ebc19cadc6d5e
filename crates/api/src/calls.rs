//! Every call of the API, declared once: its path, who may make it, what it takes and what it answers.
//!
//! Each component has its own table. Routing, the check of the caller's right, the names of query parameters, the answer
//! 405, the OpenAPI document and `docs/api.md` all come from these rows, so no call can be without one of them.

mod row;

pub mod account;
pub mod audit;
pub mod exemptions;
pub mod ingest;
pub mod projects;
pub mod public;
pub mod results;

pub use row::{Access, Answer, Body, Described, Kind, Parameter, Row, Shape};

use crate::problem::Problem;
use domain::ids::ProjectId;
use std::fmt;
use std::str::FromStr;

/// Makes the enum of calls of the component that is named first. An entry's comment is the call's summary; its value is
/// its row.
macro_rules! calls {
    ($component:literal: $($(#[doc = $doc:literal])+ $name:ident = $row:expr;)+) => {
        /// The calls that the component answers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Call {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $crate::calls::Table for Call {
            const COMPONENT: &'static str = $component;
            const ALL: &'static [Self] = &[$(Self::$name),+];

            fn row(self) -> &'static $crate::calls::Row {
                match self {
                    $(Self::$name => {
                        static ROW: $crate::calls::Row = $row.summary(concat!($($doc),+));
                        &ROW
                    })+
                }
            }
        }
    };
}
pub(crate) use calls;

/// The calls of one component.
pub trait Table: Copy + 'static {
    /// The component's name.
    const COMPONENT: &'static str;

    /// All of them.
    const ALL: &'static [Self];

    /// How a call is declared.
    fn row(self) -> &'static Row;

    /// The call that a request makes; `path` is its path's segments, decoded.
    ///
    /// # Errors
    /// `NotFound` for a path that no call has, `MethodNotAllowed` for a method that the path does not have.
    fn find(method: &str, path: &[String]) -> Result<Found<Self>, Problem> {
        let Some(template) = template(path) else {
            return Err(Problem::not_found("there is no such path; a slash inside a name is written %2F"));
        };
        let is_it = |call: &&Self| call.row().path == template && call.row().method == method;
        match Self::ALL.iter().find(is_it) {
            Some(call) => Ok(Found { call: *call, params: Params::of(template, path) }),
            None => Err(Problem::not_allowed(method, &allowed(path).join(", "))),
        }
    }
}

/// A call that was found, with what stands in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<C> {
    /// The call.
    pub call: C,
    /// What stands in the path for the names in braces.
    pub params: Params,
}

/// What stands in a path for the names in braces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    values: Vec<(&'static str, String)>,
}

impl Params {
    fn of(template: &'static str, path: &[String]) -> Self {
        let named = row::segments(template).zip(path);
        let values = named.filter_map(|(part, value)| Some((row::name(part)?, value.clone()))).collect();
        Self { values }
    }

    /// The text that stands for a name.
    ///
    /// # Errors
    /// The call's path has no such name, which is our fault.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        let value = self.values.iter().find(|(known, _)| *known == name);
        value
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Problem::internal(format!("the call's path has no `{{{name}}}`")))
    }

    /// What stands for a name, as what it must be.
    ///
    /// # Errors
    /// `NotFound`: it is none, so there is nothing of this name.
    pub fn read<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T, Problem> {
        self.text(name)?.parse().map_err(|error| Problem::not_found(format!("{error}")))
    }

    /// The project, if the call is to one.
    ///
    /// # Errors
    /// `NotFound`: there can be no project of this name.
    pub fn project(&self) -> Result<Option<ProjectId>, Problem> {
        let named = self.values.iter().any(|(name, _)| *name == "project");
        named.then(|| self.read("project")).transpose()
    }
}

/// The rows of all components.
pub fn every() -> impl Iterator<Item = &'static Row> {
    fn rows<C: Table>() -> impl Iterator<Item = &'static Row> {
        C::ALL.iter().map(|call| call.row())
    }
    public::ALL
        .into_iter()
        .map(|(row, _)| row)
        .chain(rows::<account::Call>())
        .chain(rows::<projects::Call>())
        .chain(rows::<ingest::Call>())
        .chain(rows::<results::Call>())
        .chain(rows::<exemptions::Call>())
        .chain(rows::<audit::Call>())
}

/// The component that answers a call, if there is such a call: where a component sends it.
pub fn component(method: &str, path: &[String]) -> Option<&'static str> {
    fn answers<C: Table>(method: &str, path: &[String]) -> Option<&'static str> {
        C::find(method, path).ok().map(|_| C::COMPONENT)
    }
    fn answers_anybody(method: &str, path: &[String]) -> Option<&'static str> {
        public::ALL.iter().find(|(row, _)| row.method == method && row.matches(path)).map(|(_, component)| *component)
    }
    answers_anybody(method, path)
        .or_else(|| answers::<account::Call>(method, path))
        .or_else(|| answers::<projects::Call>(method, path))
        .or_else(|| answers::<ingest::Call>(method, path))
        .or_else(|| answers::<results::Call>(method, path))
        .or_else(|| answers::<exemptions::Call>(method, path))
        .or_else(|| answers::<audit::Call>(method, path))
}

/// The methods that a path has, whichever components answer them.
pub fn allowed(path: &[String]) -> Vec<&'static str> {
    let Some(template) = template(path) else { return Vec::new() };
    every().filter(|row| row.path == template).map(|row| row.method).collect()
}

/// The template that a path means: of those that match it, the one that says more of it sooner, as OpenAPI has it.
fn template(path: &[String]) -> Option<&'static str> {
    every().filter(|row| row.matches(path)).max_by_key(|row| row.fixed()).map(|row| row.path)
}

#[cfg(test)]
mod tests;
