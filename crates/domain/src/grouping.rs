//! Findings become issues and occurrences: one issue per root cause, however often it occurs.
//!
//! An issue's identity is a declared list of fields per kind of finding, never its severity, description or line:
//!
//! | kind | fields |
//! |---|---|
//! | code | product, rule |
//! | dependency | product, advisory, package |
//! | license | product, license, package |
//! | secret | product, rule, the secret's digest (or the path, where the report has no secret) |
//! | web, host | product, rule |
//! | infrastructure | product, check |
//! | any, where the report declares its key | product, the declared fields |
//!
//! The product is the tool that wrote the finding. An advisory has many names: findings of one package that share a name
//! are one issue, and so are those connected through others. The issue is called by the first of all its names: a CVE
//! before a GHSA before any other, then by the alphabet.

use crate::ids::{IssueId, ScannerId};
use crate::signature::{Signatures, place_text};
use finding::limits::cut_to;
use finding::severity::Severity;
use finding::{Finding, Kind, Scored};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most references, advisories, versions or weaknesses kept of one issue; findings keep all of theirs.
const LIST_MAX: usize = 20;
/// The longest message of an issue, in bytes; findings keep theirs whole.
const MESSAGE_BYTES_MAX: usize = 1000;
/// The longest title of an issue, in bytes.
const TITLE_BYTES_MAX: usize = 300;
/// The most names by which one issue's findings are united; a package's advisory has a handful.
const NAMES_MAX: usize = 1000;

/// What makes two findings one issue: named fields in a declared order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueKey {
    /// The fields' names.
    pub pattern: Vec<String>,
    /// Their values.
    pub values: Vec<String>,
}

impl IssueKey {
    /// The key of a finding of this product. Of a dependency with several names it is the key by the first of them;
    /// [`Grouper`] unites those of different findings.
    pub fn of(product: &str, finding: &Finding) -> Self {
        if !finding.key.is_empty() {
            let declared = finding.key.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            return Self::from_fields([("product", product)].into_iter().chain(declared));
        }
        let rule = finding.rule.as_str();
        let package = finding.package.as_ref().map(|package| package.name.as_str()).unwrap_or_default();
        let product = ("product", product);
        match finding.kind {
            Kind::Code | Kind::Web | Kind::Host => Self::from_fields([product, ("rule", rule)]),
            Kind::Infrastructure => Self::from_fields([product, ("check", rule)]),
            Kind::License => Self::from_fields([product, ("license", rule), ("package", package)]),
            Kind::Dependency => {
                let advisory = first_name(names(finding)).unwrap_or(rule);
                Self::from_fields([product, ("advisory", advisory), ("package", package)])
            }
            Kind::Secret => match &finding.secret {
                Some(secret) => Self::from_fields([product, ("rule", rule), ("secret", &secret.digest)]),
                None => Self::from_fields([product, ("rule", rule), ("path", &place_text(finding))]),
            },
        }
    }

    fn from_fields<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let (pattern, values) = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).unzip();
        Self { pattern, values }
    }

    /// The issue's id: version 1 of the recipe. Another recipe is a new version and a migration, never an edit.
    pub fn id(&self) -> IssueId {
        let fields: Vec<&[u8]> = self
            .pattern
            .iter()
            .zip(&self.values)
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
            .collect();
        IssueId::derived("v1:issue", &fields)
    }
}

/// The names under which a dependency's vulnerability is known: its advisories, else the rule.
fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    let rule = finding.advisories.is_empty().then_some(finding.rule.as_str());
    finding.advisories.iter().map(String::as_str).chain(rule)
}

/// The first of several names: a CVE before a GHSA before any other, then by the alphabet.
fn first_name<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rank = |name: &str| match name.get(..5) {
        Some("GHSA-") => 1,
        Some(start) if start.starts_with("CVE-") => 0,
        Some(_) | None => 2,
    };
    names.min_by_key(|name| (rank(name), *name))
}

/// All occurrences with one root cause, as one scan saw them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// Its identity.
    pub id: IssueId,
    /// What the identity was built from.
    pub key: IssueKey,
    /// What kind of problem it is.
    pub kind: Kind,
    /// The scanner's rule.
    pub rule: String,
    /// The rule's name.
    pub title: String,
    /// What the scanner says about it, from one of its occurrences.
    pub message: String,
    /// The highest score of its occurrences, with that score's source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Scored>,
    /// The highest level that the scanner's own words give its occurrences, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<Severity>,
    /// Weaknesses by their CWE number.
    pub cwes: BTreeSet<u32>,
    /// The vulnerability's names.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub advisories: BTreeSet<String>,
    /// The package that is vulnerable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<IssuePackage>,
    /// The highest chance of exploitation (EPSS) that is reported, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<f64>,
    /// Whether it is reported as known to be exploited.
    #[serde(skip_serializing_if = "is_false", default)]
    pub known_exploited: bool,
    /// Where to read more.
    pub references: BTreeSet<String>,
    /// The place of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// How many occurrences it has; they stand together in that list.
    pub occurrences: u32,
}

fn is_false(truth: &bool) -> bool {
    !*truth
}

/// The package of an issue, in all versions that occur.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuePackage {
    /// Its name.
    pub name: String,
    /// Its ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// The versions in use.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub versions: BTreeSet<String>,
    /// Versions in which it is mended.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub fixed_versions: BTreeSet<String>,
}

impl Issue {
    /// The level of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }
}

/// What a comparison knows of an issue: a part of an [`Issue`] as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Its identity.
    pub id: IssueId,
    /// The place of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// How many occurrences it has.
    pub occurrences: u32,
}

impl From<&Issue> for Span {
    fn from(issue: &Issue) -> Self {
        Self { id: issue.id, first: issue.first, occurrences: issue.occurrences }
    }
}

/// What the gate knows of an issue: a part of an [`Issue`] as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Rated {
    /// Its identity.
    pub id: IssueId,
    /// The highest score of its occurrences.
    #[serde(default)]
    pub score: Option<Scored>,
}

impl Rated {
    /// The level of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }
}

/// One place where an issue occurs, before it is compared with anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The place of its result in the report.
    pub result: u32,
    /// The file, as it is compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<Rc<str>>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// What it is recognised by.
    pub signatures: Signatures,
}

/// A name of a vulnerability: product, package, name.
type Named = (Rc<str>, Rc<str>, Rc<str>);

/// An issue while findings come in. Texts are shared between issues: many say the same.
#[derive(Debug, Clone)]
struct Group {
    pattern: Rc<[Rc<str>]>,
    values: Vec<Rc<str>>,
    kind: Kind,
    rule: Rc<str>,
    title: Rc<str>,
    message: Rc<str>,
    score: Option<Scored>,
    scanner_severity: Option<Severity>,
    cwes: Vec<u32>,
    advisories: Vec<Rc<str>>,
    package: Option<Rc<str>>,
    ecosystem: Option<Rc<str>>,
    versions: Vec<Rc<str>>,
    fixed_versions: Vec<Rc<str>>,
    epss: Option<f64>,
    known_exploited: bool,
    references: Vec<Rc<str>>,
    occurrences: u32,
}

/// Groups findings into issues, one finding at a time. Memory grows with their number and with texts that differ.
#[derive(Debug)]
pub struct Grouper {
    product: ScannerId,
    issues: BTreeMap<IssueId, usize>,
    /// For each name of a vulnerability in a package the group it is in.
    named: BTreeMap<Named, usize>,
    groups: Vec<Group>,
    /// For each group the one it was united with, itself if none.
    united: Vec<usize>,
    placed: Vec<(usize, Occurrence)>,
    texts: BTreeSet<Rc<str>>,
    patterns: BTreeSet<Rc<[Rc<str>]>>,
}

impl Grouper {
    /// An empty group for so many findings of this scanner. The number makes room once: growing by doubling would hold
    /// the list twice, and a component has little memory.
    pub fn new(product: ScannerId, findings: usize) -> Self {
        Self {
            product,
            issues: BTreeMap::new(),
            named: BTreeMap::new(),
            groups: Vec::new(),
            united: Vec::new(),
            placed: Vec::with_capacity(findings),
            texts: BTreeSet::new(),
            patterns: BTreeSet::new(),
        }
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let product = finding.tool.clone().unwrap_or_else(|| self.product.to_string());
        let key = IssueKey::of(&product, &finding);
        let path = place_text(&finding);
        let occurrence = Occurrence {
            result: finding.result,
            path: (!path.is_empty()).then(|| self.interned(&path)),
            line: finding.location.as_ref().and_then(|location| location.line),
            signatures: Signatures::of(&finding),
        };
        let by_names = finding.kind == Kind::Dependency && finding.key.is_empty();
        let names: Vec<Named> = if by_names { self.names_of(&product, &finding) } else { Vec::new() };
        let id = key.id();
        let known = if by_names { self.group_of_names(&names) } else { self.issues.get(&id).copied() };
        let group = self.group(key, finding);
        let at = match known {
            Some(at) => {
                if let Some(held) = self.groups.get_mut(at) {
                    merge(held, group);
                }
                at
            }
            None => {
                self.united.push(self.groups.len());
                self.groups.push(group);
                self.groups.len() - 1
            }
        };
        if !by_names {
            self.issues.insert(id, at);
        }
        for name in names {
            self.named.insert(name, at);
        }
        self.placed.push((at, occurrence));
    }

    /// A finding as a group of its own.
    fn group(&mut self, key: IssueKey, finding: Finding) -> Group {
        let mut message = finding.message;
        cut_to(&mut message, MESSAGE_BYTES_MAX);
        let mut title = finding.title;
        cut_to(&mut title, TITLE_BYTES_MAX);
        let (name, ecosystem, version, fixed) = match finding.package {
            Some(package) => (Some(package.name), package.ecosystem, package.version, package.fixed_versions),
            None => (None, None, None, vec![]),
        };
        let pattern: Rc<[Rc<str>]> = key.pattern.iter().map(|field| self.interned(field)).collect();
        let pattern = match self.patterns.get(&pattern) {
            Some(known) => Rc::clone(known),
            None => {
                self.patterns.insert(Rc::clone(&pattern));
                pattern
            }
        };
        let mut cwes = finding.cwes;
        trim(&mut cwes);
        Group {
            pattern,
            values: key.values.iter().map(|value| self.interned(value)).collect(),
            kind: finding.kind,
            rule: self.interned(&finding.rule),
            title: self.interned(&title),
            message: self.interned(&message),
            score: finding.score,
            scanner_severity: finding.scanner_severity,
            cwes,
            advisories: self.interned_all(finding.advisories),
            package: name.map(|name| self.interned(&name)),
            ecosystem: ecosystem.map(|ecosystem| self.interned(&ecosystem)),
            versions: self.interned_all(version),
            fixed_versions: self.interned_all(fixed),
            epss: finding.epss.map(|epss| epss.probability),
            known_exploited: finding.known_exploited == Some(true),
            references: self.interned_all(finding.references),
            occurrences: 1,
        }
    }

    fn names_of(&mut self, product: &str, finding: &Finding) -> Vec<Named> {
        let package = finding.package.as_ref().map(|package| package.name.as_str()).unwrap_or_default();
        let (product, package) = (self.interned(product), self.interned(package));
        let named = |name| (Rc::clone(&product), Rc::clone(&package), self.interned(name));
        names(finding).take(NAMES_MAX).map(named).collect()
    }

    /// The group of a vulnerability by any of its names, uniting the groups that its names are in.
    fn group_of_names(&mut self, names: &[Named]) -> Option<usize> {
        let mut group = None;
        for name in names {
            let Some(at) = self.named.get(name).copied() else { continue };
            let root = self.root(at);
            group = match group {
                None => Some(root),
                Some(known) if known == root => Some(known),
                Some(known) => {
                    let (low, high) = (root.min(known), root.max(known));
                    if let Some(slot) = self.united.get_mut(high) {
                        *slot = low;
                    }
                    Some(low)
                }
            };
        }
        group
    }

    /// The group that a group was united into. Shortens the way for the next time.
    fn root(&mut self, at: usize) -> usize {
        let mut root = at;
        while let Some(next) = self.united.get(root).copied().filter(|next| *next != root) {
            root = next;
        }
        let mut step = at;
        while let Some(slot) = self.united.get_mut(step).filter(|next| **next != root) {
            step = std::mem::replace(slot, root);
        }
        root
    }

    /// Moves what was united into one group each, and calls it by the first of all its names.
    fn unite(&mut self) {
        for at in 0..self.groups.len() {
            let root = self.root(at);
            if root != at
                && let Some(other) = self.groups.get(at).cloned()
                && let Some(held) = self.groups.get_mut(root)
            {
                merge(held, other);
            }
        }
        let mut first: BTreeMap<usize, Rc<str>> = BTreeMap::new();
        for ((_, _, name), at) in std::mem::take(&mut self.named) {
            let root = self.root(at);
            let better = first.get(&root).is_none_or(|held| first_name([&**held, &*name].into_iter()) != Some(held));
            if better {
                first.insert(root, name);
            }
        }
        for (root, name) in first {
            if let Some(group) = self.groups.get_mut(root) {
                let position = group.pattern.iter().position(|field| &**field == "advisory");
                if let Some(value) = position.and_then(|at| group.values.get_mut(at)) {
                    *value = name;
                }
            }
        }
    }

    fn interned(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.texts.get(text) {
            return Rc::clone(known);
        }
        let text: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&text));
        text
    }

    /// Several texts, the first of them in their order.
    fn interned_all(&mut self, texts: impl IntoIterator<Item = String>) -> Vec<Rc<str>> {
        let mut texts: Vec<Rc<str>> = texts.into_iter().map(|text| self.interned(&text)).collect();
        trim(&mut texts);
        texts.shrink_to_fit();
        texts
    }

    /// The issues, the worst first, and all occurrences in the order of their issues, by path and line. The order of
    /// the findings makes no difference but for the results' places.
    pub fn finish(mut self) -> (impl Iterator<Item = Issue>, Vec<Occurrence>) {
        self.unite();
        // What is not needed any more makes room before the list is sorted.
        (self.issues, self.texts) = (BTreeMap::new(), BTreeSet::new());
        let mut order: Vec<usize> = (0..self.groups.len()).filter(|at| self.united.get(*at) == Some(at)).collect();
        order.sort_by_cached_key(|at| {
            self.groups.get(*at).map(|group| {
                let score = group.score.map(|scored| scored.score);
                let worst_first = std::cmp::Reverse((Severity::of(score), score));
                (worst_first, Rc::clone(&group.rule), group.key().id())
            })
        });
        let mut place = vec![0; self.groups.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old) {
                *slot = new;
            }
        }
        for (issue, _) in &mut self.placed {
            let root = self.united.get(*issue).copied().unwrap_or(*issue);
            *issue = place.get(root).copied().unwrap_or(root);
        }
        self.placed
            .sort_unstable_by(|(a, x), (b, y)| (a, &x.path, x.line, x.result).cmp(&(b, &y.path, y.line, y.result)));
        let groups = self.groups;
        let mut first: u32 = 0;
        let issues = order.into_iter().filter_map(move |old| {
            let issue = groups.get(old)?.issue(first);
            first = first.saturating_add(issue.occurrences);
            Some(issue)
        });
        (issues, self.placed.into_iter().map(|(_, occurrence)| occurrence).collect())
    }
}

impl Group {
    fn key(&self) -> IssueKey {
        let owned = |texts: &[Rc<str>]| texts.iter().map(|text| text.to_string()).collect();
        IssueKey { pattern: owned(&self.pattern), values: owned(&self.values) }
    }

    /// The issue, whose occurrences begin at this place.
    fn issue(&self, first: u32) -> Issue {
        let set = |texts: &[Rc<str>]| texts.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>();
        let key = self.key();
        Issue {
            id: key.id(),
            key,
            kind: self.kind,
            rule: self.rule.to_string(),
            title: self.title.to_string(),
            message: self.message.to_string(),
            score: self.score,
            scanner_severity: self.scanner_severity,
            cwes: self.cwes.iter().copied().collect(),
            advisories: set(&self.advisories),
            package: self.package.as_ref().map(|name| IssuePackage {
                name: name.to_string(),
                ecosystem: self.ecosystem.as_ref().map(ToString::to_string),
                versions: set(&self.versions),
                fixed_versions: set(&self.fixed_versions),
            }),
            epss: self.epss,
            known_exploited: self.known_exploited,
            references: set(&self.references),
            first,
            occurrences: self.occurrences,
        }
    }
}

/// Takes one group into another, but for what it is identified by, so that the order in which they come makes no
/// difference.
fn merge(held: &mut Group, other: Group) {
    held.occurrences = held.occurrences.saturating_add(other.occurrences);
    // Of equal scores the one from the better source.
    let rank = |scored: &Scored| (scored.score, std::cmp::Reverse(scored.source));
    if other.score.as_ref().map(rank) > held.score.as_ref().map(rank) {
        held.score = other.score;
    }
    held.scanner_severity = held.scanner_severity.max(other.scanner_severity);
    held.kind = held.kind.min(other.kind);
    for (held, new) in
        [(&mut held.rule, other.rule), (&mut held.title, other.title), (&mut held.message, other.message)]
    {
        if new < *held {
            *held = new;
        }
    }
    for (held, new) in [(&mut held.package, other.package), (&mut held.ecosystem, other.ecosystem)] {
        *held = match (held.take(), new) {
            (Some(held), Some(new)) => Some(held.min(new)),
            (held, new) => held.or(new),
        };
    }
    held.epss = match (held.epss, other.epss) {
        (Some(held), Some(new)) => Some(held.max(new)),
        (held, new) => held.or(new),
    };
    held.known_exploited |= other.known_exploited;
    take_in(&mut held.cwes, other.cwes);
    take_in(&mut held.advisories, other.advisories);
    take_in(&mut held.versions, other.versions);
    take_in(&mut held.fixed_versions, other.fixed_versions);
    take_in(&mut held.references, other.references);
}

/// Adds to a sorted list, of which the first entries are kept.
fn take_in<T: Ord>(held: &mut Vec<T>, new: Vec<T>) {
    if new.iter().all(|entry| held.binary_search(entry).is_ok()) {
        return;
    }
    held.extend(new);
    trim(held);
}

/// Sorts a list, takes out what is there twice, and cuts it to its limit.
fn trim<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
    list.truncate(LIST_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use finding::severity::Score;
    use proptest::prelude::*;

    fn group(findings: Vec<Finding>) -> (Vec<Issue>, Vec<Occurrence>) {
        let mut grouper = Grouper::new("bandit".parse().unwrap(), findings.len());
        findings.into_iter().for_each(|finding| grouper.push(finding));
        let (issues, occurrences) = grouper.finish();
        (issues.collect(), occurrences)
    }

    fn scored(rule: &str, path: &str, line: u32, hundredths: u16) -> Finding {
        let mut finding = finding(line, rule, path, line, &["x"]);
        finding.score = Score::from_hundredths(hundredths)
            .map(|score| Scored { score, source: finding::severity::ScoreSource::ScannerWord });
        finding
    }

    #[test]
    fn the_recipe_of_issue_ids_is_pinned() {
        let key = IssueKey::of("bandit", &finding(0, "B324", "a.py", 1, &[]));
        assert_eq!(key.pattern, ["product", "rule"]);
        // Computed independently with Python's hashlib over the same length-prefixed bytes.
        assert_eq!(key.id().to_string(), "d510e423bc0b509874be429fa2a8b3c3");
    }

    #[test]
    fn one_rule_is_one_issue_with_an_occurrence_per_place_and_the_worst_score() {
        let (issues, occurrences) = group(vec![
            scored("B1", "b.py", 7, 200),
            scored("B2", "a.py", 3, 500),
            scored("B1", "a.py", 9, 950),
            scored("B1", "a.py", 2, 200),
        ]);
        let summary: Vec<_> = issues
            .iter()
            .map(|issue| (issue.rule.as_str(), issue.severity(), issue.first, issue.occurrences))
            .collect();
        assert_eq!(summary, [("B1", Severity::Critical, 0, 3), ("B2", Severity::Medium, 3, 1)]);
        let places: Vec<_> = occurrences.iter().map(|o| (o.path.as_deref().unwrap(), o.line.unwrap())).collect();
        assert_eq!(places, [("a.py", 2), ("a.py", 9), ("b.py", 7), ("a.py", 3)]);
    }

    #[test]
    fn severity_message_and_line_are_not_identity() {
        let mut other = scored("B1", "z.py", 99, 200);
        other.message = "another message".to_owned();
        let (issues, _) = group(vec![scored("B1", "a.py", 1, 950), other]);
        assert_eq!(issues.len(), 1);
    }

    fn vulnerability(result: u32, names: &[&str], package: &str) -> Finding {
        Finding {
            result,
            advisories: names.iter().map(|name| (*name).to_owned()).collect(),
            package: Some(finding::Package { name: package.to_owned(), ..Default::default() }),
            ..Finding::new(Kind::Dependency, names[0], "t", "m")
        }
    }

    #[test]
    fn names_of_one_vulnerability_unite_its_findings_however_they_are_connected() {
        let findings = vec![
            vulnerability(0, &["GHSA-1"], "p"),
            vulnerability(1, &["CVE-2020-2", "X-1"], "p"),
            vulnerability(2, &["GHSA-1"], "q"),
            vulnerability(3, &["X-1", "GHSA-1"], "p"),
            vulnerability(4, &["CVE-2020-9"], "p"),
        ];
        for rotation in 0..findings.len() {
            let mut findings = findings.clone();
            findings.rotate_left(rotation);
            let (issues, _) = group(findings);
            let mut keys: Vec<_> =
                issues.iter().map(|issue| (issue.key.values[1..].join(" "), issue.occurrences)).collect();
            keys.sort();
            let expected = [("CVE-2020-2 p", 3), ("CVE-2020-9 p", 1), ("GHSA-1 q", 1)];
            assert_eq!(keys, expected.map(|(key, count)| (key.to_owned(), count)), "rotated by {rotation}");
        }
    }

    #[test]
    fn each_kind_is_keyed_by_its_declared_fields() {
        let pattern = |finding: &Finding| IssueKey::of("x", finding).pattern.join(" ");
        let of = |kind| Finding::new(kind, "r", "t", "m");
        assert_eq!(pattern(&of(Kind::Code)), "product rule");
        assert_eq!(pattern(&of(Kind::Web)), "product rule");
        assert_eq!(pattern(&of(Kind::Host)), "product rule");
        assert_eq!(pattern(&of(Kind::Infrastructure)), "product check");
        assert_eq!(pattern(&of(Kind::Dependency)), "product advisory package");
        assert_eq!(pattern(&of(Kind::License)), "product license package");
        assert_eq!(pattern(&of(Kind::Secret)), "product rule path");
        let mut secret = of(Kind::Secret);
        secret.secret = Some(finding::Secret { digest: "sha1:0".to_owned(), masked: String::new() });
        assert_eq!(pattern(&secret), "product rule secret");
        let mut custom = of(Kind::Code);
        custom.key = vec![("issueName".to_owned(), "a".to_owned())];
        assert_eq!(pattern(&custom), "product issueName");
    }

    #[test]
    fn findings_of_several_tools_in_one_report_stay_apart() {
        let mut other = scored("B1", "a.py", 1, 500);
        other.tool = Some("other".to_owned());
        assert_eq!(group(vec![scored("B1", "a.py", 1, 500), other]).0.len(), 2);
    }

    proptest! {
        #[test]
        fn uniting_is_an_equivalence_and_loses_nothing(
            all in proptest::collection::vec(proptest::collection::vec(0..8_u8, 1..4), 0..20),
            rotation in 0..20_usize,
        ) {
            let mut findings: Vec<_> = (0..).zip(&all).map(|(result, names)| {
                let names: Vec<String> = names.iter().map(|name| format!("CVE-2020-{name}")).collect();
                vulnerability(result, &names.iter().map(String::as_str).collect::<Vec<_>>(), "p")
            }).collect();
            let there = group(findings.clone());
            prop_assert_eq!(there.1.len(), all.len());
            // Sharing a name means being the same issue: no name is in two.
            let mut names: Vec<_> = there.0.iter().flat_map(|issue| &issue.advisories).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), count);
            let middle = if findings.is_empty() { 0 } else { rotation % findings.len() };
            findings.rotate_left(middle);
            let turned = group(findings);
            let ids = |issues: &[Issue]| issues.iter().map(|issue| (issue.id, issue.occurrences)).collect::<BTreeMap<_, _>>();
            prop_assert_eq!(ids(&turned.0), ids(&there.0));
        }

        #[test]
        fn no_finding_is_lost_and_the_order_makes_no_difference(
            places in proptest::collection::vec((0..4_u8, 0..3_u8, 1..50_u32, 0..1000_u16), 0..30),
            rotation in 0..30_usize,
        ) {
            let mut findings: Vec<_> = (0..).zip(&places).map(|(result, (rule, path, line, score))| {
                let mut finding = scored(&format!("B{rule}"), &format!("{path}.py"), *line, *score);
                finding.result = result;
                finding
            }).collect();
            let there = group(findings.clone());
            prop_assert_eq!(there.0.iter().map(|issue| issue.occurrences).sum::<u32>(), u32::try_from(places.len()).unwrap());
            let mut results: Vec<_> = there.1.iter().map(|occurrence| occurrence.result).collect();
            results.sort_unstable();
            prop_assert_eq!(results, (0..u32::try_from(places.len()).unwrap()).collect::<Vec<_>>());
            let middle = if findings.is_empty() { 0 } else { rotation % findings.len() };
            findings.rotate_left(middle);
            prop_assert_eq!(group(findings), there);
        }
    }
}
