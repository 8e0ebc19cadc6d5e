//! Fields that explain a result but do not make it: of another type than expected, they are as good as absent.

use crate::json::{Number, Text};
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// A value, or nothing where it is null or of another type. Only of use in what is read with `serde_json`.
#[derive(Debug, Clone)]
pub(crate) struct Lax<T>(pub(crate) Option<T>);

impl<T> Default for Lax<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lax<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Deserialize::deserialize(deserializer).map_err(de::Error::custom)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

impl Lax<Text> {
    /// The text, unless it is blank.
    pub(crate) fn filled(self) -> Option<String> {
        self.0.and_then(Text::filled)
    }
}

impl Lax<Number> {
    /// The number.
    pub(crate) fn number(&self) -> Option<f64> {
        self.0.and_then(|number| number.0)
    }

    /// The number as a line.
    pub(crate) fn line(&self) -> Option<u32> {
        self.0.and_then(Number::line)
    }
}

impl<T> Lax<Vec<T>> {
    /// The elements.
    pub(crate) fn list(self) -> Vec<T> {
        self.0.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_makes_a_field_absent_and_nothing_else() {
        #[derive(Deserialize)]
        struct Entry {
            id: u32,
            #[serde(default)]
            name: Lax<Text>,
            #[serde(default)]
            list: Lax<Vec<u32>>,
        }
        let cases = [
            (r#"{"id": 1, "name": "a", "list": [1]}"#, Some("a"), vec![1]),
            (r#"{"id": 1, "name": {"a": [1]}, "list": "x"}"#, None, vec![]),
            (r#"{"id": 1, "name": null, "list": [1, "x"]}"#, None, vec![]),
            (r#"{"id": 1}"#, None, vec![]),
        ];
        for (text, name, list) in cases {
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!((entry.id, entry.name.filled().as_deref(), entry.list.list()), (1, name, list), "{text}");
        }
    }
}
