//! Collects the features of a report from which its format is detected.

use crate::reader::json::outline::Outline;
use crate::reader::report::{HEAD_BYTES, Input, ParseError};
use crate::reader::text::shown;
use crate::reader::{table, xml};
use std::collections::BTreeSet;

/// The notation of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// One JSON document.
    Json,
    /// A sequence of JSON documents, with or without line breaks between them.
    JsonLines,
    /// XML.
    Xml,
    /// A table with a header line.
    Csv,
    /// HTML.
    Html,
    /// A ZIP archive of other reports.
    Zip,
    /// Text in the scanner's own form.
    Text,
}

/// The beginning of a report, read in each notation.
#[derive(Debug)]
pub(crate) struct Sniff {
    head: Vec<u8>,
    text: String,
    json: Outline,
    xml: xml::Outline,
    header: BTreeSet<String>,
}

impl Sniff {
    /// Reads the beginning of a report.
    ///
    /// # Errors
    /// The report is empty, or cannot be read.
    pub(crate) fn of(input: Input<'_>) -> Result<Self, ParseError> {
        let head = input.head()?;
        let bytes = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&head);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(ParseError::Empty);
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        let first = bytes.trim_ascii_start().first().copied().unwrap_or_default();
        let json = if matches!(first, b'{' | b'[') { Outline::of(bytes) } else { Outline::default() };
        // A byte order mark can be any first byte, so XML is tried on all that is not JSON.
        let xml = if matches!(first, b'{' | b'[') { xml::Outline::default() } else { xml::Outline::of(&head) };
        let header = if matches!(first, b'{' | b'[' | b'<') { BTreeSet::new() } else { table::header(&text) };
        Ok(Self { text, json, xml, header, head })
    }

    /// This with the fields of the whole report, if it is JSON that is longer than its beginning; else nothing.
    ///
    /// # Errors
    /// The report cannot be read.
    pub(crate) fn of_whole(self, input: Input<'_>) -> Result<Option<Self>, ParseError> {
        let is_json = self.is_object() || self.is_list();
        if !is_json || self.head.len() < HEAD_BYTES {
            return Ok(None);
        }
        Ok(Some(Self { json: Outline::of_whole(input)?, ..self }))
    }

    /// Lines of text before JSON, as a tool's log writes them to the same output, for an error message.
    pub(crate) fn log_before_json(&self) -> Option<String> {
        let begins = |line: &str| {
            let line = line.trim();
            let rest = line.strip_prefix(['{', '['])?.trim_start();
            (rest.is_empty() || rest.starts_with(['"', '{', '[', '}', ']'])).then_some(())
        };
        let before = self.text.lines().take_while(|line| begins(line).is_none()).count();
        let first = self.text.lines().find(|line| !line.trim().is_empty())?;
        if before == 0 || self.text.lines().nth(before).is_none() || first.trim_start().starts_with('<') {
            return None;
        }
        Some(format!(
            "the JSON begins in line {}, after text that begins with `{}`: the tool's log is in the report; let the tool \
             write its report to a file, or send only its standard output (`> report.json` without `2>&1`)",
            before + 1,
            printable(first)
        ))
    }

    /// The notations that the beginning may be.
    pub(crate) fn may_be(&self, notation: Notation) -> bool {
        let is_json = self.is_object() || self.is_list();
        match notation {
            Notation::Json | Notation::JsonLines => is_json,
            Notation::Xml => self.root().is_some(),
            Notation::Zip => self.is_zip(),
            Notation::Csv | Notation::Html | Notation::Text => !is_json && self.root().is_none() && !self.is_zip(),
        }
    }

    /// True if it is JSON with a field at this path: `results[].check_id`. A `*` stands for one name.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.json.has(path)
    }

    /// True if it is JSON with fields at all these paths.
    pub(crate) fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.json.has(path))
    }

    /// The first short text, number or boolean at this path of a JSON report.
    pub(crate) fn value(&self, path: &str) -> Option<&str> {
        self.json.text(path)
    }

    /// True if it is a JSON list.
    pub(crate) fn is_list(&self) -> bool {
        self.json.is_list()
    }

    /// True if it is a JSON object, or a sequence of them.
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

    /// True if it is XML with an element at this path: `OWASPZAPReport/site/alerts`.
    pub(crate) fn has_element(&self, path: &str) -> bool {
        self.xml.elements.contains(path)
    }

    /// True if it is a table with all these columns. Upper and lower case are the same.
    pub(crate) fn has_columns(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.header.contains(&name.to_ascii_lowercase()))
    }

    /// True if it is a ZIP archive.
    pub(crate) fn is_zip(&self) -> bool {
        self.head.starts_with(b"PK\x03\x04")
    }

    /// The beginning as text. Invalid UTF-8 is replaced.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// True if the beginning contains these bytes. For the names of files in an archive.
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        self.head.windows(bytes.len().max(1)).any(|window| window == bytes)
    }

    /// The visible features of the report, for an error message.
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
            return format!("it is {}", if self.is_list() { "a JSON list" } else { "an empty JSON object" });
        }
        self.log_before_json().unwrap_or_else(|| format!("it begins with `{}`", printable(&self.text)))
    }
}

/// The beginning of a text, in a form for messages.
fn printable(text: &str) -> String {
    shown(text.trim(), 40)
}
