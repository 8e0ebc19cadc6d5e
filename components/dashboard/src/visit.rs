//! What every page works with: who reads it, what is asked for, and the API that answers.

use crate::session::Session;
use api::Problem;
use api::query::Query;
use domain::role::Right;
use domain::time::Timestamp;
use std::fmt;
use std::str::FromStr;

/// A visit of somebody who is signed in.
pub(crate) struct Visit<'a, A> {
    /// The API, with their token.
    pub(crate) api: A,
    /// Who they are.
    pub(crate) session: &'a Session,
    /// When they came.
    pub(crate) now: Timestamp,
    /// What they asked for: the path, and the query if there is one.
    pub(crate) here: &'a str,
    /// The query's parameters.
    pub(crate) query: &'a Query,
    /// Where Gatehouse is, as the browser knows it, for commands to copy.
    pub(crate) origin: &'a str,
    /// Whether they come from a page of ours.
    pub(crate) from_here: bool,
}

/// Where a browser finds us by its header `Host`. One that could mean more in a command than a host is not repeated.
pub(crate) fn origin(host: Option<&str>, secure: bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '[' | ']');
    match host.filter(|host| !host.is_empty() && !host.starts_with('-') && host.chars().all(plain)) {
        Some(host) => format!("{}://{host}", if secure { "https" } else { "http" }),
        None => "https://gatehouse.example".to_owned(),
    }
}

impl<A> Visit<'_, A> {
    /// Whether they have this right wherever their token is good for. What they may not do is not offered.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.session.role.has(right) && (right != Right::Administer || !self.session.some_targets)
    }

    /// Whether they are an account admin.
    pub(crate) fn is_account_admin(&self) -> bool {
        self.session.project.is_none()
    }

    /// A parameter of the query, if it is there and not empty.
    ///
    /// # Errors
    /// It is not legal.
    pub(crate) fn param<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.query.clone().optional(name)
    }

    /// A parameter of the query as text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.query.text(name)
    }

    /// The path that was asked for, without the query.
    pub(crate) fn path(&self) -> &str {
        self.here.split_once('?').map_or(self.here, |(path, _)| path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_host_and_nothing_else() {
        assert_eq!(origin(Some("127.0.0.1:4135"), false), "http://127.0.0.1:4135");
        assert_eq!(origin(Some("gate.example.org"), true), "https://gate.example.org");
        for other in [None, Some(""), Some("a;rm -rf"), Some("$(id)"), Some("a\"b"), Some("-x"), Some("ü")] {
            assert_eq!(origin(other, true), "https://gatehouse.example", "{other:?}");
        }
    }
}
