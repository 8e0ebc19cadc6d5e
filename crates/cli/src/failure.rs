//! The form of a failure: `error:` with its causes on one line, and a `hint:` where one helps. A failure is never a
//! verdict, so it exits with 2.

use std::fmt;

use crate::client;
use crate::terminal::plain;

/// An error with advice.
#[derive(Debug)]
pub(crate) struct Hinted {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// Writes a failure to standard error.
pub(crate) fn print(error: &anyhow::Error) {
    let (style, text) = (crate::terminal::ERROR, describe(error));
    anstream::eprintln!("{style}error{style:#}: {text}");
    if let Some(hint) = hint(error) {
        let style = crate::terminal::HINT;
        anstream::eprintln!("{style}hint{style:#}: {}", plain(&hint));
    }
}

/// The failure and its causes.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    describe_cause(error.as_ref())
}

/// An error and its causes. Some errors already end with their cause: it is not repeated.
pub(crate) fn describe_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        let cause = cause.to_string();
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    plain(&text)
}

fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        return Some(hinted.hint.clone());
    }
    error.chain().find_map(|cause| cause.downcast_ref::<client::Error>()?.hint()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn causes_appear_once_and_hostile_ones_are_escaped() {
        let error =
            Err::<(), _>(anyhow::anyhow!("no \u{1b}[31msuch file\n::error::x")).context("cannot read x").unwrap_err();
        assert_eq!(describe(&error), "cannot read x: no \\u{1b}[31msuch file ::error::x");
        let error = Err::<(), _>(anyhow::anyhow!("cause")).context("it failed: cause").unwrap_err();
        assert_eq!(describe(&error), "it failed: cause");
    }

    #[test]
    fn a_hint_is_found_below_a_context() {
        let hinted = Hinted { message: "a".to_owned(), hint: "b".to_owned() };
        assert_eq!(hint(&anyhow::Error::new(hinted)), Some("b".to_owned()));
        assert_eq!(hint(&anyhow::anyhow!("a")), None);
    }
}
