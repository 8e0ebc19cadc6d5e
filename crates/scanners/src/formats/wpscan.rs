//! WPScan, <https://github.com/wpscanteam/wpscan>: scanner for WordPress sites. Reads its JSON report
//! (`--format json`), as versions 3.0 to 3.8 write it.
//!
//! Results are the vulnerabilities of WordPress itself, of the main theme and its parents, of themes, plugins and
//! TimThumb scripts, and the interesting findings. Backups of the configuration, exported databases, users with a
//! guessed password and a site that is not set up are results too: WPScan lists them in separate fields, and they are
//! the most severe. Users, media files and versions that WPScan only lists are not results.
//!
//! A vulnerability belongs to a package (`wordpress`, or the slug of the theme or plugin); its rule is WPScan's id.
//! Only paying users get a severity, a CVSS score; without it, vulnerabilities are unassigned. Interesting findings are
//! informational, 0.
//!
//! A scan that was aborted is incomplete. A missing token or an error of the API, which left it without vulnerability
//! data, is a blind spot over everything.

use crate::Scanner;
use crate::reader::json::{self, Item, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::rating::Rating;
use crate::value::secret;
use crate::value::web;
use finding::severity::{Score, ScoreSource};
use finding::{Endpoint, Finding, Kind, Package, Reach, Scored};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "wpscan",
    tool: "wpscan",
    name: "WPScan",
    aliases: &[],
    versions: "3.0 to 3.8",
    category: "DAST",
    notation: Notation::Json,
    formats: "JSON (`--format json`)",
    severities: "the CVSS score if the report has it (WPScan's Enterprise API), else unassigned; interesting findings 0",
    severity_words: &[],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let known = ["banner", "interesting_findings", "scan_aborted", "main_theme", "vuln_api"];
    sniff.has("target_url") && known.iter().any(|field| sniff.has(field))
}

/// The part of the site that a path in [`PATHS`] belongs to.
#[derive(Clone, Copy)]
enum Component {
    Version,
    MainTheme,
    Parent,
    Theme,
    Plugin,
    TimThumb,
}

/// The paths of lists of vulnerabilities, with their components.
const PATHS: [(&str, Component); 6] = [
    ("version.vulnerabilities![]", Component::Version),
    ("main_theme.vulnerabilities![]", Component::MainTheme),
    ("main_theme.parents[].vulnerabilities![]", Component::Parent),
    ("themes{}.vulnerabilities![]", Component::Theme),
    ("plugins{}.vulnerabilities![]", Component::Plugin),
    ("timthumbs{}.vulnerabilities![]", Component::TimThumb),
];
/// The paths of the versions and slugs of components, and of single values of the report.
const DETAILS: [&str; 15] = [
    "version.number",
    "main_theme.version.number",
    "main_theme.parents[].version.number",
    "themes{}.version.number",
    "plugins{}.version.number",
    "timthumbs{}.version.number",
    "main_theme.slug",
    "main_theme.parents[].slug",
    "target_url",
    "banner.version",
    "scan_aborted",
    "vuln_api.error",
    "vuln_api.http_error",
    "stop_time",
    "start_time",
];
const OTHERS: [&str; 5] =
    ["interesting_findings[]", "config_backups{}", "db_exports{}", "password_attack{}", "not_fully_configured"];

/// Texts by the index of their path in [`DETAILS`], and the name or number that the path's wildcard matched.
type Details = BTreeMap<(usize, String), String>;

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut details = Details::new();
    json::walk(input, &DETAILS, &mut |item| {
        if let Some(text) = item.read::<Text>().ok().filled() {
            details.insert((item.path, wildcard(&item)), text);
        }
        Ok(())
    })?;
    let details = details;
    let detail = |path: usize| details.get(&(path, String::new())).cloned();
    let target = detail(8);
    if let Some(version) = detail(9) {
        collector.version(version);
    }
    collector.ended(detail(13).as_deref());
    collector.started(detail(14).as_deref());
    detail(10).into_iter().for_each(|error| collector.scanner_error(error));
    [11, 12].into_iter().filter_map(detail).for_each(|error| collector.blind_spot(Reach::Everything, error));

    let lists = PATHS.len() + OTHERS.len();
    let paths: Vec<&str> =
        PATHS.iter().map(|(path, _)| *path).chain(OTHERS).chain(["??:banner users medias"]).collect();
    let site = target.clone().unwrap_or_default();
    let seen = json::walk(input, &paths, &mut |item| match PATHS.get(item.path) {
        Some((_, component)) => {
            let package = component.package(&item, &details);
            collector.result(item.read::<RawVulnerability>().map(|raw| raw.into_finding(package, &site)))
        }
        None if item.raw == "null" && item.path == PATHS.len() + OTHERS.len() - 1 => Ok(()),
        None if item.raw == "null" => collector.rejected("expected an object, found null".to_owned()),
        None => collector.result(other(&item, item.path - PATHS.len(), &site)),
    })?;
    // The last path is in the outermost object, so its container is no evidence.
    seen.report_missing(collector);
    let lists = (0..lists - 1).any(|path| seen.has(path));
    let evidence = lists || detail(9).is_some() || detail(10).is_some();
    collector.require(
        target.is_some() && evidence,
        "a WPScan JSON report is an object with `target_url` and `interesting_findings` or `banner`",
    )
}

/// The name or number that the path's first wildcard matched. Empty if there is none before the end of the path.
fn wildcard(item: &Item<'_>) -> String {
    match item.path {
        2 | 7 => item.index(0).to_string(),
        3..=5 => item.name(0).to_owned(),
        _ => String::new(),
    }
}

impl Component {
    fn package(self, item: &Item<'_>, details: &Details) -> Package {
        let detail = |path: usize, wildcard: &str| details.get(&(path, wildcard.to_owned())).cloned();
        let number = item.index(0).to_string();
        let (name, version, ecosystem) = match self {
            Self::Version => (Some("wordpress".to_owned()), detail(0, ""), "wordpress"),
            Self::MainTheme => (detail(6, ""), detail(1, ""), "wordpress-theme"),
            Self::Parent => (detail(7, &number), detail(2, &number), "wordpress-theme"),
            Self::Theme => (Some(item.name(0).to_owned()), detail(3, item.name(0)), "wordpress-theme"),
            Self::Plugin => (Some(item.name(0).to_owned()), detail(4, item.name(0)), "wordpress-plugin"),
            Self::TimThumb => (Some("timthumb".to_owned()), detail(5, item.name(0)), "wordpress"),
        };
        Package {
            name: name.unwrap_or_else(|| "main-theme".to_owned()),
            version,
            ecosystem: Some(ecosystem.to_owned()),
            ..Package::default()
        }
    }
}

#[derive(Deserialize)]
struct RawVulnerability {
    title: String,
    fixed_in: Option<Text>,
    references: Option<BTreeMap<String, Many<Text>>>,
    cvss: Option<RawCvss>,
    description: Option<Text>,
}

#[derive(Deserialize)]
struct RawCvss {
    #[serde(default)]
    score: Number,
    vector: Option<Text>,
}

impl RawVulnerability {
    fn into_finding(self, mut package: Package, target: &str) -> Finding {
        let mut references = self.references.unwrap_or_default();
        let mut of_kind = |kind: &str| texts(references.remove(kind));
        let (ids, cves, urls) = (of_kind("wpvulndb"), of_kind("cve"), of_kind("url"));
        // The report omits the prefix of CVE ids.
        let cves = cves.into_iter().map(|id| if id.starts_with("CVE-") { id } else { format!("CVE-{id}") });
        let cves: Vec<String> = cves.collect();
        let rule = ids.first().or(cves.first()).unwrap_or(&self.title).clone();
        let advisories = cves.into_iter().chain(ids.iter().map(|id| format!("WPVDB-{id}"))).collect();
        package.fixed_versions = self.fixed_in.filled().into_iter().collect();
        let version = package.version.as_deref().unwrap_or("of unknown version");
        let message = format!("{} {version}: {}", package.name, self.title);
        let mut finding = Finding {
            advisories,
            references: urls,
            description: self.description.filled(),
            remediation: package.fixed_versions.first().map(|fixed| format!("Update to {fixed}.")),
            package: Some(package),
            endpoint: Some(web::address(target)),
            ..Finding::new(Kind::Dependency, rule, self.title, message)
        };
        if let Some(cvss) = self.cvss {
            let vector = cvss.vector.filled();
            let rating = Rating::new(&[]).vector(vector.as_deref(), cvss.score.0);
            rating.own(cvss.score.0).apply(&mut finding);
        }
        finding
    }
}

fn texts(many: Option<Many<Text>>) -> Vec<String> {
    many.map(|many| many.0.into_iter().filter_map(Filled::filled).collect()).unwrap_or_default()
}

#[derive(Deserialize)]
struct RawInteresting {
    url: Option<Text>,
    to_s: Option<Text>,
    r#type: Option<Text>,
    found_by: Option<Text>,
    confidence: Option<Text>,
    references: Option<BTreeMap<String, Many<Text>>>,
    #[serde(default)]
    interesting_entries: Many<Text>,
}

#[derive(Deserialize)]
struct RawPassword {
    password: Option<Text>,
}

/// The finding at the path with this index in [`OTHERS`].
fn other(item: &Item<'_>, path: usize, target: &str) -> Result<Finding, String> {
    let at = |rule: &str, title: &str, url: &str| Finding {
        endpoint: Some(web::address(url)),
        ..Finding::new(Kind::Web, rule, title, format!("{title}: {url}"))
    };
    match path {
        0 => item.read::<RawInteresting>().and_then(RawInteresting::into_finding),
        1 => Ok(at("config_backup", "Backup of the configuration", item.name(0))),
        2 => Ok(at("db_export", "Exported database", item.name(0))),
        3 => {
            let mut finding = at("weak_password", "Password of a user was guessed", target);
            finding.message = format!("the password of the user `{}` was guessed", item.name(0));
            if let Some(endpoint) = finding.endpoint.as_mut() {
                endpoint.parameter = Some(item.name(0).to_owned());
            }
            let password = item.read::<RawPassword>()?.password.filled();
            if let Some(password) = password {
                secret::attach(&mut finding, &password);
            }
            Ok(finding)
        }
        _ => Ok(at("not_fully_configured", "The site is not set up", target)),
    }
}

impl RawInteresting {
    fn into_finding(self) -> Result<Finding, String> {
        let url = self.url.filled().unwrap_or_default();
        let text = self.to_s.filled();
        let rule = self.r#type.filled().or(text.clone()).ok_or("`type` and `to_s` are both missing")?;
        // `XML-RPC seems to be enabled: https://…`: the title must not contain the address, since it belongs to the
        // rule.
        let title =
            text.as_deref().and_then(|text| text.split(": http").next()).filter(|title| !title.starts_with("http"));
        let title = title.unwrap_or(&rule).to_owned();
        let entries: Vec<String> = self.interesting_entries.0.into_iter().filter_map(Filled::filled).collect();
        let message = text.into_iter().chain(entries).collect::<Vec<_>>().join("\n");
        let mut finding = Finding {
            score: Score::from_hundredths(0).map(|score| Scored { score, source: ScoreSource::ScannerWord }),
            confidence: self.confidence.filled(),
            references: texts(self.references.unwrap_or_default().remove("url")),
            endpoint: Some(Endpoint { method: None, ..web::address(&url) }),
            message: if message.is_empty() { format!("{title} at {url}") } else { message },
            ..Finding::new(Kind::Web, rule, title, "")
        };
        if let Some(found_by) = self.found_by.filled() {
            finding.raw.insert("found_by".to_owned(), found_by);
        }
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn read(fields: &str) -> (Vec<Finding>, crate::Parsed) {
        let text = format!(r#"{{"banner": {{"version": "3.8.25"}}, "target_url": "https://blog.example/", {fields}}}"#);
        findings(&SCANNER, text.as_bytes()).unwrap()
    }

    const VULNERABILITY: &str = r#"{"title": "Notes <= 2.0 - Stored XSS", "fixed_in": "2.1",
        "references": {"cve": ["2021-24999"], "wpvulndb": ["d40374cf"], "url": ["https://a.example"]}}"#;

    #[test]
    fn a_vulnerability_has_its_package() {
        let (findings, _) = read(&format!(
            r#""plugins": {{"notes": {{"vulnerabilities": [{VULNERABILITY}], "version": {{"number": "2.0"}}}}}}"#
        ));
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "dependency",
            "rule": "d40374cf",
            "title": "Notes <= 2.0 - Stored XSS",
            "message": "notes 2.0: Notes <= 2.0 - Stored XSS",
            "advisories": [
              "CVE-2021-24999",
              "WPVDB-d40374cf"
            ],
            "remediation": "Update to 2.1.",
            "references": [
              "https://a.example"
            ],
            "package": {
              "name": "notes",
              "version": "2.0",
              "ecosystem": "wordpress-plugin",
              "fixed_versions": [
                "2.1"
              ]
            },
            "endpoint": {
              "url": "https://blog.example/",
              "host": "blog.example",
              "port": 443,
              "protocol": "https"
            }
          }
        ]
        "#);
    }

    #[test]
    fn no_list_of_vulnerabilities_is_overlooked() {
        let list = format!(r#""vulnerabilities": [{VULNERABILITY}]"#);
        let (findings, _) = read(&format!(
            r#""version": {{"number": "6.1", {list}}}, "themes": {{"lean": {{{list}}}}}, "plugins": {{"notes": {{{list}, "version": null}}}},
            "main_theme": {{"slug": "wide", {list}, "version": {{"number": "3"}}, "parents": [{{"slug": "base", {list}}}]}},
            "timthumbs": {{"https://blog.example/t.php": {{{list}}}}}"#
        ));
        let packages: Vec<_> = findings.iter().filter_map(|finding| finding.package.as_ref()).collect();
        let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["wordpress", "lean", "notes", "wide", "base", "timthumb"]);
        let versions: Vec<_> = packages.iter().map(|package| package.version.as_deref()).collect();
        assert_eq!(versions, [Some("6.1"), None, None, Some("3"), None, None]);
    }

    #[test]
    fn the_cvss_score_decides_and_without_one_there_is_none() {
        let with = VULNERABILITY.replace("\"fixed_in\"", r#""cvss": {"score": "6.1", "vector": null}, "fixed_in""#);
        let (findings, _) = read(&format!(r#""version": {{"vulnerabilities": [{VULNERABILITY}, {with}]}}"#));
        assert_eq!(findings[0].score, None);
        assert_eq!(findings[1].score.unwrap().score.hundredths(), 610);
    }

    #[test]
    fn interesting_findings_are_informative_and_their_title_has_no_address() {
        let (findings, _) = read(
            r#""interesting_findings": [{"url": "https://blog.example/xmlrpc.php", "type": "xmlrpc",
            "to_s": "XML-RPC seems to be enabled: https://blog.example/xmlrpc.php"}, {"type": "readme", "to_s": "https://x"}, {}]"#,
        );
        let titles: Vec<_> = findings.iter().map(|finding| (finding.rule.as_str(), finding.title.as_str())).collect();
        assert_eq!(titles, [("xmlrpc", "XML-RPC seems to be enabled"), ("readme", "readme")]);
        assert_eq!(findings[0].severity(), finding::severity::Severity::Info);
    }

    #[test]
    fn severe_facts_are_results_and_a_guessed_password_is_masked() {
        let (findings, parsed) = read(
            r#""config_backups": {"https://blog.example/wp-config.php~": {"confidence": 100}}, "db_exports": {},
            "password_attack": {"ann": {"id": 1, "password": "hunter2hunter2"}}, "not_fully_configured": null"#,
        );
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(rules, ["config_backup", "weak_password"]);
        assert!(parsed.holds_secrets && !serde_json::to_string(&findings).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_scan_without_data_on_vulnerabilities_is_blind_and_an_aborted_one_incomplete() {
        let (_, parsed) = read(r#""vuln_api": {"error": "No WPScan API Token given"}, "scan_aborted": "down""#);
        assert_eq!(parsed.summary.scanner_errors, ["down"]);
        let spot = &parsed.summary.blind_spots[0];
        assert_eq!((&spot.reach, spot.reason.as_str()), (&Reach::Everything, "No WPScan API Token given"));
    }

    #[test]
    fn other_objects_are_refused() {
        for text in ["{\"target_url\": \"a\"}", "{\"banner\": {\"version\": \"1\"}}"] {
            assert!(failure(&SCANNER, text.as_bytes()).contains("a WPScan JSON report is"), "{text}");
        }
    }
}
