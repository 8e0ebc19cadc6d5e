//! The walk through a document.

use super::Element;
use crate::reader::report::{Collector, Input, ParseError};
use finding::limits::{ENTRY_BYTES_MAX, XML_DEPTH_MAX};
use quick_xml::Reader;
use quick_xml::encoding::DecodingReader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

const BUFFER_BYTES: usize = 64 * 1024;
/// The number of bytes at the beginning in which the XML declaration is searched.
const DECLARATION_BYTES: u64 = 1024;
/// The characters that may be outside the outermost element.
const BLANK: [char; 5] = ['\u{feff}', ' ', '\n', '\r', '\t'];
/// The approximate memory of an element or attribute besides its texts, in bytes.
const ELEMENT_BYTES: usize = 64;
/// Most paths of elements that are recorded of the beginning of a document.
const ELEMENTS_NOTED_MAX: usize = 2000;

/// An element at one of the paths.
#[derive(Debug)]
pub(crate) struct Found<'f> {
    /// The number of the path, counted from 0.
    pub(crate) path: usize,
    /// The element. For a path that ends with `@`, only its name and attributes.
    pub(crate) element: Element,
    /// Its ancestors from the outermost inwards, with names and attributes only.
    pub(crate) ancestors: &'f [Element],
}

/// Calls `on` with every element at one of `paths`, in the order of the document. Returns the outermost element with
/// its attributes only.
///
/// A path consists of the names from the outermost element inwards, with `/` between them; `*` stands for any name:
/// `OWASPZAPReport/site/alerts/alertitem`. For a path that ends with `@`, the call comes at the start tag, with the
/// attributes only; other paths can match elements inside it. Names have no namespace prefixes.
///
/// # Errors
/// The report is not valid XML, or `on` returns an error.
pub(crate) fn walk(
    input: Input<'_>,
    paths: &[&str],
    on: &mut dyn FnMut(Found<'_>) -> Result<(), ParseError>,
) -> Result<Element, ParseError> {
    walk_within(input, &[], paths, on).map(|(root, _)| root)
}

/// An element that contains results, or leads to them.
#[derive(Debug)]
pub(crate) struct Container<'c> {
    /// Its path.
    path: &'c str,
    /// The names of the elements in it that are results or lead to them. One with `!` after its name must exist.
    inner: &'c [&'c str],
    /// The names of other elements that may be in it.
    others: &'c [&'c str],
    /// True if an element of any other name is reported; false if only where there is none of `inner`.
    strict: bool,
}

impl<'c> Container<'c> {
    /// A list: every element in it is a result, or leads to results.
    pub(crate) fn list(path: &'c str, inner: &'c [&'c str]) -> Self {
        Self { path, inner, others: &[], strict: true }
    }

    /// An element with `inner` and these others only, as its schema says.
    pub(crate) fn exact(path: &'c str, inner: &'c [&'c str], others: &'c [&'c str]) -> Self {
        Self { path, inner, others, strict: true }
    }

    /// An element with `inner` and others, of which newer versions of the tool may have more.
    pub(crate) fn mixed(path: &'c str, inner: &'c [&'c str], others: &'c [&'c str]) -> Self {
        Self { path, inner, others, strict: false }
    }
}

/// The containers that a document has.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Structure {
    /// True for each container that exists.
    present: Vec<bool>,
    /// Places where results may be missing.
    faults: BTreeSet<String>,
}

impl Structure {
    /// True if the document has this container, counted from 0.
    pub(crate) fn has(&self, container: usize) -> bool {
        self.present.get(container).copied().unwrap_or(false)
    }

    /// Checks that the report has one of its containers, and makes the scan incomplete where results may be missing.
    ///
    /// # Errors
    /// It has none: the report is not of this format; `shape` says what such a report looks like.
    pub(crate) fn require(&self, collector: &mut Collector<'_>, shape: &str) -> Result<(), ParseError> {
        self.faults.iter().for_each(|fault| collector.scanner_error(fault.as_str()));
        collector.require(self.present.contains(&true), shape)
    }
}

/// Most faults of the structure that are noted.
const FAULTS_MAX: usize = 100;

/// Walks as [`walk`] does, and checks these containers where they are not inside an element at a path.
///
/// # Errors
/// The report is not valid XML, or `on` returns an error.
pub(crate) fn walk_within(
    input: Input<'_>,
    containers: &[Container<'_>],
    paths: &[&str],
    on: &mut dyn FnMut(Found<'_>) -> Result<(), ParseError>,
) -> Result<(Element, Structure), ParseError> {
    let paths: Vec<Path<'_>> = paths.iter().map(|path| Path::of(path)).collect();
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX + 2 * BUFFER_BYTES));
    let limited = Limited { inner: input.open(), left: Rc::clone(&left) };
    let mut reader = reader(BufReader::with_capacity(BUFFER_BYTES, limited), &declaration(input)?);
    let outlines: Vec<Path<'_>> = containers.iter().map(|container| Path::of(container.path)).collect();
    let structure = Structure { present: vec![false; containers.len()], faults: BTreeSet::new() };
    let mut walk = Walk {
        paths: &paths,
        containers,
        outlines: &outlines,
        open: Vec::new(),
        structure,
        on,
        ancestors: Vec::new(),
        collected: Vec::new(),
        bytes: 0,
        root: None,
    };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        left.set(ENTRY_BYTES_MAX + 2 * BUFFER_BYTES);
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| walk.failure(error, &reader, left.get() == 0))?;
        match event {
            Event::Start(start) => walk.start(begin(&start)?)?,
            Event::End(_) => walk.end()?,
            Event::Text(text) => walk.text(&text)?,
            Event::CData(text) => walk.text(&text)?,
            Event::GeneralRef(reference) => walk.text(&resolved(&reference))?,
            Event::Eof => break,
            // Empty elements come as a start and an end.
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    walk.finish()
}

/// The first bytes of a report, which include the XML declaration.
fn declaration(input: Input<'_>) -> Result<Vec<u8>, ParseError> {
    let mut head = Vec::new();
    input.open().take(DECLARATION_BYTES).read_to_end(&mut head).map_err(ParseError::Unreadable)?;
    Ok(head)
}

/// A reader that decodes the encoding of the byte order mark or the XML declaration.
fn reader<R: BufRead>(source: R, head: &[u8]) -> Reader<DecodingReader<R>> {
    let mut decoding = DecodingReader::new(source);
    let declaration = head.strip_prefix(b"<?".as_slice()).filter(|rest| rest.starts_with(b"xml"));
    let end = declaration.and_then(|rest| rest.windows(2).position(|pair| pair == b"?>"));
    let declaration = declaration.zip(end).and_then(|(rest, end)| std::str::from_utf8(rest.get(..end)?).ok());
    let encoding =
        declaration.and_then(|text| BytesDecl::from_start(BytesStart::from_content(text, "xml".len())).encoder());
    // A declaration that is readable as ASCII is not in UTF-16, although some writers state that. The encoding must be
    // set before anything is read.
    if let Some(encoding) = encoding.filter(|encoding| encoding.is_ascii_compatible()) {
        decoding.set_encoding(encoding);
    }
    let mut reader = Reader::from_reader(decoding);
    let config = reader.config_mut();
    config.check_comments = false;
    config.expand_empty_elements = true;
    // A single ampersand stays as it is.
    config.allow_dangling_amp = true;
    reader
}

/// The beginning of a document, from which its format is detected.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) root: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    /// The paths of elements: `a/b/c`.
    pub(crate) elements: BTreeSet<String>,
}

impl Outline {
    /// Reads the beginning of a report, up to its end or to the first fault.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut outline = Self::default();
        let mut reader = reader(head, head);
        let (mut buffer, mut names) = (Vec::new(), Vec::<String>::new());
        while let Ok(event) = reader.read_event_into(&mut buffer) {
            match event {
                Event::Start(start) => {
                    let Ok(element) = begin(&start) else { break };
                    if names.len() >= XML_DEPTH_MAX || outline.elements.len() >= ELEMENTS_NOTED_MAX {
                        break;
                    }
                    names.push(element.name.clone());
                    if outline.root.is_none() {
                        (outline.root, outline.attributes) = (Some(element.name), element.attributes);
                    }
                    outline.elements.insert(names.join("/"));
                }
                Event::End(_) => drop(names.pop()),
                Event::Eof => break,
                // Text before the outermost element: this is not XML.
                Event::Text(text) if outline.root.is_none() && !text.trim_matches(BLANK).is_empty() => break,
                Event::Text(_)
                | Event::Empty(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
            buffer.clear();
        }
        outline
    }
}

/// An open container: its number, its depth, and the names of the elements in it so far, `true` for expected ones.
struct Open {
    container: usize,
    depth: usize,
    inner: BTreeMap<String, bool>,
}

struct Path<'p> {
    names: Vec<&'p str>,
    start_only: bool,
}

impl<'p> Path<'p> {
    fn of(path: &'p str) -> Self {
        let whole = path.strip_suffix('@');
        Self { names: whole.unwrap_or(path).split('/').collect(), start_only: whole.is_some() }
    }

    fn is(&self, ancestors: &[Element], name: &str) -> bool {
        let names = ancestors.iter().map(|element| element.name.as_str()).chain([name]);
        self.names.len() == ancestors.len() + 1
            && self.names.iter().zip(names).all(|(wanted, there)| *wanted == "*" || *wanted == there)
    }
}

struct Walk<'w> {
    paths: &'w [Path<'w>],
    containers: &'w [Container<'w>],
    outlines: &'w [Path<'w>],
    /// The open containers.
    open: Vec<Open>,
    structure: Structure,
    on: &'w mut dyn FnMut(Found<'_>) -> Result<(), ParseError>,
    /// The open elements that are not at a path.
    ancestors: Vec<Element>,
    /// The open elements that are collected: one at a path, and those in it.
    collected: Vec<Element>,
    /// The size of all open elements with their content.
    bytes: usize,
    root: Option<Element>,
}

impl Walk<'_> {
    fn start(&mut self, element: Element) -> Result<(), ParseError> {
        if self.ancestors.len() + self.collected.len() >= XML_DEPTH_MAX {
            return Err(ParseError::TooDeep { max: XML_DEPTH_MAX });
        }
        if self.ancestors.is_empty() && self.collected.is_empty() {
            if self.root.is_some() {
                return Err(malformed("it has a second outermost element"));
            }
            self.root = Some(element.clone());
        }
        self.grow(size(&element))?;
        if self.collected.is_empty() && !self.containers.is_empty() {
            self.enter(&element.name);
        }
        if !self.collected.is_empty() {
            self.collected.push(element);
            return Ok(());
        }
        let at = |path: &&Path<'_>| path.is(&self.ancestors, &element.name);
        for (number, path) in self.paths.iter().enumerate() {
            if path.start_only && at(&path) {
                (self.on)(Found { path: number, element: element.clone(), ancestors: &self.ancestors })?;
            }
        }
        let collect = self.paths.iter().any(|path| !path.start_only && at(&path));
        if collect {
            self.collected.push(element)
        } else {
            self.ancestors.push(element)
        }
        Ok(())
    }

    /// Notes an element in the container around it, and opens it if it is a container itself.
    fn enter(&mut self, name: &str) {
        let depth = self.ancestors.len();
        if let Some(open) = self.open.last_mut().filter(|open| open.depth + 1 == depth)
            && let Some(container) = self.containers.get(open.container)
        {
            let expected = container.inner.iter().any(|inner| inner.trim_end_matches('!') == name);
            let other = container.others.contains(&name);
            if !other && open.inner.len() < FAULTS_MAX {
                open.inner.insert(name.to_owned(), expected);
            }
        }
        let container = self.outlines.iter().position(|path| path.is(&self.ancestors, name));
        let is_collected = self.paths.iter().any(|path| !path.start_only && path.is(&self.ancestors, name));
        if let Some(container) = container {
            self.structure.present.iter_mut().skip(container).take(1).for_each(|present| *present = true);
            if !is_collected {
                self.open.push(Open { container, depth, inner: BTreeMap::new() });
            }
        }
    }

    /// Checks the container that ends here, if one does.
    fn leave(&mut self) {
        let Some(open) = self.open.pop_if(|open| open.depth == self.ancestors.len()) else { return };
        let Some(container) = self.containers.get(open.container) else { return };
        let mut faults = Vec::new();
        let required = container.inner.iter().filter_map(|inner| inner.strip_suffix('!'));
        for missing in required.filter(|name| !open.inner.contains_key(*name)) {
            faults.push(format!("<{missing}> is missing in <{}>: its results are unknown", container.path));
        }
        let found_any = open.inner.values().any(|expected| *expected);
        for (unknown, _) in open.inner.iter().filter(|(_, expected)| !**expected) {
            if container.strict || !found_any {
                faults.push(format!("unknown element <{unknown}> in <{}>: it may contain results", container.path));
            }
        }
        let room = FAULTS_MAX.saturating_sub(self.structure.faults.len());
        self.structure.faults.extend(faults.into_iter().take(room));
    }

    fn text(&mut self, text: &str) -> Result<(), ParseError> {
        if let Some(element) = self.collected.last_mut() {
            element.text.push_str(text);
            return self.grow(text.len());
        }
        if self.ancestors.is_empty() && !text.trim_matches(BLANK).is_empty() {
            return Err(malformed("it has text outside the outermost element"));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let Some(done) = self.collected.pop() else {
            let done = self.ancestors.pop();
            self.leave();
            self.bytes = self.bytes.saturating_sub(done.as_ref().map_or(0, size));
            return Ok(());
        };
        if let Some(parent) = self.collected.last_mut() {
            parent.children.push(done);
            return Ok(());
        }
        self.bytes = self.ancestors.iter().map(size).sum();
        let found = |path: &Path<'_>| !path.start_only && path.is(&self.ancestors, &done.name);
        match self.paths.iter().position(found) {
            Some(path) => (self.on)(Found { path, element: done, ancestors: &self.ancestors }),
            None => Ok(()),
        }
    }

    /// Adds to the size in memory.
    ///
    /// # Errors
    /// It exceeds the limit of an entry.
    fn grow(&mut self, bytes: usize) -> Result<(), ParseError> {
        self.bytes += bytes;
        if ENTRY_BYTES_MAX < self.bytes { Err(ParseError::entry_too_large(self.place())) } else { Ok(()) }
    }

    fn place(&self) -> String {
        let names = self.ancestors.iter().chain(&self.collected).map(|element| format!("<{}>", element.name));
        match names.collect::<String>() {
            none if none.is_empty() => "outside of the outermost element".to_owned(),
            names => format!("inside {names}"),
        }
    }

    fn failure<R: BufRead>(&self, error: quick_xml::Error, reader: &Reader<R>, over: bool) -> ParseError {
        use quick_xml::Error;
        use quick_xml::errors::{IllFormedError, SyntaxError};
        match error {
            _ if over => ParseError::entry_too_large(self.place()),
            Error::Io(error) => ParseError::Unreadable(io::Error::new(error.kind(), error.to_string())),
            // An unclosed construct was cut off. After `<!`, invalid markup is possible too.
            Error::Syntax(error) if error != SyntaxError::InvalidBangMarkup => {
                ParseError::Truncated { place: self.place() }
            }
            Error::IllFormed(IllFormedError::MissingEndTag(_)) => ParseError::Truncated { place: self.place() },
            other @ (Error::Syntax(_)
            | Error::IllFormed(_)
            | Error::InvalidAttr(_)
            | Error::Encoding(_)
            | Error::Escape(_)
            | Error::Namespace(_)) => malformed(format_args!("{other}, at byte {}", reader.error_position())),
        }
    }

    fn finish(self) -> Result<(Element, Structure), ParseError> {
        if !self.ancestors.is_empty() || !self.collected.is_empty() {
            return Err(ParseError::Truncated { place: self.place() });
        }
        let structure = self.structure;
        self.root.map(|root| (root, structure)).ok_or_else(|| malformed("it has no element"))
    }
}

/// The size of an element in memory without its content.
fn size(element: &Element) -> usize {
    let attributes: usize =
        element.attributes.iter().map(|(name, value)| ELEMENT_BYTES + name.len() + value.len()).sum();
    ELEMENT_BYTES + element.name.len() + attributes
}

fn malformed(reason: impl ToString) -> ParseError {
    ParseError::Malformed { notation: "XML", reason: reason.to_string() }
}

fn begin(start: &BytesStart<'_>) -> Result<Element, ParseError> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        let value = match quick_xml::escape::unescape(&attribute.value) {
            Ok(value) => value.into_owned(),
            // An entity that the document declares: stays as it is.
            Err(_) => attribute.value.clone().into_owned(),
        };
        let name = attribute.key;
        let name = if name.as_namespace_binding().is_some() { name.as_ref() } else { name.local_name().into_inner() };
        element.attributes.push((name.to_owned(), value));
    }
    Ok(element)
}

/// The character of a reference. An invalid one, and an entity that the document declares, stay as they are.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match quick_xml::escape::resolve_predefined_entity(reference) {
        Some(text) => text.to_owned(),
        None => format!("&{};", &**reference),
    }
}

/// A reader that fails if too much was read since the last event.
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match self.left.get().checked_sub(length) {
            Some(left) => self.left.set(left),
            None => {
                self.left.set(0);
                return Err(io::Error::other("too large"));
            }
        }
        Ok(length)
    }
}
