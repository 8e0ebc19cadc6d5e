//! The request for a page by a signed-in user.

use crate::form::Form;
use crate::session::Session;
use api::Problem;
use api::query::Query;
use domain::role::Right;
use domain::time::Timestamp;
use std::fmt;
use std::str::FromStr;

/// The method of a request, with the form of a `POST`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method<'a> {
    Get,
    /// The form has passed the checks for cross-site requests.
    Post(&'a Form),
}

/// A request for a page by a signed-in user.
pub(crate) struct PageRequest<'a, A> {
    /// The API, called with the user's token.
    pub(crate) api: A,
    pub(crate) session: &'a Session,
    /// The time of the request.
    pub(crate) now: Timestamp,
    pub(crate) method: Method<'a>,
    /// The requested path, with the query if there is one.
    pub(crate) url: &'a str,
    /// The query's parameters.
    pub(crate) query: &'a Query,
    /// The address of Gatehouse as the browser knows it, for commands to copy.
    pub(crate) origin: &'a str,
    /// True if the browser comes from a page of the dashboard.
    pub(crate) from_own_page: bool,
}

impl<A> PageRequest<'_, A> {
    /// True if the user has this right for all targets that the token covers. Pages offer nothing else.
    pub(crate) fn has_right(&self, right: Right) -> bool {
        self.session.role.has(right) && (right != Right::Administer || !self.session.some_targets)
    }

    /// True if the user is an account admin.
    pub(crate) fn is_account_admin(&self) -> bool {
        self.session.project.is_none()
    }

    /// A parameter of the query; `None` if it is missing or empty.
    ///
    /// # Errors
    /// The value is not valid.
    pub(crate) fn param<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.query.clone().optional(name)
    }

    /// A parameter of the query as text; empty if it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.query.text(name)
    }

    /// The requested path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.url.split_once('?').map_or(self.url, |(path, _)| path)
    }

    /// The query without the parameters that show a notice: links to other pages of a list leave them out.
    pub(crate) fn query_without_notice(&self) -> Query {
        let mut query = self.query.clone();
        for name in ["done", "count", "choose", "exemption"] {
            drop(query.optional::<String>(name));
        }
        query
    }
}
