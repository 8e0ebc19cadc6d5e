//! Query parameters. Each is read once. A call refuses parameters that it does not take, so that a misspelt
//! `fail_on_severty` is not a gate that always passes.

use crate::problem::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The parameters of a request that are not read yet.
#[derive(Debug, Clone, Default)]
pub struct Query {
    values: BTreeMap<String, String>,
}

impl Query {
    /// Parses `a=b&c=d`.
    ///
    /// # Errors
    /// A parameter occurs more than once, so it is not clear which one counts.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Problem::parameter(&name, "it occurs more than once"));
            }
        }
        Ok(Self { values })
    }

    /// The text of a parameter, which stays unread; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The names of the unread parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Reads an optional parameter; an empty one counts as absent.
    ///
    /// # Errors
    /// The value is not a valid `T`.
    pub fn optional<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        match self.values.remove(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => value.parse().map(Some).map_err(|error| Problem::parameter(name, error)),
        }
    }

    /// Reads a required parameter.
    ///
    /// # Errors
    /// The parameter is absent or empty, or the value is not a valid `T`.
    pub fn required<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Result<T, Problem> {
        self.optional(name)?.ok_or_else(|| Problem::parameter(name, "it is missing"))
    }

    /// The query of the unread parameters, with one of them set to a new value: the query of another page of a list.
    pub fn with(mut self, name: &str, value: &str) -> String {
        self.values.insert(name.to_owned(), value.to_owned());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.values).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_again_with_one_parameter_replaced() {
        let query = Query::parse("target=a%2Fb+c&cursor=old&limit=5").unwrap();
        assert_eq!(query.with("cursor", "x=&"), "cursor=x%3D%26&limit=5&target=a%2Fb+c");
        assert_eq!(Query::default().with("cursor", "x"), "cursor=x");
    }

    #[test]
    fn parameters_are_read_once_and_unknown_ones_are_refused() {
        let mut query = Query::parse("target=a%2Fb+c&limit=5&empty=").unwrap();
        assert_eq!(query.required::<String>("target").unwrap(), "a/b c");
        assert_eq!(query.names().collect::<Vec<_>>(), ["empty", "limit"]);
        assert_eq!(query.optional::<u32>("limit").unwrap(), Some(5));
        assert_eq!(query.optional::<u32>("empty").unwrap(), None);
        assert_eq!(query.required::<String>("variant").unwrap_err().detail, "parameter `variant`: it is missing");
        assert_eq!(Query::parse("a=1&a=2").unwrap_err().detail, "parameter `a`: it occurs more than once");
        assert!(Query::parse("limit=x").unwrap().optional::<u32>("limit").is_err());
    }
}
