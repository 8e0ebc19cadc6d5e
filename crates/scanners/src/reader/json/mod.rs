//! Reads JSON of any size, item by item, with limits of depth and size. A report that was cut off is another error than
//! one with wrong syntax.
//!
//! [`walk`] calls back with every value at some paths. It skips all other values, and has only one item in memory at a
//! time. Data that a result needs from elsewhere in the report is collected by an earlier walk, so that the order of
//! fields makes no difference.

mod depth;
mod lenient;
mod loose;
mod objects;
pub(crate) mod outline;
mod partial;
mod paths;
mod walker;

pub(crate) use lenient::{Many, Number, Text};
pub(crate) use loose::Loose;
pub(crate) use partial::{from_value, parse, partly, type_of};
pub(crate) use walker::{Containers, Item};

use crate::reader::report::{Input, ParseError};
use depth::{Allowance, Guard, Guarded, error_of};
use paths::Paths;
use serde::de::DeserializeSeed as _;
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;
use walker::Walk;

/// The number of bytes that are read from a stream at once.
const BUFFER_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The callback of [`walk`].
pub(crate) type OnItem<'h> = dyn FnMut(Item<'_>) -> Result<(), ParseError> + 'h;

/// Calls `on` with every value at one of `paths`, in the order of the report.
///
/// A path consists of field names with dots between them, `[]` for each element of a list and `{}` for each value of an
/// object: `results[]`, `runs[].results[]`, `advisories{}`, `[].messages[]`. A field that is `null` counts as absent.
/// With `!` after its name, every object at its place must have it: `[].messages![]`; see [`Containers::missing`]. With
/// `~` after its name, `null` counts as an empty list, as Go writes one. With `+` after its name or brackets, an object
/// there must have one of the fields that paths lead into: `scan.languages[]+.queries[]`.
///
/// A path such as `?Results[]:Packages Other` has no calls. It says that objects at `Results[]` have no other lists of
/// objects than those that paths lead into, and these; one of another name may contain results, see
/// [`Containers::missing`]. `??` looks for parts of any shape with objects that have the fields of results.
///
/// # Errors
/// The report is not valid JSON, a value on the way to a path is neither an object, a list nor null, or `on` returns an
/// error.
pub(crate) fn walk(input: Input<'_>, paths: &[&str], on: &mut OnItem<'_>) -> Result<Containers, ParseError> {
    let paths = Paths::of(paths);
    let mut walk = Walk::new(&paths, on);
    match input {
        Input::Memory(bytes) => {
            let mut json = serde_json::Deserializer::from_slice(checked_depth(bytes)?);
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

/// The report without its byte order mark.
///
/// # Errors
/// It is nested too deep.
fn checked_depth(bytes: &[u8]) -> Result<&[u8], ParseError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if Guard::default().admits(bytes) { Ok(bytes) } else { Err(error_of(depth::Fault::TooDeep)) }
}

/// Calls `on` with the number and the text of every value of a report that is a list or a sequence of values (JSON
/// lines, with or without line breaks in a value).
///
/// # Errors
/// A value is not valid JSON, or `on` returns an error.
pub(crate) fn values(
    input: Input<'_>,
    on: &mut dyn FnMut(usize, &str) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let head = input.head()?;
    let mut count = 0;
    let mut next = |raw: &str| {
        count += 1;
        on(count - 1, raw)
    };
    if head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head).trim_ascii_start().starts_with(b"[") {
        return walk(input, &["[]"], &mut |item| next(item.raw)).map(drop);
    }
    match input {
        Input::Memory(bytes) => {
            let mut json = serde_json::Deserializer::from_slice(checked_depth(bytes)?);
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

/// Opens the report through the checks of depth and size. Their fault replaces the error of the parser.
fn with_reader<T>(
    input: Input<'_>,
    read: impl FnOnce(BufReader<Guarded<Box<dyn Read + '_>>>, Allowance) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    let (allowance, fault) = (Allowance::full(), Rc::new(Cell::new(None)));
    let guarded = Guarded::new(input.open(), allowance.clone(), Rc::clone(&fault));
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, guarded);
    skip_byte_order_mark(&mut buffered).map_err(|error| match fault.get() {
        Some(fault) => error_of(fault),
        None => ParseError::Unreadable(error),
    })?;
    let result = read(buffered, allowance);
    match fault.get() {
        Some(fault) => Err(error_of(fault)),
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
