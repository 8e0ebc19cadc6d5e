//! A finding: one result of a report, normalised. What every parser produces and every later stage reads.

use crate::limits::{KEY_BYTES_MAX, LIST_ENTRIES_MAX, cut_text};
use crate::severity::{Score, ScoreSource, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;

/// What kind of problem a finding is; decides how issues are keyed and how occurrences are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A weakness in source code (SAST), or a defect a code scanner reports.
    Code,
    /// A known vulnerability of a package: of a project's dependencies (SCA) or of what an image contains.
    Dependency,
    /// A package under a licence that is not wanted.
    License,
    /// A secret that stands where it should not.
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

    /// The kind in a word, as it is stored too.
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
            format!("`{}` is no kind of finding; known are {known}", text.escape_default())
        })
    }
}

/// One result of a report. Optional fields are those that a report may lack.
///
/// This is the stored form, one JSON line in a finding segment; a snapshot test pins it. The API has types of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The place of the result in the report, counted from 0.
    pub result: u32,
    /// What kind of problem it is.
    pub kind: Kind,
    /// The tool it is of, as part of the issue's identity, where that is not the scan's scanner: a report may hold the
    /// results of several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
    /// The scanner's rule, for example `B324`; for a dependency the id under which the scanner reports the vulnerability.
    pub rule: String,
    /// Other ids under which the tool reports or reported the same rule, where the report itself says so (SARIF's
    /// `deprecatedIds`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub former_rules: Vec<String>,
    /// The rule's name, for example `hashlib`: the issue's title.
    pub title: String,
    /// What the scanner says about this place.
    pub message: String,
    /// Named fields that make up the issue's identity where the report itself declares them (custom JSON's `meta.key`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub key: Vec<(String, String)>,
    /// The score, and how it was found; absent when the report gives none that could be understood.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Scored>,
    /// The scanner's own word for the severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_word: Option<String>,
    /// The level that word means, through the scanner's documented table; the score's may differ, when it is a CVSS score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<Severity>,
    /// The scanner's own word for its confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<String>,
    /// CVSS vectors and scores, as the report gives them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cvss: Vec<Cvss>,
    /// Weaknesses by their number in the Common Weakness Enumeration.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cwes: Vec<u32>,
    /// Ids of the vulnerability: `CVE-…`, `GHSA-…`, the vendor's; aliases of one another.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The chance of exploitation within 30 days (EPSS, first.org), when the report has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<Epss>,
    /// Whether it is in CISA's catalogue of known exploited vulnerabilities, when the report says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_exploited: Option<bool>,
    /// What the scanner says about the rule or vulnerability in general.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// What the scanner advises to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remediation: Option<String>,
    /// Where to read more, as the report gives it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<String>,
    /// The package that is vulnerable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<Package>,
    /// The file it is in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// Further places that belong to the same result: all must be mended.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_locations: Vec<Location>,
    /// The address it was found at, from outside.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<Endpoint>,
    /// The resource it concerns: of a cloud account, a cluster, infrastructure as code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// The secret that was found, never itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<Secret>,
    /// The code at that place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Excerpt>,
    /// The first line of the statement that it is in, where the report tells one before the line that it gives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement_line: Option<u32>,
    /// SHA-256 of the whole file as it was scanned, 64 hexadecimal digits, where the upload came with its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_sha256: Option<String>,
    /// The tool's own fingerprints of this result, by their versioned names (`matchBasedId/v1`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub fingerprints: BTreeMap<String, String>,
    /// The id that the scanner gave this result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_id: Option<String>,
    /// The report marks the result as suppressed, muted or accepted: how, in its words. Whether that counts is a setting.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed: Option<String>,
    /// Other fields of the report worth keeping, by their name there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, String>,
    /// How many text fields were cut to the limit, and entries of lists left out.
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
    /// How it was found.
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
    /// The share of vulnerabilities with a lower or equal probability, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percentile: Option<f64>,
}

/// A package, as its ecosystem names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name, for Maven `group:artifact`.
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
    /// Versions in which the vulnerability is mended.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixed_versions: Vec<String>,
}

/// An address at which something was found from outside.
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
    /// The parameter, header or cookie concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
}

/// A secret, by what may be kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Tells equal secrets from different ones: a hash, with its kind before it.
    pub digest: String,
    /// Its first characters, so that people recognise it; empty when the report has only a hash.
    pub masked: String,
}

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file's path as the report gives it.
    pub path: String,
    /// First line, counted from 1; absent when the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Last line, inclusive; absent when it is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// First column, counted as the report counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

impl Location {
    /// The whole file at this path.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The lines from `first` to `last`, inclusive. A `last` that is not behind `first` counts as absent.
    pub fn lines(path: impl Into<String>, first: Option<u32>, last: Option<u32>) -> Self {
        let end_line = last.filter(|last| first.is_some_and(|first| first < *last));
        Self { path: path.into(), line: first, end_line, column: None }
    }

    /// This location with its first column.
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
    /// A finding with what every finding has; its place in the report is set by whoever counts.
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

    /// The level of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }

    /// Notes other ids of its rule, each once; blank ones and the rule's own are none.
    pub fn add_former_rules(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            let id = id.trim();
            if !id.is_empty() && id != self.rule && !self.former_rules.iter().any(|known| known == id) {
                self.former_rules.push(id.to_owned());
            }
        }
    }

    /// Whether code from the working tree may be added to it. It says where in a file it is, and the report shows no code.
    /// Never for what is or holds a secret; nor for a package, whose line in a list of packages changes with its version.
    pub fn may_take_code(&self) -> bool {
        let of_code = match self.kind {
            Kind::Code | Kind::Infrastructure => true,
            Kind::Dependency | Kind::License | Kind::Secret | Kind::Web | Kind::Host => false,
        };
        let placed = self.location.as_ref().is_some_and(|location| location.line.is_some());
        of_code && placed && self.secret.is_none() && self.code.is_none()
    }

    /// Whether it is of a kind that is recognised by its code, and there is none. A secret is recognised by its digest too.
    pub fn lacks_code(&self) -> bool {
        match self.kind {
            Kind::Code => self.code.is_none(),
            Kind::Secret => self.code.is_none() && self.secret.is_none(),
            Kind::Dependency | Kind::License | Kind::Web | Kind::Host | Kind::Infrastructure => false,
        }
    }

    /// Calls `each` with every text a finding holds, but for hashes and for the names of fields.
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

    /// Cuts every text field and every list to its limit and counts the cuts. Parsers' output passes through here once.
    pub fn bounded(mut self) -> Self {
        let mut cuts: u32 = 0;
        let mut note = |cut: usize| cuts = cuts.saturating_add(u32::try_from(cut).unwrap_or(u32::MAX));
        note(cut_list(&mut self.key));
        note(cut_list(&mut self.former_rules));
        note(cut_list(&mut self.cvss));
        note(cut_list(&mut self.cwes));
        note(cut_list(&mut self.advisories));
        note(cut_list(&mut self.references));
        note(cut_list(&mut self.other_locations));
        note(self.package.as_mut().map_or(0, |package| cut_list(&mut package.fixed_versions)));
        note(self.code.as_mut().map_or(0, |code| cut_list(&mut code.lines)));
        note(cut_map(&mut self.fingerprints));
        note(cut_map(&mut self.raw));
        self.for_each_text(&mut |text| note(usize::from(cut_text(text))));
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

/// One entry of a report that could not be read, and why. It stays counted: nothing is dropped silently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The entry's place in the report, counted from 0.
    pub result: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// What a report said besides its findings. Every result of the file is in exactly one of these counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSummary {
    /// Results in the file.
    pub results: u64,
    /// Results that became findings, without those that the report calls suppressed.
    pub findings: u64,
    /// Results the report itself calls passed.
    pub passed: u64,
    /// Results the report itself calls not applicable.
    pub not_applicable: u64,
    /// Results the report itself calls closed.
    pub closed: u64,
    /// Results the report itself calls suppressed. They are findings too, with a mark; whether that is honoured is a
    /// setting of the project.
    pub suppressed: u64,
    /// How many results could not be read.
    pub rejected: u64,
    /// The first of those, one by one; at most [`REJECTED_LISTED_MAX`](crate::limits::REJECTED_LISTED_MAX).
    pub rejected_entries: Vec<Rejected>,
    /// What the scanner itself says went wrong, for example files it could not read; the first of them.
    pub scanner_errors: Vec<String>,
    /// How many things the scanner itself says went wrong.
    pub scanner_errors_total: u64,
    /// Text fields that were cut to [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX).
    pub cut_fields: u64,
    /// Findings, suppressed ones among them, that are recognised by their code and have none, neither from the report nor
    /// from the working tree.
    #[serde(skip_serializing_if = "is_none_counted", default)]
    pub without_code: u64,
    /// Findings that got their code from the working tree.
    #[serde(skip_serializing_if = "is_none_counted", default)]
    pub enriched: u64,
    /// What came from the working tree and is of no finding, or of one that stands elsewhere: it was not used.
    #[serde(skip_serializing_if = "is_none_counted", default)]
    pub mismatched: u64,
}

fn is_none_counted(count: &u64) -> bool {
    *count == 0
}

impl ReportSummary {
    /// Whether everything in the report could be read and the scanner reports no error. Whether its scan is complete is
    /// for the scan's record to say, which knows what is allowed and what should have been in the report.
    pub fn is_complete(&self) -> bool {
        self.rejected == 0 && self.scanner_errors_total == 0
    }

    /// Whether every result is accounted for. A parser for which this is false has lost or invented results.
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
    fn enormous_fields_are_cut_and_counted_wherever_they_are() {
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
    fn another_id_of_a_rule_is_noted_once_and_its_own_never() {
        let mut renamed = finding(0, "B1", "./a.py", 1, &[]);
        renamed.add_former_rules(["A1", " A1 ", "B1", " ", "A2"].map(str::to_owned));
        assert_eq!(renamed.former_rules, ["A1", "A2"]);
    }

    #[test]
    fn former_rules_are_bounded_like_every_other_text() {
        let mut renamed = finding(0, "B1", "./a.py", 1, &[]);
        renamed.former_rules = vec!["y".repeat(TEXT_BYTES_MAX + 1); LIST_ENTRIES_MAX + 1];
        let bounded = renamed.bounded();
        assert_eq!(bounded.former_rules.len(), LIST_ENTRIES_MAX);
        assert!(bounded.former_rules.iter().all(|rule| rule.ends_with(CUT_MARK)));
        assert_eq!(usize::try_from(bounded.cut_fields).unwrap(), LIST_ENTRIES_MAX + 1);
    }

    #[test]
    fn code_may_be_added_to_what_is_found_in_code_and_shows_none() {
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
    fn what_is_recognised_by_its_code_lacks_it_where_there_is_none() {
        let bare = || finding(0, "B1", "./a.py", 1, &[]);
        assert!(bare().lacks_code() && Finding { kind: Kind::Secret, ..bare() }.lacks_code());
        assert!(!Finding { kind: Kind::Dependency, ..bare() }.lacks_code());
        let secret = Some(Secret { digest: "sha256:0".to_owned(), masked: String::new() });
        assert!(!Finding { kind: Kind::Secret, secret, ..bare() }.lacks_code());
        assert!(!finding(0, "B1", "./a.py", 1, &["x"]).lacks_code());
    }

    #[test]
    fn lists_at_their_limit_are_kept_and_what_is_over_is_cut_and_counted() {
        let mut long = finding(0, "B1", "./a.py", 1, &[]);
        long.references = vec!["https://example.org".to_owned(); LIST_ENTRIES_MAX];
        assert_eq!(long.clone().bounded().cut_fields, 0);
        long.references.push("one more".to_owned());
        long.raw.insert("k".repeat(KEY_BYTES_MAX + 1), "value".to_owned());
        let bounded = long.bounded();
        assert_eq!((bounded.references.len(), bounded.raw.len(), bounded.cut_fields), (LIST_ENTRIES_MAX, 0, 2));
    }

    #[test]
    fn a_location_has_a_last_line_only_behind_its_first() {
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
