//! Reads a value whose parts may be of another type than expected: keeps what can be read and names the rest.

use super::objects::Objects;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads a JSON text. Of a name that is written twice in an object, the last value counts, as in other JSON readers.
///
/// # Errors
/// The value has another type. The error is the reason, in words for people.
pub(crate) fn parse<T: DeserializeOwned>(raw: &str) -> Result<T, String> {
    from_text(raw).or_else(|error| {
        // A struct refuses a name that is written twice; a map keeps the last value.
        let once = serde_json::from_str::<Value>(raw).and_then(|value| from_text(&value.to_string()));
        once.map_err(|_| in_words(&error.to_string()))
    })
}

/// Reads a JSON text; a struct only from an object.
fn from_text<T: DeserializeOwned>(raw: &str) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(raw);
    let value = T::deserialize(Objects(&mut json))?;
    json.end().map(|()| value)
}

/// Reads a value of JSON; a struct only from an object.
///
/// # Errors
/// The value has another type. The error is the reason.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    T::deserialize(Objects(value)).map_err(|error| error.to_string())
}

/// The parser's message with the words of JSON instead of Rust's: `invalid type: map, expected a string` becomes
/// `expected a string, found an object`.
fn in_words(message: &str) -> String {
    let parts = message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "));
    let Some((found, expected)) = parts else { return message.to_owned() };
    let (expected, place) = expected.split_once(" at line ").unwrap_or((expected, ""));
    let expected = if expected.starts_with("struct ") { "an object" } else { expected };
    let expected = expected.replace("a sequence", "a list").replace("a map", "an object");
    let words = [
        ("map", "an object"),
        ("sequence", "a list"),
        ("string", "a string"),
        ("integer", "a number"),
        ("floating point", "a number"),
        ("boolean", "a boolean"),
        ("null", "null"),
        ("unit", "null"),
    ];
    let found = words.iter().find(|(word, _)| found.starts_with(word)).map_or(found, |(_, words)| *words);
    let place = if place.is_empty() { String::new() } else { format!(" at line {place}") };
    format!("expected {expected}, found {found}{place}")
}

/// Reads an object without the parts that have another type than `T` needs, and returns the places of these parts.
/// `null` counts as absent. All fields of `T` must be optional.
///
/// # Errors
/// The value is not an object. The error is the reason.
pub(crate) fn partly<T: DeserializeOwned>(raw: &str) -> Result<(T, Vec<String>), String> {
    if let Ok(whole) = from_text(raw) {
        return Ok((whole, Vec::new()));
    }
    let value: Value = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    if !value.is_object() {
        return Err(format!("expected an object, found {}", type_of(&value)));
    }
    let mut unread = Vec::new();
    let kept = readable(value, "", &|value| from_value::<T>(value).is_ok(), &mut unread);
    let read = from_value(kept.unwrap_or_else(|| Value::Object(Map::new())));
    read.map(|read| (read, unread))
}

/// The value without the parts with which `reads` fails.
fn readable(value: Value, place: &str, reads: &dyn Fn(Value) -> bool, unread: &mut Vec<String>) -> Option<Value> {
    if reads(value.clone()) {
        return Some(value);
    }
    match value {
        Value::Null => return None,
        Value::Object(fields) if reads(Value::Object(Map::new())) => {
            let mut kept = Map::new();
            for (name, inner) in fields {
                let dot = if place.is_empty() { "" } else { "." };
                let only = |inner: Value| reads(Value::Object([(name.clone(), inner)].into_iter().collect()));
                if let Some(inner) = readable(inner, &format!("{place}{dot}{name}"), &only, unread) {
                    kept.insert(name, inner);
                }
            }
            if reads(Value::Object(kept.clone())) {
                return Some(Value::Object(kept));
            }
        }
        Value::Array(list) if reads(Value::Array(Vec::new())) => {
            let only = |inner: Value| reads(Value::Array(vec![inner]));
            // Null is not an element, unlike a field that is null.
            if list.iter().any(|inner| inner.is_null() && !only(Value::Null)) {
                unread.push(format!("{place}[]"));
            }
            let each = list.into_iter().filter_map(|inner| readable(inner, &format!("{place}[]"), &only, unread));
            return Some(Value::Array(each.collect()));
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    }
    unread.push(place.to_owned());
    None
}

/// The type of a value, in words.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Raw {
        name: Option<String>,
        line: Option<u32>,
        inner: Inner,
        list: Vec<Inner>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Inner {
        a: Option<String>,
        b: Option<u32>,
    }

    fn check(raw: &str, expected: &str, unread: &[&str]) {
        let (read, places) = partly::<Raw>(raw).unwrap();
        assert_eq!(
            (read, places),
            (serde_json::from_str(expected).unwrap(), unread.iter().map(|p| (*p).to_owned()).collect()),
            "{raw}"
        );
    }

    #[test]
    fn what_can_be_read_is_kept_and_the_rest_is_named() {
        check(r#"{"name": "n", "line": 1}"#, r#"{"name": "n", "line": 1}"#, &[]);
        check(r#"{"name": {}, "line": 1}"#, r#"{"line": 1}"#, &["name"]);
        check(r#"{"name": "n", "inner": {"a": [1], "b": 2}}"#, r#"{"name": "n", "inner": {"b": 2}}"#, &["inner.a"]);
        check(
            r#"{"inner": 7, "list": [{"b": 1}, 5, {"a": 1, "b": 3}]}"#,
            r#"{"list": [{"b": 1}, {"b": 3}]}"#,
            &["inner", "list[]", "list[].a"],
        );
        check(r#"{"list": [{"b": 1}, null]}"#, r#"{"list": [{"b": 1}]}"#, &["list[]"]);
        check(r#"{"inner": null, "list": null, "name": null}"#, "{}", &[]);
        assert_eq!(partly::<Raw>("[1]").unwrap_err(), "expected an object, found a list");
        assert!(partly::<Raw>("{").is_err());
    }

    #[test]
    fn the_last_value_of_a_name_that_is_written_twice_counts() {
        check(r#"{"name": "a", "name": "b", "inner": {"b": 1, "b": 2}}"#, r#"{"name": "b", "inner": {"b": 2}}"#, &[]);
        assert_eq!(
            parse::<Inner>(r#"{"b": 1, "a": "x", "b": 2}"#).unwrap(),
            Inner { a: Some("x".to_owned()), b: Some(2) }
        );
    }

    #[test]
    fn messages_use_the_words_of_json() {
        let message = |raw: &str| parse::<Inner>(raw).unwrap_err();
        assert_eq!(message(r#"{"b": "x"}"#), "expected u32, found a string at line 1 column 9");
        assert_eq!(message(r#"{"a": {}}"#), "expected a string, found an object at line 1 column 6");
        assert_eq!(message("7"), "expected an object, found a number at line 1 column 1");
    }
}
