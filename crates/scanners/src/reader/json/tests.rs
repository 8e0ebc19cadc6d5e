//! Tests of the walk and of its errors.

use super::*;
use crate::reader::report::Source;
use finding::limits::{ENTRY_BYTES_MAX, JSON_DEPTH_MAX};

struct Bytes<'a>(&'a [u8]);
impl Source for Bytes<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(self.0)
    }
}

fn name(error: &ParseError) -> String {
    format!("{error:?}").split([' ', '(', '{']).next().unwrap().to_owned()
}

fn both(bytes: &[u8], paths: &[&str]) -> [Result<Vec<(usize, String)>, String>; 2] {
    [Input::Memory(bytes), Input::Stream(&Bytes(bytes))].map(|input| {
        let mut items = Vec::new();
        let walked = walk(input, paths, &mut |item| {
            items.push((item.path, item.raw.to_owned()));
            Ok(())
        });
        walked.map(|_| items).map_err(|error| name(&error))
    })
}

fn check(bytes: &[u8], paths: &[&str], expected: Result<&[(usize, &str)], &str>) {
    let expected = expected
        .map(|items| items.iter().map(|(path, raw)| (*path, (*raw).to_owned())).collect::<Vec<_>>())
        .map_err(str::to_owned);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    assert_eq!(both(bytes, paths), [expected.clone(), expected], "{text}");
}

#[test]
fn values_are_found_at_their_paths_and_nowhere_else() {
    let report =
        br#"{"a": [{"b": [1, "x"], "c": 3}, {"b": []}], "b": [9], "m": {"k": {"v": 1}, "l": {"v": null}}, "n": null}"#;
    check(
        report,
        &["a[].b[]", "m{}.v", "n[]", "a[].c"],
        Ok(&[(0, "1"), (0, "\"x\""), (3, "3"), (1, "1"), (1, "null")]),
    );
    check(b"[[1], [2, 3]]", &["[][]"], Ok(&[(0, "1"), (0, "2"), (0, "3")]));
    check(b"{\"a\": 1}", &[""], Ok(&[(0, "{\"a\": 1}")]));
}

#[test]
fn an_item_knows_its_place() {
    let mut places = Vec::new();
    let report = br#"{"r": [{"m": {"x": [0]}}, {"m": {"y": [1, 2]}}]}"#;
    let seen = walk(Input::Memory(report), &["r[].m{}[]", "absent[]"], &mut |item| {
        places.push((item.index(0), item.name(1).to_owned(), item.index(2), item.read::<u8>().unwrap()));
        Ok(())
    });
    let seen = seen.unwrap();
    assert!(seen.has(0) && !seen.has(1));
    let expected = [(0, "x", 0, 0), (1, "y", 0, 1), (1, "y", 1, 2)].map(|(a, b, c, d)| (a, b.to_owned(), c, d));
    assert_eq!(places, expected);
}

#[test]
fn memory_and_stream_give_the_same_errors() {
    check(b"\xEF\xBB\xBF{}", &["a[]"], Ok(&[]));
    check(b"{\"a\":", &["a[]"], Err("Truncated"));
    check(b"{} {}", &["a[]"], Err("Malformed"));
    check(b"<xml/>", &["a[]"], Err("Malformed"));
    check(b"{\"a\": 01}", &["a[]"], Err("Malformed"));
    check(b"{\"a\": \"text\"}", &["a[]"], Err("OtherShape"));
    check(b"{\"a\": {\"b\": []}}", &["a[]"], Err("OtherShape"));
    check(b"null", &["a[]"], Err("OtherShape"));
}

#[test]
fn nesting_at_the_limit_is_read_and_deeper_is_refused_everywhere() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(format!("{{\"b\": {}}}", nested(JSON_DEPTH_MAX - 1)).as_bytes(), &["a[]"], Ok(&[]));
    check(format!("{{\"b\": {}}}", nested(JSON_DEPTH_MAX)).as_bytes(), &["a[]"], Err("TooDeep"));
    check(nested(2_000_000).as_bytes(), &["a[]"], Err("TooDeep"));
    check(format!("{{\"text\": \"{}\"}}", "[\\\"{".repeat(500)).as_bytes(), &["a[]"], Ok(&[]));
}

#[test]
fn a_streamed_entry_larger_than_any_is_refused_and_many_small_ones_are_not() {
    let read = |text: String| {
        let bytes = text.into_bytes();
        walk(Input::Stream(&Bytes(&bytes)), &["a[]"], &mut |_| Ok(())).map(drop).map_err(|error| name(&error))
    };
    assert_eq!(read(format!("{{\"a\": [\"{}\"]}}", "x".repeat(2 * ENTRY_BYTES_MAX))), Err("EntryTooLarge".to_owned()));
    let entry = format!("\"{}\",", "x".repeat(ENTRY_BYTES_MAX / 8));
    assert_eq!(read(format!("{{\"a\": [{}1]}}", entry.repeat(40))), Ok(()));
    assert_eq!(read(format!("{{\"skipped\": [{}1], \"a\": []}}", entry.repeat(40))), Ok(()));
    assert_eq!(read(format!("{{\"skipped\": {}, \"a\": []}}", "9".repeat(2 * ENTRY_BYTES_MAX))), Ok(()));
}

#[test]
fn values_one_after_the_other_are_read_with_or_without_lines() {
    let read = |bytes: &[u8]| {
        [Input::Memory(bytes), Input::Stream(&Bytes(bytes))].map(|input| {
            let mut all = Vec::new();
            let done = values(input, &mut |place, raw| {
                all.push((place, raw.to_owned()));
                Ok(())
            });
            done.map(|()| all.iter().map(|(_, raw)| raw.clone()).collect::<Vec<_>>()).map_err(|error| name(&error))
        })
    };
    for bytes in [
        &b"{\"a\":1}\n{\"b\":2}\n"[..],
        b"{\"a\":1}{\"b\":2}",
        b"[{\"a\":1},\n{\"b\":2}]",
        b"\xEF\xBB\xBF[{\"a\":1},{\"b\":2}]",
    ] {
        assert_eq!(
            read(bytes),
            [
                Ok(vec!["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()]),
                Ok(vec!["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()])
            ]
        );
    }
    assert_eq!(read(b"{\"a\":1}\n{\"b\""), [Err("Truncated".to_owned()), Err("Truncated".to_owned())]);
    assert_eq!(read(b"{\"a\":1}\noops"), [Err("Malformed".to_owned()), Err("Malformed".to_owned())]);
}

#[test]
fn a_failing_stream_is_an_unreadable_report() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("store is away"))
        }
    }
    impl Source for Broken {
        fn open(&self) -> Box<dyn Read + '_> {
            Box::new(Broken)
        }
    }
    let result = walk(Input::Stream(&Broken), &["a[]"], &mut |_| Ok(())).map(drop);
    assert!(matches!(result, Err(ParseError::Unreadable(_))), "{result:?}");
}

#[test]
fn fields_are_read_however_they_are_written() {
    let text = |raw| serde_json::from_str::<Text>(raw).map(|text| text.0).map_err(drop);
    assert_eq!(
        [text("\"a\""), text("7"), text("1.5"), text("true")],
        ["a", "7", "1.5", "true"].map(|t| Ok(t.to_owned()))
    );
    assert_eq!(text("{}"), Err(()));
    let number = |raw| serde_json::from_str::<Number>(raw).unwrap().0;
    assert_eq!(
        [number("7.5"), number("\" 7.5\""), number("\"n/a\""), number("null"), number("{}")],
        [Some(7.5), Some(7.5), None, None, None]
    );
    assert_eq!([Number(Some(12.0)).line(), Number(Some(0.0)).line(), Number(None).line()], [Some(12), None, None]);
    let many = |raw| serde_json::from_str::<Many<Text>>(raw).unwrap().0.into_iter().map(|t| t.0).collect::<Vec<_>>();
    assert_eq!(many("\"a\""), ["a"]);
    assert_eq!(many("[\"a\", 1]"), ["a", "1"]);
    assert!(many("null").is_empty() && many("[]").is_empty());
}
