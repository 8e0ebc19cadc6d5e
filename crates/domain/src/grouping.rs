//! Groups findings into issues and occurrences: one issue per root cause, however often it occurs.
//! An issue's identity is a declared list of fields per kind of finding. It never includes severity, description or
//! line:
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
//! The product is the tool that wrote the finding. A vulnerability has many names: findings of one package that share a
//! name, directly or through others, are one issue. The issue's key uses the first of all names: a CVE before a GHSA
//! before any other, then by the alphabet. The ids that the issue would have under its other names, and under the
//! rule's former ids, are stored as aliases, so that [`families`](crate::families) finds it under each of them.

mod footprint;
mod key;

pub use footprint::{Footprint, FootprintTooLarge};
pub use key::IssueKey;

use crate::digest::Short;
use crate::ids::{IssueId, ScannerId};
use crate::serde_skip::is_default;
use crate::signature::{ComparableFinding, Signatures};
use crate::union_find::UnionFind;
use finding::limits::cut_to;
use finding::severity::{Score, Severity};
use finding::{Finding, Kind, Scored};
use key::{first_name, names};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The maximum number of references, advisories, versions or weaknesses of one issue. Findings have all of theirs.
const LIST_MAX: usize = 20;
/// The maximum length of an issue's message, in bytes. Findings have theirs in full.
const MESSAGE_BYTES_MAX: usize = 1000;
/// The maximum length of an issue's title, in bytes.
const TITLE_BYTES_MAX: usize = 300;
/// The maximum number of names by which findings are grouped into one issue. A vulnerability of a package has a
/// handful.
const NAMES_MAX: usize = 1000;

/// All occurrences in one scan with the same root cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// Its id, derived from its key.
    pub id: IssueId,
    /// Its key.
    pub key: IssueKey,
    /// The ids that it has under its other names: further advisories of a vulnerability, former ids of a rule.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub aliases: Vec<IssueId>,
    /// A value that it shares with issues that differ by their path alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kin: Option<Short>,
    /// The kind of problem.
    pub kind: Kind,
    /// The scanner's rule.
    pub rule: String,
    /// The rule's name.
    pub title: String,
    /// The scanner's message, from one of its occurrences.
    pub message: String,
    /// The highest score of its occurrences, with the score's source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Scored>,
    /// The highest severity of its occurrences by the scanner's own words, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<Severity>,
    /// Weaknesses by their CWE number.
    pub cwes: BTreeSet<u32>,
    /// The names of the vulnerability.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub advisories: BTreeSet<String>,
    /// The vulnerable package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<IssuePackage>,
    /// The highest reported probability of exploitation (EPSS), from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<f64>,
    /// True if it is reported as known to be exploited.
    #[serde(skip_serializing_if = "is_default", default)]
    pub known_exploited: bool,
    /// Links to more information.
    pub references: BTreeSet<String>,
    /// The index of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// The number of its occurrences, which are adjacent in that list.
    pub occurrences: u32,
}

/// The package of an issue, with all versions that occur.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuePackage {
    /// Its name.
    pub name: String,
    /// Its ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// The installed versions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub versions: BTreeSet<String>,
    /// The versions that have a fix.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub fixed_versions: BTreeSet<String>,
}

impl Issue {
    /// Returns the severity of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }

    /// Returns its names, of those that its reports use, whose ids are not among `known`.
    pub fn names_besides(&self, known: &BTreeSet<IssueId>) -> Vec<String> {
        let own = self.key.value("advisory").map(str::to_owned);
        let names: BTreeSet<String> = self.advisories.iter().cloned().chain(own).collect();
        let is_new = |name: &String| self.key.id_with("advisory", name).is_some_and(|id| !known.contains(&id));
        names.into_iter().filter(is_new).collect()
    }
}

/// An issue as the comparison reads it: a part of an [`Issue`] as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ComparableIssue {
    /// Its id, derived from its key.
    pub id: IssueId,
    /// The ids that it has under its other names.
    #[serde(default)]
    pub aliases: Vec<IssueId>,
    /// A value that it shares with issues that differ by their path alone.
    #[serde(default)]
    pub kin: Option<Short>,
    /// The index of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// The number of its occurrences.
    pub occurrences: u32,
}

impl From<&Issue> for ComparableIssue {
    fn from(issue: &Issue) -> Self {
        let Issue { id, aliases, kin, first, occurrences, .. } = issue;
        Self { id: *id, aliases: aliases.clone(), kin: *kin, first: *first, occurrences: *occurrences }
    }
}

/// An issue as the gate reads it: a part of an [`Issue`] as it is stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RatedIssue {
    /// Its id, derived from its key.
    pub id: IssueId,
    /// The ids that it has under its other names.
    #[serde(default)]
    pub aliases: Vec<IssueId>,
    /// The kind of problem.
    pub kind: Kind,
    /// The highest score of its occurrences.
    #[serde(default)]
    pub score: Option<Scored>,
    /// The index of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// The number of its occurrences.
    pub occurrences: u32,
    /// The highest reported probability of exploitation (EPSS), from 0 to 1.
    #[serde(default)]
    pub epss: Option<f64>,
    /// True if it is reported as known to be exploited.
    #[serde(default)]
    pub known_exploited: bool,
}

impl From<&Issue> for RatedIssue {
    fn from(issue: &Issue) -> Self {
        let Issue { id, kind, score, first, occurrences, epss, known_exploited, .. } = *issue;
        let aliases = issue.aliases.clone();
        Self { id, aliases, kind, score, first, occurrences, epss, known_exploited }
    }
}

impl RatedIssue {
    /// Returns all ids under which the issue may be exempted: first `id`, the one that the comparison gave it, then
    /// those of its key and aliases.
    pub fn names(&self, id: IssueId) -> Vec<IssueId> {
        [id, self.id].into_iter().chain(self.aliases.iter().copied()).collect()
    }

    /// Returns the severity of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }
}

/// One occurrence of an issue, before any comparison. Texts are indices into the scan's list of paths and versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The index of its result in the report.
    pub result: u32,
    /// The file, host or origin in its normalised form; 0 for none.
    #[serde(skip_serializing_if = "is_default", default)]
    pub path: u32,
    /// The line; 0 for none.
    #[serde(skip_serializing_if = "is_default", default)]
    pub line: u32,
    /// The version of its package; 0 for none.
    #[serde(skip_serializing_if = "is_default", default)]
    pub version: u32,
    /// Its score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Score>,
    /// The hashes that it is matched by.
    pub signatures: Signatures,
}

/// A path or version that occurrences refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathOrVersion {
    /// The text. The first of a scan's texts is empty.
    pub text: String,
    /// The hash of the file with this path, if the upload included it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<Short>,
}

/// A name of a vulnerability: product, package, name.
type VulnerabilityName = (Rc<str>, Rc<str>, Rc<str>);

/// An issue while findings are added. Equal texts are shared between issues.
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
    former_rules: Vec<Rc<str>>,
    other_names: Vec<Rc<str>>,
    package: Option<Rc<str>>,
    ecosystem: Option<Rc<str>>,
    versions: Vec<Rc<str>>,
    fixed_versions: Vec<Rc<str>>,
    epss: Option<f64>,
    known_exploited: bool,
    references: Vec<Rc<str>>,
    occurrences: u32,
}

/// Groups findings into issues, one by one. Memory grows with the number of findings and of different texts.
#[derive(Debug)]
pub struct Grouper {
    product: ScannerId,
    issues: BTreeMap<IssueId, usize>,
    /// The group of each name of a vulnerability in a package.
    named: BTreeMap<VulnerabilityName, usize>,
    groups: Vec<Group>,
    /// The groups that are one.
    united: UnionFind,
    placed: Vec<(usize, Occurrence)>,
    /// Paths and versions, with their index in the order of arrival and the hash of the file.
    names: BTreeMap<Rc<str>, (u32, Option<Short>)>,
    /// Fingerprints of occurrences without code: the occurrence's index, the fingerprint's name and its value.
    fingerprints: Vec<(usize, Rc<str>, Short)>,
    texts: BTreeSet<Rc<str>>,
    patterns: BTreeSet<Rc<[Rc<str>]>>,
}

impl Grouper {
    /// Makes an empty grouper for this product. `findings` is their number: memory is reserved in one step, because
    /// growing by doubling would need the list twice, and a component has little memory.
    pub fn new(product: ScannerId, findings: usize) -> Self {
        Self {
            product,
            issues: BTreeMap::new(),
            named: BTreeMap::new(),
            groups: Vec::new(),
            united: UnionFind::default(),
            placed: Vec::with_capacity(findings),
            names: BTreeMap::from([("".into(), (0, None))]),
            fingerprints: Vec::new(),
            texts: BTreeSet::new(),
            patterns: BTreeSet::new(),
        }
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let product = finding.tool.clone().unwrap_or_else(|| self.product.to_string());
        let key = IssueKey::of(&product, &finding);
        let occurrence = self.occurrence(&finding);
        let by_names = finding.kind == Kind::Dependency && finding.key.is_empty();
        let names: Vec<VulnerabilityName> = if by_names { self.names_of(&product, &finding) } else { Vec::new() };
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
                self.groups.push(group);
                self.united.add()
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

    fn occurrence(&mut self, finding: &Finding) -> Occurrence {
        let marks = ComparableFinding::of(finding);
        if let Some((name, value)) = &marks.fingerprint {
            let name = self.interned(name);
            self.fingerprints.push((self.placed.len(), name, *value));
        }
        let version = finding.package.as_ref().and_then(|package| package.version.as_deref()).unwrap_or_default();
        Occurrence {
            result: finding.result,
            path: self.named_place(&marks.path, marks.file),
            line: finding.location.as_ref().and_then(|location| location.line).unwrap_or(0),
            version: self.named_place(version, None),
            score: finding.score.map(|scored| scored.score),
            signatures: marks.signatures,
        }
    }

    /// Returns the index of a path or version in the order of arrival.
    fn named_place(&mut self, text: &str, file: Option<Short>) -> u32 {
        if let Some((place, held)) = self.names.get_mut(text) {
            *held = held.or(file);
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(text.into(), (place, file));
        place
    }

    /// Converts a finding into its own group.
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
            former_rules: self.interned_all(finding.former_rules),
            other_names: Vec::new(),
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

    fn names_of(&mut self, product: &str, finding: &Finding) -> Vec<VulnerabilityName> {
        let package = finding.package.as_ref().map(|package| package.name.as_str()).unwrap_or_default();
        let (product, package) = (self.interned(product), self.interned(package));
        let named = |name| (Rc::clone(&product), Rc::clone(&package), self.interned(name));
        names(finding).take(NAMES_MAX).map(named).collect()
    }

    /// Returns the group of a vulnerability with any of these names, and unites all groups that have one of them.
    fn group_of_names(&mut self, names: &[VulnerabilityName]) -> Option<usize> {
        let mut group = None;
        for name in names {
            let Some(at) = self.named.get(name).copied() else { continue };
            let root = self.united.root(at);
            group = Some(group.map_or(root, |known| self.united.join(known, root)));
        }
        group
    }

    /// Merges united groups into one each, and names it by the first of all its names.
    fn unite(&mut self) {
        for at in 0..self.groups.len() {
            let root = self.united.root(at);
            if root != at
                && let Some(other) = self.groups.get(at).cloned()
                && let Some(held) = self.groups.get_mut(root)
            {
                merge(held, other);
            }
        }
        let mut names: BTreeMap<usize, Vec<Rc<str>>> = BTreeMap::new();
        for ((_, _, name), at) in std::mem::take(&mut self.named) {
            names.entry(self.united.root(at)).or_default().push(name);
        }
        for (root, mut names) in names {
            let first = first_name(names.iter().map(|name| &**name)).map(Rc::<str>::from);
            let (Some(first), Some(group)) = (first, self.groups.get_mut(root)) else { continue };
            names.retain(|name| *name != first);
            trim(&mut names);
            group.other_names = names;
            let position = group.pattern.iter().position(|field| &**field == "advisory");
            if let Some(value) = position.and_then(|at| group.values.get_mut(at)) {
                *value = first;
            }
        }
    }

    /// Uses fingerprints in place of code that is not shown, if they distinguish findings: a fingerprint that is the
    /// same in the whole report is useless.
    fn trust_fingerprints(&mut self) {
        let fingerprints = std::mem::take(&mut self.fingerprints);
        let mut values: BTreeMap<&str, (Short, bool)> = BTreeMap::new();
        for (_, name, value) in &fingerprints {
            let (first, differ) = values.entry(name).or_insert((*value, false));
            *differ |= first != value;
        }
        for (at, name, value) in &fingerprints {
            let differ = values.get(&**name).is_some_and(|(_, differ)| *differ);
            if let (true, Some((_, occurrence))) = (differ, self.placed.get_mut(*at)) {
                occurrence.signatures.snippet = Some(*value);
                occurrence.signatures.distinct = true;
            }
        }
    }

    /// Sorts the names, and updates the indices by which occurrences refer to them.
    fn sort_names(&mut self) -> Vec<PathOrVersion> {
        let mut places = vec![0; self.names.len()];
        let mut names = Vec::with_capacity(self.names.len());
        for ((text, (came, file)), place) in std::mem::take(&mut self.names).into_iter().zip(0..) {
            names.push(PathOrVersion { text: text.to_string(), file });
            if let Some(slot) = usize::try_from(came).ok().and_then(|came| places.get_mut(came)) {
                *slot = place;
            }
        }
        let place = |came: u32| usize::try_from(came).ok().and_then(|came| places.get(came)).copied().unwrap_or(0);
        for (_, occurrence) in &mut self.placed {
            occurrence.path = place(occurrence.path);
            occurrence.version = place(occurrence.version);
        }
        names
    }

    fn interned(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.texts.get(text) {
            return Rc::clone(known);
        }
        let text: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&text));
        text
    }

    /// Interns several texts, sorted and limited.
    fn interned_all(&mut self, texts: impl IntoIterator<Item = String>) -> Vec<Rc<str>> {
        let mut texts: Vec<Rc<str>> = texts.into_iter().map(|text| self.interned(&text)).collect();
        trim(&mut texts);
        texts.shrink_to_fit();
        texts
    }

    /// Returns the issues, the worst first; all occurrences in the order of their issues, by path and line; and the
    /// paths and versions that they refer to. Except for the indices of results, the order of the findings makes no
    /// difference.
    pub fn finish(mut self) -> (impl Iterator<Item = Issue>, Vec<Occurrence>, Vec<PathOrVersion>) {
        self.unite();
        self.trust_fingerprints();
        let names = self.sort_names();
        // Frees unneeded memory before the list is sorted.
        (self.issues, self.texts) = (BTreeMap::new(), BTreeSet::new());
        let mut order: Vec<usize> = (0..self.groups.len()).filter(|at| self.united.is_root(*at)).collect();
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
            let root = self.united.root(*issue);
            *issue = place.get(root).copied().unwrap_or(root);
        }
        self.placed
            .sort_unstable_by(|(a, x), (b, y)| (a, x.path, x.line, x.result).cmp(&(b, y.path, y.line, y.result)));
        let groups = self.groups;
        let mut first: u32 = 0;
        let issues = order.into_iter().filter_map(move |old| {
            let issue = groups.get(old)?.issue(first);
            first = first.saturating_add(issue.occurrences);
            Some(issue)
        });
        (issues, self.placed.into_iter().map(|(_, occurrence)| occurrence).collect(), names)
    }
}

impl Group {
    fn key(&self) -> IssueKey {
        let owned = |texts: &[Rc<str>]| texts.iter().map(|text| text.to_string()).collect();
        IssueKey { pattern: owned(&self.pattern), values: owned(&self.values) }
    }

    /// Returns the ids under its other names.
    fn aliases(&self, key: &IssueKey, id: IssueId) -> Vec<IssueId> {
        let advisories = self.other_names.iter().filter_map(|name| key.id_with("advisory", name));
        let rules = self.former_rules.iter().flat_map(|rule| {
            ["rule", "check", "license", "advisory"].into_iter().filter_map(|field| key.id_with(field, rule))
        });
        let mut aliases: Vec<_> = advisories.chain(rules).filter(|alias| *alias != id).collect();
        trim(&mut aliases);
        aliases
    }

    /// Converts the group into an issue whose occurrences begin at index `first`.
    fn issue(&self, first: u32) -> Issue {
        let set = |texts: &[Rc<str>]| texts.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>();
        let key = self.key();
        let id = key.id();
        let kin = key.pattern.iter().any(|field| field == "path").then(|| {
            let [product, rule] = [0, 1].map(|at| key.values.get(at).map(String::as_bytes).unwrap_or_default());
            Short::derive("v1:kin", &[product, rule])
        });
        Issue {
            id,
            aliases: self.aliases(&key, id),
            kin,
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

/// Merges a group into another, except for its key. The order makes no difference.
fn merge(held: &mut Group, other: Group) {
    held.occurrences = held.occurrences.saturating_add(other.occurrences);
    // Of equal scores the one with the better source.
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
    merge_sorted(&mut held.cwes, other.cwes);
    merge_sorted(&mut held.advisories, other.advisories);
    merge_sorted(&mut held.former_rules, other.former_rules);
    merge_sorted(&mut held.versions, other.versions);
    merge_sorted(&mut held.fixed_versions, other.fixed_versions);
    merge_sorted(&mut held.references, other.references);
}

/// Merges a list into a sorted list, and keeps the first entries.
fn merge_sorted<T: Ord>(held: &mut Vec<T>, new: Vec<T>) {
    if new.iter().all(|entry| held.binary_search(entry).is_ok()) {
        return;
    }
    held.extend(new);
    trim(held);
}

/// Sorts a list, removes duplicates, and cuts it to its limit.
fn trim<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
    list.truncate(LIST_MAX);
}

#[cfg(test)]
mod tests;
