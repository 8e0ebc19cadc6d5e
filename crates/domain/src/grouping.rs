//! Findings become issues and occurrences: one issue per root cause, however often it occurs.
//!
//! An issue's identity is a declared list of fields per kind of finding, never its severity, description or line:
//!
//! | kind | fields |
//! |---|---|
//! | code | product, rule |

use crate::ids::{IssueId, ScannerId};
use crate::signature::{Signatures, normal_path};
use finding::severity::Severity;
use finding::{Finding, Kind, Scored};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most references kept of one issue; findings keep all of theirs.
const REFERENCES_MAX: usize = 20;

/// What makes two findings one issue: named fields in a declared order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueKey {
    /// The fields' names.
    pub pattern: Vec<String>,
    /// Their values.
    pub values: Vec<String>,
}

impl IssueKey {
    /// The key of a finding of this scanner.
    pub fn of(product: &ScannerId, finding: &Finding) -> Self {
        let fields = match finding.kind {
            Kind::Code => [("product", product.as_str()), ("rule", finding.rule.as_str())],
        };
        Self {
            pattern: fields.iter().map(|(name, _)| (*name).to_owned()).collect(),
            values: fields.iter().map(|(_, value)| (*value).to_owned()).collect(),
        }
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
    /// Weaknesses by their CWE number.
    pub cwes: BTreeSet<u32>,
    /// Where to read more.
    pub references: BTreeSet<String>,
    /// The place of its first occurrence in the scan's list of occurrences.
    pub first: u32,
    /// How many occurrences it has; they stand together in that list.
    pub occurrences: u32,
}

impl Issue {
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

/// Groups findings into issues, one finding at a time. Memory grows with their number, not with their texts.
#[derive(Debug)]
pub struct Grouper {
    product: ScannerId,
    issues: BTreeMap<IssueKey, usize>,
    groups: Vec<Issue>,
    placed: Vec<(usize, Occurrence)>,
    paths: BTreeSet<Rc<str>>,
}

impl Grouper {
    /// An empty group for so many findings of this scanner. The number makes room once: growing by doubling would hold
    /// the list twice, and a component has little memory.
    pub fn new(product: ScannerId, findings: usize) -> Self {
        Self {
            product,
            issues: BTreeMap::new(),
            groups: Vec::new(),
            placed: Vec::with_capacity(findings),
            paths: BTreeSet::new(),
        }
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let key = IssueKey::of(&self.product, &finding);
        let at = *self.issues.entry(key).or_insert_with_key(|key| {
            self.groups.push(Issue {
                id: key.id(),
                key: key.clone(),
                kind: finding.kind,
                rule: finding.rule.clone(),
                title: finding.title.clone(),
                message: finding.message.clone(),
                score: None,
                cwes: BTreeSet::new(),
                references: BTreeSet::new(),
                first: 0,
                occurrences: 0,
            });
            self.groups.len() - 1
        });
        let occurrence = Occurrence {
            result: finding.result,
            path: finding.location.as_ref().map(|location| self.interned(&normal_path(&location.path))),
            line: finding.location.as_ref().and_then(|location| location.line),
            signatures: Signatures::of(&finding),
        };
        self.placed.push((at, occurrence));
        if let Some(issue) = self.groups.get_mut(at) {
            merge(issue, finding);
        }
    }

    fn interned(&mut self, path: &str) -> Rc<str> {
        if let Some(known) = self.paths.get(path) {
            return Rc::clone(known);
        }
        let path: Rc<str> = path.into();
        self.paths.insert(Rc::clone(&path));
        path
    }

    /// The issues, the worst first, and all occurrences in the order of their issues, by path and line. The order of
    /// the findings makes no difference but for the results' places.
    pub fn finish(mut self) -> (Vec<Issue>, Vec<Occurrence>) {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by(|a, b| {
            let rank = |at: &usize| {
                self.groups.get(*at).map(|issue| {
                    (
                        std::cmp::Reverse(issue.severity()),
                        std::cmp::Reverse(issue.score.map(|s| s.score)),
                        &issue.rule,
                        issue.id,
                    )
                })
            };
            rank(a).cmp(&rank(b))
        });
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old) {
                *slot = new;
            }
        }
        for (issue, _) in &mut self.placed {
            *issue = place.get(*issue).copied().unwrap_or(*issue);
        }
        self.placed
            .sort_unstable_by(|(a, x), (b, y)| (a, &x.path, x.line, x.result).cmp(&(b, &y.path, y.line, y.result)));
        let mut groups: Vec<Option<Issue>> = self.groups.into_iter().map(Some).collect();
        let mut issues: Vec<Issue> =
            order.into_iter().filter_map(|old| groups.get_mut(old).and_then(Option::take)).collect();
        let mut first = 0;
        for issue in &mut issues {
            issue.first = first;
            first = first.saturating_add(issue.occurrences);
        }
        (issues, self.placed.into_iter().map(|(_, occurrence)| occurrence).collect())
    }
}

/// Takes a finding into its issue so that the order in which findings come makes no difference.
fn merge(issue: &mut Issue, finding: Finding) {
    issue.occurrences = issue.occurrences.saturating_add(1);
    if finding.score.map(|new| new.score) > issue.score.map(|held| held.score) {
        issue.score = finding.score;
    }
    for (held, new) in [(&mut issue.title, finding.title), (&mut issue.message, finding.message)] {
        if new < *held {
            *held = new;
        }
    }
    issue.cwes.extend(finding.cwes);
    issue.references.extend(finding.references);
    while issue.references.len() > REFERENCES_MAX {
        issue.references.pop_last();
    }
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
        grouper.finish()
    }

    fn scored(rule: &str, path: &str, line: u32, hundredths: u16) -> Finding {
        let mut finding = finding(line, rule, path, line, &["x"]);
        finding.score = Score::from_hundredths(hundredths)
            .map(|score| Scored { score, source: finding::severity::ScoreSource::ScannerWord });
        finding
    }

    #[test]
    fn the_recipe_of_issue_ids_is_pinned() {
        let key = IssueKey::of(&"bandit".parse().unwrap(), &finding(0, "B324", "a.py", 1, &[]));
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

    proptest! {
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
