//! Fields of JSON bodies as the types they stand for.

use crate::problem::{Code, Problem};
use domain::limits::REMARK_CHARS_MAX;
use std::fmt;
use std::str::FromStr;

/// A field that is not legal.
pub fn illegal(name: &str, what: impl fmt::Display) -> Problem {
    Problem::new(Code::InvalidBody, format!("field `{name}`: {what}"))
}

/// Reads a field.
///
/// # Errors
/// It is not legal.
pub fn field<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|error| illegal(name, error))
}

/// Checks a person's free text.
///
/// # Errors
/// It is longer than [`REMARK_CHARS_MAX`].
pub fn remark(name: &str, text: String) -> Result<String, Problem> {
    let length = text.chars().count();
    if length > REMARK_CHARS_MAX {
        return Err(illegal(name, format_args!("it has {length} characters; at most {REMARK_CHARS_MAX} are allowed")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_at_the_limit_is_kept_and_one_longer_refused() {
        assert!(remark("text", "ü".repeat(REMARK_CHARS_MAX)).is_ok());
        let problem = remark("text", "ü".repeat(REMARK_CHARS_MAX + 1)).unwrap_err();
        assert_eq!(problem.detail, "field `text`: it has 1025 characters; at most 1024 are allowed");
    }
}
