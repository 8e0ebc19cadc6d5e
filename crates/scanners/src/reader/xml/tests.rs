use super::*;
use crate::reader::report::{Input, ParseError, Source};
use finding::limits::{ENTRY_BYTES_MAX, XML_DEPTH_MAX};
use std::io::Read;

/// A document that is read a few bytes at a time.
struct Drops<'a>(&'a [u8], usize);
impl Source for Drops<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(Dropping(self.0, self.1))
    }
}
struct Dropping<'a>(&'a [u8], usize);
impl Read for Dropping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.0.len()).min(self.1);
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

/// The calls of a walk: `path: element <ancestors`.
fn walked(input: Input<'_>, paths: &[&str]) -> Result<Vec<String>, ParseError> {
    let mut all = Vec::new();
    let root = walk(input, paths, &mut |found| {
        let around = found.ancestors.iter().map(|element| format!(" <{}", shown(element))).collect::<String>();
        all.push(format!("{}: {}{around}", found.path, shown(&found.element)));
        Ok(())
    })?;
    all.push(format!("root: {}", shown(&root)));
    Ok(all)
}

fn shown(element: &Element) -> String {
    let attributes = element.attributes.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
    let children = element.children.iter().map(|child| format!("[{}]", shown(child))).collect::<String>();
    format!("{}{attributes}({}){children}", element.name, element.text)
}

/// The calls of a walk, which must be the same from memory and from streams.
fn read(xml: &[u8], paths: &[&str]) -> Result<Vec<String>, ParseError> {
    let memory = walked(Input::Memory(xml), paths);
    for length in [1, 7, 4096] {
        let stream = walked(Input::Stream(&Drops(xml, length)), paths);
        assert_eq!(
            memory.as_ref().map_err(ToString::to_string),
            stream.as_ref().map_err(ToString::to_string),
            "{length} bytes at a time: {}",
            String::from_utf8_lossy(xml)
        );
    }
    memory
}

fn check(xml: &str, paths: &[&str], expected: &[&str]) {
    assert_eq!(read(xml.as_bytes(), paths).unwrap(), expected, "{xml}");
}

fn refused(xml: &str, reason: &str) {
    let error = read(xml.as_bytes(), &["*"]).unwrap_err().to_string();
    assert!(error.contains(reason), "{xml}: {error}");
}

const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE report>
<report tool="t" xmlns="https://shop.example/r" xmlns:x="https://shop.example/x">
  <!-- a comment -->
  <site name="one"><item id="1"/><item id="2"><name>N</name>and <b>so</b> on</item></site>
  <x:site x:name='two'><item id="3">last</item></x:site>
</report>
"#;

#[test]
fn elements_at_a_path_come_whole_and_in_order() {
    check(
        REPORT,
        &["report/site/item", "nothing"],
        &[
            "0: item id=1() <report tool=t xmlns=https://shop.example/r xmlns:x=https://shop.example/x() <site name=one()",
            "0: item id=2(and  on)[name(N)][b(so)] <report tool=t xmlns=https://shop.example/r \
             xmlns:x=https://shop.example/x() <site name=one()",
            "0: item id=3(last) <report tool=t xmlns=https://shop.example/r xmlns:x=https://shop.example/x() <site name=two()",
            "root: report tool=t xmlns=https://shop.example/r xmlns:x=https://shop.example/x()",
        ],
    );
}

#[test]
fn a_path_that_ends_with_an_at_sign_calls_at_the_start_tag() {
    check(
        "<r><s n='1'><i/>text</s><s n='2'/></r>",
        &["r/s@", "r/s/i", "r@"],
        &["2: r()", "0: s n=1() <r()", "1: i() <r() <s n=1()", "0: s n=2() <r()", "root: r()"],
    );
    // The start tag of a collected element can have a call too.
    check("<r><s n='1'>t</s></r>", &["r/s", "r/s@"], &["1: s n=1() <r()", "0: s n=1(t) <r()", "root: r()"]);
}

#[test]
fn a_star_stands_for_one_name_and_no_more() {
    check(
        "<r><a><i/></a><b><i/><c><i/></c></b><i/></r>",
        &["r/*/i"],
        &["0: i() <r() <a()", "0: i() <r() <b()", "root: r()"],
    );
    check("<r a='1'>t<s/></r>", &["*"], &["0: r a=1(t)[s()]", "root: r a=1()"]);
}

#[test]
fn an_element_inside_a_collected_one_has_no_call_of_its_own() {
    check("<r><a><b><b>x</b></b></a></r>", &["r/a", "r/a/b"], &["0: a()[b()[b(x)]] <r()", "root: r()"]);
}

#[test]
fn texts_are_joined_and_their_references_resolved() {
    check(
        "<r><i a='&lt;1&#x26;2&quot;' b='&own;&lt;'>a&lt;b&#65;&#x42;<![CDATA[<c>&amp;]]>&apos;&own; &#0; &#x110000;d &amp e & f&</i></r>",
        &["r/i"],
        &["0: i a=<1&2\" b=&own;&lt;(a<bAB<c>&amp;'&own; &#0; &#x110000;d &amp e & f&) <r()", "root: r()"],
    );
}

#[test]
fn entities_of_a_document_are_not_expanded_and_nothing_outside_is_read() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;">
        <!ENTITY file SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "https://shop.example/x.dtd"> %p;]>
        <r x="&c;"><i>&c;&file;</i></r>"#;
    check(laughs, &["r/i"], &["0: i(&c;&file;) <r x=&c;()", "root: r x=&c;()"]);
}

#[test]
fn documents_are_decoded_as_they_say() {
    let expected = ["0: i a=ä(é€) <r()", "root: r()"];
    let text = |encoding: &str| {
        format!("<?xml version=\"1.0\" encoding=\"{encoding}\" standalone=\"yes\"?><r><i a='ä'>é€</i></r>")
    };
    let utf_16 = |text: &str, mark: bool, swap: bool| {
        let mark = mark.then_some(0xFEFF_u16);
        let units = mark.into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let bytes = |text: &str| {
        let byte = |c: char| if c == '€' { 0x80 } else { u8::try_from(c).unwrap() };
        text.chars().map(byte).collect::<Vec<u8>>()
    };
    let documents = [
        text("UTF-8").into_bytes(),
        format!("\u{feff}{}", text("utf-8")).into_bytes(),
        format!("\u{feff}{}", text("ISO-8859-1")).into_bytes(),
        // The declaration of a writer that does not encode the text itself.
        text("UTF-16").into_bytes(),
        text("no such encoding").into_bytes(),
        text("x").replace(" encoding=\"x\"", "").into_bytes(),
        bytes(&text("ISO-8859-1")),
        bytes(&text("windows-1252")),
        // The text directly after the declaration is decoded too.
        bytes("<?xml version='1.0' encoding='latin1'?><r><i a='ä'>é€</i></r>"),
        utf_16(&text("UTF-16"), true, false),
        utf_16(&text("UTF-16"), true, true),
        utf_16(&text("UTF-16"), false, false),
        utf_16(&text("UTF-16"), false, true),
    ];
    for (number, document) in documents.iter().enumerate() {
        assert_eq!(read(document, &["r/i"]).unwrap(), expected, "document {number}");
        let beginning = Outline::of(document);
        assert_eq!(beginning.root.as_deref(), Some("r"), "document {number}");
        assert!(beginning.elements.contains("r/i"), "document {number}");
    }
    // Bytes that are invalid in the encoding are refused.
    assert!(matches!(read(b"<r>\xE9</r>", &["r"]), Err(ParseError::Malformed { .. })));
}

#[test]
fn a_document_that_is_cut_off_anywhere_is_refused() {
    let utf_16: Vec<u8> = REPORT.trim().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let laughs = "<!DOCTYPE r [<!ENTITY a \"ha\">]><r><![CDATA[x]]>&a;<!-- c --><?p i?><i a='1'/></r>";
    for document in [REPORT.trim().as_bytes(), &utf_16, laughs.as_bytes()] {
        for end in 0..document.len() {
            let result = walked(Input::Memory(&document[..end]), &["report/site/item", "r/i"]);
            assert!(result.is_err(), "{end} bytes: {}", String::from_utf8_lossy(&document[..end]));
        }
    }
    for cut in ["<r><i>te", "<r><i", "<r><i a='", "<r><i a=\"1", "<r><![CDATA[ x ]", "<r><!-- c", "<r><?p", "<r>&am"] {
        refused(cut, "the report was cut off: it ends inside <r>");
    }
    refused("<?xml version='1.0'", "the report was cut off: it ends outside of the outermost element");
    refused("<!DOCTYPE r [", "the report was cut off");
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for (xml, reason) in [
        ("<a><b></a></b>", "expected `</b>`"),
        ("<a></a></a>", "does not match any open tag"),
        ("<a/><b/>", "a second outermost element"),
        ("<a/>text", "text outside the outermost element"),
        ("text<a/>", "text outside the outermost element"),
        ("<a b='1' b='2'/>", "duplicate"),
        ("<a b/>", "XML"),
        ("", "it has no element"),
        (" \n", "it has no element"),
        ("<!-- c -->", "it has no element"),
        ("<r><! x></r>", "markup"),
    ] {
        refused(xml, reason);
    }
    check("\u{feff} \n<a/>\n <!-- c -->\n", &["a"], &["0: a()", "root: a()"]);
}

#[test]
fn elements_are_as_deep_as_the_limit_but_not_deeper() {
    let nested = |depth: usize| format!("{}{}", "<e>".repeat(depth), "</e>".repeat(depth));
    for paths in [&["e"][..], &["e@"], &["none"]] {
        assert!(read(nested(XML_DEPTH_MAX).as_bytes(), paths).is_ok());
        let over = read(nested(XML_DEPTH_MAX + 1).as_bytes(), paths);
        assert!(matches!(over, Err(ParseError::TooDeep { max: XML_DEPTH_MAX })), "{over:?}");
    }
    // The outline is read up to that depth, without an error.
    assert_eq!(Outline::of(nested(XML_DEPTH_MAX + 1).as_bytes()).elements.len(), XML_DEPTH_MAX);
}

/// The number of elements `r/i`, read from memory and 4096 bytes at a time.
fn count(xml: &str) -> Result<usize, ParseError> {
    let counted = |input| {
        let mut count = 0;
        walk(input, &["r/i"], &mut |_| {
            count += 1;
            Ok(())
        })
        .map(|_| count)
    };
    let (memory, stream) =
        (counted(Input::Memory(xml.as_bytes())), counted(Input::Stream(&Drops(xml.as_bytes(), 4096))));
    assert_eq!(memory.as_ref().map_err(ToString::to_string), stream.as_ref().map_err(ToString::to_string));
    memory
}

#[test]
fn an_element_is_as_large_as_an_entry_but_not_larger() {
    let too_large = |xml: &str| matches!(count(xml), Err(ParseError::EntryTooLarge { .. }));
    let text = |bytes: usize| format!("<r><i>{}</i><i/></r>", "x".repeat(bytes));
    assert!(matches!(count(&text(ENTRY_BYTES_MAX - 1024)), Ok(2)));
    assert!(too_large(&text(ENTRY_BYTES_MAX)));
    assert!(too_large(&text(2 * ENTRY_BYTES_MAX)));
    // In parts, in children and their children, in attributes.
    let half = "x".repeat(ENTRY_BYTES_MAX / 2);
    assert!(too_large(&format!("<r><i>{half}<b/>{half}</i></r>")));
    assert!(too_large(&format!("<r><i><b>{half}</b><b>{half}</b></i></r>")));
    assert!(too_large(&format!("<r><i><a><b>{half}</b></a><a><b>{half}</b></a></i></r>")));
    assert!(too_large(&format!("<r><i><a><b c='{half}'/></a><a><b c='{half}'/></a></i></r>")));
    assert!(too_large(&format!("<r><i>{}</i></r>", "<b/>".repeat(ENTRY_BYTES_MAX / 64))));
    assert!(too_large(&format!("<r><i a='{half}'><i b='{half}'/></i></r>")));
}

#[test]
fn many_elements_may_be_larger_than_one_entry_together() {
    let item = format!("<i>{}</i>", "x".repeat(ENTRY_BYTES_MAX / 4));
    assert!(matches!(count(&format!("<r>{}</r>", item.repeat(8))), Ok(8)));
    // Text outside the paths is not in memory.
    let text = "x".repeat(ENTRY_BYTES_MAX / 2);
    assert!(matches!(count(&format!("<r>{text}<a/>{text}<a/>{text}<i/></r>")), Ok(1)));
    let around = format!("<a b='{}'/>", "x".repeat(ENTRY_BYTES_MAX / 2));
    assert!(matches!(count(&format!("<r>{}<i/></r>", around.repeat(4))), Ok(1)));
}

#[test]
fn the_callback_can_stop_the_walk() {
    let mut count = 0;
    let stopped = walk(Input::Memory(b"<r><i/><i/></r>"), &["r/i"], &mut |_| {
        count += 1;
        Err(ParseError::Stopped)
    });
    assert!(matches!(stopped, Err(ParseError::Stopped)) && count == 1);
}

#[test]
fn a_failing_source_is_an_unreadable_report() {
    struct Failing;
    impl Source for Failing {
        fn open(&self) -> Box<dyn Read + '_> {
            Box::new(b"<r><i/>".chain(Broken))
        }
    }
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the store is gone"))
        }
    }
    assert!(matches!(walked(Input::Stream(&Failing), &["r/i"]), Err(ParseError::Unreadable(_))));
}

#[test]
fn the_outline_has_the_root_and_the_paths_of_elements() {
    let beginning = Outline::of(REPORT.as_bytes());
    assert_eq!(beginning.root.as_deref(), Some("report"));
    assert_eq!(beginning.attributes[0], ("tool".to_owned(), "t".to_owned()));
    let places: Vec<_> = beginning.elements.iter().map(String::as_str).collect();
    assert_eq!(places, ["report", "report/site", "report/site/item", "report/site/item/b", "report/site/item/name"]);
    // It is read up to its end.
    assert!(Outline::of(b"<r><i><j").elements.contains("r/i"));
    for none in [&b""[..], b"text", b"text <a/>", b"a,b\n1,2", b"\xFF\xFE\x00"] {
        assert_eq!(Outline::of(none).root, None, "{none:?}");
    }
}

#[test]
fn an_element_gives_access_to_its_content() {
    let mut found = None;
    let xml = "<i a=' 1 ' b=' '> t <c>x <d>\n y</d></c><c>z</c><e> </e></i>";
    walk(Input::Memory(xml.as_bytes()), &["i"], &mut |hit| {
        found = Some(hit.element);
        Ok(())
    })
    .unwrap();
    let element = found.unwrap();
    assert_eq!([element.attribute("a"), element.attribute("b"), element.attribute("x")], [Some("1"), None, None]);
    assert_eq!([element.text_at("c"), element.text_at("c/d"), element.text_at("e")], [Some("x"), Some("y"), None]);
    assert_eq!((element.owned_at("c/d").as_deref(), element.at("c/x")), (Some("y"), None));
    assert_eq!((element.all("c").count(), element.whole_text().as_str()), (2, "t x y z"));
}
