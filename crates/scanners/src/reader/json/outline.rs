//! The fields and short values at the beginning of a JSON report, from which its format is detected.

use super::depth::Allowance;
use super::with_reader;
use crate::reader::report::{Input, ParseError};
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
        outline.read(serde_json::Deserializer::from_slice(head), None);
        outline
    }

    /// Reads a whole report, up to its end or to the first fault. Memory grows with the fields and not with the report:
    /// an entry that is too large is a fault.
    ///
    /// # Errors
    /// The report cannot be read from its source.
    pub(crate) fn of_whole(input: Input<'_>) -> Result<Self, ParseError> {
        let mut outline = Self::default();
        with_reader(input, |reader, allowance| {
            outline.read(serde_json::Deserializer::from_reader(reader), Some(&allowance));
            Ok(())
        })
        .or_else(|error| if matches!(error, ParseError::Unreadable(_)) { Err(error) } else { Ok(()) })?;
        Ok(outline)
    }

    fn read<'de, R: serde_json::de::Read<'de>>(
        &mut self,
        mut json: serde_json::Deserializer<R>,
        allowance: Option<&Allowance>,
    ) {
        for _ in 0..VALUES_MAX {
            let value = Position { outline: self, path: String::new(), depth: 0, allowance };
            if value.deserialize(&mut json).is_err() {
                break;
            }
            self.values += 1;
        }
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
    allowance: Option<&'r Allowance>,
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
            // Many names inside of the report must not hide the outermost ones.
            let most = if self.depth == 0 { 2 * FIELDS_MAX } else { FIELDS_MAX };
            if !deep && self.outline.fields.len() < most {
                self.outline.fields.insert(path.clone());
            }
            self.allowance.into_iter().for_each(Allowance::refill);
            let (depth, allowance) = (self.depth + 1, self.allowance);
            map.next_value_seed(Position { outline: self.outline, path, depth, allowance })?;
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
        let (depth, allowance) = (self.depth + 1, self.allowance);
        loop {
            allowance.into_iter().for_each(Allowance::refill);
            let element = Position { outline: self.outline, path: path.clone(), depth, allowance };
            if list.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
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
