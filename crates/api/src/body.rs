//! Fields of JSON bodies, parsed into their types.

use crate::problem::{Code, Problem};
use domain::limits::REMARK_CHARS_MAX;
use std::fmt;
use std::str::FromStr;

/// The problem of an invalid field; `what` completes "field `name`: ".
pub fn illegal(name: &str, what: impl fmt::Display) -> Problem {
    Problem::new(Code::InvalidBody, format!("field `{name}`: {what}"))
}

/// Parses a field.
///
/// # Errors
/// `InvalidBody`: the value is not a valid `T`.
pub fn field<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|error| illegal(name, error))
}

/// Checks the length of a person's free text.
///
/// # Errors
/// `InvalidBody`: the text is longer than [`REMARK_CHARS_MAX`].
pub fn remark(name: &str, text: String) -> Result<String, Problem> {
    let length = text.chars().count();
    if length > REMARK_CHARS_MAX {
        return Err(illegal(name, format_args!("expected at most {REMARK_CHARS_MAX} characters, found {length}")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_at_the_limit_is_accepted_and_a_longer_one_is_refused() {
        assert!(remark("text", "ü".repeat(REMARK_CHARS_MAX)).is_ok());
        let problem = remark("text", "ü".repeat(REMARK_CHARS_MAX + 1)).unwrap_err();
        assert_eq!(problem.detail, "field `text`: expected at most 1024 characters, found 1025");
    }
}
