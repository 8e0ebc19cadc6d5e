//! Snyk Open Source, Snyk Container and Snyk IaC, <https://docs.snyk.io/snyk-cli>: vulnerable packages, unwanted
//! licences and misconfigurations. Reads the command line's JSON (`snyk test --json`, `snyk container test --json`,
//! `snyk iac test --json`): one project, or a list of projects.
//!
//! A result is one entry of `vulnerabilities`, of a project or of one of a container's `applications`, or of
//! `infrastructureAsCodeIssues`. Snyk lists a vulnerability once for each dependency path to it; each is a result.
//! Results that a policy ignores (`filtered.ignore`, `isIgnored`) or patches (`filtered.patch`) are suppressed.
//!
//! A project with an `error` was not tested. That is a blind spot over its file: `targetFile`, or the end of its `path`
//! if other projects show where the tested folder ends. Else it is a blind spot over everything. If no project was
//! tested, the scan is incomplete.
//!
//! Severities: Snyk's own CVSS, from which its word is derived, else that of other assessors (NVD first), else the
//! word: `severityWithCritical` if it exists, because the highest `severity` of old versions is high.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json::{self, Item, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::packages;
use crate::value::rating::{COMMON_WORDS, Rating};
use finding::{Epss, Finding, Kind, Location, Package, Reach};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "snyk",
    tool: "snyk",
    name: "Snyk",
    aliases: &["snyk-open-source", "snyk-oss", "snyk-container"],
    versions: "CLI 1.400 to 1.1300",
    category: "SCA, containers, licences, IaC",
    notation: Notation::Json,
    formats: "JSON (`snyk test --json`, `snyk container test --json`, `snyk iac test --json`)",
    severities: "CVSS (Snyk's, else NVD's), else critical 9.5, high 8.0, medium 5.5, low 2.0",
    severity_words: COMMON_WORDS,
    differences: &[(
        "file_path",
        "the manifest of the project; the dependency path is not a file and is in the message",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    const SETS: [&[&str]; 6] = [
        &["vulnerabilities[].from", "vulnerabilities[].semver"],
        &["vulnerabilities[].from", "vulnerabilities[].upgradePath"],
        &["vulnerabilities", "ok", "packageManager"],
        &["vulnerabilities", "dependencyCount", "ignoreSettings"],
        &["infrastructureAsCodeIssues"],
        &["ok", "error", "path"],
    ];
    let has = |prefix: &str, set: &[&str]| set.iter().all(|path| sniff.has(&format!("{prefix}{path}")));
    SETS.iter().any(|set| has("", set) || has("[].", set))
}

/// The path of a list of results, and the function that reads its entries.
type List = (&'static str, fn(Fields<'_>, &Project) -> Result<Finding, String>);

const LISTS: [List; 7] = [
    ("vulnerabilities[]", vulnerability),
    ("filtered.ignore[]", ignored),
    ("filtered.patch[]", patched),
    ("infrastructureAsCodeIssues[]", misconfiguration),
    ("applications[].vulnerabilities![]", vulnerability),
    ("applications[].filtered.ignore[]", ignored),
    ("applications[].filtered.patch[]", patched),
];
/// The index of the first list inside of applications.
const FIRST_APPLICATION_LIST: usize = 4;
/// A report is one project, or a list of them.
const PREFIXES: [&str; 2] = ["", "[]."];

/// A tested project: a manifest, an image, or an application in an image.
#[derive(Debug, Default)]
struct Project {
    file: Option<String>,
    error: Option<String>,
    path: Option<String>,
    /// True if it has a field that only Snyk writes.
    is_from_snyk: bool,
}

impl Project {
    /// The path of its file, as findings in it have it.
    fn file(&self) -> Option<String> {
        // Paths from Windows have `\`. Without the replacement, files would seem to move between scans.
        self.file.as_ref().map(|file| file.replace('\\', "/"))
    }

    /// The path of the tested folder or file.
    fn path(&self) -> Option<String> {
        self.path.as_ref().map(|path| path.replace('\\', "/"))
    }
}

/// The index of a project, and of the application in it.
type ProjectIndex = (usize, Option<usize>);

fn project_index(prefix: usize, of_application: bool, item: &Item<'_>) -> ProjectIndex {
    let project = if prefix == 0 { 0 } else { item.index(0) };
    (project, of_application.then(|| item.index(prefix)))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let projects = projects(input)?;
    let paths = PREFIXES.iter().flat_map(|prefix| LISTS.iter().map(move |(list, _)| format!("{prefix}{list}")));
    let paths = paths.chain(PREFIXES.map(|prefix| format!("?{prefix}applications[]:")));
    let paths = paths.chain(["?:docker projects meta".to_owned(), "?[]:docker projects meta".to_owned()]);
    let paths: Vec<String> = paths.collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let default = Project::default();
    let seen = json::walk(input, &paths, &mut |item| {
        let (prefix, list) = (item.path / LISTS.len(), item.path % LISTS.len());
        let Some((_, read)) = LISTS.get(list) else { return Ok(()) };
        let project = projects.get(&project_index(prefix, list >= FIRST_APPLICATION_LIST, &item)).unwrap_or(&default);
        collector.result(fields::of(&item, |fields| read(fields, project)))
    })?;
    seen.report_missing(collector);
    let with_lists = (0..PREFIXES.len() * LISTS.len()).any(|path| seen.has(path));
    let errors: Vec<_> = projects.values().filter_map(|project| project.error.as_ref().zip(Some(project))).collect();
    let is_from_snyk = projects.values().any(|project| project.is_from_snyk);
    collector.require(
        is_from_snyk && (with_lists || !errors.is_empty()),
        "a project of Snyk is an object with `ok`, and `vulnerabilities`, `infrastructureAsCodeIssues` or `error`",
    )?;
    // The folders that were tested: what the path of a file has before its name as a target.
    let tested = projects.values().filter(|project| project.error.is_none());
    let folders = tested.filter_map(|project| project.path()?.strip_suffix(&project.file()?).map(str::to_owned));
    let folders: BTreeSet<String> = folders.filter(|folder| folder.is_empty() || folder.ends_with('/')).collect();
    for (error, project) in errors {
        let path = project.path();
        // The path of a folder has no extension.
        let is_file = |path: &&str| path.rsplit('/').next().is_some_and(|name| name.trim_matches('.').contains('.'));
        let file = path.as_deref().filter(is_file);
        let inside = |folder: &String| file.and_then(|file| file.strip_prefix(folder.as_str()));
        let mut files: Vec<String> = folders.iter().filter_map(inside).map(str::to_owned).collect();
        files.extend(project.file());
        let named = project.file().or(path.clone());
        let reason = named.map_or_else(|| error.clone(), |name| format!("{name}: {error}"));
        match files.as_slice() {
            _ if !with_lists => collector.scanner_error(reason),
            [] => collector.blind_spot(Reach::Everything, reason),
            files => files.iter().for_each(|file| collector.blind_to_file(file.as_str(), reason.as_str())),
        }
    }
    Ok(())
}

fn projects(input: Input<'_>) -> Result<BTreeMap<ProjectIndex, Project>, ParseError> {
    const NAMES: [&str; 7] =
        ["displayTargetFile", "targetFile", "projectName", "error", "path", "ok", "dependencyCount"];
    let applications = NAMES.map(|name| format!("applications[].{name}"));
    let names: Vec<String> = NAMES.map(str::to_owned).into_iter().chain(applications).collect();
    let paths = PREFIXES.iter().flat_map(|prefix| names.iter().map(move |name| format!("{prefix}{name}")));
    let paths: Vec<String> = paths.collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut projects: BTreeMap<ProjectIndex, Project> = BTreeMap::new();
    json::walk(input, &paths, &mut |item| {
        let (prefix, name) = (item.path / names.len(), item.path % names.len());
        let project = projects.entry(project_index(prefix, name >= NAMES.len(), &item)).or_default();
        let text = item.read::<Text>().ok().filled();
        match name % NAMES.len() {
            // `displayTargetFile` is preferred.
            0 => project.file = text.or(project.file.take()),
            1 => project.file = project.file.take().or(text),
            2 | 5 | 6 => project.is_from_snyk = true,
            // Other values than a string are errors as well.
            3 if item.raw != "null" => {
                project.error = Some(text.unwrap_or_else(|| crate::reader::report::shortened(item.raw.to_owned())))
            }
            4 => project.path = text,
            _ => {}
        }
        Ok(())
    })?;
    Ok(projects)
}

fn vulnerability(fields: Fields<'_>, project: &Project) -> Result<Finding, String> {
    let id = fields.required("id")?;
    let title = fields.text("title").unwrap_or_else(|| id.clone());
    let mut fixed_versions = fields.texts("fixedIn");
    if fixed_versions.is_empty() {
        fixed_versions.extend(fields.text("nearestFixedInVersion"));
    }
    let package = Package {
        name: fields.first(&["packageName", "moduleName", "name"]).ok_or("`packageName` is missing")?,
        version: fields.text("version"),
        ecosystem: fields.text("packageManager").map(|manager| manager.to_lowercase()),
        purl: None,
        fixed_versions,
    };
    let licensed = fields.text("type").as_deref() == Some("license") || fields.text("license").is_some();
    let (kind, subject) = if licensed { (Kind::License, &title) } else { (Kind::Dependency, &id) };
    let from = fields.texts("from");
    let through: Vec<_> = from.iter().map(|package| without_version(package)).collect();
    let mut message = packages::message(subject, &package);
    if through.len() > 1 {
        message = format!("{message}, through {}", through.join(" > "));
    }
    // Numbers are ids of databases that no longer exist.
    let aliases = fields.all_texts("identifiers").into_iter().filter(|(database, _)| *database != "CWE");
    let aliases = aliases.map(|(_, id)| id).filter(|id| !id.chars().all(|c| c.is_ascii_digit()));
    let upgrades: Vec<_> = fields.texts("upgradePath").into_iter().filter(|step| step != "false").collect();
    let cwes = fields.texts("identifiers.CWE");
    let mut finding = Finding {
        advisories: if licensed { vec![] } else { packages::unique([id.clone()].into_iter().chain(aliases)) },
        cwes: cwe::numbers(cwes.iter().map(String::as_str)),
        epss: epss(fields),
        description: fields.text("description"),
        remediation: Some(upgrades)
            .filter(|steps| !steps.is_empty())
            .map(|steps| format!("Upgrade to {}", steps.join(" > "))),
        references: fields.objects("references").into_iter().filter_map(|reference| reference.text("url")).collect(),
        package: Some(package),
        location: location(project),
        suppressed: fields.is("isIgnored").then(|| "isIgnored".to_owned()),
        ..Finding::new(kind, id, title, message)
    };
    finding.raw.extend(from.join(" > ").filled().map(|from| ("from".to_owned(), from)));
    for field in ["name", "exploit", "dockerfileInstruction", "dockerBaseImage"] {
        finding.raw.extend(fields.text(field).map(|text| (field.to_owned(), text)));
    }
    rating(fields).apply(&mut finding);
    packages::remove_duplicates(&mut finding.cvss);
    Ok(finding)
}

/// The name of a package without its version: `@babel/core` of `@babel/core@7.1.2`.
fn without_version(package: &str) -> &str {
    match package.rsplit_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        Some(_) | None => package,
    }
}

fn rating(fields: Fields<'_>) -> Rating {
    let own = fields.number("cvssScore");
    let mut rating = match fields.text("CVSSv3") {
        Some(vector) => SCANNER.rating().vector(Some(&vector), own),
        None => SCANNER.rating().base("3.1", own),
    };
    let mut others = [fields.objects("cvssSources"), fields.objects("cvssDetails")].concat();
    others.sort_by_key(|other| other.text("assigner").is_none_or(|assigner| assigner != "NVD"));
    for other in others {
        let vector = other.first(&["vector", "cvssV3Vector"]);
        let score = other.number("baseScore").or_else(|| other.number("cvssV3BaseScore"));
        rating = rating.vector(vector.as_deref(), score);
    }
    rating.word(fields.first(&["severityWithCritical", "severity"]).as_deref())
}

fn epss(fields: Fields<'_>) -> Option<Epss> {
    let share = |path| fields.number(path).filter(|number| (0.0..=1.0).contains(number));
    Some(Epss { probability: share("epssDetails.probability")?, percentile: share("epssDetails.percentile") })
}

fn ignored(fields: Fields<'_>, project: &Project) -> Result<Finding, String> {
    let rules = fields.objects("filtered.ignored").into_iter();
    let reasons: Vec<_> = rules.filter_map(|rule| rule.first(&["reason", "reasonType"])).collect();
    let reason = if reasons.is_empty() { "ignored".to_owned() } else { format!("ignored: {}", reasons.join("; ")) };
    Ok(Finding { suppressed: Some(reason), ..vulnerability(fields, project)? })
}

fn patched(fields: Fields<'_>, project: &Project) -> Result<Finding, String> {
    Ok(Finding { suppressed: Some("patched".to_owned()), ..vulnerability(fields, project)? })
}

fn misconfiguration(fields: Fields<'_>, project: &Project) -> Result<Finding, String> {
    let id = fields.first(&["publicId", "id"]).ok_or("`id` is missing")?;
    let title = fields.text("title").unwrap_or_else(|| id.clone());
    let parts = fields.texts("path");
    let resource = fields.text("msg").or_else(|| parts.join(".").filled());
    let issue = fields.first(&["issue", "iacDescription.issue"]).unwrap_or_else(|| title.clone());
    let message = resource.as_ref().map_or_else(|| issue.clone(), |resource| format!("{resource}: {issue}"));
    let urls = fields.text("documentation").into_iter().chain(fields.texts("references"));
    let mut finding = Finding {
        description: fields.first(&["description", "impact", "iacDescription.impact"]),
        remediation: fields.first(&["resolve", "iacDescription.resolve"]),
        references: packages::unique(urls),
        location: location(project).map(|location| Location { line: fields.line("lineNumber"), ..location }),
        resource,
        suppressed: fields.is("isIgnored").then(|| "isIgnored".to_owned()),
        ..Finding::new(Kind::Infrastructure, id, title, message)
    };
    finding.raw.extend(fields.text("subType").map(|kind| ("subType".to_owned(), kind)));
    SCANNER.rating().word(fields.text("severity").as_deref()).apply(&mut finding);
    Ok(finding)
}

/// The project's file. An image has none, and its name is not used as a location.
fn location(project: &Project) -> Option<Location> {
    project.file().map(Location::file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const VULNERABILITY: &str = r#"{"id": "SNYK-JS-LODASH-590103", "title": "Prototype Pollution", "packageName": "lodash",
        "version": "4.17.15", "fixedIn": ["4.17.20"], "severity": "high", "severityWithCritical": "critical",
        "identifiers": {"CVE": ["CVE-2020-8203"], "CWE": ["CWE-1321"], "GHSA": ["GHSA-p6mc-m468-83gw"], "NSP": [1523]},
        "from": ["notes@1.0.0", "@a/b@2.0.0", "lodash@4.17.15"], "upgradePath": [false, "@a/b@2.1.0"]}"#;

    fn project(fields: &str) -> String {
        format!(r#"{{{fields}, "ok": false, "displayTargetFile": "web\\package-lock.json"}}"#)
    }

    #[test]
    fn a_vulnerability_has_its_package_and_dependency_path() {
        let text = project(&format!(r#""vulnerabilities": [{VULNERABILITY}]"#));
        let finding = findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0);
        assert_eq!(
            finding.message,
            "lodash 4.17.15: SNYK-JS-LODASH-590103, fixed in 4.17.20, through notes > @a/b > lodash"
        );
        assert_eq!(finding.advisories, ["SNYK-JS-LODASH-590103", "CVE-2020-8203", "GHSA-p6mc-m468-83gw"]);
        assert_eq!(
            (finding.cwes.as_slice(), finding.location.unwrap().path.as_str()),
            (&[1321][..], "web/package-lock.json")
        );
        assert_eq!(finding.remediation.as_deref(), Some("Upgrade to @a/b@2.1.0"));
        assert_eq!(finding.score.unwrap().score.hundredths(), 950);
    }

    #[test]
    fn own_cvss_counts_before_others_and_those_before_the_word() {
        let scored = |fields: &str| {
            let text =
                project(&format!(r#""vulnerabilities": [{{"id": "a", "name": "b", "severity": "low", {fields}}}]"#));
            findings(&SCANNER, text.as_bytes()).unwrap().0[0].score.unwrap().score.hundredths()
        };
        let others = r#""cvssDetails": [{"assigner": "Red Hat", "cvssV3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
            "cvssV3BaseScore": 7.5}, {"assigner": "NVD", "cvssV3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "cvssV3BaseScore": 9.8}]"#;
        assert_eq!(
            scored(&format!(r#""CVSSv3": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:L", "cvssScore": 6.5, {others}"#)),
            650
        );
        assert_eq!(scored(others), 980);
        assert_eq!(scored(r#""CVSSv3": null, "cvssScore": null"#), 200);
    }

    #[test]
    fn every_project_and_application_is_read_with_its_own_file() {
        let application = project(&format!(r#""vulnerabilities": [{VULNERABILITY}]"#)).replace("web", "app");
        let image =
            format!(r#"{{"applications": [{application}], "vulnerabilities": [{VULNERABILITY}, {{}}], "ok": false}}"#);
        let text = format!("[{image}, {}]", project(&format!(r#""vulnerabilities": [{VULNERABILITY}]"#)));
        for (text, expected) in
            [(&image, vec!["app/package-lock.json"]), (&text, vec!["app/package-lock.json", "web/package-lock.json"])]
        {
            let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
            let paths: Vec<_> = found.iter().filter_map(|f| f.location.as_ref()).map(|l| l.path.as_str()).collect();
            assert_eq!((paths, parsed.summary.rejected), (expected, 1));
        }
    }

    #[test]
    fn licences_are_findings_and_results_that_a_policy_ignores_are_suppressed() {
        let text = project(&format!(
            r#""vulnerabilities": [{{"id": "snyk:lic:npm:a:GPL-3.0", "type": "license", "name": "a",
            "severity": "high", "title": "GPL-3.0 license"}}], "filtered": {{"ignore": [{}], "patch": [{VULNERABILITY}]}}"#,
            VULNERABILITY.replacen('{', r#"{"filtered": {"ignored": [{"reason": "no input"}]}, "#, 1)
        ));
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.suppressed), (1, 2));
        assert_eq!((found[0].kind, found[0].advisories.is_empty()), (Kind::License, true));
        let marks: Vec<_> = found.iter().filter_map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(marks, ["ignored: no input", "patched"]);
    }

    #[test]
    fn a_project_that_was_not_tested_is_a_blind_spot_unless_none_was() {
        let reaches = |project: &str| {
            let tested = r#""ok": true, "vulnerabilities": [], "path": "deploy/main.tf", "targetFile": "main.tf""#;
            let text = format!(r#"[{{{tested}}}, {{"ok": false, "error": "no lock file", {project}}}]"#);
            let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert!(parsed.summary.is_complete());
            parsed.summary.blind_spots.into_iter().map(|spot| spot.reach).collect::<Vec<_>>()
        };
        let file = |path: &str| vec![Reach::File(path.to_owned())];
        assert_eq!(reaches(r#""path": "/src/notes""#), [Reach::Everything]);
        assert_eq!(reaches(r#""path": "/src/notes", "targetFile": "a/pom.xml""#), file("a/pom.xml"));
        assert_eq!(reaches(r#""path": "deploy/db/broken.tf""#), file("db/broken.tf"));
        assert_eq!(reaches(r#""path": ".""#), [Reach::Everything]);
        let alone = r#"{"ok": false, "error": {"code": 1}, "path": "."}"#;
        assert!(!findings(&SCANNER, alone.as_bytes()).unwrap().1.summary.is_complete());
    }

    #[test]
    fn misconfigurations_have_their_resource_and_line() {
        let text = r#"{"infrastructureAsCodeIssues": [{"id": "SNYK-CC-TF-1", "severity": "medium", "lineNumber": 7, "isIgnored": true,
            "title": "S3 bucket is public", "msg": "resource.aws_s3_bucket[notes].acl"}], "ok": false, "targetFile": "main.tf"}"#;
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(found[0].resource.as_deref(), Some("resource.aws_s3_bucket[notes].acl"));
        assert_eq!((found[0].location.as_ref().unwrap().line, parsed.summary.suppressed), (Some(7), 1));
    }

    #[test]
    fn nothing_found_needs_evidence() {
        assert!(findings(&SCANNER, br#"{"ok": true, "vulnerabilities": [], "dependencyCount": 3}"#).is_ok());
        for other in ["[]", "[{}]", r#"{"vulnerabilities": []}"#, r#"{"ok": true}"#] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of Snyk"), "{other}");
        }
    }
}
