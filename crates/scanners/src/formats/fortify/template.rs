//! The XML of Fortify's report templates.

use super::SCANNER;
use crate::reader::html;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::xml::{self, Container, Element};
use finding::{Excerpt, Finding, Kind, Location};
use std::collections::BTreeMap;

const CHART: &str = "ReportDefinition/ReportSection/SubSection/IssueListing/Chart";
/// Groups can contain groups; deeper nesting than this does not occur in known reports.
const GROUPS: [&str; 3] =
    ["GroupingSection", "GroupingSection/GroupingSection", "GroupingSection/GroupingSection/GroupingSection"];

/// A group of issues: the number that it states, the number that it lists, and its texts.
#[derive(Default)]
struct Group {
    title: String,
    stated: u64,
    listed: u64,
    description: Option<String>,
    remediation: Option<String>,
}

/// Reads the report.
///
/// # Errors
/// The report is cut off, or has no `ReportSection`.
pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut paths = vec!["ReportDefinition/ReportSection@".to_owned()];
    for group in GROUPS {
        paths.extend(
            ["@", "/groupTitle", "/MajorAttributeSummary", "/Issue"].map(|part| format!("{CHART}/{group}{part}")),
        );
    }
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    // The section that listed an issue first. If a later section lists it again, it is the same result.
    let (mut section, mut first_sections) = (0_u32, BTreeMap::<String, u32>::new());
    let mut counted = 0;
    let (mut group, mut groups) = (Group::default(), BTreeMap::<String, (u64, u64)>::new());
    let groups_at = GROUPS.map(|group| format!("{CHART}/{group}"));
    let mut containers: Vec<Container<'_>> = groups_at
        .iter()
        .map(|path| Container::mixed(path, &["Issue", "GroupingSection"], &["groupTitle", "MajorAttributeSummary"]))
        .collect();
    containers.push(Container::mixed("ReportDefinition", &["ReportSection!"], &[]));
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        match found.path.checked_sub(1).map(|path| path % 4) {
            None => section += 1,
            Some(0) => {
                count_group(std::mem::take(&mut group), &mut groups);
                group.stated = found.element.attribute("count").and_then(|count| count.parse().ok()).unwrap_or(0);
                counted = group.stated.max(counted);
            }
            Some(1) => group.title = found.element.text.trim().to_owned(),
            Some(2) => {
                for info in found.element.all("MetaInfo") {
                    let text = info.text_at("Value").map(html::text);
                    match info.text_at("Name") {
                        Some("Explanation") => group.description = text,
                        Some("Recommendations") => group.remediation = text,
                        Some(_) | None => {}
                    }
                }
            }
            Some(_) => {
                group.listed += 1;
                let first =
                    found.element.attribute("iid").map(|id| *first_sections.entry(id.to_owned()).or_insert(section));
                if first.is_none_or(|first| first == section) {
                    return collector.result(issue(&found.element, &group));
                }
            }
        }
        Ok(())
    })?;
    structure
        .require(collector, "a report of a Fortify template is a `ReportDefinition` with elements `ReportSection`")?;
    count_group(group, &mut groups);
    if first_sections.is_empty() && groups.is_empty() && counted > 0 {
        collector
            .scanner_error(format!("the report counts {counted} issues and lists none: its template leaves them out"));
    }
    for (title, (stated, listed)) in groups.into_iter().filter(|(_, (stated, listed))| stated > listed) {
        collector.scanner_error(format!("the report lists {listed} of {stated} issues of `{title}`"));
    }
    Ok(())
}

/// Adds up the issues that a group states and lists, if it lists any: other charts only count.
fn count_group(group: Group, groups: &mut BTreeMap<String, (u64, u64)>) {
    if group.listed > 0 {
        let (stated, listed) = groups.entry(group.title).or_default();
        (*stated, *listed) = (group.stated.max(*stated), group.listed.max(*listed));
    }
}

fn issue(issue: &Element, group: &Group) -> Result<Finding, String> {
    let category = issue.text_at("Category").ok_or("`Category` is missing")?;
    let primary = issue.at("Primary");
    let location = primary.and_then(location);
    let analysis = issue.all("Tag").find(|tag| tag.text_at("Name") == Some("Analysis"));
    let analysis =
        analysis.and_then(|tag| tag.text_at("Value")).filter(|value| value.eq_ignore_ascii_case("not an issue"));
    let suppressed = issue.attribute("suppressed").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let weaknesses = issue
        .all("ExternalCategory")
        .filter(|outer| outer.attribute("type").is_some_and(|kind| kind.to_ascii_uppercase().starts_with("CWE")));
    let mut finding = Finding {
        tool_id: issue.attribute("iid").map(str::to_owned),
        cwes: weaknesses.flat_map(|outer| super::fvdl::weaknesses(&outer.text)).collect(),
        description: group.description.clone(),
        remediation: group.remediation.clone(),
        code: primary.zip(location.as_ref()).and_then(|(primary, location)| excerpt(primary, location)),
        suppressed: analysis.map(str::to_owned).or(suppressed.then(|| "suppressed".to_owned())),
        location,
        ..Finding::new(
            Kind::Code,
            issue.attribute("ruleID").unwrap_or(category),
            category,
            html::text(issue.text_at("Abstract").unwrap_or(category)),
        )
    };
    if let Some(source) = issue.at("Source").and_then(self::location) {
        finding.raw.insert("source_file".to_owned(), source.path);
        finding.raw.extend(source.line.map(|line| ("source_line".to_owned(), line.to_string())));
    }
    for (name, text) in [("kingdom", issue.text_at("Kingdom")), ("target", issue.text_at("Primary/TargetFunction"))] {
        finding.raw.extend(text.map(|text| (name.to_owned(), text.to_owned())));
    }
    finding.cwes.dedup();
    SCANNER.rating().word(issue.text_at("Friority").or(issue.text_at("Folder"))).apply(&mut finding);
    Ok(finding)
}

fn location(element: &Element) -> Option<Location> {
    Some(Location::lines(
        element.text_at("FilePath").or(element.text_at("FileName"))?,
        element.text_at("LineStart").and_then(|line| line.parse().ok()).filter(|line| *line > 0),
        None,
    ))
}

/// The snippet, if its first line can be computed: it has two lines before the result's line and two after it, fewer at
/// the beginning or end of the file. At the end of a file the first line is unknown.
fn excerpt(primary: &Element, location: &Location) -> Option<Excerpt> {
    let line = location.line?;
    let snippet = primary.at("Snippet")?.text.trim_end_matches(['\r', '\n']);
    let lines: Vec<String> = snippet.lines().map(str::to_owned).collect();
    let whole = usize::try_from(line.min(3)).ok()? + 2;
    (lines.len() == whole).then(|| Excerpt { first_line: line.saturating_sub(2).max(1), lines })
}
