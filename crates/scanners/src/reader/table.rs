//! Reads tables (CSV and similar) row by row.
//!
//! A table that is cut off between two rows looks complete. A cut inside quotes is an error, and a cut elsewhere in a
//! row gives a row that is too short, which is rejected.

use crate::reader::report::{Input, ParseError};
use crate::reader::text::Filled;
use csv::{ByteRecord, ReaderBuilder};
use finding::limits::ENTRY_BYTES_MAX;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::rc::Rc;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
/// Separators that are tried, the most common first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The callback of [`rows`].
pub(crate) type OnRow<'o> = dyn FnMut(Result<Row<'_>, String>) -> Result<(), ParseError> + 'o;

/// A row of a table. Invalid UTF-8 is replaced.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    columns: &'r BTreeMap<String, usize>,
    fields: &'r [String],
}

impl Row<'_> {
    /// The trimmed field in the column of this name; absent if blank. Upper and lower case are the same.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.get(&column.to_ascii_lowercase())?;
        self.fields.get(*at).map(|field| field.trim()).filled()
    }

    /// The field in the column of this name as a `String`, see [`get`](Self::get).
    pub(crate) fn owned(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    /// All fields, trimmed, with the names of their columns in lower case.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.columns.iter().filter_map(|(name, at)| Some((name.as_str(), self.fields.get(*at)?.trim())))
    }
}

/// The names of the columns in the first line of a table, in lower case.
pub(crate) fn header(text: &str) -> BTreeSet<String> {
    names(text, separator(text))
}

fn names(text: &str, separator: u8) -> BTreeSet<String> {
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => record.iter().map(|field| normalized(&String::from_utf8_lossy(field))).collect(),
        Ok(false) | Err(_) => BTreeSet::new(),
    }
}

/// Calls `on` with every row after the header, and with an error that names the line for a row with too few fields. The
/// header is the first row that has all columns in `needed`; rows before it are skipped.
///
/// # Errors
/// The header is missing, the report cannot be read, or `on` returns an error.
pub(crate) fn rows(input: Input<'_>, needed: &[&str], on: &mut OnRow<'_>) -> Result<(), ParseError> {
    let head = input.head()?;
    let bare = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    let mark = head.len() - bare.len();
    let head = String::from_utf8_lossy(bare).into_owned();
    let delimiter = separator_of(&head, needed).unwrap_or_else(|| separator(&head));
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX));
    let quotes = Rc::new(Cell::new(Quotes::FieldStart));
    let inner = skip_mark(input.open(), mark).map_err(ParseError::Unreadable)?;
    let limited = Limited { inner, left: Rc::clone(&left), delimiter, quotes: Rc::clone(&quotes) };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(limited);
    let mut columns: Option<BTreeMap<String, usize>> = None;
    // A header may end with separators. Rows need no fields for these columns without a name.
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
                    fields.iter().enumerate().rev().map(|(at, name)| (normalized(name), at)).collect();
                if needed.iter().all(|name| names.contains_key(&name.to_ascii_lowercase())) {
                    wanted = fields.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
                    columns = Some(names);
                }
            }
            Some(_) if fields.iter().all(|field| field.trim().is_empty()) => {}
            Some(columns) => {
                if fields.len() < wanted {
                    on(Err(format!("expected {wanted} fields in the row at line {line}, found {}", fields.len())))?;
                } else {
                    on(Ok(Row { columns, fields: &fields }))?;
                }
            }
        }
    }
    check_end(columns.is_some(), needed, quotes.get(), line)
}

/// Checks that a table has its header and does not end inside quotes.
fn check_end(header: bool, needed: &[&str], quotes: Quotes, line: u64) -> Result<(), ParseError> {
    match header {
        true if quotes == Quotes::Inside => {
            Err(ParseError::Truncated { place: format!("inside quotes, in the row at line {line}") })
        }
        true => Ok(()),
        false => {
            let needed: Vec<_> = needed.iter().map(|name| format!("`{name}`")).collect();
            Err(ParseError::Malformed {
                notation: "as a table",
                reason: format!("expected a line with the columns {}", needed.join(", ")),
            })
        }
    }
}

/// Skips the byte order mark. The CSV reader skips one only if it gets the whole mark at once.
fn skip_mark<R: Read>(mut reader: R, mark: usize) -> io::Result<R> {
    io::copy(&mut reader.by_ref().take(u64::try_from(mark).unwrap_or_default()), &mut io::sink())?;
    Ok(reader)
}

/// The name of a column in the form in which names are compared.
fn normalized(field: &str) -> String {
    field.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
}

/// The separator with which a line of `head` has all these columns.
fn separator_of(head: &str, needed: &[&str]) -> Option<u8> {
    let has_all = |line: &str, separator: u8| {
        let names = names(line, separator);
        needed.iter().all(|name| names.contains(&name.to_ascii_lowercase()))
    };
    let first = needed.first()?.to_ascii_lowercase();
    let mut likely = head.lines().filter(|line| line.to_ascii_lowercase().contains(&first));
    likely.find_map(|line| SEPARATORS.into_iter().find(|separator| has_all(line, *separator)))
}

/// The most frequent separator in the first line that is not blank; of equally frequent ones the most common.
fn separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| line.bytes().filter(|byte| byte == separator).count();
    // `max_by_key` returns the last of equal ones, so they are reversed.
    SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// The state of quotes at a byte of a table, to find a table that ends inside quotes. As in the CSV reader, a quote
/// only opens at the beginning of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    FieldStart,
    Outside,
    Inside,
    /// After a quote inside quotes: it closes them, or is the first of two that stand for one quote.
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

/// A reader that fails if a single row is too large, and follows the state of quotes.
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

    /// A table that is read one byte at a time.
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
        // Other separators inside fields make no difference.
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
        let short = "expected 3 fields in the row at line 4, found 2";
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
        let cut = "the report was cut off: it ends inside quotes, in the row at line 2";
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
            assert_eq!(
                read(table),
                Err("the report is not valid as a table: expected a line with the columns `a`, `b`".to_owned())
            );
        }
        check(b"a,b", &[]);
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        check(b"a,b\ncaf\xE9,2\n", &["caf\u{fffd} 2"]);
    }

    #[test]
    fn a_row_may_be_as_large_as_an_entry_but_not_larger() {
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
    fn all_fields_come_with_the_names_of_their_columns() {
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
