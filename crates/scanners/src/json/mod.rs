//! Reads JSON of any size: entry by entry, no deeper than allowed, telling a cut-off report from a wrong one.

mod depth;

use crate::report::{Input, ParseError};
use depth::Guard;
use finding::limits::JSON_DEPTH_MAX;
use serde::de::DeserializeSeed;
use serde_json::error::Category;
use std::io::{BufReader, Read};

/// How many bytes are taken from a stream at once.
const BUFFER_BYTES: usize = 64 * 1024;
const TOO_DEEP: ParseError = ParseError::TooDeep { max: JSON_DEPTH_MAX };
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Why a document was not read.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is no JSON that could be anybody's report.
    Unusable(ParseError),
    /// It is JSON, of another shape than the seed takes.
    OtherShape,
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::Unusable(error)
    }
}

/// Reads one JSON document with `seed`, which stores its own errors and makes serde stop with any message.
pub(crate) fn read<'a, S, T>(input: Input<'a>, seed: S) -> Result<T, Failure>
where
    S: for<'de> DeserializeSeed<'de, Value = T>,
{
    match input {
        Input::Memory(bytes) => {
            let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
            let mut guard = Guard::default();
            if !guard.admits(bytes) {
                return Err(TOO_DEEP.into());
            }
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Err(ParseError::Empty.into());
            }
            let mut json = serde_json::Deserializer::from_slice(bytes);
            json.disable_recursion_limit();
            let value = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
            value.map_err(failure)
        }
        Input::Stream(reader) => {
            let mut guarded = depth::Guarded::new(reader);
            let result = stream(&mut guarded, seed);
            match (guarded.too_deep(), guarded.blank()) {
                (true, _) => Err(TOO_DEEP.into()),
                (false, true) => Err(ParseError::Empty.into()),
                (false, false) => result,
            }
        }
    }
}

fn stream<S, T>(reader: &mut depth::Guarded<'_>, seed: S) -> Result<T, Failure>
where
    S: for<'de> DeserializeSeed<'de, Value = T>,
{
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, reader);
    skip_byte_order_mark(&mut buffered).map_err(ParseError::Unreadable)?;
    let mut json = serde_json::Deserializer::from_reader(buffered);
    json.disable_recursion_limit();
    seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value)).map_err(failure)
}

fn skip_byte_order_mark(reader: &mut BufReader<impl Read>) -> std::io::Result<()> {
    use std::io::BufRead as _;
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

fn failure(error: serde_json::Error) -> Failure {
    let unusable = match error.classify() {
        Category::Data => return Failure::OtherShape,
        Category::Eof => ParseError::Truncated { line: error.line(), column: error.column() },
        Category::Io => ParseError::Unreadable(error.into()),
        Category::Syntax => ParseError::Malformed { notation: "JSON", reason: error.to_string() },
    };
    unusable.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;
    use std::marker::PhantomData;

    fn both(bytes: &[u8]) -> [Result<(), String>; 2] {
        let name = |failure: Failure| match failure {
            Failure::Unusable(error) => format!("{error:?}").split([' ', '(', '{']).next().unwrap().to_owned(),
            Failure::OtherShape => "OtherShape".to_owned(),
        };
        let memory = read(Input::Memory(bytes), PhantomData::<IgnoredAny>).map(drop).map_err(name);
        let mut stream = bytes;
        [memory, read(Input::Stream(&mut stream), PhantomData::<IgnoredAny>).map(drop).map_err(name)]
    }

    fn check(bytes: &[u8], expected: Result<(), &str>) {
        let expected = expected.map_err(str::to_owned);
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert_eq!(both(bytes), [expected.clone(), expected], "{text}");
    }

    #[test]
    fn memory_and_stream_agree_on_what_is_wrong() {
        check(b"", Err("Empty"));
        check(b" \n\t", Err("Empty"));
        check(b"\xEF\xBB\xBF", Err("Empty"));
        check(b"{}", Ok(()));
        check(b"\xEF\xBB\xBF{}", Ok(()));
        check(b"{\"a\":", Err("Truncated"));
        check(b"{} {}", Err("Malformed"));
        check(b"<xml/>", Err("Malformed"));
        check(b"{\"a\": 01}", Err("Malformed"));
    }

    #[test]
    fn nesting_at_the_limit_is_read_and_one_deeper_is_refused_wherever_it_stands() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(nested(JSON_DEPTH_MAX).as_bytes(), Ok(()));
        check(nested(JSON_DEPTH_MAX + 1).as_bytes(), Err("TooDeep"));
        check(nested(2_000_000).as_bytes(), Err("TooDeep"));
        check(format!("{{\"ignored\": {}}}", nested(JSON_DEPTH_MAX)).as_bytes(), Err("TooDeep"));
        check(format!("{{\"text\": \"{}\"}}", "[\\\"{".repeat(500)).as_bytes(), Ok(()));
    }

    #[test]
    fn a_stream_that_fails_is_not_the_reports_fault() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("store is away"))
            }
        }
        let result = read(Input::Stream(&mut Broken), PhantomData::<IgnoredAny>).map(drop);
        assert!(matches!(result, Err(Failure::Unusable(ParseError::Unreadable(_)))), "{result:?}");
    }
}
