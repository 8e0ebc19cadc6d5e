//! The benchmark: figures of uploads and of pages on the embedded host, printed and never asserted. Server and clients
//! share the machine's cores, so a remote client sees better figures.
//!
//! `cargo xtask bench`, or `cargo xtask bench -- --uploads 2000 --history 10000 --large 100000 --megabytes 200` with
//! other numbers.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes, wait and read files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot continue has failed")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::reports::{self, Program};
use tests::{App, Client, Options, Store, Upload, Visitor};

/// Default number of uploads measured at each number of clients; `--uploads` changes it.
const UPLOADS: usize = 2_000;
/// Default number of scans before the cost of one more is counted; `--history` changes it.
const HISTORY: usize = 10_000;
/// Default number of results of the largest report; `--large` changes it.
const LARGE: usize = 100_000;
/// Default size of the reports that are read as streams, in MB; `--megabytes` changes it.
const MEGABYTES: usize = 200;
const CLIENTS: usize = 16;
/// Number of issues of the scan whose pages are fetched.
const ISSUES: usize = 10_000;
/// Number of requests for each page.
const VISITS: usize = 50;

fn main() {
    let uploads = number("--uploads", UPLOADS);
    let (history, large) = (number("--history", HISTORY), number("--large", LARGE));
    let megabytes = number("--megabytes", MEGABYTES);
    println!("Cold start with compiled code on disk, until it serves:");
    let mut starts: Vec<_> = (0..6).map(|_| started()).skip(1).collect();
    print_times("  start", &mut starts);
    for store in [Store::Sqlite, Store::Redis] {
        println!("\nThe tutorial's upload ({store:?}):");
        small(store, uploads, history);
    }
    println!("\nPages of a scan with {ISSUES} issues (Sqlite):");
    pages();
    println!("\nLarge reports (Sqlite):");
    for results in [10_000, large] {
        large_report(results);
    }
    println!("\nReports of {megabytes} MB, read as streams (Sqlite):");
    streamed("SARIF", "snyk-code/sql.json", "/runs/0/results", megabytes);
    streamed("Trivy", "trivy/image.json", "/Results/0/Vulnerabilities", megabytes);
}

/// Measures the pages of a scan with many issues, a hundred of them new against its baseline.
fn pages() {
    let app = App::new();
    let client = app.admin("shop");
    client.create_project();
    let report = |first: usize| {
        let results: Vec<_> = (first..ISSUES).map(one_issue).collect();
        reports::bandit(&results)
    };
    client.upload(&Upload::new("app", "main", report(100)));
    let scan = client.upload(&Upload::new("app", "branch", report(0)).fail_on("critical"));
    let issue = client.issues(&scan, "?severity=critical")[0].id;
    let (base, visitor) = ("/projects/shop", Visitor::new(&app.url()).signed_in(tests::ADMIN));
    let of_scan = format!("{base}/scans/{}", scan.scan.id);
    for (name, path) in [
        ("overview", base.to_owned()),
        ("scan", of_scan.clone()),
        ("scan, one tile", format!("{of_scan}?show=critical")),
        ("scan, by title", format!("{of_scan}?sort_new=title&sort_common=title")),
        ("scan, with a text", format!("{of_scan}?text=module_7")),
        ("issue", format!("{of_scan}/issues/{issue}")),
        ("exemptions", format!("{base}/exemptions")),
    ] {
        visitor.get(&path).expect(200);
        let visit = |_| {
            let before = Instant::now();
            visitor.get(&path).expect(200);
            before.elapsed()
        };
        print_times(&format!("  {name}"), &mut (0..VISITS).map(visit).collect::<Vec<_>>());
    }
}

/// A result that is a separate issue.
fn one_issue(n: usize) -> serde_json::Value {
    let rule = u64::try_from(n).unwrap();
    reports::result(rule, ["HIGH", "MEDIUM", "LOW"][n % 3], &format!("./src/module_{}/views.py", n / 40), 2 + rule)
}

fn number(name: &str, otherwise: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    value.map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} {value} is not a number")))
}

fn started() -> Duration {
    let before = Instant::now();
    let app = App::new();
    let took = before.elapsed();
    drop(app);
    took
}

fn prepared(store: Store) -> (App, Client, Upload) {
    let app = App::start(Options::on(store));
    let client = app.admin("shop");
    client.create_project();
    let (program, report) = (
        Program::demo(),
        match std::env::var_os("GATEHOUSE_TUTORIAL") {
            Some(_) => Program::tutorial(),
            None => Program::demo(),
        },
    );
    let (main, branch) = (report.main_bytes(), report.branch_bytes());
    client.upload(&Upload::new(program.target, "main", main));
    client.set_baseline(program.target, "main");
    let developer = client.issue("ci", "developer");
    (app, developer, Upload::new(program.target, "branch", branch).fail_on("critical"))
}

fn small(store: Store, uploads: usize, history: usize) {
    let (app, client, upload) = prepared(store);
    (0..100).for_each(|_| drop(client.upload(&upload)));
    print_cost(&app, &client, &upload, 101);

    let mut times: Vec<Duration> = (0..uploads).map(|_| timed(&client, &upload)).collect();
    print_times("  1 client", &mut times);
    let (mut times, took) = many(&client, &upload, uploads * 2);
    print_times(&format!("  {CLIENTS} clients"), &mut times);
    println!("  {CLIENTS} clients: {:.0} uploads a second", (uploads * 2) as f64 / took.as_secs_f64());

    let so_far = 101 + 2 + uploads * 3;
    many(&client, &upload, history.saturating_sub(so_far));
    print_cost(&app, &client, &upload, so_far.max(history));
}

fn timed(client: &Client, upload: &Upload) -> Duration {
    let before = Instant::now();
    let answer = client.upload(upload);
    assert_eq!(answer.report.results, 9);
    before.elapsed()
}

/// This many uploads by all clients together: the time of each, and the total time.
fn many(client: &Client, upload: &Upload, uploads: usize) -> (Vec<Duration>, Duration) {
    let next = AtomicUsize::new(0);
    let before = Instant::now();
    let times = std::thread::scope(|scope| {
        let one = || {
            let mut times = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < uploads {
                times.push(timed(client, upload));
            }
            times
        };
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    (times, before.elapsed())
}

/// Reads and writes of the key-value store that one upload costs.
fn print_cost(app: &App, client: &Client, upload: &Upload, scans: usize) {
    let before = [metric(app, "kv_reads"), metric(app, "kv_writes"), metric(app, "kv_increments")];
    client.upload(upload);
    let after = [metric(app, "kv_reads"), metric(app, "kv_writes"), metric(app, "kv_increments")];
    let [reads, writes, increments] = [0, 1, 2].map(|at| after[at] - before[at]);
    println!(
        "  key-value operations of one upload after {scans} scans: {reads} reads, {writes} writes, {increments} increment"
    );
}

fn large_report(results: usize) {
    let app = App::new();
    let client = app.admin("shop");
    client.create_project();
    let report = bandit(results);
    let upload = Upload::new("app", "main", report);
    let size = upload.size() as f64 / 1e6;
    for round in ["first scan", "compared with the first", "compared with the second"] {
        let before = Instant::now();
        let answer = client.upload(&upload);
        let took = before.elapsed();
        assert_eq!(answer.report.findings, u64::try_from(results).unwrap());
        println!("  {results} results, {size:.1} MB, {round}: {:.2} s", took.as_secs_f64());
    }
    print_peaks(&app);
}

/// A report of any size: the entries of a fixture's list repeated, each time with another line or package.
fn streamed(name: &str, fixture: &str, list: &str, megabytes: usize) {
    let path = tests::workspace().join("crates/scanners/fixtures").join(fixture);
    let mut report: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let entries = report.pointer_mut(list).unwrap().as_array_mut().map(std::mem::take).unwrap();
    let (mut text, mut count) = (String::new(), 0_u64);
    while text.len() < megabytes * 1_000_000 {
        for entry in &entries {
            let entry = entry.to_string().replacen("\"startLine\":", &format!("\"startLine\":{}", count % 9000 + 1), 1);
            let entry = entry.replacen("\"PkgName\":\"", &format!("\"PkgName\":\"p{}-", count / 100), 1);
            let _ = write!(text, "{}{entry}", if count == 0 { "" } else { "," });
            count += 1;
        }
    }
    let place = report.to_string();
    let key = list.rsplit('/').next().unwrap_or_default();
    let whole = place.replacen(&format!("\"{key}\":[]"), &format!("\"{key}\":[{text}]"), 1);
    drop(text);

    let app = App::start(Options { flags: vec!["--request-timeout", "300"], ..Options::on(Store::Sqlite) });
    let client = app.admin("shop");
    client.create_project();
    let upload = Upload::with_query("scanner=auto&target=app&variant=main", whole);
    let (size, before) = (upload.size() as f64 / 1e6, Instant::now());
    let answer = client.upload(&upload);
    // Some are suppressed, and the fixture has other results besides.
    assert!(count <= answer.report.results, "{} of {count} were read", answer.report.results);
    println!("  {name}, {size:.1} MB, {count} results: {:.2} s", before.elapsed().as_secs_f64());
    print_peaks(&app);
}

fn print_peaks(app: &App) {
    let metrics = app.metrics();
    let peaks: Vec<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("gatehouse_guest_memory_peak_bytes{component=\""))
        .filter_map(|rest| rest.split_once("\"} "))
        .filter(|(_, bytes)| *bytes != "0")
        .map(|(component, bytes)| format!("{component} {:.1}", bytes.parse::<f64>().unwrap() / 1024.0 / 1024.0))
        .collect();
    println!("  peak guest memory, MiB: {}", peaks.join(", "));
}

/// A report of this many results, about 570 bytes each, as Bandit writes them.
fn bandit(results: usize) -> Vec<u8> {
    let mut text = r#"{"errors": [], "generated_at": "2026-11-23T04:00:00Z", "metrics": {}, "results": ["#.to_owned();
    for n in 0..results {
        let (file, line, rule) = (n / 40, n % 40 * 10 + 2, 600 + n % 60);
        let comma = if n == 0 { "" } else { ",\n" };
        write!(
            text,
            r#"{comma}{{"code": "{} def f{n}():\n{line}     run('tar czf {n} ' + name, shell=True)\n{}     return\n", "col_offset": 4, "end_col_offset": 40, "filename": "./src/application/module_{file}/views.py", "issue_confidence": "HIGH", "issue_cwe": {{"id": 78, "link": "https://cwe.mitre.org/data/definitions/78.html"}}, "issue_severity": "LOW", "issue_text": "subprocess call with shell=True identified.", "line_number": {line}, "line_range": [{line}], "more_info": "https://bandit.readthedocs.io/en/1.9.4/plugins/b{rule}.html", "test_id": "B{rule}", "test_name": "rule_{rule}"}}"#,
            line - 1,
            line + 1,
        )
        .unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

fn metric(app: &App, name: &str) -> u64 {
    let text = app.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("gatehouse_{name}_total ")));
    line.unwrap_or_else(|| panic!("the metric {name} is missing")).parse().unwrap()
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() - 1) as f64 * share).round() as usize;
        times[place].as_secs_f64() * 1e3
    };
    println!("{what}: p50 {:.1} ms, p99 {:.1} ms, of {}", at(0.5), at(0.99), times.len());
}
