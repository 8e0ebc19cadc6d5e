//! Hostile text is shown as text: none of its scripts runs, none of its links appears, and no page becomes too large.

use crate::browser::Bench;
use api::path::segment;
use api::v1::{ExemptionBody, ScanAnswer};
use serde_json::{Value, json};
use tests::{Browser, Upload, Visitor, reports};

/// The trace that each script would leave.
const MARK: &str = "return window.owned === undefined && document.title.includes('Gatehouse')";
/// The maximum number of bytes of a first visit.
const WEIGHT_MAX: usize = 60 * 1024;

const HOSTILE: [&str; 12] = [
    "<script>window.owned=1</script>",
    "</title></textarea></script><script>window.owned=2</script>",
    "<img src=x onerror=window.owned=3>",
    "\"><svg onload=window.owned=4>",
    "' autofocus onfocus=window.owned=5 x='",
    "javascript:window.owned=6",
    "<a href=\"javascript:window.owned=7\" hx-get=\"/sign-out\" hx-trigger=\"load\">free</a>",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}\u{2066}txt.exe\u{200b}\u{feff}",
    "\u{0}\u{1}\u{7f}\u{85}\u{2028}\u{10ffff}",
    "{{constructor.constructor('window.owned=8')()}} ${window.owned=9}",
    "<style>*{display:none}</style><base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
];

fn hostile(n: u64, text: &str) -> Value {
    let mut result = reports::result(n, "HIGH", &format!("./{text}/a.py"), 2);
    for field in ["issue_text", "test_name", "more_info", "issue_confidence"] {
        result[field] = json!(text);
    }
    result["test_id"] = json!(format!("B{n}{text}"));
    result["code"] = json!(format!("1 {}\n2 x\n3 </code></pre>{}\n", text.replace(['\n', '\r'], " "), text));
    result["issue_cwe"] = json!({"id": 79, "link": "javascript:window.owned=10"});
    result
}

fn bandit(bench: &Bench) -> ScanAnswer {
    let results: Vec<_> = (0..).zip(HOSTILE).map(|(n, text)| hostile(n, text)).collect();
    bench.developer.upload(&Upload::new("web", "feature/<script>window.owned=11</script>", reports::bandit(&results)))
}

/// As custom JSON, which lets a report say more.
fn custom(bench: &Bench) -> ScanAnswer {
    let issue = |text: &str| {
        json!({
            "subProduct": "Notes Checker", "issueName": text, "issueDescription": text, "fileName": text, "severity": 9.8,
            "lineNumber": text, "remediationSteps": text, "libraryName": text, "host": text, "url": "javascript:window.owned=12",
            "referenceIdentifiers": [{"type": "cwe", "id": "79"}, {"type": "cve", "id": text}],
        })
    };
    let report = json!({"meta": {"key": ["issueName", "fileName"], "subproduct": "Notes Checker"}, "issues": HOSTILE.map(issue)});
    let query = format!(
        "scanner=custom&target=notes&variant={}&pipeline=a&execution=b",
        segment("\"><svg onload=window.owned=13>")
    );
    bench.developer.upload(&Upload::with_query(&query, report.to_string()))
}

/// A report of texts of a megabyte each.
fn long(bench: &Bench) -> ScanAnswer {
    // Each differs from the next, so that they do not compress well.
    let mut random = tests::Random::seeded(7);
    let mut text = || (0..1 << 18).map(|_| format!("{:04x}", random.below(1 << 16))).collect::<String>();
    let mut result = reports::result(1, "HIGH", "./a.py", 2);
    for field in ["filename", "issue_text", "more_info", "test_id", "test_name"] {
        result[field] = json!(text());
    }
    result["code"] = json!(format!("1 {}\n2 {}\n", text(), text()));
    bench.developer.upload(&Upload::new("texts", "long", reports::bandit(&[result])))
}

fn ask(bench: &Bench, scan: &ScanAnswer) -> Vec<String> {
    let issues = bench.developer.issues(scan, "");
    issues
        .iter()
        .zip(HOSTILE.iter().cycle())
        .map(|(issue, text)| {
            let body = ExemptionBody {
                issue: issue.id.to_string(),
                scope: "target".to_owned(),
                target: Some(scan.scan.target.name.clone()),
                duration_days: Some(30),
                reason: "other".to_owned(),
                text: format!("x{text}"),
                link: Some("https://evil.example/\"><svg/onload=window.owned=14>".to_owned()),
                ..ExemptionBody::default()
            };
            let path = "exemptions";
            let reply = bench.developer.json("POST", path, &serde_json::to_value(&body).unwrap());
            let reply = match reply.status {
                // Only web addresses are accepted, and text of control characters may be refused.
                400 => bench.developer.ask_exemption(&scan.scan.target.name, &issue.id.to_string()),
                _ => reply,
            };
            reply.expect(201).json["id"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn hostile_text_is_shown_as_text_on_every_page() {
    let bench = Bench::new();
    let scans = [bandit(&bench), custom(&bench), long(&bench)];
    let browser = Browser::start(&bench.app.url());
    let visitor = Visitor::new(&bench.app.url()).signed_in(bench.admin.token());
    browser.sign_in(bench.admin.token());
    let mut paths: Vec<String> = [
        "",
        "/scans",
        "/targets",
        "/targets/web",
        "/targets/notes",
        "/exemptions",
        "/audit",
        "/settings",
        "/pipelines/a/executions/b",
    ]
    .map(|path| format!("/projects/shop{path}"))
    .into();
    for scan in &scans {
        let base = format!("/projects/shop/scans/{}", scan.scan.id);
        paths.extend(bench.viewer.issues(scan, "").iter().map(|issue| format!("{base}/issues/{}", issue.id)));
        paths.push(base);
    }
    let pattern = "<script>window.owned=15</script>";
    let settings = json!({"target_criteria": {pattern: {"fail_on_new": "low"}}});
    let request = json!({"settings": settings, "reason": HOSTILE.concat()});
    bench.developer.json("POST", "settings-request", &request).expect(201);
    for exemption in scans.iter().take(2).flat_map(|scan| ask(&bench, scan)) {
        paths.push(format!("/projects/shop/exemptions/{exemption}"));
    }
    let mut faults = Vec::new();
    for path in &paths {
        browser.open(path);
        let mut found = browser.console_errors();
        if browser.run(MARK) != true {
            found.push("a script ran".to_owned());
        }
        let links = "return [...document.querySelectorAll('a, form')].map(e => e.href ?? e.action)
            .filter(to => !/^https?:/.test(to)).concat([...document.querySelectorAll('base, iframe, object, style, main img')]
            .map(e => e.outerHTML))";
        let links = browser.run(links);
        if links != json!([]) {
            found.push(format!("leads to {links}"));
        }
        browser.resize(360, 800);
        found.extend(Some(browser.overflow()).filter(|overflow| !overflow.is_empty()));
        browser.resize(1440, 900);
        if browser.text().chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{2066}')) {
            found.push("control characters are not escaped".to_owned());
        }
        let weight = visitor.weight(path);
        if weight > WEIGHT_MAX {
            found.push(format!("{weight} bytes"));
        }
        faults.extend(found.into_iter().map(|fault| format!("{path}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    browser.open(&format!("/projects/shop/scans/{}", scans[0].scan.id));
    browser.expect_text("<script>window.owned=1</script>");
}
