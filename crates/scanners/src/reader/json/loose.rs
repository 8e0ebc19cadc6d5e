//! The type of optional fields: a field that is missing, null or of an unexpected type counts as absent, and the result
//! is read without it.

use super::{Many, Number, Text};
use crate::reader::text::Filled;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

/// An optional field. A value of an unexpected type counts as absent; the reason is kept. Needs no `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loose<T>(pub(crate) Option<T>, pub(crate) Option<Box<str>>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None, None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Only an `Option` may be missing without a default.
        let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
        Ok(match raw.map(|raw| super::parse(raw.get())) {
            None => Self(None, None),
            Some(Ok(value)) => Self(Some(value), None),
            Some(Err(reason)) => Self(None, Some(reason.into())),
        })
    }
}

impl<T> From<Option<T>> for Loose<T> {
    fn from(value: Option<T>) -> Self {
        Self(value, None)
    }
}

impl<T> Loose<T> {
    /// The value, for a field that a result needs if it is there.
    ///
    /// # Errors
    /// It is of an unexpected type; the reason names the field.
    pub(crate) fn checked(self, name: &str) -> Result<Option<T>, String> {
        match self.1 {
            Some(reason) => Err(format!("`{name}` cannot be read: {reason}")),
            None => Ok(self.0),
        }
    }
}

impl Loose<Text> {
    /// The text as it is, unless it is blank.
    pub(crate) fn filled(self) -> Option<String> {
        self.0.filled()
    }

    /// The trimmed text, unless it is blank.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_ref().map(|text| text.0.trim()).filled()
    }

    /// True if it is this word. Upper and lower case are the same.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
}

impl Loose<Many<Text>> {
    /// The texts that are not blank.
    pub(crate) fn texts(self) -> Vec<String> {
        self.0.unwrap_or_default().0.into_iter().filter_map(Text::filled).collect()
    }
}

impl Loose<Number> {
    /// The number as a line or column; absent below 1.
    pub(crate) fn line(&self) -> Option<u32> {
        self.0.and_then(Number::line)
    }

    /// The number.
    pub(crate) fn number(&self) -> Option<f64> {
        self.0.and_then(|number| number.0)
    }
}

impl<T> Loose<Vec<T>> {
    /// The elements.
    pub(crate) fn list(self) -> Vec<T> {
        self.0.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Raw {
        name: String,
        word: Loose<Text>,
        words: Loose<Many<Text>>,
        line: Loose<Number>,
    }

    #[test]
    fn fields_of_an_unexpected_type_count_as_absent() {
        let read = |json: &str| serde_json::from_str::<Raw>(json);
        let raw = read(r#"{"name": "n", "word": " x ", "words": ["a", 1, ""], "line": "7"}"#).unwrap();
        assert_eq!((raw.name.as_str(), raw.word.is("X"), raw.line.line()), ("n", true, Some(7)));
        assert_eq!(raw.words.texts(), ["a", "1"]);
        for odd in ["", r#","word":null,"words":null,"line":null"#, r#","word":{},"words":[[]],"line":[]"#] {
            let raw = read(&format!(r#"{{"name":"n"{odd}}}"#)).unwrap();
            assert!(
                raw.word.filled().is_none() && raw.words.texts().is_empty() && raw.line.number().is_none(),
                "{odd}"
            );
        }
        assert!(read(r#"{"word": "x"}"#).is_err());
    }
}
