//! SpotBugs, <https://spotbugs.github.io>, its predecessor FindBugs and its plugin Find Security Bugs: bugs in Java
//! bytecode. Reads their XML reports (`-xml`, `-xml:withMessages`), of FindBugs 2 to SpotBugs 4.
//!
//! Each `BugInstance` is a result. Its severity is its `priority`, by which the tool's own reports sort: 1 high, 2
//! medium (normal), 3 low, 4 experimental, 5 ignored (`Priorities` of the tool). Its `rank`, from 1 (scariest) to 20,
//! is stored.
//!
//! The Maven plugin writes a form of its own (`spotbugsXml.xml`): the instances of each class in a `file`, with the
//! priority as a word. Its location is the class, because it does not name the source file.
//!
//! The descriptions of bug types may come after the instances, or be missing (only `-xml`). The location of an instance
//! is its own line if it has one, else that of its method, field or class.
//!
//! Errors of the analysis are a blind spot over everything: their text may name a class, which has no path. Missing
//! classes are not: almost every program lacks some, and they are only referred to. The summary has the number of
//! classes.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use finding::{Finding, Kind, Location, Reach, Unit};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "spotbugs",
    tool: "spotbugs",
    name: "SpotBugs",
    aliases: &["findbugs", "find-sec-bugs", "findsecbugs"],
    versions: "FindBugs 2 to SpotBugs 4",
    category: "SAST",
    notation: Notation::Xml,
    formats: "XML (`-xml:withMessages`, `-xml`; that of the Maven plugin)",
    severities: "priority 1 (High) 8.0, 2 (Normal) 5.5, 3 (Low) 2.0, 4 (Experimental) 1.0, 5 (Ignore) 0",
    severity_words: &[
        ("1", 800),
        ("2", 550),
        ("3", 200),
        ("4", 100),
        ("5", 0),
        ("High", 800),
        ("Normal", 550),
        ("Low", 200),
        ("Experimental", 100),
        ("Ignore", 0),
    ],
    differences: &[
        ("file_path", "that of the method, field or class if a bug has no own line; others leave it empty"),
        ("line", "that of the method, field or class if a bug has no own line; others leave it empty"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.root() == Some("BugCollection")
}

/// The description of a bug type.
#[derive(Default)]
struct Pattern {
    title: Option<String>,
    details: Option<String>,
    cwe: Option<u32>,
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut patterns = BTreeMap::new();
    let paths = [
        "BugCollection@",
        "BugCollection/BugPattern",
        "BugCollection/FindBugsSummary@",
        "BugCollection/Errors",
        "BugCollection/Error",
    ];
    xml::walk(input, &paths, &mut |found| {
        let element = &found.element;
        match found.path {
            0 => {
                collector.ended(element.attribute("analysisTimestamp"));
                element.attribute("version").into_iter().for_each(|version| collector.version(version));
            }
            1 => {
                let pattern = Pattern {
                    title: element.owned_at("ShortDescription"),
                    details: element.owned_at("Details"),
                    cwe: element.attribute("cweid").and_then(cwe::number),
                };
                if let Some(name) = element.attribute("type") {
                    patterns.insert(name.to_owned(), pattern);
                }
            }
            2 => {
                let classes = element.attribute("total_classes").and_then(|count| count.trim().parse().ok());
                classes.into_iter().for_each(|count| collector.examined(Unit::Classes, count));
            }
            _ => errors(element, collector),
        }
        Ok(())
    })?;
    let containers = [
        Container::exact("BugCollection", &["BugInstance", "file"], &OTHERS),
        Container::list("BugCollection/file", &["BugInstance"]),
    ];
    let paths = ["BugCollection/BugInstance", "BugCollection/file/BugInstance"];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        let class = found.ancestors.last().and_then(|file| file.attribute("classname"));
        instance(&found.element, class, &patterns, collector)
    })?;
    structure.require(collector, "a SpotBugs XML report has the outermost element `BugCollection`")
}

/// Elements of a report that contain no bugs.
const OTHERS: [&str; 13] = [
    "Project",
    "BugPattern",
    "BugCategory",
    "BugCode",
    "Errors",
    "Error",
    "FindBugsSummary",
    "SummaryHTML",
    "ClassFeatures",
    "History",
    "ClassHash",
    "FileStats",
    "UserAnnotation",
];

/// Collects errors of the analysis. Missing classes are only warnings: they are listed for almost every program.
fn errors(element: &Element, collector: &mut Collector<'_>) {
    let listed = element.children.iter().filter(|child| matches!(child.name.as_str(), "Error" | "AnalysisError"));
    let texts = listed.map(|error| {
        let text = error.owned_at("ErrorMessage").or(error.owned_at("Exception"));
        text.unwrap_or_else(|| error.whole_text())
    });
    let texts: Vec<String> = texts.collect();
    match (element.attribute("errors").filter(|count| *count != "0"), texts.as_slice()) {
        (None, []) => {}
        (Some(count), []) => collector.blind_spot(Reach::Everything, format!("{count} errors during the analysis")),
        (_, [only]) => collector.blind_spot(Reach::Everything, only.as_str()),
        (_, [first, more @ ..]) => {
            collector.blind_spot(Reach::Everything, format!("{first}, and {} more errors", more.len()));
        }
    }
}

fn instance(
    element: &Element,
    class: Option<&str>,
    patterns: &BTreeMap<String, Pattern>,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let Some(rule) = element.attribute("type") else {
        return collector.rejected("`type` is missing in a `BugInstance`".to_owned());
    };
    // A collection of several analyses also lists bugs that no longer exist, with the last analysis that found them.
    if element.attribute("last").is_some_and(|last| last != "-1") {
        return collector.closed();
    }
    let no_pattern = Pattern::default();
    let pattern = patterns.get(rule).unwrap_or(&no_pattern);
    let title = element.owned_at("ShortMessage").or(pattern.title.clone()).unwrap_or_else(|| rule.to_owned());
    let message = element.owned_at("LongMessage").or_else(|| element.attribute("message").map(str::to_owned));
    let message = message.unwrap_or_else(|| message_from_names(element, &title));
    let line = element.attribute("lineNumber").and_then(|line| line.parse().ok()).filter(|line: &u32| *line > 0);
    let of_class = class.map(|class| Location::lines(class, line, None));
    let mut finding = Finding {
        cwes: element.attribute("cweid").and_then(cwe::number).or(pattern.cwe).into_iter().collect(),
        description: pattern.details.clone(),
        location: main_location(element).or(of_class),
        other_locations: other_locations(element),
        suppressed: dismissed(element),
        ..Finding::new(Kind::Code, rule, title, message)
    };
    if let Some(hash) = element.attribute("instanceHash") {
        finding.fingerprints.insert("instanceHash".to_owned(), hash.to_owned());
    }
    for name in ["rank", "category", "abbrev", "instanceOccurrenceNum"] {
        if let Some(value) = element.attribute(name) {
            finding.raw.insert(name.to_owned(), value.to_owned());
        }
    }
    for name in ["Class", "Method", "Field"] {
        if let Some(value) = element.at(name).and_then(|part| part.attribute("name").or(part.attribute("classname"))) {
            finding.raw.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    SCANNER.rating().word(element.attribute("priority")).apply(&mut finding);
    collector.finding(finding)
}

/// The message of an instance in a report without messages: the title with the names of class and member.
fn message_from_names(element: &Element, title: &str) -> String {
    let class = element.at("Class").and_then(|class| class.attribute("classname"));
    let member = ["Method", "Field"].into_iter().find_map(|name| element.at(name)?.attribute("name"));
    match (class, member) {
        (Some(class), Some(member)) => format!("{title} in {class}.{member}"),
        (Some(class), None) => format!("{title} in {class}"),
        (None, _) => title.to_owned(),
    }
}

/// The location of a bug: its own line, else that of its method, field or class.
fn main_location(element: &Element) -> Option<Location> {
    let own = || element.all("SourceLine");
    let primary = own().find(|line| line.attribute("primary") == Some("true"));
    let parts = ["Method", "Field", "Class"].into_iter().filter_map(|name| element.at(&format!("{name}/SourceLine")));
    let candidates: Vec<_> = primary.into_iter().chain(own()).chain(parts).filter_map(location).collect();
    let with_line = candidates.iter().find(|candidate| candidate.line.is_some());
    with_line.or(candidates.first()).cloned()
}

/// Further lines with the same bug. Other lines of an instance only explain its cause.
fn other_locations(element: &Element) -> Vec<Location> {
    let another = |line: &&Element| line.attribute("role") == Some("SOURCE_LINE_ANOTHER_INSTANCE");
    element.all("SourceLine").filter(another).filter_map(location).collect()
}

fn location(line: &Element) -> Option<Location> {
    let path = line.attribute("sourcepath").or(line.attribute("sourcefile"))?.to_owned();
    let number =
        |name: &str| line.attribute(name).and_then(|text| text.parse().ok()).filter(|number: &u32| *number > 0);
    let first = number("start");
    Some(Location::lines(path, first, number("end")))
}

/// The designation and the note of a bug that a user dismissed, if the report contains them.
fn dismissed(element: &Element) -> Option<String> {
    let note = element.at("UserAnnotation")?;
    let designation = note.attribute("designation")?;
    matches!(designation, "NOT_A_BUG" | "BAD_ANALYSIS" | "SHOULD_NOT_FIX" | "OBSOLETE_CODE").then(|| {
        let why = note.text.trim();
        if why.is_empty() { designation.to_owned() } else { format!("{designation}: {why}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(inner: &str) -> String {
        format!(r#"<?xml version="1.0"?><BugCollection version="4.8.3" sequence="0">{inner}</BugCollection>"#)
    }

    #[test]
    fn the_description_of_a_bug_may_come_before_or_after_it() {
        let instance = r#"<BugInstance type="XSS_SERVLET" priority="1" rank="10" instanceHash="ab" category="SECURITY">
            <Class classname="shop.Page"><SourceLine sourcepath="shop/Page.java" start="1" end="90"/></Class>
            <Method classname="shop.Page" name="show"><SourceLine sourcepath="shop/Page.java" start="20" end="30"/></Method>
            <SourceLine sourcepath="shop/Page.java" start="25" end="25" role="SOURCE_LINE_CALLED"/>
            <SourceLine sourcepath="shop/Page.java" start="27" end="28" primary="true"/></BugInstance>"#;
        let pattern = r#"<BugPattern type="XSS_SERVLET" cweid="79"><ShortDescription>Potential XSS</ShortDescription>
            <Details><![CDATA[<p>Why</p>]]></Details></BugPattern>"#;
        for text in [report(&format!("{instance}{pattern}")), report(&format!("{pattern}{instance}"))] {
            let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!(parsed.scanner_version.as_deref(), Some("4.8.3"));
            let finding = &findings[0];
            assert_eq!((finding.title.as_str(), finding.cwes.as_slice()), ("Potential XSS", &[79][..]));
            assert_eq!(finding.message, "Potential XSS in shop.Page.show");
            assert_eq!(finding.description.as_deref(), Some("<p>Why</p>"));
            let place = finding.location.as_ref().unwrap();
            assert_eq!((place.path.as_str(), place.line, place.end_line), ("shop/Page.java", Some(27), Some(28)));
            assert_eq!(finding.fingerprints["instanceHash"], "ab");
        }
    }

    fn findings_of(text: &str) -> finding::ReportSummary {
        findings(&SCANNER, text.as_bytes()).unwrap().1.summary
    }

    #[test]
    fn a_bug_without_a_line_is_at_its_method() {
        let text = report(
            r#"<BugInstance type="NM" priority="2"><Class classname="A"><SourceLine sourcepath="A.java"/></Class>
            <Method classname="A" name="B"><SourceLine sourcepath="A.java" start="4" end="4"/></Method></BugInstance>"#,
        );
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(findings[0].location.as_ref().unwrap().line, Some(4));
    }

    #[test]
    fn dismissed_closed_and_unreadable_bugs_are_counted_separately_and_errors_are_a_blind_spot() {
        let text = report(
            r#"<BugInstance type="A" priority="2"><UserAnnotation designation="NOT_A_BUG">tested</UserAnnotation></BugInstance>
            <BugInstance type="A" priority="2" last="3"/><BugInstance priority="2"/>
            <Errors errors="1" missingClasses="1"><MissingClass>x</MissingClass>
            <Error><ErrorMessage>cannot read A.class</ErrorMessage></Error></Errors>"#,
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(findings[0].suppressed.as_deref(), Some("NOT_A_BUG: tested"));
        let summary = parsed.summary;
        assert_eq!((summary.suppressed, summary.closed, summary.rejected), (1, 1, 1));
        let [spot] = summary.blind_spots.as_slice() else { panic!("{summary:?}") };
        assert_eq!((&spot.reach, spot.reason.as_str()), (&Reach::Everything, "cannot read A.class"));
        assert_eq!(summary.scanner_errors_total, 0);
        let nothing = report(r#"<Errors errors="0"/><FindBugsSummary total_classes="0"/>"#);
        let summary = findings_of(&nothing);
        assert_eq!((summary.blind_spots.len(), summary.examined), (1, [(Unit::Classes, 0)].into()));
        assert_eq!(
            findings_of(&report(r#"<Errors errors="2"/>"#)).blind_spots[0].reason,
            "2 errors during the analysis"
        );
        assert!(failure(&SCANNER, b"<BugCollections/>").contains("outermost element `BugCollection`"));
    }
}
