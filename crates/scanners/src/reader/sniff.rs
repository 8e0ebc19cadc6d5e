//! Recognises a report's notation, and offers what a format is recognised by.

use crate::reader::json::record::Record;
use crate::reader::report::{Input, ParseError};
use crate::reader::{table, xml};
use std::collections::BTreeSet;

/// What a report is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// One JSON document.
    Json,
    /// JSON documents one after the other, each on its line or not.
    JsonLines,
    /// XML.
    Xml,
    /// A table with a header line.
    Csv,
    /// HTML.
    Html,
    /// A ZIP archive of other reports.
    Zip,
    /// Text of its own form.
    Text,
}

/// The beginning of a report, looked at from each side.
#[derive(Debug)]
pub(crate) struct Sniff {
    head: Vec<u8>,
    text: String,
    json: Record,
    xml: xml::Beginning,
    header: BTreeSet<String>,
}

impl Sniff {
    /// Looks at the beginning of a report.
    ///
    /// # Errors
    /// There is nothing in it, or it cannot be read.
    pub(crate) fn of(input: Input<'_>) -> Result<Self, ParseError> {
        let head = input.head()?;
        let bytes = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&head);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(ParseError::Empty);
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        let first = bytes.trim_ascii_start().first().copied().unwrap_or_default();
        let json = if matches!(first, b'{' | b'[') { Record::of(bytes) } else { Record::default() };
        // The encoding's mark may make the first byte anything, so XML is looked for wherever it is not JSON.
        let xml = if matches!(first, b'{' | b'[') { xml::Beginning::default() } else { xml::Beginning::of(&head) };
        let header = if matches!(first, b'{' | b'[' | b'<') { BTreeSet::new() } else { table::header(&text) };
        Ok(Self { text, json, xml, header, head })
    }

    /// Whether it is JSON with a field at this path: `results[].check_id`; a `*` stands for one name.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.json.has(path)
    }

    /// Whether it is JSON with all these fields.
    pub(crate) fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.json.has(path))
    }

    /// The first short text, number or truth value at this path of a JSON report.
    pub(crate) fn value(&self, path: &str) -> Option<&str> {
        self.json.text(path)
    }

    /// Whether it is a JSON list.
    pub(crate) fn is_list(&self) -> bool {
        self.json.is_list()
    }

    /// Whether it is a JSON object, or several.
    pub(crate) fn is_object(&self) -> bool {
        self.json.is_object()
    }

    /// The name of the outermost XML element, without its prefix.
    pub(crate) fn root(&self) -> Option<&str> {
        self.xml.root.as_deref()
    }

    /// An attribute of the outermost XML element, `xmlns` included.
    pub(crate) fn root_attribute(&self, name: &str) -> Option<&str> {
        self.xml.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is an XML element at this path: `OWASPZAPReport/site/alerts`.
    pub(crate) fn has_element(&self, path: &str) -> bool {
        self.xml.elements.contains(path)
    }

    /// Whether it is a table with all these columns; upper and lower case are the same.
    pub(crate) fn has_columns(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.header.contains(&name.to_ascii_lowercase()))
    }

    /// Whether it is a ZIP archive.
    pub(crate) fn is_zip(&self) -> bool {
        self.head.starts_with(b"PK\x03\x04")
    }

    /// The beginning as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether these bytes stand in the beginning; for the names of files in an archive.
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        self.head.windows(bytes.len().max(1)).any(|window| window == bytes)
    }

    /// What it looks like, for whoever sent something that is not known.
    pub(crate) fn describe(&self) -> String {
        if self.is_zip() {
            return "it is a ZIP archive".to_owned();
        }
        if let Some(root) = self.root() {
            return format!("it is XML with the outermost element `{}`", printable(root));
        }
        let fields = self.json.outermost();
        if !fields.is_empty() {
            let fields: Vec<_> = fields.iter().map(|field| format!("`{}`", printable(field))).collect();
            return format!("it is a JSON object with {}", fields.join(", "));
        }
        if self.is_list() || self.is_object() {
            return format!("it is JSON, {}", if self.is_list() { "a list" } else { "an empty object" });
        }
        format!("it begins with `{}`", printable(&self.text))
    }
}

/// The beginning of a text, fit for a message.
fn printable(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(40).collect()
}
