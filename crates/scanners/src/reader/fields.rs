//! Reads the fields of a JSON object by path.
//!
//! For reports in which the type of a field depends on the version or on the source of the data. A field of an
//! unexpected type counts as absent. [`required`](Fields::required) reads a field that an entry must have.

use crate::reader::json::{Item, type_of};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use serde_json::{Map, Value};

/// An object of a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'v>(&'v Map<String, Value>);

/// Reads an object and passes its fields to `read`.
///
/// # Errors
/// The item is not an object, or `read` returns an error.
pub(crate) fn of<T>(item: &Item<'_>, read: impl FnOnce(Fields<'_>) -> Result<T, String>) -> Result<T, String> {
    match item.read::<Value>()? {
        Value::Object(fields) => read(Fields(&fields)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(format!("expected an object, found {}", type_of(&other)))
        }
    }
}

impl<'v> Fields<'v> {
    /// The fields of an object that is already read.
    pub(crate) fn of(object: &'v Map<String, Value>) -> Self {
        Self(object)
    }

    /// The value at a path of names, `fix.state`.
    fn at(self, path: &str) -> Option<&'v Value> {
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// The text, number or boolean at a path as trimmed text; absent if blank.
    pub(crate) fn text(self, path: &str) -> Option<String> {
        self.at(path).and_then(text_of)
    }

    /// The text at a path with its white space.
    pub(crate) fn raw(self, path: &str) -> Option<&'v str> {
        self.at(path)?.as_str()
    }

    /// The text at the first of these paths that has one.
    pub(crate) fn first(self, paths: &[&str]) -> Option<String> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// The text at a path.
    ///
    /// # Errors
    /// It is missing or blank.
    pub(crate) fn required(self, path: &str) -> Result<String, String> {
        self.text(path).ok_or_else(|| format!("`{path}` is missing"))
    }

    /// The number at a path, also if it is written as text.
    pub(crate) fn number(self, path: &str) -> Option<f64> {
        match self.at(path)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => decimal(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The number at a path as a line number; absent below 1.
    pub(crate) fn line(self, path: &str) -> Option<u32> {
        let number = self.number(path).filter(|number| *number >= 1.0)?;
        format!("{number:.0}").parse().ok()
    }

    /// True if the value at a path is `true`.
    pub(crate) fn is(self, path: &str) -> bool {
        matches!(self.at(path), Some(Value::Bool(true)))
    }

    /// The texts in the list at a path. A single text counts as a list of one.
    pub(crate) fn texts(self, path: &str) -> Vec<String> {
        match self.at(path) {
            Some(Value::Array(list)) => list.iter().filter_map(text_of).collect(),
            Some(other) => text_of(other).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The number of elements of the list at a path; absent if there is no list.
    pub(crate) fn length(self, path: &str) -> Option<usize> {
        self.at(path)?.as_array().map(Vec::len)
    }

    /// The object at a path.
    pub(crate) fn object(self, path: &str) -> Option<Self> {
        self.at(path)?.as_object().map(Self)
    }

    /// The objects in the list at a path. A single object counts as a list of one.
    pub(crate) fn objects(self, path: &str) -> Vec<Self> {
        self.entries(path).into_iter().flatten().collect()
    }

    /// The elements of the list at a path, with `None` for one that is not an object. For lists of results, in which
    /// each element counts. Anything else than a list, an object and null counts as one element that is not an object.
    pub(crate) fn entries(self, path: &str) -> Vec<Option<Self>> {
        match self.at(path) {
            Some(Value::Array(list)) => list.iter().map(|value| value.as_object().map(Self)).collect(),
            Some(Value::Object(one)) => vec![Some(Self(one))],
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => vec![None],
            Some(Value::Null) | None => Vec::new(),
        }
    }

    /// The texts in the fields of the object at a path, by field name. A list gives each of its texts.
    pub(crate) fn all_texts(self, path: &str) -> Vec<(&'v str, String)> {
        let Some(Value::Object(fields)) = self.at(path) else { return Vec::new() };
        let each = |(name, value): (&'v String, &'v Value)| match value {
            Value::Array(list) => list.iter().filter_map(text_of).map(|text| (name.as_str(), text)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                text_of(value).map(|text| (name.as_str(), text)).into_iter().collect::<Vec<_>>()
            }
        };
        fields.iter().flat_map(each).collect()
    }

    /// The objects in the fields of the object at a path, by field name.
    pub(crate) fn named(self, path: &str) -> Vec<(&'v str, Self)> {
        let Some(Value::Object(fields)) = self.at(path) else { return Vec::new() };
        fields.iter().filter_map(|(name, value)| Some((name.as_str(), Self(value.as_object()?)))).collect()
    }
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    text.filled()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_type_are_read_and_those_of_an_unexpected_type_are_absent() {
        let value = serde_json::json!({
            "id": 7, "blank": " ", "fix": {"versions": ["1", 2, null, {}], "state": "fixed"}, "line": "12",
            "cvss": {"nvd": {"score": 9.8}, "odd": 3}, "ids": {"CVE": ["CVE-1"], "GHSA": "GHSA-1", "none": null},
        });
        let fields = Fields(value.as_object().unwrap());
        assert_eq!((fields.text("id").as_deref(), fields.text("blank"), fields.text("fix")), (Some("7"), None, None));
        assert_eq!(fields.required("name").unwrap_err(), "`name` is missing");
        assert_eq!(
            (fields.texts("fix.versions"), fields.texts("fix.state")),
            (vec!["1".to_owned(), "2".to_owned()], vec!["fixed".to_owned()])
        );
        assert_eq!(
            (fields.line("line"), fields.line("fix"), fields.number("cvss.nvd.score")),
            (Some(12), None, Some(9.8))
        );
        assert_eq!(fields.named("cvss").iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["nvd"]);
        assert_eq!(fields.all_texts("ids"), [("CVE", "CVE-1".to_owned()), ("GHSA", "GHSA-1".to_owned())]);
        assert_eq!((fields.objects("fix").len(), fields.objects("fix.versions").len(), fields.is("id")), (1, 1, false));
    }
}
