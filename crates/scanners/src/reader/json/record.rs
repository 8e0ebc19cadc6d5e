//! What the beginning of a JSON report tells about its format: which fields there are, and a few short values.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most fields that are noted.
const FIELDS_MAX: usize = 5000;
/// The deepest fields that are noted.
const DEPTH_MAX: usize = 10;
/// The most values of a run of values that are looked at.
const VALUES_MAX: usize = 20;
/// The longest text that is noted, in bytes.
const TEXT_BYTES_MAX: usize = 300;

/// Fields and short texts by their path: `results[].check_id`.
#[derive(Debug, Default)]
pub(crate) struct Record {
    fields: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    /// How many values stand one after the other, as far as was looked.
    pub(crate) values: usize,
}

impl Record {
    /// Reads the beginning of a report; where it ends or stops being JSON is no matter.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut record = Self::default();
        let mut json = serde_json::Deserializer::from_slice(head);
        for _ in 0..VALUES_MAX {
            let rest = At { record: &mut record, path: String::new(), depth: 0 };
            if rest.deserialize(&mut json).is_err() {
                break;
            }
            record.values += 1;
        }
        record
    }

    /// Whether there is a field at this path. A `*` in it stands for one name.
    pub(crate) fn has(&self, path: &str) -> bool {
        if self.fields.contains(path) {
            return true;
        }
        path.contains('*') && self.fields.iter().any(|field| matches(path, field))
    }

    /// The first short text or number at this path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.texts.get(path) {
            Some(text) => Some(text),
            None => {
                self.texts.iter().find(|(field, _)| path.contains('*') && matches(path, field)).map(|(_, t)| t.as_str())
            }
        }
    }

    /// Whether the report is an object, or a run of objects.
    pub(crate) fn is_object(&self) -> bool {
        self.fields.contains("{}")
    }

    /// Whether the report is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.fields.contains("[]")
    }

    /// The names of the report's outermost fields, for messages.
    pub(crate) fn outermost(&self) -> Vec<&str> {
        let outer = |field: &&String| !field.contains(['.', '[', '{']);
        self.fields.iter().filter(outer).map(String::as_str).take(8).collect()
    }

    fn note(&mut self, path: &str, text: &str) {
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

struct At<'r> {
    record: &'r mut Record,
    path: String,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        if self.depth == 0 {
            self.record.fields.insert("{}".to_owned());
        }
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
            let deep = self.depth >= DEPTH_MAX || path.len() > TEXT_BYTES_MAX;
            if !deep && self.record.fields.len() < FIELDS_MAX {
                self.record.fields.insert(path.clone());
            }
            map.next_value_seed(At { record: self.record, path, depth: self.depth + 1 })?;
        }
        Ok(())
    }
    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        let path = format!("{}[]", self.path);
        if self.depth >= 100 {
            return Err(S::Error::custom("too deep"));
        }
        if path == "[]" {
            self.record.fields.insert(path.clone());
        }
        while list.next_element_seed(At { record: self.record, path: path.clone(), depth: self.depth + 1 })?.is_some() {
        }
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.record.note(&self.path, if truth { "true" } else { "false" });
        Ok(())
    }
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.record.note(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.record.note(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.record.note(&self.path, &number.to_string());
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.record.note(&self.path, text);
        Ok(())
    }
}
