//! The HTML report of `sonar-report`: a table of the numbers of issues, a table of issues if there are any, one of
//! rules.

use super::{SCANNER, State, state_of, weakness};
use crate::reader::html;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::Sniff;
use crate::reader::text::Filled;
use finding::limits::ENTRY_BYTES_MAX;
use finding::{Finding, Kind, Location};
use html5gum::{DefaultEmitter, IoReader, StartTag, Token, Tokenizer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

const RULES: [&str; 2] = ["rule", "description"];
const ISSUES: [&str; 5] = ["rule", "severity", "component", "line", "message"];
const COUNTS: [&str; 2] = ["severity", "number of issues"];

pub(super) fn detect(sniff: &Sniff) -> bool {
    let text = sniff.text().to_ascii_lowercase();
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title);
    title.is_some_and(|title| title.contains("sonarqube")) && text.contains("number of issues")
}

/// A rule in the report.
#[derive(Default)]
struct Rule {
    description: String,
    cwes: Vec<u32>,
}

/// Reads the report.
///
/// # Errors
/// The report is of another kind, or it is truncated.
pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut rules = BTreeMap::<String, Rule>::new();
    let mut counted = false;
    // The rules come after the issues.
    rows(input, &mut |header, cells| {
        counted |= has(header, &COUNTS);
        if let (true, [rule, description, ..]) = (is_rules(header), cells) {
            let (text, cwes) =
                (html::tidy(&description.text), description.links.iter().filter_map(|link| weakness(link)));
            rules.insert(rule.folded(), Rule { description: text, cwes: cwes.collect() });
        }
        Ok(())
    })?;
    rows(input, &mut |header, cells| {
        if !has(header, &ISSUES) {
            return Ok(());
        }
        counted = true;
        let get = |name: &str| {
            let at = header.iter().position(|column| column == name)?;
            cells.get(at).map(Field::folded).filled()
        };
        match state_of(&[get("resolution").as_deref(), get("status").as_deref()]) {
            State::Closed => collector.closed(),
            State::Open => collector.result(finding(&get, &rules)),
            State::Suppressed(word) => {
                collector.result(finding(&get, &rules).map(|finding| Finding { suppressed: Some(word), ..finding }))
            }
        }
    })?;
    collector.require(counted, "a SonarQube report in HTML has a table with the number of issues")
}

fn has(header: &[String], names: &[&str]) -> bool {
    names.iter().all(|name| header.iter().any(|column| column == name))
}

fn is_rules(header: &[String]) -> bool {
    header.len() == RULES.len() && has(header, &RULES)
}

fn finding(get: &dyn Fn(&str) -> Option<String>, rules: &BTreeMap<String, Rule>) -> Result<Finding, String> {
    let rule = get("rule").ok_or("the rule is missing in the row")?;
    let known = rules.get(&rule);
    let title = get("description").unwrap_or_else(|| rule.clone());
    let mut finding = Finding {
        tool_id: get("key"),
        cwes: known.map(|known| known.cwes.clone()).unwrap_or_default(),
        description: known.map(|known| known.description.clone()).filled(),
        location: get("component").map(|path| {
            Location::lines(path, get("line").and_then(|line| line.parse().ok()).filter(|line| *line > 0), None)
        }),
        ..Finding::new(Kind::Code, rule, title.clone(), get("message").unwrap_or(title))
    };
    SCANNER.rating().word(get("severity").as_deref()).apply(&mut finding);
    Ok(finding)
}

/// A cell of a table: its text, including that of nested tables, and the targets of its links.
#[derive(Default)]
struct Field {
    text: String,
    links: Vec<String>,
}

impl Field {
    /// The text on one line.
    fn folded(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

type OnRow<'a> = dyn FnMut(&[String], &[Field]) -> Result<(), ParseError> + 'a;

/// Calls `on` for every row of every outermost table with a header, with the names of its columns in lower case.
///
/// # Errors
/// The report is truncated, cannot be read, or `on` returned an error.
fn rows(input: Input<'_>, on: &mut OnRow<'_>) -> Result<(), ParseError> {
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX));
    let reader = IoReader::new(Limited { inner: input.open(), left: Rc::clone(&left) });
    let mut emitter = DefaultEmitter::default();
    // The content of scripts and styles is not HTML.
    emitter.naively_switch_states(true);
    let mut tables = Tables::default();
    for token in Tokenizer::new_with_emitter(reader, emitter) {
        let token = token.map_err(|error| match left.get() {
            0 => ParseError::entry_too_large("in a row or script"),
            _ => ParseError::Unreadable(error),
        })?;
        match token {
            Token::StartTag(tag) => tables.start(&tag, on)?,
            Token::EndTag(tag) => tables.end(&tag.name, on)?,
            Token::String(text) => tables.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if !tables.in_row {
            left.set(ENTRY_BYTES_MAX);
        }
    }
    if tables.ended { Ok(()) } else { Err(ParseError::Truncated { place: "before `</html>`".to_owned() }) }
}

/// The state of reading the tables of a page.
#[derive(Default)]
struct Tables {
    depth: usize,
    header: Vec<String>,
    is_header: bool,
    in_row: bool,
    in_cell: bool,
    cells: Vec<Field>,
    ended: bool,
}

impl Tables {
    fn start(&mut self, tag: &StartTag<()>, on: &mut OnRow<'_>) -> Result<(), ParseError> {
        match (tag.name.as_slice(), self.depth) {
            (b"table", depth) => {
                if depth == 0 {
                    self.header.clear();
                }
                self.depth += 1;
            }
            (b"tr", 1) => {
                self.row(on)?;
                self.in_row = true;
            }
            (b"td" | b"th", 1) => {
                self.is_header |= tag.name.as_slice() == b"th";
                self.in_cell = true;
                self.cells.push(Field::default());
            }
            (name, _) if html::is_block(name) => self.text("\n"),
            _ => {}
        }
        let link = tag.attributes.get(b"href".as_slice()).filter(|_| self.in_cell);
        if let (Some(link), Some(cell)) = (link, self.cells.last_mut()) {
            cell.links.push(String::from_utf8_lossy(&link.value).into_owned());
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8], on: &mut OnRow<'_>) -> Result<(), ParseError> {
        match (name, self.depth) {
            (b"table", depth) => {
                if depth == 1 {
                    self.row(on)?;
                }
                self.depth = depth.saturating_sub(1);
            }
            (b"tr" | b"thead" | b"tbody", 1) => self.row(on)?,
            (b"td" | b"th", 1) => self.in_cell = false,
            (b"html", _) => self.ended = true,
            (name, _) if html::is_block(name) => self.text("\n"),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(cell) = self.cells.last_mut().filter(|_| self.in_cell) {
            cell.text.push_str(text);
        }
    }

    /// Ends a row.
    fn row(&mut self, on: &mut OnRow<'_>) -> Result<(), ParseError> {
        (self.in_row, self.in_cell) = (false, false);
        let cells = std::mem::take(&mut self.cells);
        if std::mem::take(&mut self.is_header) {
            self.header = cells.iter().map(|cell| cell.folded().to_lowercase()).collect();
            return Ok(());
        }
        if cells.is_empty() || self.header.is_empty() { Ok(()) } else { on(&self.header, &cells) }
    }
}

/// A reader that returns an error if a single row is too large.
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match self.left.get().checked_sub(length) {
            Some(left) if left > 0 => self.left.set(left),
            Some(_) | None => {
                self.left.set(0);
                return Err(io::Error::other("too large"));
            }
        }
        Ok(length)
    }
}
