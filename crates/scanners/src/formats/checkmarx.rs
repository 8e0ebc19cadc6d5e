//! Checkmarx, <https://checkmarx.com>: static analysis, with dependencies, infrastructure as code and secrets in
//! Checkmarx One. Reads the XML report of CxSAST (`CxXMLResults`) and the JSON reports of Checkmarx One: from its
//! portal (`scanResults`) and from its command line and API (`results`).
//!
//! A result is one path from source to sink (`Result`), or one entry of the JSON's lists; results are not merged. The
//! location is the sink, as in Checkmarx's own portal; the source is stored as `source_file` and `source_line`. The
//! rule is the query's language and name: its number differs between the products and can be missing.
//!
//! Results in the state Not Exploitable (`FalsePositive="True"`) or ignored or muted are suppressed; a proposed state
//! does not suppress. Those with the status Fixed are closed. The severity is the product's word; a dependency with a
//! CVSS score gets that score.

mod one;

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Excerpt, Finding, Kind, Location};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "checkmarx",
    tool: "checkmarx",
    name: "Checkmarx",
    aliases: &["checkmarx-one", "cxsast", "cx-sast", "cxone"],
    versions: "CxSAST 8.6 to 9.5, Checkmarx One",
    category: "SAST, SCA, IaC",
    notation: Notation::Xml,
    formats: "XML of CxSAST, JSON of Checkmarx One (portal, command line and API)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[
        ("component_name", "the whole name; the reference product takes the text between its last two hyphens"),
        ("line", "one of the reference product's two modes merges results and has no line"),
        (
            "unique_id_from_tool",
            "the similarity id alone, as a fingerprint; the reference product adds the path's number, which changes with each scan",
        ),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let scan = |part: &str| sniff.has(&format!("scanResults.{part}"));
    sniff.root() == Some("CxXMLResults")
        || one::PARTS.iter().any(|part| scan(part))
        || sniff.has_all(&["results[].similarityId", "results[].vulnerabilityDetails"])
        || sniff.has_all(&["results[].similarityId", "results[].data"])
        || sniff.has("iacScanResults.technology")
        || sniff.has("scaScanResults.packages")
        || sniff.has_all(&["results", "totalCount", "scanID"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if input.head()?.trim_ascii_start().starts_with(b"{") {
        one::parse(input, collector)
    } else {
        parse_xml(input, collector)
    }
}

/// The rule of a query: `Java/SQL_Injection`.
fn rule(language: Option<&str>, query: &str) -> String {
    match language.filled() {
        Some(language) => format!("{language}/{query}"),
        None => query.to_owned(),
    }
}

/// A query's name with spaces: `SQL Injection`.
fn title(query: &str) -> String {
    query.replace('_', " ")
}

/// True if a state dismisses a result, in any spelling.
fn is_dismissed(state: &str) -> bool {
    let letters: String = state.chars().filter(char::is_ascii_alphabetic).collect();
    ["notexploitable", "ignored", "muted", "snoozed"].contains(&letters.to_ascii_lowercase().as_str())
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let containers = [Container::list("CxXMLResults", &["Query"]), Container::list("CxXMLResults/Query", &["Result!"])];
    let (root, structure) = xml::walk_within(input, &containers, &["CxXMLResults/Query/Result"], &mut |found| {
        let status = found.element.attribute("Status");
        if status.is_some_and(|status| status.eq_ignore_ascii_case("fixed")) {
            return collector.closed();
        }
        collector.result(result(&found.element, found.ancestors.last()))
    })?;
    collector.ended(root.attribute("ReportCreationTime"));
    collector.started(root.attribute("ScanStart"));
    root.attribute("CheckmarxVersion").into_iter().for_each(|version| collector.version(version));
    structure.require(collector, "a CxSAST XML report has the outermost element `CxXMLResults`")
}

fn result(result: &Element, query: Option<&Element>) -> Result<Finding, String> {
    let query = query.ok_or("`Result` is outside of a `Query`")?;
    let name = query.attribute("name").or(query.attribute("id")).ok_or("the query's `name` is missing")?;
    let nodes: Vec<&Element> = result.at("Path").into_iter().flat_map(|path| path.all("PathNode")).collect();
    let (source, sink) = (nodes.first(), nodes.last());
    let whole = Location::lines(
        result.attribute("FileName").unwrap_or_default(),
        result.attribute("Line").and_then(positive),
        None,
    )
    .with_column(result.attribute("Column").and_then(positive));
    let sink_location = sink.and_then(|node| self::location(node));
    let location = sink_location.or(Some(whole).filter(|location| !location.path.is_empty()));
    let dismissed = match (result.attribute("FalsePositive"), result.attribute("state")) {
        (Some(value), _) if value.eq_ignore_ascii_case("true") => Some("Not Exploitable"),
        (_, Some("1")) => Some("Not Exploitable"),
        (_, state) => state.filter(|state| is_dismissed(state)),
    };
    let message = format!("{}: from `{}` to `{}`", title(name), node_name(source), node_name(sink));
    let mut finding = Finding {
        cwes: query.attribute("cweId").and_then(cwe::number).into_iter().collect(),
        references: result.attribute("DeepLink").map(str::to_owned).into_iter().collect(),
        code: sink.and_then(|node| excerpt(node)),
        location,
        suppressed: dismissed.map(str::to_owned),
        ..Finding::new(Kind::Code, rule(query.attribute("Language"), name), title(name), message)
    };
    if let Some(source) = source.and_then(|node| self::location(node)) {
        finding.raw.insert("source_file".to_owned(), source.path);
        finding.raw.extend(source.line.map(|line| ("source_line".to_owned(), line.to_string())));
    }
    for (name, text) in [
        ("query_id", query.attribute("id")),
        ("group", query.attribute("group")),
        ("categories", query.attribute("categories")),
        ("remark", result.attribute("Remark")),
    ] {
        finding.raw.extend(text.map(|text| (name.to_owned(), text.to_owned())));
    }
    let similar = result.at("Path").and_then(|path| path.attribute("SimilarityId"));
    finding.fingerprints.extend(similar.map(|id| ("similarityId".to_owned(), id.to_owned())));
    let word = result.attribute("Severity").or(query.attribute("Severity"));
    SCANNER.rating().word(word).apply(&mut finding);
    Ok(finding)
}

fn positive(number: &str) -> Option<u32> {
    number.parse().ok().filter(|number| *number > 0)
}

fn node_name<'e>(node: Option<&&'e Element>) -> &'e str {
    node.and_then(|node| node.text_at("Name")).unwrap_or("?")
}

fn location(node: &Element) -> Option<Location> {
    let path = node.owned_at("FileName")?;
    let (line, column) = (node.text_at("Line").and_then(positive), node.text_at("Column").and_then(positive));
    Some(Location::lines(path, line, None).with_column(column))
}

/// The lines of a node's snippet, if they follow one another.
fn excerpt(node: &Element) -> Option<Excerpt> {
    let lines: Vec<&Element> = node.at("Snippet")?.all("Line").collect();
    let first_line = lines.first()?.text_at("Number").and_then(positive)?;
    let follows =
        |(at, line): (u32, &&Element)| line.text_at("Number").and_then(positive) == first_line.checked_add(at);
    let code = |line: &&Element| line.at("Code").map(|code| code.text.trim_end().to_owned()).unwrap_or_default();
    (0..).zip(&lines).all(follows).then(|| Excerpt { first_line, lines: lines.iter().map(code).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        let path = format!("{}/fixtures/checkmarx/{file}", env!("CARGO_MANIFEST_DIR"));
        findings(&SCANNER, &std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn the_location_is_the_sink_and_the_source_is_stored_too() {
        let (findings, parsed) = read("9.4.xml");
        assert_eq!(parsed.scanner_version.as_deref(), Some("9.4.3"));
        let finding = &findings[0];
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.column), ("src/Store.java", Some(41), Some(9)));
        assert_eq!((finding.raw["source_file"].as_str(), finding.raw["source_line"].as_str()), ("src/Web.java", "12"));
        assert_eq!(finding.message, "SQL Injection: from `getParameter` to `execute`");
        assert_eq!(finding.code.as_ref().unwrap().lines, ["        statement.execute(query);"]);
        assert_eq!(finding.fingerprints["similarityId"], "-1574");
    }

    #[test]
    fn each_path_is_a_result_and_dismissed_ones_are_suppressed() {
        let (findings, parsed) = read("9.4.xml");
        let summary = parsed.summary;
        assert_eq!((summary.results, summary.findings, summary.suppressed, summary.closed), (5, 2, 2, 1));
        let suppressed: Vec<_> = findings.iter().map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(suppressed, [None, Some("Not Exploitable"), Some("Not Exploitable"), None]);
        assert!(findings[3].location.is_none(), "a result may have no file");
    }

    #[test]
    fn states_are_understood_in_every_spelling() {
        for state in ["NOT_EXPLOITABLE", "Not exploitable", "NotExploitable", "IGNORED", "Muted"] {
            assert!(is_dismissed(state), "{state}");
        }
        for state in ["PROPOSED_NOT_EXPLOITABLE", "To verify", "CONFIRMED", ""] {
            assert!(!is_dismissed(state), "{state}");
        }
    }

    #[test]
    fn all_reports_of_both_products_name_a_rule_alike() {
        for file in ["9.4.xml", "one-portal.json", "one-results.json", "one-scan.json"] {
            let finding = &read(file).0[0];
            assert_eq!(
                (finding.rule.as_str(), finding.title.as_str()),
                ("Java/SQL_Injection", "SQL Injection"),
                "{file}"
            );
            assert_eq!((finding.kind, finding.cwes.as_slice()), (Kind::Code, &[89][..]), "{file}");
            assert_eq!(finding.location.as_ref().unwrap().line, Some(41), "{file}");
            assert_eq!(finding.severity().as_str(), "high", "{file}");
        }
    }

    #[test]
    fn the_portals_report_holds_code_dependencies_and_infrastructure() {
        let (findings, parsed) = read("one-portal.json");
        let kinds: Vec<Kind> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [Kind::Code, Kind::Code, Kind::Dependency, Kind::Infrastructure]);
        assert_eq!(findings[1].suppressed.as_deref(), Some("Not exploitable"));
        let package = findings[2].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("lodash", Some("4.17.20")));
        assert_eq!(findings[3].location.as_ref().unwrap().path, "deploy/Dockerfile");
        assert_eq!(
            (findings[3].rule.as_str(), parsed.summary.is_complete()),
            ("fd54f200-402c-4333-a5a4-36ef6709af2f", true)
        );
    }

    #[test]
    fn a_scan_export_contains_code_and_infrastructure() {
        let finding = &read("one-scan.json").0[1];
        assert_eq!((finding.kind, finding.title.as_str()), (Kind::Infrastructure, "Missing User Instruction"));
        assert_eq!(finding.message, "none (expected: a USER instruction)");
        assert_eq!(finding.description.as_deref(), Some("Runs as root."));
        assert_eq!(finding.suppressed.as_deref(), Some("NOT_EXPLOITABLE"));
    }

    #[test]
    fn results_are_of_the_kind_that_their_type_says() {
        let (findings, parsed) = read("one-results.json");
        let kinds: Vec<Kind> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [Kind::Code, Kind::Dependency, Kind::Infrastructure, Kind::Secret]);
        assert_eq!((parsed.summary.results, parsed.summary.closed), (5, 1));
        assert_eq!(findings[1].advisories, ["CVE-2021-23337"]);
        let package = findings[1].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.ecosystem.as_deref()), ("lodash", Some("npm")));
        assert_eq!(package.fixed_versions, ["4.17.21"]);
        assert!(!serde_json::to_string(&findings).unwrap().contains("ntk_0123456789abcdef"));
    }

    #[test]
    fn a_clean_report_shows_what_it_is_and_a_part_of_one_is_incomplete() {
        assert!(read("one-clean.json").0.is_empty());
        assert!(findings(&SCANNER, b"<CxXMLResults/>").unwrap().0.is_empty());
        assert!(failure(&SCANNER, br#"{"results": []}"#).contains("scanResults"));
        let part = findings(&SCANNER, br#"{"results": [], "totalCount": 3, "scanID": "s"}"#).unwrap().1;
        assert!(part.summary.scanner_errors[0].contains("3 results"), "{:?}", part.summary);
    }
}
