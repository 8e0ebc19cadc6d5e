//! PMD, <https://pmd.github.io>: static analysis of Java, Apex, JavaScript and more. Reads its CSV, XML and JSON
//! reports (`pmd check -f csv|xml|json`), of versions 5 to 7.
//!
//! Each violation is a result. Rules of PMD have a priority from 1 to 5: high, medium high, medium, medium low, low
//! (<https://docs.pmd-code.org/latest/pmd_userdocs_configuring_rules.html>). In PMD's own SARIF report, the first two
//! are errors, the third is a warning and the last two are notes; here they are high, medium and low.
//!
//! Suppressed violations, which XML and JSON list on request (`--show-suppressed`), are suppressed findings. Files that
//! PMD could not process and rules that it could not configure are blind spots; CSV does not have them.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::reader::xml::{self, Container, Element};
use finding::{Finding, Kind, Location, Reach};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "pmd",
    tool: "pmd",
    name: "PMD",
    aliases: &[],
    versions: "5 to 7",
    category: "SAST",
    notation: Notation::Csv,
    formats: "CSV (`-f csv`), XML (`-f xml`), JSON (`-f json`)",
    severities: "priority 1 (high) 8.0, 2 (medium high) 7.0, 3 (medium) 5.5, 4 (medium low) 3.0, 5 (low) 2.0 (PMD's names \
                 of its priorities)",
    severity_words: &[("1", 800), ("2", 700), ("3", 550), ("4", 300), ("5", 200)],
    differences: &[],
    detect,
    parse,
};

const COLUMNS: &[&str] = &["Problem", "File", "Priority", "Line", "Description", "Rule set", "Rule"];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_columns(COLUMNS) || is_xml(sniff) || sniff.has_all(&["pmdVersion", "files"])
}

fn is_xml(sniff: &Sniff) -> bool {
    sniff.root() == Some("pmd")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if is_xml(&sniff) {
        return parse_xml(input, collector);
    }
    if sniff.is_object() {
        return parse_json(input, collector);
    }
    table::rows(input, COLUMNS, &mut |row| collector.result(row.and_then(|row| finding_from_row(&row))))?;
    collector.container();
    Ok(())
}

/// A violation, from any of the three notations.
#[derive(Deserialize)]
struct Violation {
    rule: String,
    ruleset: Option<String>,
    priority: Option<Text>,
    #[serde(alias = "msg")]
    description: Option<String>,
    #[serde(rename = "externalInfoUrl")]
    url: Option<String>,
    #[serde(default)]
    beginline: Number,
    #[serde(default)]
    endline: Number,
    #[serde(default)]
    begincolumn: Number,
    #[serde(rename = "suppressiontype")]
    suppression: Option<String>,
    usermsg: Option<String>,
}

impl Violation {
    fn into_finding(self, path: String) -> Finding {
        let line = self.beginline.line();
        let end_line = self.endline.line();
        let location = Location::lines(path, line, end_line).with_column(self.begincolumn.line());
        let message = self.description.map(|text| text.trim().to_owned()).filled();
        let mut finding = Finding {
            references: self.url.into_iter().filter(|url| !url.trim().is_empty()).collect(),
            location: Some(location).filter(|location| !location.path.is_empty()),
            suppressed: self.suppression.map(|how| suppression(&how, self.usermsg.as_deref())),
            ..Finding::new(Kind::Code, &*self.rule, &*self.rule, message.unwrap_or_else(|| self.rule.clone()))
        };
        if let Some(ruleset) = self.ruleset.filled() {
            finding.raw.insert("ruleset".to_owned(), ruleset);
        }
        SCANNER.rating().word(self.priority.as_ref().map(|priority| priority.0.as_str())).apply(&mut finding);
        finding
    }
}

fn suppression(how: &str, why: Option<&str>) -> String {
    match why.map(str::trim).filled() {
        Some(why) => format!("{how}: {why}"),
        None => how.to_owned(),
    }
}

fn finding_from_row(row: &Row<'_>) -> Result<Finding, String> {
    let number = |column: &str| Number(row.get(column).and_then(|text| text.parse().ok()));
    let violation = Violation {
        rule: row.owned("Rule").ok_or("the rule is missing in the row")?,
        ruleset: row.owned("Rule set"),
        priority: row.owned("Priority").map(Text),
        description: row.owned("Description"),
        url: None,
        beginline: number("Line"),
        endline: Number(None),
        begincolumn: Number(None),
        suppression: None,
        usermsg: None,
    };
    let mut finding = violation.into_finding(row.owned("File").unwrap_or_default());
    if let Some(package) = row.owned("Package") {
        finding.raw.insert("package".to_owned(), package);
    }
    Ok(finding)
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["pmd@", "pmd/file/violation", "pmd/suppressedviolation", "pmd/error", "pmd/configerror"];
    let containers = [
        Container::mixed("pmd", &["file", "suppressedviolation"], &["error", "configerror"]),
        Container::list("pmd/file", &["violation"]),
    ];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        let element = &found.element;
        match found.path {
            0 => {
                collector.ended(element.attribute("timestamp"));
                element.attribute("version").into_iter().for_each(|version| collector.version(version));
                Ok(())
            }
            1 => {
                let file = found.ancestors.last().and_then(|file| file.attribute("name")).unwrap_or_default();
                collector.result(violation_from_xml(element).map(|violation| violation.into_finding(file.to_owned())))
            }
            2 => collector.finding(suppressed(element)),
            _ => {
                let text = element.attribute("msg").map_or_else(|| element.whole_text(), str::to_owned);
                report_error(element.attribute("filename"), element.attribute("rule"), text, collector);
                Ok(())
            }
        }
    })?;
    structure.require(collector, "a PMD XML report has the outermost element `pmd`")
}

/// Adds the blind spot of an error of PMD: the file, else the rule. An error with neither has no reach.
fn report_error(file: Option<&str>, rule: Option<&str>, text: String, collector: &mut Collector<'_>) {
    match (file.filled(), rule.filled()) {
        (Some(file), _) => collector.blind_spot(Reach::File(file.to_owned()), text),
        (None, Some(rule)) => collector.blind_spot(Reach::Rule(rule.to_owned()), text),
        (None, None) => collector.scanner_error(format!("PMD: {text}")),
    }
}

fn violation_from_xml(element: &Element) -> Result<Violation, String> {
    let owned = |name: &str| element.attribute(name).map(str::to_owned);
    let number = |name: &str| Number(element.attribute(name).and_then(|text| text.parse().ok()));
    Ok(Violation {
        rule: owned("rule").ok_or("`rule` is missing in a `violation`")?,
        ruleset: owned("ruleset"),
        priority: owned("priority").map(Text),
        description: Some(element.text.clone()),
        url: owned("externalInfoUrl"),
        beginline: number("beginline"),
        endline: number("endline"),
        begincolumn: number("begincolumn"),
        suppression: None,
        usermsg: None,
    })
}

/// A suppressed violation in XML. It has the file, the message and the way of suppression, but not the rule.
fn suppressed(element: &Element) -> Finding {
    let message = element.attribute("msg").unwrap_or("suppressed violation");
    let how = element.attribute("suppressiontype").unwrap_or("suppressed");
    let path = element.attribute("filename").map(Location::file);
    Finding {
        location: path,
        suppressed: Some(suppression(how, element.attribute("usermsg"))),
        ..Finding::new(Kind::Code, "suppressed", message, message)
    }
}

/// A file with its violations. A suppressed violation may be an entry itself, with the name of its file.
#[derive(Deserialize)]
struct RawFile {
    filename: Option<String>,
    violations: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
struct RawError {
    filename: Option<String>,
    rule: Option<String>,
    message: Option<String>,
}

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths =
        ["files[]", "suppressedViolations[]", "processingErrors[]", "configurationErrors[]", "pmdVersion", "timestamp"];
    let mut has_version = false;
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 | 1 => match item.read::<RawFile>() {
            Err(reason) => collector.rejected(reason),
            Ok(RawFile { filename, violations: Some(violations) }) => {
                let path = filename.unwrap_or_default();
                violations
                    .into_iter()
                    .try_for_each(|violation| collector.result(finding_from_json(violation, &path, item.path == 1)))
            }
            Ok(RawFile { filename, violations: None }) => match item.read() {
                Ok(violation) if item.path == 1 => {
                    collector.result(finding_from_json(violation, &filename.unwrap_or_default(), true))
                }
                Ok(_) => collector.rejected("`violations` is missing in a file".to_owned()),
                Err(reason) => collector.rejected(reason),
            },
        },
        2 | 3 => {
            match item.read::<RawError>() {
                Ok(RawError { filename, rule, message }) => {
                    let text = message.unwrap_or_default();
                    report_error(filename.as_deref(), rule.as_deref(), text, collector);
                }
                Err(reason) => collector.scanner_error(reason),
            }
            Ok(())
        }
        5 => item.ended(collector),
        _ => {
            has_version = true;
            item.read::<String>().into_iter().for_each(|version| collector.version(version));
            Ok(())
        }
    })?;
    collector
        .require(seen.has(0) && has_version, "a PMD JSON report is an object with `pmdVersion` and the list `files`")
}

fn finding_from_json(violation: serde_json::Value, path: &str, suppressed: bool) -> Result<Finding, String> {
    let violation: Violation = json::from_value(violation)?;
    let mut finding = violation.into_finding(path.to_owned());
    if suppressed && finding.suppressed.is_none() {
        finding.suppressed = Some("suppressed".to_owned());
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    #[test]
    fn all_notations_give_the_same_finding() {
        let csv = "\"Problem\",\"Package\",\"File\",\"Priority\",\"Line\",\"Description\",\"Rule set\",\"Rule\"\n\
                   \"1\",\"n\",\"/src/A.java\",\"3\",\"7\",\"Avoid, please\",\"Best Practices\",\"UnusedLocalVariable\"\n";
        let xml = r#"<pmd xmlns="http://pmd.sourceforge.net/report/2.0.0" version="7.0.0"><file name="/src/A.java">
            <violation beginline="7" endline="7" begincolumn="1" rule="UnusedLocalVariable" ruleset="Best Practices"
             priority="3">
            Avoid, please
            </violation></file></pmd>"#;
        let json = r#"{"pmdVersion": "7.0.0", "files": [{"filename": "/src/A.java", "violations": [{"beginline": 7,
            "description": "Avoid, please", "rule": "UnusedLocalVariable", "ruleset": "Best Practices", "priority": 3}]}]}"#;
        for report in [csv, xml, json] {
            let (findings, parsed) = findings(&SCANNER, report.as_bytes()).unwrap();
            assert!(parsed.summary.is_complete(), "{report}");
            let [finding] = findings.as_slice() else { panic!("{findings:?}") };
            let location = finding.location.as_ref().unwrap();
            assert_eq!((location.path.as_str(), location.line), ("/src/A.java", Some(7)));
            assert_eq!((finding.rule.as_str(), finding.message.as_str()), ("UnusedLocalVariable", "Avoid, please"));
            assert_eq!(finding.score.map(|scored| scored.score.hundredths()), Some(550));
        }
    }

    #[test]
    fn what_pmd_could_not_process_is_a_blind_spot_and_suppressed_ones_are_marked() {
        let xml = r#"<pmd version="7.0.0"><suppressedviolation filename="A.java" suppressiontype="nopmd" msg="m" usermsg="u"/>
            <error filename="B.java" msg="ParseException"/><configerror rule="R2" msg="m"/><error msg="m"/></pmd>"#;
        let json = r#"{"pmdVersion": "7.0.0", "files": [], "processingErrors": [{"filename": "B.java", "message": "p"}, {"message": "m"}],
            "configurationErrors": [{"rule": "R2", "ruleset": "s", "message": "m"}],
            "suppressedViolations": [{"filename": "A.java", "violations": [{"rule": "R", "suppressiontype": "nopmd"}]}]}"#;
        for report in [xml, json] {
            let (findings, parsed) = findings(&SCANNER, report.as_bytes()).unwrap();
            assert!(findings[0].suppressed.as_ref().is_some_and(|how| how.starts_with("nopmd")), "{findings:?}");
            assert_eq!((parsed.summary.suppressed, parsed.summary.scanner_errors_total), (1, 1));
            let spots: Vec<_> = parsed.summary.blind_spots.iter().map(|spot| spot.reach.clone()).collect();
            assert_eq!(spots, [Reach::File("B.java".to_owned()), Reach::Rule("R2".to_owned())]);
        }
        assert!(failure(&SCANNER, br#"{"files": []}"#).contains("pmdVersion"));
    }

    #[test]
    fn rows_that_cannot_be_read_are_rejected_and_the_others_are_not() {
        let csv = "Problem,Package,File,Priority,Line,Description,Rule set,Rule\n1,p,A.java,3,7,d,s,\n1,p\n1,p,A.java,x,,d,s,R\n";
        let (findings, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 2));
        assert_eq!((findings[0].score, findings[0].location.as_ref().unwrap().line), (None, None));
    }
}
