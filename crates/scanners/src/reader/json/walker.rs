//! The walk through a JSON document, with calls at paths.

use super::depth::Allowance;
use super::paths::{Node, Paths};
use super::{OnItem, Text, failure};
use crate::reader::report::{Collector, ParseError, require};
use crate::reader::text::shown;
use finding::limits::REJECTED_LISTED_MAX;
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

    /// Deserializes a value that results refer to. One that cannot be read makes the scan incomplete, because what the
    /// results lack for that reason would not show; `null` is a default.
    pub(crate) fn context<T: DeserializeOwned + Default>(&self, what: &str, collector: &mut Collector<'_>) -> T {
        if self.raw.trim() == "null" {
            return T::default();
        }
        self.read().unwrap_or_else(|reason| {
            collector.scanner_error(format!("{what} cannot be read: {reason}"));
            T::default()
        })
    }

    /// Notes the value as the time at which the scan ended, see [`Collector::ended`].
    pub(crate) fn ended(&self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        collector.ended(self.read::<Text>().ok().as_ref().map(|text| text.0.as_str()));
        Ok(())
    }

    /// Notes the value as the time at which the scan started, see [`Collector::started`].
    pub(crate) fn started(&self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        collector.started(self.read::<Text>().ok().as_ref().map(|text| text.0.as_str()));
        Ok(())
    }

    /// Deserializes the value.
    ///
    /// # Errors
    /// The value has another type. The error is the reason.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        super::parse(self.raw)
    }
}

/// The containers that a report has: the lists and objects that the last steps of the walk's paths go into.
#[derive(Debug, Default)]
pub(crate) struct Containers {
    present: Vec<bool>,
    missing: Vec<Missing>,
    missing_total: usize,
}

/// A place where results may be missing: a field that an object must have (`!` in the path) is missing or null, or a
/// list has an unknown name.
#[derive(Debug)]
pub(crate) struct Missing {
    text: String,
    /// The index at its first wildcard.
    pub(crate) index: usize,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Containers {
    /// True if the report has this path's container, empty or not: for `results[]` the list `results`, for `a.b` the
    /// object `a`. Paths are counted from 0.
    pub(crate) fn has(&self, path: usize) -> bool {
        self.present.get(path).copied().unwrap_or(false)
    }

    /// The places where results may be missing; at most [`REJECTED_LISTED_MAX`] are listed.
    pub(crate) fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Makes the scan incomplete if there are places where results may be missing.
    pub(crate) fn report_missing(&self, collector: &mut Collector<'_>) {
        self.missing.iter().for_each(|missing| collector.scanner_error(missing.to_string()));
        if self.missing.len() < self.missing_total {
            collector.scanner_error(format!("{} more are missing", self.missing_total - self.missing.len()));
        }
    }

    /// Checks that the report has the containers of all these paths, which are those of its results, and makes the scan
    /// incomplete if there are places where results may be missing.
    ///
    /// # Errors
    /// One is missing: the report is not of this format; `shape` says what such a report looks like.
    pub(crate) fn require(
        &self,
        collector: &mut Collector<'_>,
        paths: &[usize],
        shape: &str,
    ) -> Result<(), ParseError> {
        require(paths.iter().all(|path| self.has(*path)), shape)?;
        self.report_missing(collector);
        collector.container();
        Ok(())
    }
}

/// The state of a walk.
pub(crate) struct Walk<'w, 'h> {
    paths: &'w Paths,
    on: &'w mut OnItem<'h>,
    wildcards: Vec<Wildcard>,
    containers: Containers,
    failure: Option<ParseError>,
    /// The node of the last `null` on the way to a path that does not count as an empty container.
    last_null: Option<usize>,
    pub(crate) allowance: Option<Allowance>,
}

impl<'w, 'h> Walk<'w, 'h> {
    pub(crate) fn new(paths: &'w Paths, on: &'w mut OnItem<'h>) -> Self {
        Self {
            paths,
            on,
            wildcards: Vec::new(),
            containers: Containers { present: vec![false; paths.count], ..Containers::default() },
            failure: None,
            last_null: None,
            allowance: None,
        }
    }

    pub(crate) fn root(&mut self) -> Position<'_, 'w, 'h> {
        Position { walk: self, node: 0 }
    }

    pub(crate) fn finish(self, read: Result<(), serde_json::Error>) -> Result<Containers, ParseError> {
        match (self.failure, read) {
            (Some(failure), _) => Err(failure),
            (None, Ok(())) => Ok(self.containers),
            (None, Err(error)) => Err(failure(error)),
        }
    }

    fn node(&self, at: usize) -> Option<&'w Node> {
        self.paths.nodes.get(at)
    }

    /// The path of a node as it is written.
    fn written(&self, at: usize) -> String {
        self.node(at).map(|node| node.written.clone()).unwrap_or_default()
    }

    fn refill(&self) {
        if let Some(allowance) = &self.allowance {
            allowance.refill();
        }
    }

    fn container(&mut self, at: usize) {
        for path in self.node(at).map(|node| node.container_of.as_slice()).unwrap_or_default() {
            if let Some(present) = self.containers.present.get_mut(*path) {
                *present = true;
            }
        }
    }

    /// Notes that a field with `!` in its path is missing.
    fn missing(&mut self, at: usize) {
        let written = self.written(at);
        self.note(|place| format!("`{written}` is missing{place}: its results are unknown"));
    }

    /// Notes an object at a node (`+` in the path) without any of the fields that contain results.
    fn empty(&mut self, at: usize) {
        let written = self.written(at);
        self.note(|place| format!("`{written}` has none of its lists{place}: its results are unknown"));
    }

    /// Notes a part with an unknown name in an object at a node.
    fn unknown(&mut self, at: usize, name: &str) {
        let written = self.written(at);
        let name = shown(name, 60);
        self.note(|place| format!("unknown part `{name}` of `{written}`{place}: it may contain results"));
    }

    fn note(&mut self, text: impl FnOnce(&str) -> String) {
        self.containers.missing_total += 1;
        if self.containers.missing.len() >= REJECTED_LISTED_MAX {
            return;
        }
        let steps = self.wildcards.iter().map(|wildcard| match wildcard {
            Wildcard::Each(index) => format!("entry {}", index + 1),
            Wildcard::Every(name) => format!("`{}`", shown(name, 60)),
        });
        let place = steps.collect::<Vec<_>>().join(", ");
        let place = if place.is_empty() { place } else { format!(" in {place}") };
        let index = match self.wildcards.first() {
            Some(Wildcard::Each(index)) => *index,
            Some(Wildcard::Every(_)) | None => 0,
        };
        self.containers.missing.push(Missing { text: text(&place), index });
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
        let mut missing = node.required.clone();
        let mut has_one = !node.needs_one;
        while let Some(key) = map.next_key::<String>()? {
            self.walk.refill();
            match (node.fields.get(&key), node.every) {
                (Some(next), _) => {
                    missing.remove(next);
                    self.walk.last_null = None;
                    map.next_value_seed(Position { walk: self.walk, node: *next })?;
                    has_one |= self.walk.last_null != Some(*next);
                }
                (None, Some(next)) => {
                    self.walk.wildcards.push(Wildcard::Every(key));
                    map.next_value_seed(Position { walk: self.walk, node: next })?;
                    self.walk.wildcards.pop();
                }
                (None, None) => {
                    // A skipped value is not in memory, so that it may have any size.
                    self.walk.allowance.iter().for_each(Allowance::lift);
                    match &node.known {
                        Some(known) if !known.fields.contains(&key) => {
                            let Skipped(is_like_results) =
                                map.next_value_seed(Skipping { in_list: false, is_deep: known.is_deep })?;
                            if is_like_results {
                                self.walk.unknown(self.node, &key);
                            }
                        }
                        Some(_) | None => drop(map.next_value::<IgnoredAny>()?),
                    }
                    self.walk.refill();
                }
            }
        }
        missing.into_iter().for_each(|field| self.walk.missing(field));
        if !has_one {
            self.walk.empty(self.node);
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
        if self.node == 0 {
            return Err(self.mismatch("null"));
        }
        match self.walk.node(self.node) {
            Some(node) if node.is_nullable => {
                self.walk.container(self.node);
                return Ok(());
            }
            Some(node) if node.is_required || node.is_element => self.walk.missing(self.node),
            Some(_) | None => {}
        }
        self.walk.last_null = Some(self.node);
        Ok(())
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

/// Names of fields that results have, and objects that contain results.
const FIELDS_OF_RESULTS: [&str; 7] =
    ["severity", "Severity", "vulnerabilities", "findings", "confidence", "advisory", "cweId"];

/// The outcome of skipping a value: true if it looks like results. So does a list whose first element is an object, or,
/// if the search is deep, a value with an object at any depth that has one of [`FIELDS_OF_RESULTS`].
struct Skipped(bool);

#[derive(Clone, Copy)]
struct Skipping {
    in_list: bool,
    is_deep: bool,
}

impl<'de> DeserializeSeed<'de> for Skipping {
    type Value = Skipped;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Skipped, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipping {
    type Value = Skipped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Skipped, M::Error> {
        let mut found = self.in_list && !self.is_deep;
        while let Some(name) = map.next_key::<String>()? {
            if self.is_deep {
                found |= map.next_value_seed(self)?.0 || FIELDS_OF_RESULTS.contains(&name.as_str());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Skipped(found))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Skipped, S::Error> {
        let mut found = false;
        if self.is_deep {
            while let Some(Skipped(inner)) = list.next_element_seed(self)? {
                found |= inner;
            }
            return Ok(Skipped(found));
        }
        if !self.in_list {
            found = list.next_element_seed(Self { in_list: true, ..self })?.is_some_and(|Skipped(first)| first);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Skipped(found))
    }

    fn visit_unit<E>(self) -> Result<Skipped, E> {
        Ok(Skipped(false))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Skipped, E> {
        Ok(Skipped(false))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Skipped, E> {
        Ok(Skipped(false))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Skipped, E> {
        Ok(Skipped(false))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Skipped, E> {
        Ok(Skipped(false))
    }
    fn visit_str<E>(self, _: &str) -> Result<Skipped, E> {
        Ok(Skipped(false))
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
