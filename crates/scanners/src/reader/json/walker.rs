//! The walk through a JSON document, with calls at paths.

use super::depth::Allowance;
use super::paths::{Node, Paths};
use super::{OnItem, failure};
use crate::reader::report::{ParseError, require};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use std::fmt;

/// The value of a wildcard: the index in a list, or the name in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wildcard {
    Each(usize),
    Every(String),
}

/// A value at one of the paths.
#[derive(Debug)]
pub(crate) struct Item<'h> {
    /// The number of the path, counted from 0.
    pub(crate) path: usize,
    /// The JSON text of the value.
    pub(crate) raw: &'h str,
    wildcards: &'h [Wildcard],
}

impl Item<'_> {
    /// The index in the list at the path's `n`th wildcard. Both are counted from 0.
    pub(crate) fn index(&self, n: usize) -> usize {
        match self.wildcards.get(n) {
            Some(Wildcard::Each(index)) => *index,
            Some(Wildcard::Every(_)) | None => 0,
        }
    }

    /// The name in the object at the path's `n`th wildcard, counted from 0.
    pub(crate) fn name(&self, n: usize) -> &str {
        match self.wildcards.get(n) {
            Some(Wildcard::Every(name)) => name,
            Some(Wildcard::Each(_)) | None => "",
        }
    }

    /// Deserializes the value.
    ///
    /// # Errors
    /// The value has another type. The error is the reason.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(self.raw).map_err(|error| error.to_string())
    }
}

/// The containers that a report has: the lists and objects that the last steps of the walk's paths go into.
#[derive(Debug)]
pub(crate) struct Containers(Vec<bool>);

impl Containers {
    /// True if the report has this path's container, empty or not: for `results[]` the list `results`, for `a.b` the
    /// object `a`. Paths are counted from 0.
    pub(crate) fn has(&self, path: usize) -> bool {
        self.0.get(path).copied().unwrap_or(false)
    }

    /// Checks that the report has the containers of all these paths.
    ///
    /// # Errors
    /// One is missing: the report is not of this format; `shape` says what such a report looks like.
    pub(crate) fn require(&self, paths: &[usize], shape: &str) -> Result<(), ParseError> {
        require(paths.iter().all(|path| self.has(*path)), shape)
    }
}

/// The state of a walk.
pub(crate) struct Walk<'w, 'h> {
    paths: &'w Paths,
    on: &'w mut OnItem<'h>,
    wildcards: Vec<Wildcard>,
    containers: Vec<bool>,
    failure: Option<ParseError>,
    pub(crate) allowance: Option<Allowance>,
}

impl<'w, 'h> Walk<'w, 'h> {
    pub(crate) fn new(paths: &'w Paths, on: &'w mut OnItem<'h>) -> Self {
        Self { paths, on, wildcards: Vec::new(), containers: vec![false; paths.count], failure: None, allowance: None }
    }

    pub(crate) fn root(&mut self) -> Position<'_, 'w, 'h> {
        Position { walk: self, node: 0 }
    }

    pub(crate) fn finish(self, read: Result<(), serde_json::Error>) -> Result<Containers, ParseError> {
        match (self.failure, read) {
            (Some(failure), _) => Err(failure),
            (None, Ok(())) => Ok(Containers(self.containers)),
            (None, Err(error)) => Err(failure(error)),
        }
    }

    fn node(&self, at: usize) -> Option<&'w Node> {
        self.paths.nodes.get(at)
    }

    fn refill(&self) {
        if let Some(allowance) = &self.allowance {
            allowance.refill();
        }
    }

    fn container(&mut self, at: usize) {
        for path in self.node(at).map(|node| node.container_of.as_slice()).unwrap_or_default() {
            if let Some(present) = self.containers.get_mut(*path) {
                *present = true;
            }
        }
    }

    fn stop<E: serde::de::Error>(&mut self, failure: ParseError) -> E {
        self.failure = Some(failure);
        E::custom("stopped")
    }
}

/// The position of a walk at one node of its paths.
pub(crate) struct Position<'r, 'w, 'h> {
    walk: &'r mut Walk<'w, 'h>,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Position<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(node) = self.walk.node(self.node) else { return Err(D::Error::custom("the node is missing")) };
        match node.item {
            None => deserializer.deserialize_any(self),
            Some(path) => {
                self.walk.refill();
                let raw: Box<RawValue> = serde::Deserialize::deserialize(deserializer)?;
                let item = Item { path, raw: raw.get(), wildcards: &self.walk.wildcards };
                let result = (self.walk.on)(item);
                self.walk.refill();
                result.map_err(|failure| self.walk.stop(failure))
            }
        }
    }
}

impl<'de> Visitor<'de> for Position<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Some(node) = self.walk.node(self.node) else { return Err(M::Error::custom("the node is missing")) };
        if node.fields.is_empty() && node.every.is_none() {
            return Err(self.mismatch("an object"));
        }
        self.walk.container(self.node);
        while let Some(key) = map.next_key::<String>()? {
            self.walk.refill();
            match (node.fields.get(&key), node.every) {
                (Some(next), _) => map.next_value_seed(Position { walk: self.walk, node: *next })?,
                (None, Some(next)) => {
                    self.walk.wildcards.push(Wildcard::Every(key));
                    map.next_value_seed(Position { walk: self.walk, node: next })?;
                    self.walk.wildcards.pop();
                }
                (None, None) => {
                    // A skipped value is not in memory, so that it may have any size.
                    self.walk.allowance.iter().for_each(Allowance::lift);
                    map.next_value::<IgnoredAny>()?;
                    self.walk.refill();
                }
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        let Some(next) = self.walk.node(self.node).and_then(|node| node.each) else {
            return Err(self.mismatch("a list"));
        };
        self.walk.container(self.node);
        let mut index = 0;
        loop {
            self.walk.wildcards.push(Wildcard::Each(index));
            let more = list.next_element_seed(Position { walk: self.walk, node: next })?.is_some();
            self.walk.wildcards.pop();
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.node == 0 { Err(self.mismatch("null")) } else { Ok(()) }
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.mismatch("a boolean"))
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.mismatch("a number"))
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.mismatch("a number"))
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.mismatch("a number"))
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.mismatch("a string"))
    }
}

impl Position<'_, '_, '_> {
    /// The error of a value with another type than the paths need. Skipping it could lose results.
    fn mismatch<E: serde::de::Error>(self, found: &str) -> E {
        let place = match self.walk.node(self.node).map(|node| node.written.as_str()) {
            None | Some("") => String::new(),
            Some(written) => format!(" at `{written}`"),
        };
        let expected = match self.walk.node(self.node) {
            Some(node) if node.each.is_some() => "a list",
            Some(_) | None => "an object",
        };
        let reason = format!("expected {expected}{place}, found {found}");
        self.walk.stop(ParseError::OtherShape { reason })
    }
}
