//! Bodies that are not reports.

use crate::bad_input::Bench;
use tests::reports::gzip;
use tests::{ADMIN, Upload, embedded_only, reports};

const TOO_DEEP: &str = "report-too-deep";
const MALFORMED: &str = "report-malformed";
const TRUNCATED: &str = "report-truncated";

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn a_body_that_is_not_a_report_is_refused() {
    Bench::new().refuses(|bench| {
        for blank in ["", " ", "\n\t \r\n", "\u{feff}", "\u{feff} "] {
            bench.body(&format!("blank {blank:?}"), blank, 400, "report-empty");
        }
        let report = reports::generated(6, 1);
        let length = report.len();
        for at in [1, 2, 10, length / 3, length / 2, length - 100, length - 2, length - 1] {
            bench.body(&format!("cut at {at} of {length}"), &report[..at], 400, TRUNCATED);
        }
        for text in [
            "x",
            "<xml/>",
            "---\na: 1",
            "{\"results\": [}",
            "{]",
            "nulx",
            "{'a': 1}",
            "\0",
            "{} {}",
            "%PDF-1.7",
            "{\"metrics\": NaN}",
        ] {
            bench.body(text, text, 400, MALFORMED);
        }
        bench.body("two reports", [report.clone(), report.clone()].concat(), 400, MALFORMED);
        // UTF-16 is read if a mark says that it is UTF-16; these are an empty object and half of one.
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        bench.body("UTF-16", utf16("\u{feff}{}"), 422, "wrong-tool");
        bench.body("UTF-16 without a mark", utf16("{}"), 400, MALFORMED);
        bench.body("UTF-16, cut", utf16("\u{feff}{"), 400, TRUNCATED);
        let broken = String::from_utf8(report.clone()).unwrap().replacen("rule_", "rule_\u{0}", 1);
        bench.body("NUL in a text", broken, 400, MALFORMED);
        let mut latin = report;
        let at = latin.windows(5).position(|bytes| bytes == b"rule_").unwrap();
        latin[at] = 0xFC;
        bench.body("not UTF-8", latin, 400, MALFORMED);
    });
}

#[test]
fn another_tools_report_is_refused() {
    Bench::new().refuses(|bench| {
        let sarif = r#"{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [{"tool": {"driver": {"name": "x", "rules": []}}, "results": []}]}"#;
        let semgrep = r#"{"version": "1.90.0", "errors": [], "paths": {"scanned": []}, "results": [{"check_id": "x",
            "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR"}}]}"#;
        let trivy = r#"{"SchemaVersion": 2, "ArtifactName": "x", "Results": []}"#;
        for text in [
            sarif,
            semgrep,
            trivy,
            "{}",
            "[]",
            "null",
            "7",
            "\"text\"",
            "true",
            r#"{"results": []}"#,
            r#"{"metrics": {}}"#,
            r#"{"results": {}, "metrics": {}}"#,
            r#"{"results": null, "metrics": {}}"#,
            r#"{"results": [], "metrics": []}"#,
        ] {
            bench.body(&text.chars().take(60).collect::<String>(), text, 422, "wrong-tool");
        }
    });
}

#[test]
fn nesting_is_limited_everywhere() {
    Bench::new().refuses(|bench| {
        let within = |depth: usize| {
            [
                ("alone", nested(depth)),
                (
                    "in an ignored field",
                    format!("{{\"metrics\": {{}}, \"results\": [], \"x\": {}}}", nested(depth - 1)),
                ),
                ("in the metrics", format!("{{\"results\": [], \"metrics\": {{\"a\": {}}}}}", nested(depth - 2))),
                ("in a result", format!("{{\"metrics\": {{}}, \"results\": [{}]}}", nested(depth - 2))),
                (
                    "in a result's field",
                    format!("{{\"metrics\": {{}}, \"results\": [{{\"x\": {}}}]}}", nested(depth - 3)),
                ),
            ]
        };
        for depth in [129, 2_000_000] {
            for (place, text) in within(depth) {
                bench.body(&format!("{depth} {place}"), text, 422, TOO_DEEP);
            }
        }
        bench.body("objects", "{\"a\":".repeat(2_000_000), 422, TOO_DEEP);
        bench.body("128 alone", nested(128), 422, "wrong-tool");
    });
    let bench = Bench::new();
    let at_limit = format!("{{\"metrics\": {{}}, \"results\": [], \"x\": {}}}", nested(127));
    bench.developer.upload(&Upload::new("web", "main", at_limit));
}

#[test]
fn a_wrongly_compressed_body_is_refused() {
    let bench = Bench::new();
    let report = reports::generated(200, 1);
    bench.developer.upload(&Upload::new("web", "gzip", report.clone()).gzip());
    bench.developer.upload(&Upload::new("web", "identity", report.clone()).header("content-encoding", "identity"));
    bench.refuses(|bench| {
        let packed = gzip(&report);
        let as_gzip = |name: &str, body: Vec<u8>, status: u16, code: &str| {
            let upload = Upload::new("web", "main", body).header("content-encoding", "gzip");
            bench.upload(name, &upload, status, code);
        };
        as_gzip("not gzip", report.clone(), 400, MALFORMED);
        as_gzip("nothing", Vec::new(), 400, "report-empty");
        as_gzip("gzip of nothing", gzip(b""), 400, "report-empty");
        for at in [5, 12, packed.len() / 2, packed.len() - 9, packed.len() - 1] {
            as_gzip(&format!("cut at {at} of {}", packed.len()), packed[..at].to_vec(), 400, TRUNCATED);
        }
        let mut wrong_sum = packed.clone();
        let sum = wrong_sum.len() - 8;
        wrong_sum[sum] ^= 1;
        // The decoder can't distinguish a wrong trailer from a cut one.
        as_gzip("wrong checksum", wrong_sum, 400, TRUNCATED);
        as_gzip("rubbish behind", [packed.clone(), b"rubbish rubbish".to_vec()].concat(), 400, MALFORMED);
        as_gzip("a bomb of blanks", gzip(&vec![b' '; 64 << 20]), 413, "compression-bomb");
        as_gzip(
            "a bomb of two members",
            [gzip(&report), gzip(&vec![b' '; 32 << 20])].concat(),
            413,
            "compression-bomb",
        );
        as_gzip("gzip in gzip", gzip(&packed), 400, MALFORMED);
        bench.body("half a gzip file without its header", packed[..packed.len() / 2].to_vec(), 400, TRUNCATED);
        for encoding in ["br", "zstd", "deflate", "gzip, gzip", "identity, gzip", "x"] {
            let upload = Upload::new("web", "main", packed.clone()).header("content-encoding", encoding);
            bench.upload(encoding, &upload, 415, "unsupported-encoding");
        }
        let two =
            Upload::new("web", "main", packed).header("content-encoding", "gzip").header("content-encoding", "br");
        bench.upload("two headers", &two, 415, "unsupported-encoding");
    });
}

/// A form of these parts.
fn form(parts: &[(&str, &[u8])]) -> Upload {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--b0und\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b0und--\r\n");
    Upload::new("web", "main", body).header("content-type", "multipart/form-data; boundary=b0und")
}

const FILE: &str = "name=\"report\"; filename=\"report.json\"";
const SOURCE: &str = "name=\"source\"; filename=\"source.jsonl\"";
const SIDECAR: &[u8] = b"{\"v\":1}\n";

#[test]
fn a_form_has_one_file_or_a_source_and_a_report() {
    let bench = Bench::new();
    let report = reports::generated(30, 1);
    let answer = bench.developer.upload(&form(&[(FILE, &report)]));
    assert_eq!(answer.report.results, 30);
    let answer = bench.developer.upload(&form(&[(SOURCE, SIDECAR), (FILE, &report)]));
    assert_eq!((answer.report.results, answer.report.source.map(|used| used.mismatched)), (30, Some(0)));
    bench.refuses(|bench| {
        bench.upload("two files", &form(&[(FILE, &report), ("name=\"b\"; filename=\"b\"", &report)]), 400, MALFORMED);
        bench.upload("the source behind the report", &form(&[(FILE, &report), (SOURCE, SIDECAR)]), 400, MALFORMED);
        bench.upload("two sources", &form(&[(SOURCE, SIDECAR), (SOURCE, SIDECAR), (FILE, &report)]), 400, MALFORMED);
        bench.upload("a third file", &form(&[(SOURCE, SIDECAR), (FILE, &report), (FILE, &report)]), 400, MALFORMED);
        let unnamed = "name=\"b\"; filename=\"b\"";
        bench.upload("a source and no `report`", &form(&[(SOURCE, SIDECAR), (unnamed, &report)]), 400, MALFORMED);
        bench.upload("a source alone", &form(&[(SOURCE, SIDECAR)]), 400, "report-empty");
        bench.upload("a source and an empty report", &form(&[(SOURCE, SIDECAR), (FILE, b"")]), 400, "report-empty");
        bench.upload("no part", &form(&[]), 400, "report-empty");
        bench.upload("an empty file", &form(&[(FILE, b"")]), 400, "report-empty");
        let with_type = |body: Vec<u8>, kind: &str| Upload::new("web", "main", body).header("content-type", kind);
        let boundary = "multipart/form-data; boundary=b0und";
        let head = format!("--b0und\r\nContent-Disposition: form-data; {FILE}\r\n\r\n").into_bytes();
        for (name, body, kind) in [
            ("no boundary", report.clone(), "multipart/form-data"),
            ("no form", report.clone(), boundary),
            ("no end", [head.clone(), report.clone()].concat(), boundary),
            ("cut", [head.clone(), report[..200].to_vec()].concat(), boundary),
            ("head only", head[..40].to_vec(), boundary),
            ("an endless head", [b"--b0und\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat(), boundary),
        ] {
            bench.upload(name, &with_type(body, kind), 400, "");
        }
    });
}

#[test]
fn a_form_may_be_compressed_as_a_whole_or_in_its_parts_but_not_twice() {
    let bench = Bench::new();
    let report = reports::generated(30, 1);
    let whole = form(&[(SOURCE, SIDECAR), (FILE, &report)]).gzip();
    let parts = form(&[(SOURCE, &gzip(SIDECAR)), (FILE, &gzip(&report))]);
    let one_file = form(&[(FILE, &gzip(&report))]).header("content-encoding", "gzip");
    for upload in [whole, parts, one_file] {
        assert_eq!(bench.developer.upload(&upload).report.results, 30);
    }
    bench.refuses(|bench| {
        bench.upload("gzip in gzip", &form(&[(SOURCE, SIDECAR), (FILE, &gzip(&report))]).gzip(), 400, "");
        let bomb = form(&[(SOURCE, SIDECAR), (FILE, &vec![b' '; 64 << 20])]).gzip();
        bench.upload("a bomb of a form", &bomb, 413, "compression-bomb");
        let cut = |upload: Upload| {
            let half = upload.size() / 2;
            upload.cut(half)
        };
        bench.upload("half a form", &cut(form(&[(SOURCE, SIDECAR), (FILE, &report)]).gzip()), 400, "");
    });
}

#[test]
fn a_bad_sidecar_is_refused_with_its_report() {
    const SOURCE_MALFORMED: &str = "source-malformed";
    Bench::new().refuses(|bench| {
        let report = reports::generated(30, 1);
        let row =
            |result: usize| format!("{{\"result\":{result},\"path\":\"a.py\",\"sha256\":\"{}\"}}\n", "0".repeat(64));
        let with_head = |rows: &str| format!("{{\"v\":1}}\n{rows}").into_bytes();
        let lines = |count: usize| format!(",\"first_line\":1,\"lines\":[{}]}}\n", vec!["\"x\""; count].join(","));
        let with_lines = |count: usize| with_head(&row(0).replace("}\n", &lines(count)));
        for (name, sidecar) in [
            ("nothing", Vec::new()),
            ("a report", report.clone()),
            ("another version", b"{\"v\":2}\n".to_vec()),
            ("no version", b"{}\n".to_vec()),
            ("a list", b"[]\n".to_vec()),
            ("a bad commit", b"{\"v\":1,\"git\":{\"commit\":\"HEAD\"}}\n".to_vec()),
            (
                "a remote with a password that can't be removed",
                b"{\"v\":1,\"git\":{\"remote\":\"https://a:b/c@d\"}}\n".to_vec(),
            ),
            ("not in order", with_head(&[row(3), row(2)].concat())),
            ("one result twice", with_head(&[row(3), row(3)].concat())),
            ("cut", with_head(&row(3)[..40])),
            ("a blank line", with_head(&format!("\n{}", row(3)))),
            ("an unknown field", with_head(&row(3).replace("path", "file"))),
            ("a bad hash", with_head(&row(3).replace("00", "zz"))),
            ("thirteen lines", with_lines(13)),
            ("not UTF-8", with_head(&row(3)).into_iter().map(|c| if c == b'a' { 0xFC } else { c }).collect()),
            ("gzip that was cut", gzip(&with_head(&row(3)))[..20].to_vec()),
            ("no gzip", b"\x1f\x8bno gzip at all".to_vec()),
        ] {
            bench.upload(name, &form(&[(SOURCE, &sidecar), (FILE, &report)]), 400, SOURCE_MALFORMED);
        }
        let long = with_head(&" ".repeat((1 << 20) + 1));
        bench.upload("a line too long", &form(&[(SOURCE, &long), (FILE, &report)]), 413, "source-too-large");
        let large = gzip(
            &[
                with_head(""),
                (0..(66 << 20) / 8).flat_map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).collect(),
            ]
            .concat(),
        );
        bench.upload("too large", &form(&[(SOURCE, &large), (FILE, &report)]), 413, "source-too-large");
        let bomb = gzip(&vec![b' '; 32 << 20]);
        bench.upload("a bomb", &form(&[(SOURCE, &bomb), (FILE, &report)]), 413, "compression-bomb");
        bench.upload("a bad report", &form(&[(SOURCE, SIDECAR), (FILE, b"{}")]), 422, "wrong-tool");
    });
}

#[test]
fn a_body_above_the_hosts_limit_is_refused() {
    if !embedded_only("the host's limit for a body") {
        return;
    }
    let bench = Bench::with_flags(vec!["--max-body-mib", "1"]);
    let padded = |bytes: usize| {
        let mut report = reports::generated(10, 1);
        report.resize(bytes, b' ');
        report
    };
    bench.developer.upload(&Upload::new("web", "at-limit", padded(1 << 20)));
    bench.refuses(|bench| {
        bench.body("one byte over", padded((1 << 20) + 1), 413, "payload-too-large");
        bench.body("far over", padded(20 << 20), 413, "payload-too-large");
        let head = request("transfer-encoding: chunked\r\n");
        let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
        let chunked = [head.into_bytes(), chunk.repeat(40), b"0\r\n\r\n".to_vec()].concat();
        let answer = bench.app.raw(&chunked, false);
        if !answer.starts_with("HTTP/1.1 413") || !answer.contains("urn:gatehouse:problem:payload-too-large") {
            bench.note(format!("chunked: {answer}"));
        }
    });
}

/// The head of an upload up to its length.
fn request(lines: &str) -> String {
    format!(
        "POST /api/v1/projects/shop/scans?scanner=bandit&target=web&variant=main HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer {ADMIN}\r\nconnection: close\r\n{lines}\r\n"
    )
}

#[test]
fn a_wrong_length_creates_no_scan() {
    Bench::new().refuses(|bench| {
        let report = reports::generated(10, 1);
        let cases = [
            ("too long", format!("content-length: {}\r\n", report.len() + 10), true),
            ("too short", format!("content-length: {}\r\n", report.len() - 10), false),
            ("twice", format!("content-length: 5\r\ncontent-length: {}\r\n", report.len()), false),
            ("negative", "content-length: -1\r\n".to_owned(), false),
            ("both", format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", report.len()), false),
            ("a chunk without end", "transfer-encoding: chunked\r\n".to_owned(), true),
        ];
        for (name, lines, end) in cases {
            let answer = bench.app.raw(&[request(&lines).into_bytes(), report.clone()].concat(), end);
            if answer.starts_with("HTTP/1.1 2") {
                bench.note(format!("{name}: {answer}"));
            }
        }
        // An aborted request ends only once its instance has noticed; a later request proves that it has.
        bench.body("still there", "", 400, "report-empty");
    });
}
