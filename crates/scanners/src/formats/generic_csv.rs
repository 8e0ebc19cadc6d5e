//! DefectDojo's generic findings as CSV: the columns Date, Title, CweId, Url, Severity, Description, Mitigation,
//! Impact, References, Active, Verified, FalsePositive and Duplicate, and those that were added later. Each row is a
//! result, even if title, description and severity repeat. For the rest see [`generic`](crate::formats::generic).

use crate::Scanner;
use crate::formats::generic::{self, RawFinding};
use crate::reader::json::{Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::decimal;
use serde_json::Value;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "generic-csv",
    tool: "generic",
    name: "Generic findings",
    aliases: &[],
    versions: "DefectDojo 1.5 to 3.2",
    category: "Any",
    notation: Notation::Csv,
    formats: "CSV (DefectDojo's generic findings import)",
    severities: generic::SEVERITIES,
    severity_words: generic::SCANNER.severity_words,
    differences: &[],
    detect,
    parse,
};

/// Columns that become a field; the others are stored under their name.
const FIELD_COLUMNS: &[&str] = &[
    "title",
    "description",
    "severity",
    "mitigation",
    "references",
    "cve",
    "vulnerability id",
    "cweid",
    "cweids",
    "url",
    "cvssv3",
    "cvssv3_score",
    "cvssv4",
    "cvssv4_score",
    "epss_score",
    "epss_percentile",
    "known_exploited",
    "active",
    "falsepositive",
    "duplicate",
    "ismitigated",
    "fix_version",
];

fn detect(sniff: &Sniff) -> bool {
    let own = ["cweid", "falsepositive", "ismitigated"];
    sniff.has_columns(&["date", "title", "severity", "description"])
        && (own.iter().any(|column| sniff.has_columns(&[column])) || sniff.has_columns(&["mitigation", "impact"]))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let needed = ["title", "severity", "description"];
    let read = table::rows(input, &needed, &mut |row| match row {
        Ok(row) => finding(&row).collect(collector),
        Err(reason) => collector.rejected(reason),
    });
    match read {
        Err(ParseError::Malformed { notation: "as a table", reason }) => Err(ParseError::other_shape(reason)),
        Err(error) => Err(error),
        Ok(()) => {
            collector.container();
            Ok(())
        }
    }
}

fn finding(row: &Row<'_>) -> RawFinding {
    let text = |column: &str| row.owned(column).map(Text);
    let number = |column: &str| Number(row.get(column).and_then(decimal));
    let split = |column: &str| {
        let words = row.get(column).unwrap_or_default().split([',', ';', ' ']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let rest = row.all().filter(|(column, _)| !FIELD_COLUMNS.contains(column));
    RawFinding {
        title: text("title").unwrap_or_default(),
        description: text("description"),
        severity: text("severity"),
        mitigation: text("mitigation"),
        references: Many(text("references").into_iter().collect()),
        cve: text("cve"),
        vulnerability_ids: Many(split("vulnerability id").into_iter().map(Value::String).collect()),
        cwe: text("cweid"),
        cwes: Many(split("cweids").into_iter().map(Text).collect()),
        cvssv3: text("cvssv3"),
        cvssv3_score: number("cvssv3_score"),
        cvssv4: text("cvssv4"),
        cvssv4_score: number("cvssv4_score"),
        epss_score: number("epss_score"),
        epss_percentile: number("epss_percentile"),
        known_exploited: text("known_exploited"),
        active: text("active"),
        false_p: text("falsepositive"),
        duplicate: text("duplicate"),
        is_mitigated: text("ismitigated"),
        fix_version: text("fix_version"),
        endpoints: Many(row.owned("url").map(Value::String).into_iter().collect()),
        rest: rest.map(|(column, value)| (column.to_owned(), Value::String(value.to_owned()))).collect(),
        ..RawFinding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::Kind;

    const HEADER: &str = "Date,Title,CweId,Url,Severity,Description,Mitigation,Impact,References,Active,Verified,FalsePositive,Duplicate,IsMitigated";

    #[test]
    fn every_row_is_a_result_and_its_columns_decide_the_kind() {
        let rows = "1/2/2026,A,79,https://shop.example/a,High,\"one\ntwo\",mend,harm,,TRUE,TRUE,FALSE,FALSE,\n\
            1/2/2026,A,79,https://shop.example/b,High,\"one\ntwo\",mend,harm,,TRUE,TRUE,FALSE,FALSE,\n\
            1/2/2026,B,0,,Low,d,,,,,,TRUE,FALSE,\n1/2/2026,C,,,Low,d,,,,,,,,TRUE\n1/2/2026,D,,,Low,d,,,,FALSE,,,,\n\
            1/2/2026,,,,Low,d,,,,,,,,\nshort\n";
        let (found, parsed) = findings(&SCANNER, format!("{HEADER}\n{rows}").as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert_eq!(
            (summary.results, summary.findings, summary.suppressed, summary.closed, summary.rejected),
            (7, 2, 2, 1, 2)
        );
        assert_eq!((found[0].kind, found[0].rule.as_str(), &found[0].cwes[..]), (Kind::Web, "A", &[79][..]));
        assert_eq!(found[1].endpoint.as_ref().unwrap().url.as_deref(), Some("https://shop.example/b"));
        assert_eq!((found[0].message.as_str(), found[0].raw["impact"].as_str()), ("one\ntwo", "harm"));
        let marks: Vec<_> = found.iter().filter_map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(marks, ["false positive", "not active"]);
    }

    #[test]
    fn another_table_is_refused() {
        assert!(failure(&SCANNER, b"a,b\n1,2\n").contains("expected a line with the columns"));
        assert!(findings(&SCANNER, format!("{HEADER}\n").as_bytes()).is_ok());
    }
}
