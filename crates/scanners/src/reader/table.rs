//! Reads tables (CSV and its kin) row by row.
//!
//! A table that is cut off between two rows cannot be told from a whole one. Within a row it shows: inside quotes as an
//! error, elsewhere as a row that is too short, which is rejected.

use crate::reader::report::{Input, ParseError};
use crate::reader::text::Filled;
use csv::{ByteRecord, ReaderBuilder};
use finding::limits::ENTRY_BYTES_MAX;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::rc::Rc;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
/// Separators that are tried, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Whoever takes the rows.
pub(crate) type OnRow<'o> = dyn FnMut(Result<Row<'_>, String>) -> Result<(), ParseError> + 'o;

/// A row of a table. What is no UTF-8 in it is replaced.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    columns: &'r BTreeMap<String, usize>,
    fields: &'r [String],
}

impl Row<'_> {
    /// The field in the column of this name, trimmed; blank is as good as absent. Upper and lower case are the same.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.get(&column.to_ascii_lowercase())?;
        self.fields.get(*at).map(|field| field.trim()).filled()
    }

    /// The field as an owned value.
    pub(crate) fn owned(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    /// The fields of the columns with names like these, by their column's name in lower case.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.columns.iter().filter_map(|(name, at)| Some((name.as_str(), self.fields.get(*at)?.trim())))
    }
}

/// The columns' names in a table's first line, in lower case.
pub(crate) fn header(text: &str) -> BTreeSet<String> {
    names(text, separator(text))
}

fn names(text: &str, separator: u8) -> BTreeSet<String> {
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => record.iter().map(|field| named(&String::from_utf8_lossy(field))).collect(),
        Ok(false) | Err(_) => BTreeSet::new(),
    }
}

/// Calls `on` with every row behind the header; a row that has not the header's number of fields is an error, told with
/// its line. The header is the first row that has all the columns in `needed`; what stands before it is skipped.
///
/// # Errors
/// There is no such header, the report cannot be read, or `on` said so.
pub(crate) fn rows(input: Input<'_>, needed: &[&str], on: &mut OnRow<'_>) -> Result<(), ParseError> {
    let head = input.head()?;
    let bare = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    let mark = head.len() - bare.len();
    let head = String::from_utf8_lossy(bare).into_owned();
    let delimiter = separator_of(&head, needed).unwrap_or_else(|| separator(&head));
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX));
    let quotes = Rc::new(Cell::new(Quotes::FieldStart));
    let inner = behind(input.open(), mark).map_err(ParseError::Unreadable)?;
    let limited = Limited { inner, left: Rc::clone(&left), delimiter, quotes: Rc::clone(&quotes) };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(limited);
    let mut columns: Option<BTreeMap<String, usize>> = None;
    // A header may end in separators: those columns have no name, and rows may lack them.
    let mut wanted = 0;
    let mut line = 0;
    let mut record = ByteRecord::new();
    loop {
        left.set(ENTRY_BYTES_MAX);
        let more = reader.read_byte_record(&mut record).map_err(|error| match (left.get(), error.into_kind()) {
            (0, _) => ParseError::entry_too_large("in a row"),
            (_, csv::ErrorKind::Io(error)) => ParseError::Unreadable(error),
            (_, other) => ParseError::Malformed { notation: "CSV", reason: format!("{other:?}") },
        })?;
        if !more {
            break;
        }
        line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        match &columns {
            None => {
                let names: BTreeMap<String, usize> =
                    fields.iter().enumerate().rev().map(|(at, name)| (named(name), at)).collect();
                if needed.iter().all(|name| names.contains_key(&name.to_ascii_lowercase())) {
                    wanted = fields.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
                    columns = Some(names);
                }
            }
            Some(_) if fields.iter().all(|field| field.trim().is_empty()) => {}
            Some(columns) => {
                if fields.len() < wanted {
                    on(Err(format!(
                        "the row at line {line} has {} fields where the header has {wanted}",
                        fields.len()
                    )))?;
                } else {
                    on(Ok(Row { columns, fields: &fields }))?;
                }
            }
        }
    }
    ended(columns.is_some(), needed, quotes.get(), line)
}

/// Whether a table that was read to its end was a whole one, with its header.
fn ended(header: bool, needed: &[&str], quotes: Quotes, line: u64) -> Result<(), ParseError> {
    match header {
        true if quotes == Quotes::Inside => {
            Err(ParseError::Truncated { place: format!("inside quotes, in the row at line {line}") })
        }
        true => Ok(()),
        false => {
            let needed: Vec<_> = needed.iter().map(|name| format!("`{name}`")).collect();
            Err(ParseError::Malformed {
                notation: "table",
                reason: format!("no line has the columns {}", needed.join(", ")),
            })
        }
    }
}

/// What stands behind the byte order mark. The table's reader itself knows it only if all of it comes at once.
fn behind<R: Read>(mut reader: R, mark: usize) -> io::Result<R> {
    io::copy(&mut reader.by_ref().take(u64::try_from(mark).unwrap_or_default()), &mut io::sink())?;
    Ok(reader)
}

fn named(field: &str) -> String {
    field.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
}

/// The separator with which a line of the report's beginning has all these columns.
fn separator_of(head: &str, needed: &[&str]) -> Option<u8> {
    let has_all = |line: &str, separator: u8| {
        let names = names(line, separator);
        needed.iter().all(|name| names.contains(&name.to_ascii_lowercase()))
    };
    let first = needed.first()?.to_ascii_lowercase();
    let mut likely = head.lines().filter(|line| line.to_ascii_lowercase().contains(&first));
    likely.find_map(|line| SEPARATORS.into_iter().find(|separator| has_all(line, *separator)))
}

/// The separator of which the first line that is not blank has the most.
fn separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| line.bytes().filter(|byte| byte == separator).count();
    // Of equally many the first counts.
    SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// Where in a table a byte stands: what tells a table that ends inside quotes. A quote counts at a field's beginning alone,
/// as for the reader itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    FieldStart,
    Outside,
    Inside,
    /// Behind a quote inside of quotes: it ends the field, or is the first of two that stand for one.
    Ending,
}

impl Quotes {
    fn then(self, byte: u8, delimiter: u8) -> Self {
        let ends_field = byte == delimiter || matches!(byte, b'\n' | b'\r');
        match (self, byte) {
            (Self::Inside, b'"') => Self::Ending,
            (Self::Inside, _) | (Self::FieldStart | Self::Ending, b'"') => Self::Inside,
            (Self::FieldStart | Self::Outside | Self::Ending, _) if ends_field => Self::FieldStart,
            (Self::FieldStart | Self::Outside | Self::Ending, _) => Self::Outside,
        }
    }
}

/// A reader that ends with an error when a single row is too large, and notes whether it is inside quotes.
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
    delimiter: u8,
    quotes: Rc<Cell<Quotes>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        self.quotes.set(read.iter().fold(self.quotes.get(), |quotes, byte| quotes.then(*byte, self.delimiter)));
        match self.left.get().checked_sub(length) {
            Some(left) if left > 0 => self.left.set(left),
            _ => {
                self.left.set(0);
                return Err(io::Error::other("too large"));
            }
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::report::Source;

    /// Gives a byte at a time.
    struct Drops<'a>(&'a [u8]);
    impl Source for Drops<'_> {
        fn open(&self) -> Box<dyn Read + '_> {
            Box::new(Dropping(self.0))
        }
    }
    struct Dropping<'a>(&'a [u8]);
    impl Read for Dropping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.0.len()).min(1);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    /// The fields `a` and `b` of each row, or why it is rejected; the same from memory and from a stream.
    fn read(table: &[u8]) -> Result<Vec<String>, String> {
        let read = |input| {
            let mut found = Vec::new();
            let result = rows(input, &["a", "b"], &mut |row| {
                found.push(match row {
                    Ok(row) => format!("{} {}", row.get("A").unwrap_or("-"), row.get("b").unwrap_or("-")),
                    Err(reason) => reason,
                });
                Ok(())
            });
            result.map(|()| found).map_err(|error| error.to_string())
        };
        let memory = read(Input::Memory(table));
        assert_eq!(memory, read(Input::Stream(&Drops(table))), "{}", String::from_utf8_lossy(table));
        memory
    }

    fn check(table: &[u8], expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|row| (*row).to_owned()).collect();
        assert_eq!(read(table), Ok(expected), "{}", String::from_utf8_lossy(table));
    }

    #[test]
    fn every_separator_is_found() {
        for separator in [",", ";", "\t", "|"] {
            let table = "a*b*c\n1*2*3\n4*5*6\n".replace('*', separator);
            check(table.as_bytes(), &["1 2", "4 5"]);
            assert_eq!(header(&table).into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        }
        // Other separators inside of fields are no matter.
        check(b"a;b;c, d, e, f\n1;2;3,3,3,3\n", &["1 2"]);
        check(b"\"a\",\"b\",\"c;d;e;f\"\n\"1;1\",\"2\",\"3\"\n", &["1;1 2"]);
    }

    #[test]
    fn a_mark_lines_before_the_header_and_blank_lines_are_skipped() {
        check(b"\xEF\xBB\xBFa,b\n1,2\n", &["1 2"]);
        check(b"\xEF\xBB\xBF\"a\",\"b\"\n\"1\",\"2\"\n", &["1 2"]);
        check(b"Report of a, of all things\nmade: today\n\na;b\n1;2\n\n;\n3;4", &["1 2", "3 4"]);
        check(b"a,b\r\n1,2\r\n3,4\r\n", &["1 2", "3 4"]);
        check(b" A , B \n 1 , 2 \n", &["1 2"]);
        assert_eq!(header("\u{feff}\"A\";b \n").into_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(header("").iter().all(String::is_empty));
    }

    #[test]
    fn a_short_row_is_rejected_with_its_line() {
        let short = "the row at line 4 has 2 fields where the header has 3";
        check(b"a,b,c\n\"1\n1\",2,3\n4,5\n6,7,8,9\n", &["1\n1 2", short, "6 7"]);
        check(b"c,a,b,,\n0,1,2\n0,3,4,,\n", &["1 2", "3 4"]);
        check(b"a,b,a\n1,2,3\n", &["1 2"]);
    }

    #[test]
    fn quotes_hold_separators_line_breaks_and_quotes() {
        check(b"a,b\n\"1,\"\"x\"\"\n,\",2\n5\" disk,6\n", &["1,\"x\"\n, 2", "5\" disk 6"]);
        check(b"a,b\n,\"\"\n , 2\n", &["- 2"]);
    }

    #[test]
    fn a_table_that_ends_inside_quotes_was_cut_off() {
        let cut = "the report ends in the middle, inside quotes, in the row at line 2: it was cut off";
        for table in [&b"a,b\n1,\"2"[..], b"a,b\n1,\"2\n3,4\n", b"a,b\n1,\"2\"\"", b"\xEF\xBB\xBF\"a\",b\n1,\""] {
            assert_eq!(read(table), Err(cut.to_owned()));
        }
        check(b"a,b\n1,\"2\"", &["1 2"]);
        check(b"a,b\n1,\"\"", &["1 -"]);
        check(b"a,b\n1,2\"", &["1 2\""]);
        check(b"a,b\n1,\"2\"x\"", &["1 2x\""]);
    }

    #[test]
    fn a_table_without_the_columns_is_an_error() {
        for table in [&b""[..], b"\n", b"a\n1\n", b"x,y\n1,2\n"] {
            assert_eq!(read(table), Err("the report is not valid table: no line has the columns `a`, `b`".to_owned()));
        }
        check(b"a,b", &[]);
    }

    #[test]
    fn what_is_no_utf_8_is_replaced() {
        check(b"a,b\ncaf\xE9,2\n", &["caf\u{fffd} 2"]);
    }

    #[test]
    fn a_row_may_be_as_large_as_an_entry_and_no_larger() {
        let table = |bytes: usize| format!("a,b\n1,{}\n3,4\n", "x".repeat(bytes));
        let read = |table: &str| {
            let mut count = 0;
            let counted = rows(Input::Memory(table.as_bytes()), &["a", "b"], &mut |_| {
                count += 1;
                Ok(())
            });
            counted.map(|()| count)
        };
        assert!(matches!(read(&table(ENTRY_BYTES_MAX - 64 * 1024)), Ok(2)));
        assert!(matches!(read(&table(ENTRY_BYTES_MAX + 64 * 1024)), Err(ParseError::EntryTooLarge { .. })));
        // Many rows are more than one entry together.
        assert!(matches!(read(&format!("a,b\n{}", "1,2\n".repeat(3_000_000))), Ok(3_000_000)));
    }

    #[test]
    fn all_fields_are_told_by_their_column() {
        let mut found = Vec::new();
        rows(Input::Memory(b"a,b,,Tag 1\n1,2,3, x \n"), &["a"], &mut |row| {
            let row = row.unwrap();
            found.extend(row.all().map(|(name, value)| format!("{name}={value}")));
            assert_eq!((row.owned("tag 1").as_deref(), row.get("none")), (Some("x"), None));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, ["=3", "a=1", "b=2", "tag 1=x"]);
    }
}
