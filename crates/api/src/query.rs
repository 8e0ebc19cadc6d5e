//! Query parameters: every one is read once, and one that nobody reads is refused, because a misspelt
//! `fail_on_severty` must not be a gate that always passes.

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

    /// Ends the reading.
    ///
    /// # Errors
    /// A parameter was not read: it is misspelt or of another call.
    pub fn finish(self, known: &str) -> Result<(), Problem> {
        match self.values.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::parameter(&name, format_args!("it is not known here; known are {known}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(query.finish("nothing").is_ok());
        assert_eq!(
            Query::parse("fail_on_severty=high").unwrap().finish("`fail_on_severity`").unwrap_err().detail,
            "parameter `fail_on_severty`: it is not known here; known are `fail_on_severity`"
        );
        assert_eq!(Query::parse("a=1&a=2").unwrap_err().detail, "parameter `a`: it is there more than once");
        assert!(Query::parse("limit=x").unwrap().optional::<u32>("limit").is_err());
    }
}
