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
//! before a GHSA before any other, then by the alphabet. What the issue would be called under its other names, and under
//! the rule's former ones, stands beside its id, so that [`families`](crate::families) finds it under any of them.

mod key;

pub use key::IssueKey;

use crate::digest::Short;
use crate::ids::{IssueId, ScannerId};
use crate::signature::{ComparableFinding, Signatures};
use crate::union_find::UnionFind;
use finding::limits::cut_to;
use finding::severity::{Score, Severity};
use finding::{Finding, Kind, Scored};
use key::{first_name, names};
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

/// All occurrences with one root cause, as one scan saw them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// Its identity.
    pub id: IssueId,
    /// What the identity was built from.
    pub key: IssueKey,
    /// The ids that it has under its other names: further advisories of a vulnerability, former ids of a rule.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub aliases: Vec<IssueId>,
    /// What it shares with issues that only a path tells apart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kin: Option<Short>,
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ComparableIssue {
    /// Its identity.
    pub id: IssueId,
    /// The ids that it has under its other names.
    #[serde(default)]
    pub aliases: Vec<IssueId>,
    /// What it shares with issues that only a path tells apart.
    #[serde(default)]
    pub kin: Option<Short>,
    /// The place of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// How many occurrences it has.
    pub occurrences: u32,
}

impl From<&Issue> for ComparableIssue {
    fn from(issue: &Issue) -> Self {
        let Issue { id, aliases, kin, first, occurrences, .. } = issue;
        Self { id: *id, aliases: aliases.clone(), kin: *kin, first: *first, occurrences: *occurrences }
    }
}

/// What the gate knows of an issue: a part of an [`Issue`] as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RatedIssue {
    /// Its identity.
    pub id: IssueId,
    /// The ids that it has under its other names.
    #[serde(default)]
    pub aliases: Vec<IssueId>,
    /// What kind of problem it is.
    pub kind: Kind,
    /// The highest score of its occurrences.
    #[serde(default)]
    pub score: Option<Scored>,
    /// The place of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// How many occurrences it has.
    pub occurrences: u32,
}

impl From<&Issue> for RatedIssue {
    fn from(issue: &Issue) -> Self {
        let Issue { id, aliases, kind, score, first, occurrences, .. } = issue;
        Self { id: *id, aliases: aliases.clone(), kind: *kind, score: *score, first: *first, occurrences: *occurrences }
    }
}

impl RatedIssue {
    /// All ids under which it may be exempted: the one that it goes by, first, and those of all its names.
    pub fn names(&self, goes_by: IssueId) -> Vec<IssueId> {
        [goes_by, self.id].into_iter().chain(self.aliases.iter().copied()).collect()
    }

    /// The level of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }
}

/// One place where an issue occurs, before it is compared with anything. Texts are places in the scan's list of names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The place of its result in the report.
    pub result: u32,
    /// The file, host or origin, as it is compared; 0 for none.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub path: u32,
    /// The line; 0 for none.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub line: u32,
    /// The version of its package; 0 for none.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub version: u32,
    /// Its own score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Score>,
    /// What it is recognised by.
    pub signatures: Signatures,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A path or version that occurrences have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathOrVersion {
    /// The text; the first of a scan's names is empty.
    pub text: String,
    /// The hash of the file of this path, where the upload told it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<Short>,
}

/// A name of a vulnerability: product, package, name.
type VulnerabilityName = (Rc<str>, Rc<str>, Rc<str>);

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

/// Groups findings into issues, one finding at a time. Memory grows with their number and with texts that differ.
#[derive(Debug)]
pub struct Grouper {
    product: ScannerId,
    issues: BTreeMap<IssueId, usize>,
    /// For each name of a vulnerability in a package the group it is in.
    named: BTreeMap<VulnerabilityName, usize>,
    groups: Vec<Group>,
    /// Which groups are one.
    united: UnionFind,
    placed: Vec<(usize, Occurrence)>,
    /// Paths and versions, with their place in the order in which they came, and the hash of the path's file.
    names: BTreeMap<Rc<str>, (u32, Option<Short>)>,
    /// Fingerprints of occurrences without code: the occurrence's place, the fingerprint's name and its value.
    fingerprints: Vec<(usize, Rc<str>, Short)>,
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

    /// The place of a path or version in the order in which they came.
    fn named_place(&mut self, text: &str, file: Option<Short>) -> u32 {
        if let Some((place, held)) = self.names.get_mut(text) {
            *held = held.or(file);
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(text.into(), (place, file));
        place
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

    /// The group of a vulnerability by any of its names, uniting the groups that its names are in.
    fn group_of_names(&mut self, names: &[VulnerabilityName]) -> Option<usize> {
        let mut group = None;
        for name in names {
            let Some(at) = self.named.get(name).copied() else { continue };
            let root = self.united.root(at);
            group = Some(group.map_or(root, |known| self.united.join(known, root)));
        }
        group
    }

    /// Moves what was united into one group each, and calls it by the first of all its names.
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

    /// Lets fingerprints stand for code that is not shown, where they tell findings apart: one that is the same all over
    /// the report says nothing.
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

    /// The names in their order; occurrences refer to them by their place there.
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

    /// Several texts, the first of them in their order.
    fn interned_all(&mut self, texts: impl IntoIterator<Item = String>) -> Vec<Rc<str>> {
        let mut texts: Vec<Rc<str>> = texts.into_iter().map(|text| self.interned(&text)).collect();
        trim(&mut texts);
        texts.shrink_to_fit();
        texts
    }

    /// The issues, the worst first, all occurrences in the order of their issues, by path and line, and the names that
    /// these have. The order of the findings makes no difference but for the results' places.
    pub fn finish(mut self) -> (impl Iterator<Item = Issue>, Vec<Occurrence>, Vec<PathOrVersion>) {
        self.unite();
        self.trust_fingerprints();
        let names = self.sort_names();
        // What is not needed any more makes room before the list is sorted.
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

    /// The ids under its other names.
    fn aliases(&self, key: &IssueKey, id: IssueId) -> Vec<IssueId> {
        let advisories = self.other_names.iter().filter_map(|name| key.id_with("advisory", name));
        let rules = self.former_rules.iter().flat_map(|rule| {
            ["rule", "check", "license", "advisory"].into_iter().filter_map(|field| key.id_with(field, rule))
        });
        let mut aliases: Vec<_> = advisories.chain(rules).filter(|alias| *alias != id).collect();
        trim(&mut aliases);
        aliases
    }

    /// The issue, whose occurrences begin at this place.
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
    merge_sorted(&mut held.cwes, other.cwes);
    merge_sorted(&mut held.advisories, other.advisories);
    merge_sorted(&mut held.former_rules, other.former_rules);
    merge_sorted(&mut held.versions, other.versions);
    merge_sorted(&mut held.fixed_versions, other.fixed_versions);
    merge_sorted(&mut held.references, other.references);
}

/// Adds to a sorted list, of which the first entries are kept.
fn merge_sorted<T: Ord>(held: &mut Vec<T>, new: Vec<T>) {
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
mod tests;
