//! The fields and short values at the beginning of a JSON report, from which its format is detected.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most fields that are recorded.
const FIELDS_MAX: usize = 5000;
/// Greatest depth of recorded fields.
const DEPTH_MAX: usize = 10;
/// Most values of a sequence that are read.
const VALUES_MAX: usize = 20;
/// Longest recorded text, in bytes.
const TEXT_BYTES_MAX: usize = 300;

/// The paths of fields (`results[].check_id`), and the first short text at each.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    fields: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    /// The number of values in sequence, as far as they were read.
    pub(crate) values: usize,
}

impl Outline {
    /// Reads the beginning of a report, up to its end or to the first fault.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut outline = Self::default();
        let mut json = serde_json::Deserializer::from_slice(head);
        for _ in 0..VALUES_MAX {
            let value = Position { outline: &mut outline, path: String::new(), depth: 0 };
            if value.deserialize(&mut json).is_err() {
                break;
            }
            outline.values += 1;
        }
        outline
    }

    /// True if there is a field at this path. A `*` in it stands for one name.
    pub(crate) fn has(&self, path: &str) -> bool {
        if self.fields.contains(path) {
            return true;
        }
        path.contains('*') && self.fields.iter().any(|field| matches(path, field))
    }

    /// The first short text, number or boolean at this path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.texts.get(path) {
            Some(text) => Some(text),
            None => {
                self.texts.iter().find(|(field, _)| path.contains('*') && matches(path, field)).map(|(_, t)| t.as_str())
            }
        }
    }

    /// True if the report is an object, or a sequence of objects.
    pub(crate) fn is_object(&self) -> bool {
        self.fields.contains("{}")
    }

    /// True if the report is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.fields.contains("[]")
    }

    /// The names of the first outermost fields of the report, for messages.
    pub(crate) fn outermost(&self) -> Vec<&str> {
        let outer = |field: &&String| !field.contains(['.', '[', '{']);
        self.fields.iter().filter(outer).map(String::as_str).take(8).collect()
    }

    fn add_text(&mut self, path: &str, text: &str) {
        if self.fields.len() < FIELDS_MAX && text.len() <= TEXT_BYTES_MAX && !self.texts.contains_key(path) {
            self.texts.insert(path.to_owned(), text.to_owned());
        }
    }
}

fn matches(pattern: &str, field: &str) -> bool {
    let (mut wanted, mut there) = (pattern.split('.'), field.split('.'));
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return true,
            (Some(wanted), Some(there)) if wanted == "*" || wanted == there => {}
            _ => return false,
        }
    }
}

/// A position in the report.
struct Position<'r> {
    outline: &'r mut Outline,
    path: String,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Position<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Position<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        if self.depth == 0 {
            self.outline.fields.insert("{}".to_owned());
        }
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
            let deep = self.depth >= DEPTH_MAX || path.len() > TEXT_BYTES_MAX;
            if !deep && self.outline.fields.len() < FIELDS_MAX {
                self.outline.fields.insert(path.clone());
            }
            map.next_value_seed(Position { outline: self.outline, path, depth: self.depth + 1 })?;
        }
        Ok(())
    }
    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        let path = format!("{}[]", self.path);
        if self.depth >= 100 {
            return Err(S::Error::custom("too deep"));
        }
        if path == "[]" {
            self.outline.fields.insert(path.clone());
        }
        while list
            .next_element_seed(Position { outline: self.outline, path: path.clone(), depth: self.depth + 1 })?
            .is_some()
        {}
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.outline.add_text(&self.path, if truth { "true" } else { "false" });
        Ok(())
    }
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.outline.add_text(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.outline.add_text(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.outline.add_text(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.outline.add_text(&self.path, text);
        Ok(())
    }
}
