//! Query parameters: every one is read once, and one that the call does not take is refused, because a misspelt
//! `fail_on_severty` must not be a gate that always passes.

use crate::calls::Row;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The parameters of a request that were not read yet.
#[derive(Debug, Clone, Default)]
pub struct Query {
    values: BTreeMap<String, String>,
}

impl Query {
    /// Reads `a=b&c=d`.
    ///
    /// # Errors
    /// A parameter stands there twice: which one counts would be a guess.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Problem::parameter(&name, "it is there more than once"));
            }
        }
        Ok(Self { values })
    }

    /// A parameter that was not read yet as text, which it stays; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Takes a parameter that may be absent; an empty one is absent.
    ///
    /// # Errors
    /// It is not legal.
    pub fn optional<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        match self.values.remove(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => value.parse().map(Some).map_err(|error| Problem::parameter(name, error)),
        }
    }

    /// Takes a parameter that must be there.
    ///
    /// # Errors
    /// It is absent, empty or not legal.
    pub fn required<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Result<T, Problem> {
        self.optional(name)?.ok_or_else(|| Problem::parameter(name, "it is missing"))
    }

    /// The parameters that were not read yet as text, with this one set anew: what asks for another page of a list.
    pub fn with(mut self, name: &str, value: &str) -> String {
        self.values.insert(name.to_owned(), value.to_owned());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.values).finish()
    }

    /// Checks, before anything is read, that nothing else stands there than what the call takes.
    ///
    /// # Errors
    /// A parameter is none of the call's: it is misspelt or of another call.
    pub fn check(&self, row: &Row) -> Result<(), Problem> {
        let is_known = |name: &str| row.parameters().any(|parameter| parameter.name == name);
        match self.values.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                let known: Vec<_> = row.parameters().map(|parameter| format!("`{}`", parameter.name)).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Problem::parameter(name, format_args!("it is not known here; known are {known}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::{self, Table as _};

    #[test]
    fn parameters_are_written_as_they_were_with_one_anew() {
        let query = Query::parse("target=a%2Fb+c&cursor=old&limit=5").unwrap();
        assert_eq!(query.with("cursor", "x=&"), "cursor=x%3D%26&limit=5&target=a%2Fb+c");
        assert_eq!(Query::default().with("cursor", "x"), "cursor=x");
    }

    #[test]
    fn parameters_are_read_once_and_strangers_refused() {
        let mut query = Query::parse("target=a%2Fb+c&limit=5&empty=").unwrap();
        assert_eq!(query.required::<String>("target").unwrap(), "a/b c");
        assert_eq!(query.optional::<u32>("limit").unwrap(), Some(5));
        assert_eq!(query.optional::<u32>("empty").unwrap(), None);
        assert_eq!(query.required::<String>("variant").unwrap_err().detail, "parameter `variant`: it is missing");
        let check = |query: &str, row: &Row| Query::parse(query).unwrap().check(row).map_err(|problem| problem.detail);
        assert_eq!(check("limit=1&regex=x", calls::projects::Call::Variants.row()), Ok(()));
        assert_eq!(
            check("limit=1&regx=x", calls::projects::Call::Variants.row()),
            Err("parameter `regx`: it is not known here; known are `regex`, `limit`, `cursor`".to_owned())
        );
        assert_eq!(
            check("limit=1", calls::projects::Call::Target.row()),
            Err("parameter `limit`: it is not known here; known are none".to_owned())
        );
        let upload = check("fail_on_severty=high", calls::ingest::Call::Upload.row());
        assert!(upload.is_err_and(|detail| detail.starts_with("parameter `fail_on_severty`: it is not known here")));
        assert_eq!(Query::parse("a=1&a=2").unwrap_err().detail, "parameter `a`: it is there more than once");
        assert!(Query::parse("limit=x").unwrap().optional::<u32>("limit").is_err());
    }
}
