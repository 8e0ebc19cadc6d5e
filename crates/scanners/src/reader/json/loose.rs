//! Fields that are worth having but no result hangs on: one that is missing, null or of another shape is as good as
//! absent, and its result is read all the same.

use super::{Many, Number, Text};
use crate::reader::text::Filled;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

/// A field that may be absent or of another shape, which is as good as absent. Needs no `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loose<T>(pub(crate) Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for as an option, because only those may be missing.
        let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
        Ok(Self(raw.and_then(|raw| serde_json::from_str(raw.get()).ok())))
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

    /// Whether it is this word; upper and lower case are the same.
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
    /// The number as a line or column.
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
    fn fields_of_another_shape_are_as_good_as_absent() {
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
