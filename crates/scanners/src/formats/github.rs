//! Shared by GitHub's formats: the REST API's lists of alerts, and texts about an alert's state.

use crate::reader::json::{self, Text};
use crate::reader::report::{Input, ParseError, require};
use crate::reader::text::{Filled, shown};
use serde_json::Value;

/// Calls `on` with every alert: the elements of a list, of lists in a list (`gh api --paginate --slurp`), or objects
/// one after the other (`gh api --jq '.[]'`). `on` returns true if it could read the alert.
///
/// # Errors
/// The report is not JSON, or has entries and none of them is an alert of this kind.
pub(crate) fn alerts(input: Input<'_>, on: &mut dyn FnMut(&str) -> Result<bool, ParseError>) -> Result<(), ParseError> {
    let (mut entries, mut readable) = (0_u64, 0_u64);
    json::values(input, &mut |_, raw| {
        let mut one = |raw: &str| {
            entries += 1;
            readable += u64::from(on(raw)?);
            Ok(())
        };
        if raw.trim_start().starts_with('[') {
            json::walk(Input::Memory(raw.as_bytes()), &["[]"], &mut |item| one(item.raw)).map(drop)
        } else {
            one(raw)
        }
    })?;
    require(entries == readable || readable > 0, "no entry is an alert of this kind")
}

/// The text, if it is not empty. Python scripts write `None` for a missing value.
pub(crate) fn filled(text: Option<Text>) -> Option<String> {
    text.filled().filter(|text| text != "None" && text != "null")
}

/// Checks the state of an alert.
///
/// # Errors
/// It is not one of GitHub's: the alert may be open.
pub(crate) fn known_state(state: Option<&str>, known: &[&str]) -> Result<(), String> {
    match state {
        Some(state) if !known.iter().any(|known| known.eq_ignore_ascii_case(state)) => {
            Err(format!("`{}` is an unknown state", shown(state, 40)))
        }
        Some(_) | None => Ok(()),
    }
}

/// Joins the state of a dismissed alert with its reason and comment, if given.
pub(crate) fn dismissal(state: &str, reason: Option<String>, comment: Option<String>) -> String {
    [Some(state.to_ascii_lowercase()), reason, comment].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// A repository's full name, from answers for an organisation.
pub(crate) fn repository(value: Option<&Value>) -> Option<String> {
    let value = value?;
    ["full_name", "nameWithOwner"].iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned))
}
