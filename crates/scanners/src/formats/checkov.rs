//! Checkov, <https://www.checkov.io>: security scanner for infrastructure as code, and, with an account, for
//! dependencies, licences and code. Reads its JSON report (`checkov -o json`), as versions 1 to 3 write it: an object
//! for one framework, a list of such objects for several, and only a few counters if there was nothing to check.
//!
//! A result is a check of one resource: each entry of `failed_checks`, `skipped_checks` (suppressed, with its comment)
//! and `passed_checks`.
//!
//! Files in `parsing_errors` are blind spots. They have their whole path, but findings have the path from the scanned
//! folder. The folder follows from the checks, which have both; if no check does, or the files are only counted
//! (`--quiet`), it is a blind spot over everything. `resource_count` is the number of examined resources. Counters
//! alone mean that Checkov checked nothing: a blind spot over everything.
//!
//! Checkov knows severities only with an API key. Without one, a failed check counts as medium: FAILED is all that the
//! report says. Dependencies have a CVSS score.
//!
//! Secrets (`CKV_SECRET_…`) have the secret's SHA-1 as their resource. Their code is left out, and so is that of the
//! checks of Checkov's category "secrets": versions differ in which part of the secret they mask.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Item, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::{cwe, secret};
use finding::{Excerpt, Finding, Kind, Location, Package, Reach, Secret, Unit};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "checkov",
    tool: "checkov",
    name: "Checkov",
    aliases: &["bridgecrew"],
    versions: "1.0 to 3.3",
    category: "IaC",
    notation: Notation::Json,
    formats: "JSON (`-o json`)",
    severities: "CVSS for dependencies; CRITICAL 9.5, HIGH and IMPORTANT 8.0, MEDIUM and MODERATE 5.5, LOW 2.0, INFO 0; \
                 without one, which needs an account, FAILED 5.5",
    severity_words: &[
        ("CRITICAL", 950),
        ("HIGH", 800),
        ("IMPORTANT", 800),
        ("MEDIUM", 550),
        ("MODERATE", 550),
        ("FAILED", 550),
        ("LOW", 200),
        ("INFO", 0),
    ],
    differences: &[(
        "component_name",
        "others put the resource there, which is not a package; it is stored as `resource`",
    )],
    detect,
    parse,
};

/// Checks of the category "secrets" except `CKV_SECRET_…`: their code contains a secret.
const ABOUT_SECRETS: [&str; 15] = [
    "CKV_AWS_295",
    "CKV_AWS_41",
    "CKV_AWS_45",
    "CKV_AWS_46",
    "CKV_AZURE_131",
    "CKV_AZURE_239",
    "CKV_AZURE_45",
    "CKV_BCW_1",
    "CKV_GLB_3",
    "CKV_LIN_1",
    "CKV_NCP_17",
    "CKV_OCI_1",
    "CKV_OPENSTACK_1",
    "CKV_OPENSTACK_4",
    "CKV_PAN_1",
];

fn detect(sniff: &Sniff) -> bool {
    ["", "[]."].iter().any(|before| {
        let has = |path: &str| sniff.has(&format!("{before}{path}"));
        has("check_type") && (has("results.failed_checks") || has("results.passed_checks")) || has("checkov_version")
    })
}

/// The paths of results in the report of one framework.
const RESULTS: [&str; 5] = [
    "results.failed_checks![]",
    "results.skipped_checks[]",
    "results.passed_checks[]",
    "results.unknown_checks[]",
    "results.parsing_errors[]",
];

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut info = ReportInfo::of(input, collector)?;
    let mut unparsed = Vec::new();
    let paths = with_list_paths(&RESULTS);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let seen = json::walk(input, &paths, &mut |item| match item.path % RESULTS.len() {
        skipped @ (0 | 1) => match item.read::<RawCheck>() {
            Ok(raw) => {
                if raw.is_about_secrets() {
                    collector.holds_secrets();
                }
                let suppressed = (skipped == 1).then(|| raw.comment());
                collector.finding(Finding { suppressed, ..raw.into_finding(info.is_secrets_framework(&item)) })
            }
            Err(reason) => collector.rejected(reason),
        },
        2 => collector.passed(),
        3 => collector.not_applicable(),
        _ => {
            info.unparsed -= 1.0;
            match item.read::<Text>() {
                Ok(file) => unparsed.push(file.0),
                Err(reason) => collector.scanner_error(format!("a file that could not be parsed: {reason}")),
            }
            Ok(())
        }
    })?;
    // With `--quiet` the files are counted and not named.
    if info.unparsed >= 1.0 {
        let reason = format!("{} files could not be parsed; the report does not name them", info.unparsed);
        collector.blind_spot(Reach::Everything, reason);
    }
    if !unparsed.is_empty() {
        let folders = scanned_folders(input)?;
        unparsed.iter().for_each(|file| report_unparsed(file, &folders, collector));
    }
    if info.is_counters && info.types.is_empty() {
        collector.blind_spot(Reach::Everything, "Checkov checked nothing: the report has only counters");
    }
    seen.report_missing(collector);
    let has_checks = (0..paths.len()).any(|path| seen.has(path));
    collector.require(
        info.is_counters || !info.types.is_empty() && has_checks,
        "a Checkov JSON report has `check_type` and the list `results.failed_checks`",
    )
}

/// The scanned folders, by their whole paths, and by their paths from the working folder, which begin with a slash.
#[derive(Default)]
struct ScannedFolders {
    whole: BTreeSet<String>,
    from_working_folder: BTreeSet<String>,
}

/// The scanned folders: what other paths of a check's file have before its path from the scanned folder.
fn scanned_folders(input: Input<'_>) -> Result<ScannedFolders, ParseError> {
    let mut folders = ScannedFolders::default();
    let paths = with_list_paths(&["results.failed_checks[]", "results.skipped_checks[]", "results.passed_checks[]"]);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    json::walk(input, &paths, &mut |item| {
        let place = item.read::<RawPlace>().unwrap_or_default();
        if let Some(path) = place.file_path.as_str() {
            let folder = |longer: Option<&str>| longer.and_then(|longer| longer.strip_suffix(path)).map(str::to_owned);
            folders.whole.extend(folder(place.file_abs_path.as_str()));
            folders.from_working_folder.extend(folder(place.repo_file_path.as_str()));
        }
        Ok(())
    })?;
    Ok(folders)
}

/// Adds the blind spot of a file that could not be parsed. In several scanned folders, it is a path in each.
fn report_unparsed(file: &str, folders: &ScannedFolders, collector: &mut Collector<'_>) {
    const REASON: &str = "the file could not be parsed";
    let (folders, file) = match file.strip_prefix('/') {
        Some(_) => (&folders.whole, file.to_owned()),
        None => (&folders.from_working_folder, format!("/{}", file.strip_prefix("./").unwrap_or(file))),
    };
    let inside = |folder: &String| file.strip_prefix(folder.as_str()).filter(|path| path.starts_with('/'));
    let paths: Vec<&str> = folders.iter().filter_map(inside).collect();
    if paths.is_empty() {
        collector.blind_spot(Reach::Everything, format!("{file}: {REASON}"));
    }
    paths.into_iter().for_each(|path| collector.blind_to_file(path, REASON));
}

/// The path of a check's file: from the scanned folder, the whole path, and from the working folder.
#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPlace {
    file_path: Loose<Text>,
    file_abs_path: Loose<Text>,
    repo_file_path: Loose<Text>,
}

/// These paths in the report of one framework, then the same in a list of reports.
fn with_list_paths(paths: &[&str]) -> Vec<String> {
    let listed = paths.iter().map(|path| format!("[].{}", path.replacen("results.", "results!.", 1)));
    paths.iter().map(|path| (*path).to_owned()).chain(listed).collect()
}

/// The fields of the report besides its results.
struct ReportInfo {
    /// The frameworks, by index in the list of reports.
    types: BTreeMap<usize, String>,
    /// The number of files that could not be parsed.
    unparsed: f64,
    /// True if the report has counters alone.
    is_counters: bool,
}

impl ReportInfo {
    fn of(input: Input<'_>, collector: &mut Collector<'_>) -> Result<Self, ParseError> {
        let mut info = Self { types: BTreeMap::new(), unparsed: 0.0, is_counters: false };
        let paths = with_list_paths(&["check_type", "summary", "checkov_version"]);
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        json::walk(input, &paths, &mut |item| {
            match (item.path % 3, item.read::<Text>(), item.read::<RawSummary>()) {
                (0, Ok(check_type), _) => {
                    info.types.insert(item.index(0), check_type.0);
                }
                (1, _, Ok(summary)) => {
                    info.unparsed += summary.parsing_errors.number().unwrap_or(0.0);
                    let resources = summary.resource_count.0.and_then(Number::count);
                    resources.into_iter().for_each(|count| collector.examined(Unit::Resources, count));
                    summary.checkov_version.filled().into_iter().for_each(|version| collector.version(version));
                }
                (2, Ok(version), _) => {
                    info.is_counters = true;
                    collector.version(version.0);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(info)
    }

    /// True if a result belongs to the framework "secrets".
    fn is_secrets_framework(&self, item: &Item<'_>) -> bool {
        // The second half of the paths lead through a list of reports.
        let report = if item.path < RESULTS.len() { 0 } else { item.index(0) };
        self.types.get(&report).is_some_and(|check_type| check_type == "secrets")
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawSummary {
    parsing_errors: Loose<Number>,
    resource_count: Loose<Number>,
    checkov_version: Loose<Text>,
}

#[derive(Deserialize)]
struct RawCheck {
    check_id: String,
    check_name: Loose<Text>,
    check_result: Loose<RawCheckResult>,
    code_block: Loose<Vec<(u32, String)>>,
    file_path: Loose<Text>,
    file_line_range: Loose<Vec<Number>>,
    resource: Loose<Text>,
    severity: Loose<Text>,
    guideline: Loose<Text>,
    description: Loose<Text>,
    details: Loose<Vec<Text>>,
    bc_check_id: Loose<Text>,
    cwe: Loose<Many<Text>>,
    vulnerability_details: Loose<RawVulnerability>,
}

#[derive(Deserialize)]
struct RawCheckResult {
    suppress_comment: Loose<Text>,
}

/// A vulnerability of a package, or its licence.
#[derive(Deserialize)]
struct RawVulnerability {
    package_name: String,
    id: Loose<Text>,
    package_version: Loose<Text>,
    package_type: Loose<Text>,
    severity: Loose<Text>,
    cvss: Loose<Number>,
    vector: Loose<Text>,
    link: Loose<Text>,
    description: Loose<Text>,
    fixed_versions: Loose<Many<Text>>,
    lowest_fixed_version: Loose<Text>,
    fix_version: Loose<Text>,
    license: Loose<Text>,
}

impl RawCheck {
    /// True if the check's code contains a secret.
    fn is_about_secrets(&self) -> bool {
        is_about_secrets(&self.check_id)
    }

    /// The comment that suppresses the check.
    fn comment(&self) -> String {
        let comment = self.check_result.0.as_ref().and_then(|result| result.suppress_comment.clone().filled());
        comment.map_or_else(|| "skipped".to_owned(), |comment| comment.trim().to_owned())
    }

    fn into_finding(self, by_secrets_framework: bool) -> Finding {
        let is_secret = by_secrets_framework || self.check_id.starts_with("CKV_SECRET_");
        let shows_code = !is_secret && !self.is_about_secrets();
        let name = self.check_name.filled().unwrap_or_else(|| self.check_id.clone());
        let resource = self.resource.filled();
        let details: Vec<String> = self.details.list().into_iter().filter_map(Filled::filled).collect();
        let message = match (&resource, details.is_empty()) {
            (_, false) => details.join("; "),
            (Some(resource), true) => format!("{name}: {resource}"),
            (None, true) => name.clone(),
        };
        let is_code = self.check_id.contains("_SAST_");
        let platform_id = self.bc_check_id.filled();
        let lines = self.file_line_range.list();
        let line = lines.first().and_then(|line| line.line());
        let mut finding = Finding {
            description: self.description.filled(),
            references: self.guideline.filled().into_iter().collect(),
            cwes: cwe::numbers(self.cwe.0.iter().flat_map(|cwes| &cwes.0).map(|cwe| cwe.0.as_str())),
            location: self
                .file_path
                .filled()
                .map(|path| Location::lines(path, line, lines.get(1).and_then(|end| end.line()))),
            code: Some(self.code_block.list()).filter(|_| shows_code).and_then(excerpt),
            raw: platform_id.iter().map(|id| ("bc_check_id".to_owned(), id.clone())).collect(),
            ..Finding::new(if is_code { Kind::Code } else { Kind::Infrastructure }, self.check_id, name, message)
        };
        let severity = self.severity.filled();
        if let Some(vulnerability) = self.vulnerability_details.0 {
            return vulnerability.into_finding(finding, severity);
        }
        // The id of the same check on the vendor's platform.
        finding.add_former_rules(platform_id);
        SCANNER.rating().word(severity.as_deref().or(Some("FAILED"))).apply(&mut finding);
        if is_secret {
            finding.kind = Kind::Secret;
            finding.message.clone_from(&finding.title);
            finding.secret = resource.as_deref().map(secret_of);
        } else {
            finding.resource = resource;
        }
        finding
    }
}

impl RawVulnerability {
    fn into_finding(self, check: Finding, severity: Option<String>) -> Finding {
        let name = self.package_name;
        let version = self.package_version.filled();
        let name_and_version = version.as_ref().map_or(name.clone(), |version| format!("{name} {version}"));
        let fixed = self.fixed_versions.0.map(|versions| versions.0).unwrap_or_default();
        let mut fixed: Vec<String> = fixed.into_iter().filter_map(Filled::filled).collect();
        for version in [self.lowest_fixed_version.filled(), self.fix_version.filled()].into_iter().flatten() {
            let is_version = version.starts_with(|c: char| c.is_ascii_digit() || c == 'v');
            if is_version && !fixed.contains(&version) {
                fixed.push(version);
            }
        }
        let package = Package {
            name: name.clone(),
            version,
            ecosystem: self.package_type.filled().map(|kind| kind.to_ascii_lowercase()),
            purl: None,
            fixed_versions: fixed,
        };
        let mut finding = Finding { package: Some(package), code: None, ..check };
        finding.references.extend(self.link.filled());
        let mut rating = SCANNER.rating();
        match self.id.filled() {
            Some(id) => {
                finding.kind = Kind::Dependency;
                finding.raw.insert("check_id".to_owned(), finding.rule);
                finding.title = format!("{id} in {name}");
                finding.message = format!("{id} in {name_and_version}");
                finding.advisories = vec![id.clone()];
                finding.rule = id;
                finding.description = self.description.filled().or(finding.description);
                rating = match self.vector.filled() {
                    Some(vector) => rating.vector(Some(&vector), self.cvss.number()),
                    // A score without a vector has no CVSS version.
                    None => rating.own(self.cvss.number()),
                };
            }
            None => {
                let license = self.license.filled().unwrap_or_else(|| "unknown".to_owned());
                finding.kind = Kind::License;
                finding.message = format!("{}: licence {license} of {name_and_version}", finding.title);
                finding.raw.insert("license".to_owned(), license);
            }
        }
        let word = severity.or(self.severity.filled());
        rating.word(word.as_deref().or(Some("FAILED"))).apply(&mut finding);
        finding
    }
}

/// True if the code of this check contains a secret.
pub(crate) fn is_about_secrets(check: &str) -> bool {
    ABOUT_SECRETS.contains(&check)
}

/// The secret whose SHA-1 is given as the resource.
pub(crate) fn secret_of(resource: &str) -> Secret {
    match is_sha1(resource) {
        true => secret::hashed("sha1", resource),
        false => secret::of(resource),
    }
}

/// True if a resource is a secret's hash.
pub(crate) fn is_sha1(resource: &str) -> bool {
    resource.len() == 40 && resource.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Converts code with numbered lines. `None` if the numbers are not consecutive.
fn excerpt(code: Vec<(u32, String)>) -> Option<Excerpt> {
    let first_line = code.first().map(|(number, _)| *number).filter(|number| *number > 0)?;
    let consecutive = (0..).zip(&code).all(|(at, (number, _))| first_line.checked_add(at) == Some(*number));
    let lines = code.into_iter().map(|(_, line)| line.trim_end_matches(['\n', '\r']).to_owned()).collect();
    consecutive.then_some(Excerpt { first_line, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::{ScoreSource, Severity};

    fn report(kind: &str, failed: &str, rest: &str) -> String {
        format!(r#"{{"results": {{"failed_checks": [{failed}] {rest}}}, "check_type": "{kind}"}}"#)
    }

    const CHECK: &str = r#"{"check_id": "CKV_AWS_24", "check_name": "No ingress to port 22", "file_path": "/main.tf",
        "check_result": {"result": "FAILED"}, "code_block": [[5, "resource {\n"], [6, "}\n"]], "file_line_range": [5, 6],
        "resource": "aws_security_group.web", "severity": null, "guideline": "https://docs.example/ckv-aws-24"}"#;

    #[test]
    fn a_failed_check_of_an_object_and_of_a_list_becomes_the_same_finding() {
        let one = report("terraform", CHECK, "");
        let (found, _) = findings(&SCANNER, one.as_bytes()).unwrap();
        let (listed, _) = findings(&SCANNER, format!("[{one}]").as_bytes()).unwrap();
        assert_eq!(found, listed);
        let finding = &found[0];
        assert_eq!(finding.severity(), Severity::Medium);
        assert_eq!(finding.resource.as_deref(), Some("aws_security_group.web"));
        assert_eq!(finding.code, Some(Excerpt { first_line: 5, lines: vec!["resource {".to_owned(), "}".to_owned()] }));
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.end_line), ("/main.tf", Some(5), Some(6)));
    }

    #[test]
    fn the_platforms_id_of_a_check_is_another_name_of_it() {
        let check = CHECK.replacen('{', r#"{"bc_check_id": "BC_AWS_NETWORKING_1", "#, 1);
        let (found, _) = findings(&SCANNER, report("terraform", &check, "").as_bytes()).unwrap();
        assert_eq!(found[0].former_rules, ["BC_AWS_NETWORKING_1"]);
    }

    #[test]
    fn each_list_of_checks_is_counted_as_what_it_is() {
        let rest = format!(
            r#", "passed_checks": [{CHECK}, {CHECK}], "parsing_errors": ["/broken.tf"], "skipped_checks": [
                {{"check_id": "CKV_1", "check_result": {{"result": "SKIPPED", "suppress_comment": " as agreed"}}}}, {{}}]"#
        );
        let (findings, parsed) = findings(&SCANNER, report("terraform", CHECK, &rest).as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.passed, summary.suppressed, summary.rejected), (1, 2, 1, 1));
        assert_eq!(findings[1].suppressed.as_deref(), Some("as agreed"));
        assert_eq!((summary.scanner_errors_total, &summary.blind_spots[0].reach), (0, &Reach::Everything));
    }

    #[test]
    fn a_file_that_could_not_be_parsed_has_the_path_that_findings_in_it_have() {
        let reaches = |error: &str, place: &str| {
            let check = CHECK.replacen('{', &format!("{{{place}"), 1);
            let rest = format!(r#", "parsing_errors": ["{error}"]"#);
            let (found, parsed) = findings(&SCANNER, report("terraform", &check, &rest).as_bytes()).unwrap();
            assert_eq!(found[0].location.as_ref().unwrap().path, "/main.tf");
            assert!(parsed.summary.is_complete());
            parsed.summary.blind_spots.into_iter().map(|spot| spot.reach).collect::<Vec<_>>()
        };
        let places = r#""file_abs_path": "/ci/infra/main.tf", "repo_file_path": "/infra/main.tf", "#;
        let file = |path: &str| vec![Reach::File(path.to_owned())];
        assert_eq!(reaches("/ci/infra/db/broken.tf", places), file("/db/broken.tf"));
        assert_eq!(reaches("infra/broken.tf", places), file("/broken.tf"));
        assert_eq!(reaches("./infra/broken.tf", places), file("/broken.tf"));
        for (error, place) in [("/elsewhere/broken.tf", places), ("/ci/infrared/a.tf", places), ("/broken.tf", "")] {
            assert_eq!(reaches(error, place), [Reach::Everything], "{error}");
        }
    }

    #[test]
    fn counters_alone_are_a_scan_of_nothing() {
        let text = br#"{"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "checkov_version": "3.2.1"}"#;
        let (_, parsed) = findings(&SCANNER, text).unwrap();
        assert_eq!((parsed.summary.results, parsed.scanner_version.as_deref()), (0, Some("3.2.1")));
        assert_eq!((parsed.summary.is_complete(), &parsed.summary.blind_spots[0].reach), (true, &Reach::Everything));
        let quiet = br#"[{"check_type": "a", "results": {"failed_checks": []}, "summary": {"parsing_errors": 2}}]"#;
        let (_, parsed) = findings(&SCANNER, quiet).unwrap();
        assert!(parsed.summary.blind_spots[0].reason.starts_with("2 files could not be parsed"));
        let empty = br#"{"check_type": "a", "results": {"failed_checks": []}, "summary": {"resource_count": 0}}"#;
        let (_, parsed) = findings(&SCANNER, empty).unwrap();
        assert_eq!(parsed.summary.blind_spots[0].reason, "the scanner examined 0 resources");
        let checked = report("a", CHECK, "").replacen('{', r#"{"summary": {"resource_count": 7}, "#, 1);
        let (_, parsed) = findings(&SCANNER, checked.as_bytes()).unwrap();
        assert_eq!((parsed.summary.blind_spots.len(), parsed.summary.examined), (0, [(Unit::Resources, 7)].into()));
        for other in [&br#"{"passed": 0}"#[..], br#"{"check_type": "a"}"#, b"[]"] {
            assert!(failure(&SCANNER, other).contains("`check_type`"));
        }
    }

    #[test]
    fn no_secret_is_stored_whatever_the_version_masks() {
        let hash = "234bd8b2f60243767939e3473ad77feccbcd05ac";
        let secret = format!(
            r#"{{"check_id": "CKV_SECRET_6", "check_name": "High entropy", "resource": "{hash}",
                "code_block": [[2, "key = 'hunter2hunter2'\n"]], "file_path": "/a.py", "file_line_range": [2, 3]}}"#
        );
        let custom = secret.replace("CKV_SECRET_6", "CUSTOM_1");
        let provider = secret.replace("CKV_SECRET_6", "CKV_AWS_41").replace(hash, "aws.default");
        for (kind, check, expected) in [
            ("secrets", &secret, Kind::Secret),
            ("secrets", &custom, Kind::Secret),
            ("terraform", &provider, Kind::Infrastructure),
        ] {
            let list = format!("[{}, {}]", report("bicep", "", ""), report(kind, check, ""));
            let (findings, parsed) = findings(&SCANNER, list.as_bytes()).unwrap();
            assert_eq!((findings[0].kind, parsed.holds_secrets), (expected, true));
            assert!(!serde_json::to_string(&findings).unwrap().contains("hunter2"), "{kind}");
            let digest = findings[0].secret.as_ref().map(|secret| secret.digest.clone());
            assert_eq!(digest, (expected == Kind::Secret).then(|| format!("sha1:{hash}")));
        }
    }

    #[test]
    fn a_package_is_a_dependency_by_its_advisory_or_a_licence_without_one() {
        let package = r#""package_name": "django", "package_version": "1.2", "package_type": "Python""#;
        let check = |details: &str| {
            format!(
                r#"{{"check_id": "CKV_CVE_2019_19844", "check_name": "SCA package scan", "file_path": "/requirements.txt",
                    "resource": "requirements.txt.django", "severity": "LOW", "vulnerability_details": {{{details}, {package}}}}}"#
            )
        };
        let vulnerable = check(
            r#""id": "CVE-2019-19844", "cvss": 9.8, "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
               "fixed_versions": ["1.11.27"], "lowest_fixed_version": "1.11.27", "fix_version": "N/A""#,
        );
        let text = report("sca_package", &format!("{vulnerable}, {}", check(r#""license": "AGPL-3.0""#)), "");
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let [dependency, license] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((dependency.kind, dependency.rule.as_str()), (Kind::Dependency, "CVE-2019-19844"));
        assert_eq!(dependency.score.map(|scored| scored.source), Some(ScoreSource::CvssV3));
        assert_eq!(dependency.scanner_severity, Some(Severity::Low));
        assert_eq!(dependency.package.as_ref().unwrap().fixed_versions, ["1.11.27"]);
        assert_eq!((license.kind, license.severity()), (Kind::License, Severity::Low));
        assert!(license.message.contains("AGPL-3.0"), "{}", license.message);
    }
}
