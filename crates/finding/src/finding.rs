//! A finding: one result of a report, normalised. Parsers produce findings, later stages read them.

use crate::blind_spot::{BlindSpot, Examined};
use crate::limits::{KEY_BYTES_MAX, LIST_ENTRIES_MAX, cut_text};
use crate::severity::{Score, ScoreSource, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The kind of problem that a finding is. It decides how issues are keyed and how occurrences are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A weakness in source code (SAST), or another defect that a code scanner reports.
    Code,
    /// A known vulnerability of a package: of a project's dependencies (SCA) or of what an image contains.
    Dependency,
    /// A package under an unwanted licence.
    License,
    /// An exposed secret.
    Secret,
    /// A weakness of a web application, found from outside (DAST).
    Web,
    /// A weakness of a host or network service, found from outside.
    Host,
    /// A misconfiguration: of infrastructure as code, a cloud account, a cluster, an image.
    Infrastructure,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Code, Self::Dependency, Self::License, Self::Secret, Self::Web, Self::Host, Self::Infrastructure];

    /// The kind in lower case, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Dependency => "dependency",
            Self::License => "license",
            Self::Secret => "secret",
            Self::Web => "web",
            Self::Host => "host",
            Self::Infrastructure => "infrastructure",
        }
    }
}

impl FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{}` is not a kind of finding; expected one of {known}", text.escape_default())
        })
    }
}

/// One result of a report. Optional fields are those that a report may lack.
///
/// This is the stored form: one JSON line in a finding segment, pinned by a snapshot test. The API has its own types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The number of the result in the report, counted from 0.
    pub result: u32,
    /// The kind of problem.
    pub kind: Kind,
    /// The tool that reported it, as part of the issue's identity. Absent if it is the scan's scanner; a report may
    /// contain results of several tools.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
    /// The scanner's rule, for example `B324`; for a dependency the id that the scanner gives the vulnerability.
    pub rule: String,
    /// Other ids of the same rule, present or former, if the report lists them (SARIF's `deprecatedIds`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub former_rules: Vec<String>,
    /// The title of the issue: the rule's name, for example `hashlib`.
    pub title: String,
    /// The scanner's message about this occurrence.
    pub message: String,
    /// The fields that identify the issue, by name, if the report declares them (custom JSON's `meta.key`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub key: Vec<(String, String)>,
    /// The score and its source; absent if the report gives no severity, or none that is understood.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Scored>,
    /// The scanner's own word for the severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_word: Option<String>,
    /// The severity of that word by the scanner's documented table. A CVSS score may give another severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<Severity>,
    /// The scanner's own word for its confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<String>,
    /// CVSS vectors and scores as the report gives them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cvss: Vec<Cvss>,
    /// Weaknesses by their number in the Common Weakness Enumeration.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cwes: Vec<u32>,
    /// Ids of the vulnerability: `CVE-…`, `GHSA-…`, the vendor's; aliases of one another.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The probability of exploitation within 30 days (EPSS, first.org), if the report has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<Epss>,
    /// True if it is in CISA's catalogue of known exploited vulnerabilities; absent if the report does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_exploited: Option<bool>,
    /// The description of the rule or vulnerability.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// The scanner's advice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remediation: Option<String>,
    /// Addresses with more information, as the report gives them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<String>,
    /// The vulnerable package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<Package>,
    /// The location in a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// Further locations of the same result. All have to be fixed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_locations: Vec<Location>,
    /// The network address of what was scanned from outside.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<Endpoint>,
    /// The affected resource of a cloud account, a cluster or infrastructure as code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// The secret that was found: its digest and mask, never its text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<Secret>,
    /// The code at the location.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Excerpt>,
    /// The first line of the statement; absent unless the report gives one before the line of the location.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement_line: Option<u32>,
    /// SHA-256 of the scanned file, 64 hexadecimal digits; absent if the upload has no sidecar of its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_sha256: Option<String>,
    /// The tool's own fingerprints of this result, by versioned name (`matchBasedId/v1`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub fingerprints: BTreeMap<String, String>,
    /// The id that the scanner gave this result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_id: Option<String>,
    /// The reason, in the words of the report, if the report marks the result as suppressed, muted or accepted. A
    /// setting of the project decides if that counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed: Option<String>,
    /// Other useful fields of the report, by their name in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, String>,
    /// The number of text fields that were cut to the limit, and of list entries that were left out.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut_fields: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A score and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// 0 to 10.
    pub score: Score,
    /// Its source.
    pub source: ScoreSource,
}

/// A CVSS rating as the report gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cvss {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// The vector.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vector: Option<String>,
    /// The base score: the report's, or computed from the vector.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Score>,
}

/// The Exploit Prediction Scoring System's estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// The probability, from 0 to 1.
    pub probability: f64,
    /// The share of all vulnerabilities with a lower or equal probability, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percentile: Option<f64>,
}

/// A package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The name in its ecosystem's form; for Maven `group:artifact`.
    pub name: String,
    /// The version in use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// Its ecosystem or type, in lower case, as the report or its purl names it: `npm`, `pypi`, `deb`, ...
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// Its package URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purl: Option<String>,
    /// Versions in which the vulnerability is fixed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixed_versions: Vec<String>,
}

/// A network address where something was found from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The URL, for the web.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// The host's name or address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub port: Option<u16>,
    /// `tcp`, `udp`, `http`, ...
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protocol: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// The affected parameter, header or cookie.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
}

/// The parts of a secret that may be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// A hash with the name of its algorithm before it. Equal secrets have equal digests.
    pub digest: String,
    /// The first characters of the secret and a mask, so that people recognise it. Empty if the report has only a hash.
    pub masked: String,
}

/// A location in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The path of the file as the report gives it.
    pub path: String,
    /// First line, counted from 1; absent if the location is the whole file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Last line, inclusive; absent if it is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// First column, in the report's own way of counting.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

impl Location {
    /// The whole file at this path.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The lines from `first` to `last`, inclusive. A `last` that is not after `first` counts as absent.
    pub fn lines(path: impl Into<String>, first: Option<u32>, last: Option<u32>) -> Self {
        let end_line = last.filter(|last| first.is_some_and(|first| first < *last));
        Self { path: path.into(), line: first, end_line, column: None }
    }

    /// This location with this first column.
    pub fn with_column(self, column: Option<u32>) -> Self {
        Self { column, ..self }
    }
}

/// Consecutive lines of a file around a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The number of the first line, counted from 1.
    pub first_line: u32,
    /// The lines, without line breaks.
    pub lines: Vec<String>,
}

impl Finding {
    /// A finding with the fields that every finding has. The collector sets its number in the report.
    pub fn new(kind: Kind, rule: impl Into<String>, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            result: 0,
            kind,
            tool: None,
            rule: rule.into(),
            former_rules: vec![],
            title: title.into(),
            message: message.into(),
            key: vec![],
            score: None,
            severity_word: None,
            scanner_severity: None,
            confidence: None,
            cvss: vec![],
            cwes: vec![],
            advisories: vec![],
            epss: None,
            known_exploited: None,
            description: None,
            remediation: None,
            references: vec![],
            package: None,
            location: None,
            other_locations: vec![],
            endpoint: None,
            resource: None,
            secret: None,
            code: None,
            statement_line: None,
            file_sha256: None,
            fingerprints: BTreeMap::new(),
            tool_id: None,
            suppressed: None,
            raw: BTreeMap::new(),
            cut_fields: 0,
        }
    }

    /// The severity of its score; unassigned without a score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }

    /// Adds other ids of its rule, each once. Blank ids and the rule's own are skipped.
    pub fn add_former_rules(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            let id = id.trim();
            if !id.is_empty() && id != self.rule && !self.former_rules.iter().any(|known| known == id) {
                self.former_rules.push(id.to_owned());
            }
        }
    }

    /// True if code from the working tree may be added: it has a line in a file, and the report shows no code. Never
    /// for a secret, nor for a package, whose line in a list of packages changes with its version.
    pub fn may_take_code(&self) -> bool {
        let of_code = match self.kind {
            Kind::Code | Kind::Infrastructure => true,
            Kind::Dependency | Kind::License | Kind::Secret | Kind::Web | Kind::Host => false,
        };
        let has_line = self.location.as_ref().is_some_and(|location| location.line.is_some());
        of_code && has_line && self.secret.is_none() && self.code.is_none()
    }

    /// True if it is of a kind that is matched by code, and its code is missing. A secret is matched by its digest too.
    pub fn lacks_code(&self) -> bool {
        match self.kind {
            Kind::Code => self.code.is_none(),
            Kind::Secret => self.code.is_none() && self.secret.is_none(),
            Kind::Dependency | Kind::License | Kind::Web | Kind::Host | Kind::Infrastructure => false,
        }
    }

    /// Calls `each` with every text of the finding, except hashes and the names of fields.
    pub fn for_each_text(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self { package, endpoint, location, other_locations, code, .. } = self;
        let package = package.iter_mut().flat_map(|package| {
            let Package { name, version, ecosystem, purl, fixed_versions } = package;
            [name].into_iter().chain(version).chain(ecosystem).chain(purl).chain(fixed_versions)
        });
        let endpoint = endpoint.iter_mut().flat_map(|endpoint| {
            let Endpoint { url, host, port: _, protocol, method, parameter } = endpoint;
            url.iter_mut().chain(host).chain(protocol).chain(method).chain(parameter)
        });
        [&mut self.rule, &mut self.title, &mut self.message]
            .into_iter()
            .chain(&mut self.tool)
            .chain(&mut self.former_rules)
            .chain(self.key.iter_mut().map(|(_, value)| value))
            .chain(&mut self.severity_word)
            .chain(&mut self.confidence)
            .chain(self.cvss.iter_mut().flat_map(|cvss| [&mut cvss.version].into_iter().chain(&mut cvss.vector)))
            .chain(&mut self.advisories)
            .chain(&mut self.description)
            .chain(&mut self.remediation)
            .chain(&mut self.references)
            .chain(package)
            .chain(location.iter_mut().chain(other_locations).map(|location| &mut location.path))
            .chain(endpoint)
            .chain(&mut self.resource)
            .chain(self.secret.iter_mut().map(|secret| &mut secret.masked))
            .chain(code.iter_mut().flat_map(|code| &mut code.lines))
            .chain(self.fingerprints.values_mut())
            .chain(&mut self.tool_id)
            .chain(&mut self.suppressed)
            .chain(self.raw.values_mut())
            .for_each(each);
    }

    /// Cuts every text field and every list to its limit and counts the cuts. The collector calls it once for each
    /// finding.
    pub fn bounded(mut self) -> Self {
        let mut cuts: u32 = 0;
        let mut count = |cut: usize| cuts = cuts.saturating_add(u32::try_from(cut).unwrap_or(u32::MAX));
        count(cut_list(&mut self.key));
        count(cut_list(&mut self.former_rules));
        count(cut_list(&mut self.cvss));
        count(cut_list(&mut self.cwes));
        count(cut_list(&mut self.advisories));
        count(cut_list(&mut self.references));
        count(cut_list(&mut self.other_locations));
        count(self.package.as_mut().map_or(0, |package| cut_list(&mut package.fixed_versions)));
        count(self.code.as_mut().map_or(0, |code| cut_list(&mut code.lines)));
        count(cut_map(&mut self.fingerprints));
        count(cut_map(&mut self.raw));
        self.for_each_text(&mut |text| count(usize::from(cut_text(text))));
        self.cut_fields = cuts;
        self
    }
}

fn cut_list<T>(list: &mut Vec<T>) -> usize {
    let over = list.len().saturating_sub(LIST_ENTRIES_MAX);
    list.truncate(LIST_ENTRIES_MAX);
    over
}

fn cut_map(map: &mut BTreeMap<String, String>) -> usize {
    let over = map.len().saturating_sub(LIST_ENTRIES_MAX);
    for _ in 0..over {
        map.pop_last();
    }
    let long: Vec<String> = map.keys().filter(|key| key.len() > KEY_BYTES_MAX).cloned().collect();
    for key in &long {
        map.remove(key);
    }
    over + long.len()
}

/// A rejected entry: a result that could not be read. It is still counted, so that nothing is lost silently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The number of the result in the report, counted from 0.
    pub result: u32,
    /// The reason of the rejection.
    pub reason: String,
}

/// The counts of a report and the errors of its scanner. Every result of the report is in exactly one of `findings`,
/// `passed`, `not_applicable`, `closed`, `suppressed` and `rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSummary {
    /// Results in the report.
    pub results: u64,
    /// Results that became findings, without suppressed ones.
    pub findings: u64,
    /// Results that the report marks as passed.
    pub passed: u64,
    /// Results that the report marks as not applicable.
    pub not_applicable: u64,
    /// Results that the report marks as closed.
    pub closed: u64,
    /// Results that the report marks as suppressed. They are findings with a mark; a setting of the project decides if
    /// the mark counts.
    pub suppressed: u64,
    /// Results that could not be read.
    pub rejected: u64,
    /// The first rejected results with their reasons; at most
    /// [`REJECTED_LISTED_MAX`](crate::limits::REJECTED_LISTED_MAX).
    pub rejected_entries: Vec<Rejected>,
    /// The first errors that the scanner reports about its run, apart from blind spots. Each makes the scan incomplete.
    pub scanner_errors: Vec<String>,
    /// The number of errors that the scanner reports about its run.
    pub scanner_errors_total: u64,
    /// The things that the scanner could not examine; at most [`BLIND_SPOTS_MAX`](crate::limits::BLIND_SPOTS_MAX). If
    /// there is more, the last one is everything.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub blind_spots: Vec<BlindSpot>,
    /// The number of things that the scanner examined, where the report states it.
    #[serde(skip_serializing_if = "Examined::is_empty", default)]
    pub examined: Examined,
    /// Text fields that were cut to [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX).
    pub cut_fields: u64,
    /// Findings, suppressed ones included, that are matched by code and have none, neither from the report nor from the
    /// working tree.
    #[serde(skip_serializing_if = "is_zero_count", default)]
    pub without_code: u64,
    /// Findings that got their code from the working tree.
    #[serde(skip_serializing_if = "is_zero_count", default)]
    pub enriched: u64,
    /// Entries of the sidecar that fit no finding, or a finding at another location. They were not used.
    #[serde(skip_serializing_if = "is_zero_count", default)]
    pub mismatched: u64,
}

fn is_zero_count(count: &u64) -> bool {
    *count == 0
}

impl ReportSummary {
    /// True if every result was read and the scanner reports no error. The scan's record decides if the scan is
    /// complete: it knows what is tolerated and what the report should contain.
    pub fn is_complete(&self) -> bool {
        self.rejected == 0 && self.scanner_errors_total == 0
    }

    /// True if every result is counted once. Otherwise the parser has lost or invented results.
    pub fn adds_up(&self) -> bool {
        self.results
            == self.findings + self.passed + self.not_applicable + self.closed + self.suppressed + self.rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{CUT_MARK, TEXT_BYTES_MAX};

    fn finding(result: u32, rule: &str, path: &str, line: u32, code: &[&str]) -> Finding {
        let score = Score::from_hundredths(950).map(|score| Scored { score, source: ScoreSource::ScannerWord });
        Finding {
            result,
            score,
            severity_word: Some("HIGH".to_owned()),
            cwes: vec![327],
            location: Some(Location::lines(path, Some(line), None)),
            code: (!code.is_empty()).then(|| Excerpt {
                first_line: line.saturating_sub(1),
                lines: code.iter().map(|line| (*line).to_owned()).collect(),
            }),
            ..Finding::new(Kind::Code, rule, format!("title of {rule}"), "message")
        }
    }

    #[test]
    fn the_stored_form_is_pinned() {
        insta::assert_json_snapshot!(finding(3, "B324", "./a.py", 10, &["before", "md5(x)", "after"]), @r#"
        {
          "result": 3,
          "kind": "code",
          "rule": "B324",
          "title": "title of B324",
          "message": "message",
          "score": {
            "score": 950,
            "source": "scanner_word"
          },
          "severity_word": "HIGH",
          "cwes": [
            327
          ],
          "location": {
            "path": "./a.py",
            "line": 10
          },
          "code": {
            "first_line": 9,
            "lines": [
              "before",
              "md5(x)",
              "after"
            ]
          }
        }
        "#);
    }

    #[test]
    fn enormous_fields_are_cut_and_counted_everywhere() {
        let mut enormous = finding(0, "B1", "./a.py", 1, &["x"]);
        let text = "y".repeat(TEXT_BYTES_MAX + 1);
        enormous.message.clone_from(&text);
        enormous.code = Some(Excerpt { first_line: 1, lines: vec![text.clone()] });
        enormous.raw.insert("more".to_owned(), text);
        let bounded = enormous.bounded();
        assert_eq!(bounded.cut_fields, 3);
        assert!(bounded.message.ends_with(CUT_MARK) && bounded.message.len() <= TEXT_BYTES_MAX);
        assert_eq!(finding(0, "B1", "./a.py", 1, &["x"]).bounded().cut_fields, 0);
    }

    #[test]
    fn other_ids_of_a_rule_are_listed_once_and_without_its_own() {
        let mut renamed = finding(0, "B1", "./a.py", 1, &[]);
        renamed.add_former_rules(["A1", " A1 ", "B1", " ", "A2"].map(str::to_owned));
        assert_eq!(renamed.former_rules, ["A1", "A2"]);
    }

    #[test]
    fn former_rules_are_limited_like_every_other_text() {
        let mut renamed = finding(0, "B1", "./a.py", 1, &[]);
        renamed.former_rules = vec!["y".repeat(TEXT_BYTES_MAX + 1); LIST_ENTRIES_MAX + 1];
        let bounded = renamed.bounded();
        assert_eq!(bounded.former_rules.len(), LIST_ENTRIES_MAX);
        assert!(bounded.former_rules.iter().all(|rule| rule.ends_with(CUT_MARK)));
        assert_eq!(usize::try_from(bounded.cut_fields).unwrap(), LIST_ENTRIES_MAX + 1);
    }

    #[test]
    fn code_may_be_added_to_a_finding_in_code_that_shows_none() {
        let bare = || finding(0, "B1", "./a.py", 1, &[]);
        assert!(bare().may_take_code());
        assert!(Finding { kind: Kind::Infrastructure, ..bare() }.may_take_code());
        for kind in [Kind::Dependency, Kind::License, Kind::Secret, Kind::Web, Kind::Host] {
            assert!(!Finding { kind, ..bare() }.may_take_code(), "{kind:?}");
        }
        let secret = Some(Secret { digest: "sha256:0".to_owned(), masked: String::new() });
        let whole_file = Some(Location::file("./a.py"));
        for other in [
            Finding { secret, ..bare() },
            Finding { location: whole_file, ..bare() },
            Finding { location: None, ..bare() },
            finding(0, "B1", "./a.py", 1, &["x"]),
        ] {
            assert!(!other.may_take_code(), "{other:?}");
        }
    }

    #[test]
    fn only_a_finding_that_is_matched_by_code_can_lack_it() {
        let bare = || finding(0, "B1", "./a.py", 1, &[]);
        assert!(bare().lacks_code() && Finding { kind: Kind::Secret, ..bare() }.lacks_code());
        assert!(!Finding { kind: Kind::Dependency, ..bare() }.lacks_code());
        let secret = Some(Secret { digest: "sha256:0".to_owned(), masked: String::new() });
        assert!(!Finding { kind: Kind::Secret, secret, ..bare() }.lacks_code());
        assert!(!finding(0, "B1", "./a.py", 1, &["x"]).lacks_code());
    }

    #[test]
    fn lists_are_cut_at_their_limit_and_the_rest_is_counted() {
        let mut long = finding(0, "B1", "./a.py", 1, &[]);
        long.references = vec!["https://example.org".to_owned(); LIST_ENTRIES_MAX];
        assert_eq!(long.clone().bounded().cut_fields, 0);
        long.references.push("one more".to_owned());
        long.raw.insert("k".repeat(KEY_BYTES_MAX + 1), "value".to_owned());
        let bounded = long.bounded();
        assert_eq!((bounded.references.len(), bounded.raw.len(), bounded.cut_fields), (LIST_ENTRIES_MAX, 0, 2));
    }

    #[test]
    fn a_last_line_is_kept_only_after_the_first() {
        let last = |first, last| Location::lines("./a.py", first, last).end_line;
        assert_eq!(
            [last(Some(3), Some(5)), last(Some(3), Some(3)), last(Some(3), Some(1)), last(None, Some(5))],
            [Some(5), None, None, None]
        );
        let whole = Location { path: "./a.py".to_owned(), line: None, end_line: None, column: None };
        assert_eq!(Location::file("./a.py"), whole);
        assert_eq!(Location::file("./a.py").with_column(Some(2)).column, Some(2));
    }

    #[test]
    fn a_summary_adds_up_or_says_that_it_does_not() {
        let mut summary = ReportSummary { results: 3, findings: 2, rejected: 1, ..ReportSummary::default() };
        assert!(summary.adds_up() && !summary.is_complete());
        summary.rejected = 0;
        assert!(!summary.adds_up() && summary.is_complete());
    }
}
