//! Reads JSON of any size: entry by entry, no deeper than allowed, telling a cut-off report from a wrong one.
//!
//! [`walk`] calls back for every value that stands at one of a few paths. Everything else is skipped unread, and nothing
//! is held longer than its call takes. What a result needs from elsewhere in the report is collected by an earlier walk,
//! so the order of fields makes no difference.

mod depth;
mod lenient;
mod loose;
mod paths;
pub(crate) mod record;
mod walker;

pub(crate) use lenient::{Many, Number, Text};
pub(crate) use loose::Loose;
pub(crate) use walker::{Containers, Hit};

use crate::reader::report::{Input, ParseError};
use depth::{Allowance, Guard, Guarded, refusal};
use paths::Paths;
use serde::de::DeserializeSeed as _;
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;
use walker::Walk;

/// How many bytes are taken from a stream at once.
const BUFFER_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Whoever takes the values that were found.
pub(crate) type OnHit<'h> = dyn FnMut(Hit<'_>) -> Result<(), ParseError> + 'h;

/// Calls `on` for every value of the report at one of `paths`, in the order in which they stand there.
///
/// A path is field names with dots between them; `[]` stands for each element of a list and `{}` for each value of an
/// object: `results[]`, `runs[].results[]`, `advisories{}`, `[].messages[]`. A field `null` is as good as absent.
///
/// # Errors
/// The report is no JSON, or something stands on the way to a path that is neither an object, a list nor null, or `on`
/// said so.
pub(crate) fn walk(input: Input<'_>, paths: &[&str], on: &mut OnHit<'_>) -> Result<Containers, ParseError> {
    let paths = Paths::of(paths);
    let mut walk = Walk::new(&paths, on);
    match input {
        Input::Memory(bytes) => {
            let mut json = serde_json::Deserializer::from_slice(admitted(bytes)?);
            json.disable_recursion_limit();
            let read = walk.root().deserialize(&mut json).and_then(|()| json.end());
            walk.finish(read)
        }
        Input::Stream(_) => with_reader(input, |reader, allowance| {
            walk.allowance = Some(allowance);
            let mut json = serde_json::Deserializer::from_reader(reader);
            json.disable_recursion_limit();
            let read = walk.root().deserialize(&mut json).and_then(|()| json.end());
            walk.finish(read)
        }),
    }
}

/// A report in memory, if it is not nested too deep.
fn admitted(bytes: &[u8]) -> Result<&[u8], ParseError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if Guard::default().admits(bytes) { Ok(bytes) } else { Err(refusal(depth::Fault::TooDeep)) }
}

/// Calls `on` for every value of a report that is a list, or a run of values one after the other (JSON lines, with or
/// without line breaks inside a value). `on` gets its place and its text.
///
/// # Errors
/// A value is no JSON, there is none, or `on` said so.
pub(crate) fn values(
    input: Input<'_>,
    on: &mut dyn FnMut(usize, &str) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let head = input.head()?;
    let mut place = 0;
    let mut next = |raw: &str| {
        place += 1;
        on(place - 1, raw)
    };
    if head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head).trim_ascii_start().starts_with(b"[") {
        return walk(input, &["[]"], &mut |hit| next(hit.raw)).map(drop);
    }
    match input {
        Input::Memory(bytes) => {
            let mut json = serde_json::Deserializer::from_slice(admitted(bytes)?);
            json.disable_recursion_limit();
            json.into_iter::<Box<RawValue>>().try_for_each(|value| next(value.map_err(failure)?.get()))
        }
        Input::Stream(_) => with_reader(input, |reader, allowance| {
            let mut json = serde_json::Deserializer::from_reader(reader);
            json.disable_recursion_limit();
            json.into_iter::<Box<RawValue>>().try_for_each(|value| {
                allowance.refill();
                next(value.map_err(failure)?.get())
            })
        }),
    }
}

/// Opens the report behind the guards, and tells what they found.
fn with_reader<T>(
    input: Input<'_>,
    read: impl FnOnce(BufReader<Guarded<Box<dyn Read + '_>>>, Allowance) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    let (allowance, fault) = (Allowance::full(), Rc::new(Cell::new(None)));
    let guarded = Guarded::new(input.open(), allowance.clone(), Rc::clone(&fault));
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, guarded);
    skip_byte_order_mark(&mut buffered).map_err(|error| match fault.get() {
        Some(fault) => refusal(fault),
        None => ParseError::Unreadable(error),
    })?;
    let result = read(buffered, allowance);
    match fault.get() {
        Some(fault) => Err(refusal(fault)),
        None => result,
    }
}

fn skip_byte_order_mark(reader: &mut BufReader<impl Read>) -> std::io::Result<()> {
    use std::io::BufRead as _;
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

fn failure(error: serde_json::Error) -> ParseError {
    match error.classify() {
        Category::Eof => {
            ParseError::Truncated { place: format!("at line {}, column {}", error.line(), error.column()) }
        }
        Category::Io => ParseError::Unreadable(error.into()),
        Category::Syntax | Category::Data => ParseError::Malformed { notation: "JSON", reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
