//! The walk through a document.

use super::Element;
use crate::reader::report::{Input, ParseError};
use finding::limits::{ENTRY_BYTES_MAX, XML_DEPTH_MAX};
use quick_xml::Reader;
use quick_xml::encoding::DecodingReader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

const BUFFER_BYTES: usize = 64 * 1024;
/// The most bytes in which a declaration is looked for.
const DECLARATION_BYTES: u64 = 1024;
/// What may stand around the outermost element.
const BLANK: [char; 5] = ['\u{feff}', ' ', '\n', '\r', '\t'];
/// What an element takes besides its texts, roughly, in bytes.
const ELEMENT_BYTES: usize = 64;
/// The most elements whose place is noted of a document's beginning.
const ELEMENTS_NOTED_MAX: usize = 2000;

/// An element at one of the paths.
#[derive(Debug)]
pub(crate) struct Found<'f> {
    /// Which path: its place in the list of paths.
    pub(crate) path: usize,
    /// The element; of a path that ends in `@` its name and attributes alone, told before what is in it.
    pub(crate) element: Element,
    /// The elements around it from the outermost on, by name and attributes.
    pub(crate) around: &'f [Element],
}

/// Calls `on` with every element at one of `paths`, in the order of the document, and answers the outermost element's
/// name and attributes.
///
/// A path is names from the outermost element on with `/` between them; `*` stands for one of any name:
/// `OWASPZAPReport/site/alerts/alertitem`. A path that ends in `@` is told when its element begins, with its attributes
/// alone; what is in it may be told by further paths. Prefixes of names are left out.
///
/// # Errors
/// The report is no XML, or `on` said so.
pub(crate) fn walk(
    input: Input<'_>,
    paths: &[&str],
    on: &mut dyn FnMut(Found<'_>) -> Result<(), ParseError>,
) -> Result<Element, ParseError> {
    let paths: Vec<Path<'_>> = paths.iter().map(|path| Path::of(path)).collect();
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX + 2 * BUFFER_BYTES));
    let limited = Limited { inner: input.open(), left: Rc::clone(&left) };
    let mut reader = reader(BufReader::with_capacity(BUFFER_BYTES, limited), &declaration(input)?);
    let mut walk = Walk { paths: &paths, on, around: Vec::new(), held: Vec::new(), bytes: 0, root: None };
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

/// The first bytes of a report: as many as a declaration takes.
fn declaration(input: Input<'_>) -> Result<Vec<u8>, ParseError> {
    let mut head = Vec::new();
    input.open().take(DECLARATION_BYTES).read_to_end(&mut head).map_err(ParseError::Unreadable)?;
    Ok(head)
}

/// A reader that decodes what the document's mark or declaration says it is written in.
fn reader<R: BufRead>(source: R, head: &[u8]) -> Reader<DecodingReader<R>> {
    let mut decoding = DecodingReader::new(source);
    let declaration = head.strip_prefix(b"<?".as_slice()).filter(|rest| rest.starts_with(b"xml"));
    let end = declaration.and_then(|rest| rest.windows(2).position(|pair| pair == b"?>"));
    let declaration = declaration.zip(end).and_then(|(rest, end)| std::str::from_utf8(rest.get(..end)?).ok());
    let encoding =
        declaration.and_then(|text| BytesDecl::from_start(BytesStart::from_content(text, "xml".len())).encoder());
    // Whoever could read the declaration like this has no UTF-16, whatever it says: writers that know texts and no bytes
    // claim that. Set before anything is read, as it must be.
    if let Some(encoding) = encoding.filter(|encoding| encoding.is_ascii_compatible()) {
        decoding.set_encoding(encoding);
    }
    let mut reader = Reader::from_reader(decoding);
    let config = reader.config_mut();
    config.check_comments = false;
    config.expand_empty_elements = true;
    // An ampersand alone stays as it is written.
    config.allow_dangling_amp = true;
    reader
}

/// The beginning of a document: what its format is recognised by.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    pub(crate) root: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    /// The places of elements: `a/b/c`.
    pub(crate) elements: BTreeSet<String>,
}

impl Beginning {
    /// Reads as far as it is XML.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut beginning = Self::default();
        let mut reader = reader(head, head);
        let (mut buffer, mut names) = (Vec::new(), Vec::<String>::new());
        while let Ok(event) = reader.read_event_into(&mut buffer) {
            match event {
                Event::Start(start) => {
                    let Ok(element) = begin(&start) else { break };
                    if names.len() >= XML_DEPTH_MAX || beginning.elements.len() >= ELEMENTS_NOTED_MAX {
                        break;
                    }
                    names.push(element.name.clone());
                    if beginning.root.is_none() {
                        (beginning.root, beginning.attributes) = (Some(element.name), element.attributes);
                    }
                    beginning.elements.insert(names.join("/"));
                }
                Event::End(_) => drop(names.pop()),
                Event::Eof => break,
                // Text before the outermost element: this is no XML.
                Event::Text(text) if beginning.root.is_none() && !text.trim_matches(BLANK).is_empty() => break,
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
        beginning
    }
}

struct Path<'p> {
    names: Vec<&'p str>,
    beginning_only: bool,
}

impl<'p> Path<'p> {
    fn of(path: &'p str) -> Self {
        let whole = path.strip_suffix('@');
        Self { names: whole.unwrap_or(path).split('/').collect(), beginning_only: whole.is_some() }
    }

    fn is(&self, around: &[Element], name: &str) -> bool {
        let names = around.iter().map(|element| element.name.as_str()).chain([name]);
        self.names.len() == around.len() + 1
            && self.names.iter().zip(names).all(|(wanted, there)| *wanted == "*" || *wanted == there)
    }
}

struct Walk<'w> {
    paths: &'w [Path<'w>],
    on: &'w mut dyn FnMut(Found<'_>) -> Result<(), ParseError>,
    /// Open elements outside of any that is held.
    around: Vec<Element>,
    /// Open elements that are held: one at a path, and those in it.
    held: Vec<Element>,
    /// The size of all open elements with what is in them.
    bytes: usize,
    root: Option<Element>,
}

impl Walk<'_> {
    fn start(&mut self, element: Element) -> Result<(), ParseError> {
        if self.around.len() + self.held.len() >= XML_DEPTH_MAX {
            return Err(ParseError::TooDeep { max: XML_DEPTH_MAX });
        }
        if self.around.is_empty() && self.held.is_empty() {
            if self.root.is_some() {
                return Err(malformed("a second outermost element"));
            }
            self.root = Some(element.clone());
        }
        self.grow(size(&element))?;
        if !self.held.is_empty() {
            self.held.push(element);
            return Ok(());
        }
        let at = |path: &&Path<'_>| path.is(&self.around, &element.name);
        for (number, path) in self.paths.iter().enumerate() {
            if path.beginning_only && at(&path) {
                (self.on)(Found { path: number, element: element.clone(), around: &self.around })?;
            }
        }
        let hold = self.paths.iter().any(|path| !path.beginning_only && at(&path));
        if hold {
            self.held.push(element)
        } else {
            self.around.push(element)
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ParseError> {
        if let Some(element) = self.held.last_mut() {
            element.text.push_str(text);
            return self.grow(text.len());
        }
        if self.around.is_empty() && !text.trim_matches(BLANK).is_empty() {
            return Err(malformed("text outside the outermost element"));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let Some(done) = self.held.pop() else {
            let done = self.around.pop();
            self.bytes = self.bytes.saturating_sub(done.as_ref().map_or(0, size));
            return Ok(());
        };
        if let Some(parent) = self.held.last_mut() {
            parent.children.push(done);
            return Ok(());
        }
        self.bytes = self.around.iter().map(size).sum();
        let found = |path: &Path<'_>| !path.beginning_only && path.is(&self.around, &done.name);
        match self.paths.iter().position(found) {
            Some(path) => (self.on)(Found { path, element: done, around: &self.around }),
            None => Ok(()),
        }
    }

    /// Counts what comes into memory: no more than an entry may have.
    fn grow(&mut self, bytes: usize) -> Result<(), ParseError> {
        self.bytes += bytes;
        if ENTRY_BYTES_MAX < self.bytes { Err(ParseError::entry_too_large(self.place())) } else { Ok(()) }
    }

    fn place(&self) -> String {
        let names = self.around.iter().chain(&self.held).map(|element| format!("<{}>", element.name));
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
            // All that is not closed was cut off; `<!` may also be followed by what is no markup.
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

    fn finish(self) -> Result<Element, ParseError> {
        if !self.around.is_empty() || !self.held.is_empty() {
            return Err(ParseError::Truncated { place: self.place() });
        }
        self.root.ok_or_else(|| malformed("there is no element in it"))
    }
}

/// What an element takes in memory without what is in it.
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
            // An entity of the document's own: kept as it is written.
            Err(_) => attribute.value.clone().into_owned(),
        };
        let name = attribute.key;
        let name = if name.as_namespace_binding().is_some() { name.as_ref() } else { name.local_name().into_inner() };
        element.attributes.push((name.to_owned(), value));
    }
    Ok(element)
}

/// A reference's character; what is none, and an entity of the document's own, stays as it is written.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match quick_xml::escape::resolve_predefined_entity(reference) {
        Some(text) => text.to_owned(),
        None => format!("&{};", &**reference),
    }
}

/// A reader that ends with an error when too much was read since the last event: nothing in a report is that large.
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
