//! Fortify Static Code Analyzer and WebInspect, <https://www.opentext.com/products/fortify-static-code-analyzer>. Reads
//! projects (FPR: a ZIP archive with `audit.fvdl`, and `audit.xml` for people's decisions), the FVDL alone, the XML of
//! report templates (`ReportDefinition`) and WebInspect's exports (`Scan`, `Sessions`).
//!
//! A result is a `Vulnerability` of the FVDL, or an `Issue`. Report templates may list an issue in two sections; the
//! instance id shows that it is one result. A group that states more issues than it lists, because the template limits
//! examples, makes the scan incomplete.
//!
//! Results that the audit suppresses or whose analysis is Not an Issue are suppressed. A filter set only hides results;
//! that is not a decision.
//!
//! The severity is the Fortify Priority Order. Reports name it; for an FVDL it is computed from the rule by the
//! documented formula: impact, and likelihood = accuracy × confidence × probability / 25, each high from 2.5 on. A rule
//! without these numbers has no priority. WebInspect's severities go from 0 (informational) to 4 (critical).

mod fvdl;
mod template;
mod webinspect;

use crate::Scanner;
use crate::reader::archive::Archive;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::xml;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "fortify",
    tool: "fortify",
    name: "Fortify",
    aliases: &["fortify-sca", "fortify-fod", "fortify-ssc", "fortify-on-demand", "webinspect"],
    versions: "Static Code Analyzer 17 to 24, WebInspect 23 and 24",
    category: "SAST, DAST",
    notation: Notation::Xml,
    formats: "FPR, FVDL, XML of report templates, XML of WebInspect",
    severities: "Critical 9.5, High 8.0, Medium 5.5, Low 2.0 (Fortify Priority Order, or computed from impact and likelihood); WebInspect 0 to 4",
    severity_words: &[
        ("Critical", 950),
        ("High", 800),
        ("Medium", 550),
        ("Low", 200),
        ("Informational", 0),
        ("Info", 0),
    ],
    differences: &[
        (
            "severity",
            "a rule without impact and likelihood has no priority; the reference product makes it informational",
        ),
        ("line", "the line of the result; the reference product takes the first line of the snippet around it"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    match sniff.root() {
        Some("ReportDefinition") => {
            sniff.has_element("ReportDefinition/TemplateName") || sniff.has_element("ReportDefinition/ReportSection")
        }
        Some("FVDL") => true,
        Some("Scan") => sniff.has_element("Scan/PolicyName") || sniff.has_element("Scan/Issues/Issue/VulnerabilityID"),
        Some("Sessions") => sniff.has_element("Sessions/Session/Issues"),
        Some(_) | None => sniff.is_zip() && (sniff.contains(b"audit.fvdl") || sniff.contains(b"webinspect.xml")),
    }
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if !input.head()?.starts_with(b"PK\x03\x04") {
        return parse_xml(input, None, collector);
    }
    let archive = Archive::open(input)?;
    let audit = archive.by_file_name("audit.xml")?;
    let found = match archive.by_file_name("audit.fvdl")? {
        Some(found) => Some(found),
        None => archive.by_file_name("webinspect.xml")?,
    };
    match found {
        Some(found) => parse_xml(Input::Stream(&found), audit.as_ref().map(|audit| Input::Stream(audit)), collector),
        None => Err(ParseError::other_shape("a Fortify project contains `audit.fvdl`")),
    }
}

fn parse_xml(input: Input<'_>, audit: Option<Input<'_>>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let beginning = xml::Outline::of(&input.head()?);
    match beginning.root.as_deref() {
        Some("FVDL") => fvdl::parse(input, audit, collector),
        Some("ReportDefinition") => template::parse(input, collector),
        Some("Scan" | "Sessions") => webinspect::parse(input, collector),
        Some(other) => Err(ParseError::other_shape(format!(
            "expected the outermost element `FVDL`, `ReportDefinition`, `Scan` or `Sessions`, found `{other}`"
        ))),
        None => Err(ParseError::Malformed { notation: "XML", reason: "it contains no element".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::archive::tests::zip;
    use crate::tests::{failure, findings};
    use finding::{Finding, Kind};

    fn fixture(file: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/fortify/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        findings(&SCANNER, &fixture(file)).unwrap()
    }

    #[test]
    fn the_priority_follows_from_impact_and_likelihood() {
        let (findings, parsed) = read("project.fpr");
        let levels: Vec<_> = findings.iter().map(|finding| finding.severity_word.as_deref()).collect();
        assert_eq!(levels, [Some("Critical"), Some("High"), Some("Low"), None]);
        assert_eq!(parsed.scanner_version.as_deref(), Some("24.2.0.0150"));
    }

    #[test]
    fn a_vulnerability_has_its_location_its_code_and_its_rules_texts() {
        let finding = &read("project.fpr").0[0];
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.column), ("src/Store.java", Some(41), Some(9)));
        assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("R-SQL", "SQL Injection"));
        assert_eq!((finding.tool_id.as_deref(), finding.cwes.as_slice()), (Some("I1"), &[89, 943][..]));
        assert_eq!(finding.message, "The method find() in Store.java builds a query.");
        assert_eq!(finding.remediation.as_deref(), Some("Bind parameters."));
        assert_eq!(finding.references, ["https://vulncat.example/sql"]);
        let code = finding.code.as_ref().unwrap();
        assert_eq!(
            (code.first_line, code.lines.as_slice()),
            (40, &["// find".to_owned(), "statement.execute(query);".to_owned()][..])
        );
    }

    #[test]
    fn a_location_in_the_pool_of_nodes_is_found() {
        let finding = &read("project.fpr").0[1];
        assert_eq!(finding.location.as_ref().unwrap().line, Some(7));
        assert_eq!(finding.title, "Password Management: Hardcoded Password");
    }

    #[test]
    fn the_audit_suppresses() {
        let (findings, parsed) = read("project.fpr");
        assert_eq!(findings[1].suppressed.as_deref(), Some("suppressed: only in tests"));
        assert_eq!(findings[2].suppressed.as_deref(), Some("Not an Issue"));
        assert_eq!((parsed.summary.results, parsed.summary.suppressed), (4, 2));
    }

    #[test]
    fn an_issue_in_two_sections_is_one_result_with_the_texts_of_its_group() {
        let (findings, parsed) = read("template.xml");
        assert_eq!(findings.len(), 3);
        let finding = &findings[0];
        assert_eq!((finding.rule.as_str(), finding.tool_id.as_deref()), ("R-SQL", Some("I1")));
        assert_eq!(finding.description.as_deref(), Some("Queries are built from texts."));
        assert_eq!(finding.remediation.as_deref(), Some("Bind parameters."));
        assert_eq!(finding.code.as_ref().map(|code| code.first_line), Some(39));
        assert_eq!(finding.raw["source_file"], "src/Web.java");
        assert_eq!(findings[2].suppressed.as_deref(), Some("Not an Issue"));
        assert!(parsed.summary.is_complete());
    }

    #[test]
    fn a_group_that_states_more_than_it_lists_is_incomplete() {
        let report = String::from_utf8(fixture("template.xml")).unwrap().replace("count=\"2\"", "count=\"9\"");
        let (_, parsed) = findings(&SCANNER, report.as_bytes()).unwrap();
        assert!(parsed.summary.scanner_errors[0].contains("2 of 9"), "{:?}", parsed.summary.scanner_errors);
        let report = report.replace("<Issue ", "<Other ").replace("</Issue>", "</Other>");
        let (_, parsed) = findings(&SCANNER, report.as_bytes()).unwrap();
        let errors = parsed.summary.scanner_errors;
        assert!(errors.iter().any(|error| error.contains("unknown element <Other>")), "{errors:?}");
        assert!(errors.iter().any(|error| error.contains("counts 9")), "{errors:?}");
    }

    #[test]
    fn webinspect_results_have_an_endpoint() {
        let findings = read("webinspect.xml").0;
        let endpoint = findings[0].endpoint.as_ref().unwrap();
        assert_eq!((findings[0].kind, findings[0].rule.as_str()), (Kind::Web, "4720"));
        assert_eq!(
            (endpoint.host.as_deref(), endpoint.port, endpoint.method.as_deref()),
            (Some("shop.example"), Some(443), Some("GET"))
        );
        assert_eq!((findings[0].cwes.as_slice(), findings[0].severity().as_str()), (&[614][..], "medium"));
        assert_eq!(
            (findings[0].message.as_str(), findings[1].severity().as_str()),
            ("The cookie is sent in clear.", "info")
        );
    }

    #[test]
    fn clean_reports_show_what_they_are_and_others_are_refused() {
        assert!(read("clean.xml").0.is_empty());
        assert!(failure(&SCANNER, &zip(&[("audit.xml", b"<Audit/>")])).contains("`audit.fvdl`"));
        assert!(failure(&SCANNER, b"<FVDL/>").contains("`Vulnerabilities`"));
        assert!(failure(&SCANNER, b"<report/>").contains("found `report`"));
    }
}
