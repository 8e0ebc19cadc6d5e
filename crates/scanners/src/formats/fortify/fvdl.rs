//! Fortify's own format, the Fortify Vulnerability Description Language, with the audit in `audit.xml`.
//!
//! A vulnerability's description, nodes, snippets and rule follow it. The first walk notes which of these are needed,
//! the second collects them, the third reads the vulnerabilities.

use super::SCANNER;
use crate::reader::html;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use finding::{Excerpt, Finding, Kind, Location};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of code that are held at once; further results have no code.
const SNIPPETS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The id of the tag "Analysis", in which people record their decision.
const ANALYSIS: &str = "87f2364f-dcd4-49e6-861d-f8d3f351686b";

/// The parts of the report that vulnerabilities refer to.
#[derive(Default)]
struct ReportIndex {
    /// Elements `Description`, by the rule's class.
    descriptions: BTreeMap<String, Element>,
    rules: BTreeMap<String, Rule>,
    /// The nodes of the pool.
    nodes: BTreeMap<String, Element>,
    snippets: BTreeMap<String, Excerpt>,
    /// The audit's reason to suppress an instance.
    suppressed: BTreeMap<String, String>,
}

/// The numbers and weaknesses of a rule.
#[derive(Default, Clone)]
struct Rule {
    impact: Option<f64>,
    accuracy: Option<f64>,
    probability: Option<f64>,
    cwes: Vec<u32>,
}

/// Reads the FVDL.
///
/// # Errors
/// The list of vulnerabilities is missing, or the report cannot be read.
pub(super) fn parse(
    input: Input<'_>,
    audit: Option<Input<'_>>,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let mut index = collect(input, collector)?;
    if let Some(audit) = audit {
        index.suppressed = decisions(audit)?;
    }
    let paths = ["FVDL/Vulnerabilities/Vulnerability", "FVDL/Vulnerabilities@"];
    let mut has_list = false;
    let containers = [Container::list("FVDL/Vulnerabilities", &["Vulnerability"])];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        if found.path == 1 {
            has_list = true;
            return Ok(());
        }
        collector.result(index.finding(&found.element))
    })?;
    const SHAPE: &str = "an FVDL has the list `Vulnerabilities`";
    require(has_list, SHAPE)?;
    structure.require(collector, SHAPE)
}

/// The instances that the audit suppresses, with the reasons.
fn decisions(audit: Input<'_>) -> Result<BTreeMap<String, String>, ParseError> {
    let mut suppressed = BTreeMap::new();
    xml::walk(audit, &["Audit/IssueList/Issue"], &mut |found| {
        let issue = &found.element;
        let Some(id) = issue.attribute("instanceId") else { return Ok(()) };
        let comments = issue.at("ThreadedComments").into_iter().flat_map(|list| list.all("Comment"));
        let comments: Vec<&str> = comments.filter_map(|comment| comment.text_at("Content")).collect();
        let analysis =
            issue.all("Tag").find(|tag| tag.attribute("id").is_some_and(|id| id.eq_ignore_ascii_case(ANALYSIS)));
        let analysis = analysis.and_then(|tag| tag.text_at("Value"));
        let word = match issue.attribute("suppressed") {
            Some("true") => Some("suppressed"),
            _ => analysis.filter(|value| value.eq_ignore_ascii_case("not an issue")),
        };
        if let Some(word) = word {
            let parts: Vec<&str> = [word].into_iter().chain(comments).collect();
            suppressed.insert(id.to_owned(), parts.join(": "));
        }
        Ok(())
    })?;
    Ok(suppressed)
}

/// Collects the parts of the report that its vulnerabilities refer to.
fn collect(input: Input<'_>, collector: &mut Collector<'_>) -> Result<ReportIndex, ParseError> {
    let (mut classes, mut nodes, mut snippets) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    xml::walk(input, &["FVDL/Vulnerabilities/Vulnerability"], &mut |found| {
        classes.extend(found.element.owned_at("ClassInfo/ClassID"));
        match primary(&found.element) {
            Some(Primary::Node(node)) => snippets.extend(snippet(node)),
            Some(Primary::Pooled(id)) => drop(nodes.insert(id.to_owned())),
            None => {}
        }
        Ok(())
    })?;
    let mut index = ReportIndex::default();
    let paths = [
        "FVDL/Description",
        "FVDL/EngineData/RuleInfo/Rule",
        "FVDL/UnifiedNodePool/Node",
        "FVDL/EngineData/EngineVersion",
        "FVDL/CreatedTS",
    ];
    xml::walk(input, &paths, &mut |found| {
        let element = found.element;
        let id = element.attribute("classID").or(element.attribute("id")).unwrap_or_default().to_owned();
        match found.path {
            0 if classes.contains(&id) => drop(index.descriptions.insert(id, element)),
            1 if classes.contains(&id) => drop(index.rules.insert(id, Rule::of(element.at("MetaInfo")))),
            2 if nodes.contains(&id) => {
                snippets.extend(snippet(&element));
                index.nodes.insert(id, element);
            }
            3 => collector.version(element.text.trim()),
            4 => {
                let [date, time] = ["date", "time"].map(|part| element.attribute(part).unwrap_or_default());
                collector.ended(format!("{date} {time}").as_str());
            }
            _ => {}
        }
        Ok(())
    })?;
    let mut bytes = 0;
    xml::walk(input, &["FVDL/Snippets/Snippet"], &mut |found| {
        let id = found.element.attribute("id").filter(|id| snippets.contains(*id));
        let text = found.element.at("Text").map(|text| text.text.as_str()).unwrap_or_default();
        if let Some(id) = id.filter(|_| bytes + text.len() <= SNIPPETS_BYTES_MAX)
            && let Some(first_line) = found.element.text_at("StartLine").and_then(|line| line.parse().ok())
        {
            bytes += text.len() + id.len();
            let lines = text.trim_end_matches(['\r', '\n']).lines().map(str::to_owned).collect();
            index.snippets.insert(id.to_owned(), Excerpt { first_line, lines });
        }
        Ok(())
    })?;
    Ok(index)
}

/// The node of a vulnerability: its own, or the id of one in the pool.
enum Primary<'e> {
    Node(&'e Element),
    Pooled(&'e str),
}

/// The node that Fortify shows: the default one of the trace, else its last.
fn primary(vulnerability: &Element) -> Option<Primary<'_>> {
    let entries: Vec<&Element> = vulnerability.at("AnalysisInfo/Unified/Trace/Primary")?.all("Entry").collect();
    let nodes = || entries.iter().filter_map(|entry| entry.at("Node"));
    let default = nodes().find(|node| node.attribute("isDefault") == Some("true"));
    let pooled = || entries.iter().rev().find_map(|entry| entry.at("NodeRef")?.attribute("id"));
    default.or(nodes().next_back()).map(Primary::Node).or_else(|| pooled().map(Primary::Pooled))
}

fn snippet(node: &Element) -> Option<String> {
    node.at("SourceLocation")?.attribute("snippet").map(str::to_owned)
}

impl Rule {
    fn of(metadata: Option<&Element>) -> Self {
        let groups = || metadata.into_iter().flat_map(|metadata| metadata.all("Group"));
        let get =
            |name: &str| groups().find(|group| group.attribute("name") == Some(name)).map(|group| group.text.trim());
        let number = |name: &str| get(name).and_then(decimal);
        Self {
            impact: number("Impact"),
            accuracy: number("Accuracy"),
            probability: number("Probability"),
            cwes: get("altcategoryCWE").map(weaknesses).unwrap_or_default(),
        }
    }

    /// The Fortify Priority Order.
    fn priority(&self, confidence: Option<f64>) -> Option<&'static str> {
        const HIGH: f64 = 2.5;
        let likelihood = self.accuracy? * confidence? * self.probability? / 25.0;
        Some(match (self.impact? >= HIGH, likelihood >= HIGH) {
            (true, true) => "Critical",
            (true, false) => "High",
            (false, true) => "Medium",
            (false, false) => "Low",
        })
    }
}

/// The numbers in `CWE ID 259,CWE ID 798`.
pub(super) fn weaknesses(text: &str) -> Vec<u32> {
    cwe::numbers(text.split(',').map(|part| part.trim().trim_start_matches("CWE ID ").trim()))
}

impl ReportIndex {
    fn finding(&self, vulnerability: &Element) -> Result<Finding, String> {
        let class = vulnerability.text_at("ClassInfo/ClassID").ok_or("`ClassID` is missing")?;
        let parts = ["ClassInfo/Type", "ClassInfo/Subtype"].into_iter().filter_map(|path| vulnerability.text_at(path));
        let title = parts.collect::<Vec<_>>().join(": ");
        let title = if title.is_empty() { class.to_owned() } else { title };
        let node = match primary(vulnerability) {
            Some(Primary::Node(node)) => Some(node),
            Some(Primary::Pooled(id)) => self.nodes.get(id),
            None => None,
        };
        let source_location = node.and_then(|node| node.at("SourceLocation"));
        let location = source_location.and_then(location);
        let texts = self.descriptions.get(class);
        let definitions = vulnerability.at("AnalysisInfo/Unified/ReplacementDefinitions");
        let text = |path: &str| texts.and_then(|text| text.text_at(path)).map(|text| fill_in(text, definitions));
        let references = texts.and_then(|texts| texts.at("References"));
        let references = references.into_iter().flat_map(|list| list.all("Reference"));
        let instance = vulnerability.text_at("InstanceInfo/InstanceID");
        let rule = self.rule(class, vulnerability);
        let confidence = vulnerability.text_at("InstanceInfo/Confidence");
        let mut finding = Finding {
            tool_id: instance.map(str::to_owned),
            confidence: confidence.map(str::to_owned),
            code: source_location
                .and_then(|source_location| self.snippets.get(source_location.attribute("snippet")?))
                .cloned(),
            location,
            description: text("Explanation"),
            remediation: text("Recommendations"),
            references: references.filter_map(|reference| reference.owned_at("Source")).collect(),
            suppressed: instance.and_then(|instance| self.suppressed.get(instance)).cloned(),
            ..Finding::new(Kind::Code, class, title.clone(), text("Abstract").unwrap_or(title))
        };
        for (name, text) in [
            ("kingdom", vulnerability.text_at("ClassInfo/Kingdom")),
            ("analyzer", vulnerability.text_at("ClassInfo/AnalyzerName")),
        ] {
            finding.raw.extend(text.map(|text| (name.to_owned(), text.to_owned())));
        }
        let word = rule.priority(confidence.and_then(decimal));
        finding.cwes = rule.cwes;
        SCANNER.rating().word(word).apply(&mut finding);
        Ok(finding)
    }

    /// The rule of a vulnerability; the instance's own numbers have priority.
    fn rule(&self, class: &str, vulnerability: &Element) -> Rule {
        let general = self.rules.get(class).cloned().unwrap_or_default();
        let own = Rule::of(vulnerability.at("InstanceInfo/MetaInfo"));
        Rule {
            impact: own.impact.or(general.impact),
            accuracy: own.accuracy.or(general.accuracy),
            probability: own.probability.or(general.probability),
            cwes: general.cwes,
        }
    }
}

fn location(source_location: &Element) -> Option<Location> {
    let number = |name: &str| {
        source_location.attribute(name).and_then(|number| number.parse().ok()).filter(|number| *number > 0)
    };
    let line = number("line");
    Some(Location::lines(source_location.attribute("path")?, line, number("lineEnd")).with_column(number("colStart")))
}

/// A description's text, with `<Replace key="PrimaryLocation.file"/>` replaced by its definition. Text that is meant
/// for the rule in general (`AltParagraph`) is left out.
fn fill_in(text: &str, definitions: Option<&Element>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        whole.push_str(before);
        if let Some((_, after)) =
            tag.strip_prefix("AltParagraph>").and_then(|inner| inner.split_once("</AltParagraph>"))
        {
            rest = after;
        } else if let Some((attributes, after)) = tag.strip_prefix("Replace ").and_then(|inner| inner.split_once("/>"))
        {
            let key =
                attributes.split_once("key=\"").and_then(|(_, key)| key.split_once('"')).map_or("", |(key, _)| key);
            let defined = definitions.into_iter().flat_map(|list| list.all("Def"));
            let value = defined
                .into_iter()
                .find(|def| def.attribute("key") == Some(key))
                .and_then(|def| def.attribute("value"));
            whole.push_str(&value.unwrap_or(key).replace('&', "&amp;").replace('<', "&lt;"));
            rest = after;
        } else {
            whole.push('<');
            rest = tag;
        }
    }
    whole.push_str(rest);
    html::text(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_corner_of_the_priority_order() {
        let rule = |impact, probability| Rule {
            impact: Some(impact),
            accuracy: Some(5.0),
            probability: Some(probability),
            cwes: vec![],
        };
        let cases = [((2.5, 2.5), "Critical"), ((2.5, 2.4), "High"), ((2.4, 2.5), "Medium"), ((0.0, 0.0), "Low")];
        for ((impact, probability), expected) in cases {
            assert_eq!(rule(impact, probability).priority(Some(5.0)), Some(expected), "{impact} {probability}");
        }
        assert_eq!(rule(5.0, 5.0).priority(None), None);
        assert_eq!(Rule::default().priority(Some(5.0)), None);
    }

    #[test]
    fn texts_are_filled_in_with_definitions() {
        let def = |key: &str, value: &str| Element {
            name: "Def".to_owned(),
            attributes: vec![("key".to_owned(), key.to_owned()), ("value".to_owned(), value.to_owned())],
            ..Element::default()
        };
        let list = Element { children: vec![def("a", "List<A&B>")], ..Element::default() };
        let text = "<Content>See <Replace key=\"a\" link=\"b\"/> and <Replace key=\"c\"/>.<AltParagraph>General.</AltParagraph> <b>B</b></Content>";
        assert_eq!(fill_in(text, Some(&list)), "See List<A&B> and c. B");
        assert_eq!(fill_in("a <Replace key=\"", None), "a");
    }

    #[test]
    fn weaknesses_are_read_as_fortify_lists_them() {
        assert_eq!(weaknesses("CWE ID 259,CWE ID 798"), [259, 798]);
        assert!(weaknesses("None").is_empty());
    }
}
