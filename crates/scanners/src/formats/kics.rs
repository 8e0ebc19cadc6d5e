//! KICS, <https://kics.io>: security scanner for infrastructure as code. Reads its JSON report
//! (`kics scan --report-formats json`), as versions 1.2 to 2.1 write it.
//!
//! A result is a location that a query found: each of `queries[].files[]`. `bill_of_materials` lists resources, not
//! weaknesses: these count as not applicable.
//!
//! Files that could not be scanned and queries that could not be run are counted and not named: a blind spot over
//! everything. The report states the numbers of parsed files and of queries.
//!
//! The severities are words; TRACE is for the bill of materials. The `similarity_id` is KICS's fingerprint of a result,
//! computed from the query, the file and the location in it.
//!
//! The queries "Passwords And Secrets" find secrets, which KICS does not write to this report. Its search fields are
//! left out anyway, since they may contain part of the line. The `similarity_id` identifies such secrets.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::{cwe, secret};
use finding::{Finding, Kind, Location, Reach, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "kics",
    tool: "kics",
    name: "KICS",
    aliases: &["checkmarx-kics"],
    versions: "1.2 to 2.1",
    category: "IaC",
    notation: Notation::Json,
    formats: "JSON (`--report-formats json`)",
    severities: "CRITICAL 9.5, HIGH 8.0, MEDIUM 5.5, LOW 2.0, INFO and TRACE 0",
    severity_words: &[("CRITICAL", 950), ("HIGH", 800), ("MEDIUM", 550), ("LOW", 200), ("INFO", 0), ("TRACE", 0)],
    differences: &[(
        "component_name",
        "others put the platform (Terraform) there, which is not a package; it is stored as `platform`",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["files_scanned", "queries_total"])
        || sniff.has_all(&["queries[].query_id", "queries[].files[].similarity_id"])
}

/// The fields that a query has for all its results.
const QUERY_FIELDS: [&str; 9] =
    ["query_id", "query_name", "query_url", "severity", "platform", "category", "description", "cwe", "cloud_provider"];

type Query = BTreeMap<&'static str, String>;

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let queries = queries(input, collector)?;
    let mut counters = 0;
    let paths = ["queries[].files[]", "bill_of_materials[].files[]", "files_scanned", "queries_total"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawFile>().and_then(|file| {
            let query = queries.get(&item.index(0));
            let id = query.and_then(|query| query.get("query_id")).ok_or("the query's `query_id` is missing")?;
            Ok(file.into_finding(id, query.unwrap_or(&Query::new())))
        })),
        1 => collector.not_applicable(),
        _ => {
            counters += 1;
            Ok(())
        }
    })?;
    collector.require(
        seen.has(0) || counters >= 2,
        "a KICS JSON report is an object with `files_scanned` and the list `queries`",
    )
}

/// Collects the fields of each query, by its index, since they may follow its results. Also reads the fields of the
/// whole scan.
fn queries(input: Input<'_>, collector: &mut Collector<'_>) -> Result<BTreeMap<usize, Query>, ParseError> {
    const SCAN_FIELDS: [&str; 8] = [
        "kics_version",
        "files_failed_to_scan",
        "queries_failed_to_execute",
        "files_scanned",
        "files_parsed",
        "queries_total",
        "end",
        "start",
    ];
    // The values of `SCAN_FIELDS` that are counts.
    let mut counts: [Option<u64>; SCAN_FIELDS.len()] = [None; SCAN_FIELDS.len()];
    let of_query: Vec<String> = QUERY_FIELDS.iter().map(|field| format!("queries[].{field}")).collect();
    let paths: Vec<&str> = of_query.iter().map(String::as_str).chain(SCAN_FIELDS).collect();
    let mut queries: BTreeMap<usize, Query> = BTreeMap::new();
    json::walk(input, &paths, &mut |item| {
        let value = item.read::<Text>().ok().filled();
        let Some(at) = item.path.checked_sub(QUERY_FIELDS.len()) else {
            let field = QUERY_FIELDS.get(item.path).copied();
            if let (Some(field), Some(value)) = (field, value) {
                queries.entry(item.index(0)).or_default().insert(field, value);
            }
            return Ok(());
        };
        match (at, counts.get_mut(at)) {
            (0, _) => value.into_iter().for_each(|version| collector.version(version)),
            (6, _) => collector.ended(value.as_deref()),
            (7, _) => collector.started(value.as_deref()),
            (1 | 2, Some(count)) if item.raw != "null" => {
                *count = item.read::<Number>().ok().and_then(Number::count);
                if count.is_none() {
                    let field = SCAN_FIELDS.get(at).copied().unwrap_or_default();
                    collector.scanner_error(format!("`{field}` cannot be read: it is not a number"));
                }
            }
            (_, Some(count)) => *count = item.read::<Number>().ok().and_then(Number::count),
            (_, None) => {}
        }
        Ok(())
    })?;
    let [_, failed_files, failed_queries, scanned, parsed, total, ..] = counts;
    for (count, failure) in [(failed_files, "files could not be scanned"), (failed_queries, "queries could not be run")]
    {
        if let Some(count) = count.filter(|count| 0 < *count) {
            collector.blind_spot(Reach::Everything, format!("{count} {failure}; the report does not name them"));
        }
    }
    parsed.or(scanned).into_iter().for_each(|count| collector.examined(Unit::Files, count));
    total.into_iter().for_each(|count| collector.examined(Unit::Rules, count));
    Ok(queries)
}

#[derive(Deserialize)]
struct RawFile {
    file_name: String,
    line: Loose<Number>,
    similarity_id: Loose<Text>,
    resource_type: Loose<Text>,
    resource_name: Loose<Text>,
    issue_type: Loose<Text>,
    search_key: Loose<Text>,
    search_value: Loose<Text>,
    expected_value: Loose<Text>,
    actual_value: Loose<Text>,
    remediation: Loose<Text>,
}

impl RawFile {
    fn into_finding(self, id: &str, query: &Query) -> Finding {
        let of_query = |field: &str| query.get(field).cloned();
        let title = of_query("query_name").unwrap_or_else(|| id.to_owned());
        let is_secret = title.to_ascii_lowercase().starts_with("passwords and secrets");
        let kind = if is_secret { Kind::Secret } else { Kind::Infrastructure };
        let similarity = self.similarity_id.filled();
        let named = |text: Loose<Text>| text.filled().filter(|name| !name.eq_ignore_ascii_case("n/a"));
        let search_key = self.search_key.filled().filter(|_| !is_secret);
        let resource = match (named(self.resource_type), named(self.resource_name)) {
            (Some(kind), Some(name)) => Some(format!("{kind}.{name}")),
            (None, Some(name)) => Some(name),
            (_, None) => search_key.clone(),
        };
        let values = (self.actual_value.filled(), self.expected_value.filled());
        let message = match values {
            _ if is_secret => title.clone(),
            (Some(actual), Some(expected)) => format!("{actual}; expected: {expected}"),
            (Some(actual), None) => actual,
            (None, Some(expected)) => format!("Expected: {expected}"),
            (None, None) => title.clone(),
        };
        let raw = [
            ("platform", of_query("platform")),
            ("category", of_query("category")),
            ("cloud_provider", of_query("cloud_provider")),
            ("issue_type", self.issue_type.filled()),
            ("search_key", search_key),
            ("search_value", self.search_value.filled().filter(|_| !is_secret)),
        ];
        let mut finding = Finding {
            description: of_query("description"),
            remediation: self.remediation.filled().filter(|_| !is_secret),
            references: of_query("query_url").into_iter().collect(),
            cwes: of_query("cwe").as_deref().and_then(cwe::number).into_iter().collect(),
            location: Some(Location::lines(self.file_name, self.line.line(), None)),
            secret: similarity.as_deref().filter(|_| is_secret).map(|id| secret::hashed("kics-similarity", id)),
            fingerprints: similarity.map(|id| ("similarity_id".to_owned(), id)).into_iter().collect(),
            resource: resource.filter(|_| !is_secret),
            raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..Finding::new(kind, id, title, message)
        };
        SCANNER.rating().word(query.get("severity").map(String::as_str)).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(query: &str, rest: &str) -> String {
        format!(r#"{{"files_scanned": 2, "queries_total": 900, "queries": [{query}] {rest}}}"#)
    }

    const FILE: &str = r#"{"file_name": "main.tf", "similarity_id": "aa11", "line": 7, "issue_type": "IncorrectValue",
        "resource_type": "aws_s3_bucket", "resource_name": "notes", "search_key": "aws_s3_bucket[notes].acl",
        "search_value": "", "expected_value": "acl is private", "actual_value": "acl is public-read"}"#;

    #[test]
    fn a_querys_fields_may_follow_its_results() {
        let text = report(
            &format!(
                r#"{{"files": [{FILE}], "query_name": "Public bucket", "cwe": "284", "severity": "HIGH", "query_id": "q-1"}}"#
            ),
            "",
        );
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let finding = &findings[0];
        assert_eq!(
            (finding.rule.as_str(), finding.title.as_str(), finding.cwes.as_slice()),
            ("q-1", "Public bucket", &[284][..])
        );
        assert_eq!(finding.message, "acl is public-read; expected: acl is private");
        assert_eq!(finding.resource.as_deref(), Some("aws_s3_bucket.notes"));
        assert_eq!(finding.fingerprints["similarity_id"], "aa11");
        assert_eq!(finding.location.as_ref().and_then(|location| location.line), Some(7));
    }

    #[test]
    fn nothing_of_a_secret_is_stored() {
        let text = report(
            r#"{"query_id": "q-2", "query_name": "Passwords And Secrets - Generic Password", "severity": "HIGH", "files": [
                {"file_name": "Dockerfile", "similarity_id": "bb22", "line": 3, "search_key": "ENV PASSWORD=hunter2hunter2",
                 "search_value": "hunter2hunter2", "actual_value": "hunter2hunter2", "remediation": "drop hunter2hunter2"}]}"#,
            "",
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.holds_secrets);
        assert_eq!(findings[0].kind, Kind::Secret);
        assert_eq!(findings[0].secret.as_ref().unwrap().digest, "kics-similarity:bb22");
        assert!(!serde_json::to_string(&findings).unwrap().contains("hunter2"));
    }

    #[test]
    fn results_of_a_query_without_an_id_are_rejected_and_the_bill_of_materials_is_not_applicable() {
        let bom =
            format!(r#", "bill_of_materials": [{{"query_id": "b", "severity": "TRACE", "files": [{FILE}, {FILE}]}}]"#);
        let text =
            report(&format!(r#"{{"files": [{FILE}]}}, {{"query_id": "q", "files": [{FILE}, {{"line": 3}}]}}"#), &bom);
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.rejected, summary.not_applicable), (1, 2, 2));
    }

    #[test]
    fn files_and_queries_that_failed_without_a_name_are_a_blind_spot_over_everything() {
        let summary = |rest: &str| findings(&SCANNER, report("", rest).as_bytes()).unwrap().1.summary;
        for (rest, reason) in [
            (r#", "files_failed_to_scan": 2, "queries_failed_to_execute": 0"#, "2 files could not be scanned"),
            (r#", "files_failed_to_scan": 0, "queries_failed_to_execute": 3"#, "3 queries could not be run"),
            (r#", "files_parsed": 0"#, "the scanner examined 0 files"),
        ] {
            let summary = summary(rest);
            assert!(summary.is_complete() && summary.blind_spots.len() == 1, "{rest}: {summary:?}");
            assert_eq!(summary.blind_spots[0].reach, Reach::Everything);
            assert!(summary.blind_spots[0].reason.starts_with(reason), "{rest}: {summary:?}");
        }
        let clean = summary(r#", "files_parsed": 1, "files_failed_to_scan": 0, "queries_failed_to_execute": null"#);
        assert!(clean.is_complete() && clean.blind_spots.is_empty());
        assert_eq!(clean.examined, [(Unit::Files, 1), (Unit::Rules, 900)].into());
        assert_eq!(summary(r#", "files_failed_to_scan": "many""#).scanner_errors_total, 1);
        assert!(failure(&SCANNER, br#"{"queries": []}"#).contains("`files_scanned`"));
    }
}
