//! Veracode's findings in JSON, from the REST API and from pipeline scans.

use super::{SCANNER, severity_word};
use crate::reader::html;
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::value::cwe;
use finding::{Endpoint, Finding, Kind, Location, Package};
use serde::Deserialize;

/// Reads the findings.
///
/// # Errors
/// The list of findings is missing, or the report cannot be read.
pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["findings[]", "_embedded.findings[]", "page", "scan_status", "message", "pipeline_scan"];
    let (mut page, mut status) = (RawPage::default(), None);
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 | 1 => match item.read::<RawFinding>() {
            Ok(raw) => raw.collect(collector),
            Err(reason) => collector.rejected(reason),
        },
        2 => {
            page = item.context("`page`", collector);
            Ok(())
        }
        3 => {
            status = item.read::<Text>().ok().filled();
            Ok(())
        }
        _ => Ok(()),
    })?;
    let (pages, results) = (page.total_pages.number(), page.total_elements.number());
    if pages.is_some_and(|pages| pages > 1.0) {
        collector.scanner_error("the report is one page of several: `page.total_pages` is more than 1");
    }
    if let Some(status) = status.as_ref().filter(|status| !status.eq_ignore_ascii_case("success")) {
        collector.scanner_error(format!("the scan's status is {status}"));
    }
    // The API omits the list if it is empty.
    collector.require(
        seen.has(0) || seen.has(1) || results == Some(0.0),
        "Veracode's findings are an object with the list `findings`",
    )
}

#[derive(Deserialize, Default)]
struct RawPage {
    total_pages: Loose<Number>,
    total_elements: Loose<Number>,
}

#[derive(Deserialize)]
struct RawFinding {
    issue_id: Loose<Text>,
    scan_type: Loose<Text>,
    description: Loose<Text>,
    count: Loose<Text>,
    finding_status: Loose<RawStatus>,
    finding_details: Option<RawDetails>,
    // Fields of pipeline scans.
    cwe_id: Loose<Text>,
    issue_type: Loose<Text>,
    title: Loose<Text>,
    display_text: Loose<Text>,
    severity: Loose<Text>,
    files: Loose<RawFiles>,
    flaw_details_link: Loose<Text>,
}

#[derive(Deserialize, Default)]
struct RawStatus {
    status: Loose<Text>,
    resolution: Loose<Text>,
    resolution_status: Loose<Text>,
}

#[derive(Deserialize)]
struct RawFiles {
    source_file: RawSourceFile,
}

#[derive(Deserialize)]
struct RawSourceFile {
    file: Loose<Text>,
    line: Loose<Number>,
    function_name: Loose<Text>,
}

#[derive(Deserialize)]
struct RawDetails {
    severity: Loose<Text>,
    cwe: Loose<RawReference>,
    finding_category: Loose<RawReference>,
    attack_vector: Loose<Text>,
    // Static.
    file_path: Loose<Text>,
    file_line_number: Loose<Number>,
    module: Loose<Text>,
    procedure: Loose<Text>,
    // Dynamic.
    url: Loose<Text>,
    hostname: Loose<Text>,
    port: Loose<Text>,
    vulnerable_parameter: Loose<Text>,
    // Components.
    cve: Loose<RawCve>,
    component_filename: Loose<Text>,
    version: Loose<Text>,
    component_path: Loose<Many<RawPath>>,
    language: Loose<Text>,
}

#[derive(Deserialize)]
struct RawReference {
    id: Loose<Text>,
    name: Loose<Text>,
}

#[derive(Deserialize)]
struct RawPath {
    path: Loose<Text>,
}

#[derive(Deserialize)]
struct RawCve {
    name: Loose<Text>,
    cvss: Loose<Number>,
    vector: Loose<Text>,
    href: Loose<Text>,
    cvss3: Loose<RawCvss>,
}

#[derive(Deserialize)]
struct RawCvss {
    score: Loose<Number>,
    vector: Loose<Text>,
}

impl RawStatus {
    /// The resolution, if it is an accepted mitigation.
    fn mitigated(&self) -> Option<String> {
        let resolution = self.resolution.as_str().filter(|resolution| *resolution != "UNRESOLVED")?;
        self.resolution_status.is("APPROVED").then(|| resolution.to_owned())
    }
}

impl RawFinding {
    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        let status = self.finding_status.0.as_ref();
        let mitigated = status.and_then(RawStatus::mitigated);
        if mitigated.is_none() && status.is_some_and(|status| status.status.is("CLOSED")) {
            return collector.closed();
        }
        let finding = self.into_finding().map(|finding| Finding { suppressed: mitigated, ..finding });
        collector.result(finding)
    }

    fn into_finding(self) -> Result<Finding, String> {
        let Some(details) = self.finding_details else { return self.into_pipeline_finding() };
        const SCANS: [&str; 4] = ["STATIC", "DYNAMIC", "MANUAL", "SCA"];
        if !SCANS.iter().any(|scan| self.scan_type.is(scan)) {
            return Err("`scan_type` is missing or unknown".to_owned());
        }
        let description = self.description.filled().map(|text| html::text(&text));
        let level = details.severity.as_str().and_then(severity_word);
        let mut finding = if self.scan_type.is("SCA") {
            details.into_dependency(description)?
        } else {
            details.into_flaw(self.scan_type.is("DYNAMIC"), description)?
        };
        finding.tool_id = self.issue_id.filled();
        finding.raw.extend(self.count.filled().map(|count| ("count".to_owned(), count)));
        if finding.kind != Kind::Dependency {
            SCANNER.rating().word(level).apply(&mut finding);
        }
        Ok(finding)
    }

    fn into_pipeline_finding(self) -> Result<Finding, String> {
        let cwe = self.cwe_id.filled().ok_or("`finding_details` and `cwe_id` are both missing")?;
        let title = self.issue_type.filled().or(self.title.filled()).unwrap_or_else(|| format!("CWE-{cwe}"));
        let message = self.display_text.filled().map_or_else(|| title.clone(), |text| html::text(&text));
        let file = self.files.0.map(|files| files.source_file);
        let function = file.as_ref().and_then(|file| file.function_name.as_str().map(str::to_owned));
        let mut finding = Finding {
            tool_id: self.issue_id.filled(),
            cwes: cwe::number(&cwe).into_iter().collect(),
            references: self.flaw_details_link.filled().into_iter().collect(),
            location: file.and_then(|file| {
                let line = file.line.line();
                Some(Location::lines(file.file.filled()?, line, None))
            }),
            ..Finding::new(Kind::Code, format!("CWE-{cwe}"), title, message)
        };
        finding.raw.extend(function.map(|name| ("function_name".to_owned(), name)));
        SCANNER.rating().word(self.severity.as_str().and_then(severity_word)).apply(&mut finding);
        Ok(finding)
    }
}

impl RawDetails {
    fn into_flaw(self, dynamic: bool, description: Option<String>) -> Result<Finding, String> {
        let cwe = self.cwe.0.ok_or("`cwe` is missing")?;
        let id = cwe.id.filled().ok_or("`cwe.id` is missing")?;
        let category = self.finding_category.0.and_then(|category| category.name.filled());
        let title = cwe.name.filled().or(category.clone()).unwrap_or_else(|| format!("CWE-{id}"));
        let line = self.file_line_number.line();
        let mut finding = Finding {
            cwes: cwe::number(&id).into_iter().collect(),
            location: self.file_path.filled().map(|path| Location::lines(path, line, None)),
            ..Finding::new(
                if dynamic { Kind::Web } else { Kind::Code },
                format!("CWE-{id}"),
                title.clone(),
                description.unwrap_or(title),
            )
        };
        let endpoint = Endpoint {
            url: self.url.filled(),
            host: self.hostname.filled(),
            port: self.port.as_str().and_then(|port| port.parse().ok()),
            parameter: self.vulnerable_parameter.filled(),
            ..Endpoint::default()
        };
        finding.endpoint = (endpoint != Endpoint::default()).then_some(endpoint);
        for (name, text) in [
            ("categoryname", category),
            ("type", self.attack_vector.filled()),
            ("module", self.module.filled()),
            ("procedure", self.procedure.filled()),
        ] {
            finding.raw.extend(text.map(|text| (name.to_owned(), text)));
        }
        Ok(finding)
    }

    fn into_dependency(self, description: Option<String>) -> Result<Finding, String> {
        let cve = self.cve.0.ok_or("`cve` is missing")?;
        let id = cve.name.filled().ok_or("`cve.name` is missing")?;
        let file = self.component_filename.filled().ok_or("`component_filename` is missing")?;
        let version = self.version.filled();
        // The name has no version: `notes-1.0.jar` is `notes.jar`, so `notes-1.1.jar` is the same component.
        let name = version.as_ref().map_or_else(
            || file.clone(),
            |version| file.replace(&format!("-{version}"), "").replace(&format!("_{version}"), ""),
        );
        let message = format!("{name} {}: {id}", version.as_deref().unwrap_or_default());
        let paths = self.component_path.0.unwrap_or_default().0.into_iter().filter_map(|path| path.path.filled());
        let mut places = paths.map(Location::file);
        let weakness = self.cwe.0;
        let title = weakness.as_ref().and_then(|cwe| cwe.name.as_str()).unwrap_or(&id).to_owned();
        let mut finding = Finding {
            advisories: vec![id.clone()],
            cwes: weakness.and_then(|cwe| cwe::number(cwe.id.as_str()?)).into_iter().collect(),
            references: cve.href.filled().into_iter().collect(),
            description,
            location: places.next(),
            other_locations: places.collect(),
            package: Some(Package { name, version, ..Package::default() }),
            ..Finding::new(Kind::Dependency, id, title, message)
        };
        finding.raw.insert("file_name".to_owned(), file);
        finding.raw.extend(self.language.filled().map(|language| ("language".to_owned(), language)));
        let mut rating = SCANNER.rating().word(self.severity.as_str().and_then(severity_word));
        if let Some(cvss) = cve.cvss3.0 {
            let vector = cvss.vector.as_str().map(|vector| {
                if vector.starts_with("CVSS:") { vector.to_owned() } else { format!("CVSS:3.1/{vector}") }
            });
            rating = match vector {
                Some(vector) => rating.vector(Some(&vector), cvss.score.number()),
                None => rating.base("3.1", cvss.score.number()),
            };
        }
        rating = match cve.vector.as_str() {
            Some(vector) => rating.vector(Some(vector), cve.cvss.number()),
            None => rating.base("2.0", cve.cvss.number()),
        };
        rating.apply(&mut finding);
        Ok(finding)
    }
}
