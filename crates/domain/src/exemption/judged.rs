//! The state of an issue that a reviewer judged, besides its code: its severity, its names, and what was known of its
//! exploitation. An exemption applies to no more than that: an issue that has become worse, or that was united with
//! another vulnerability, counts and returns to review.

use super::state::Exemption;
use crate::grouping::{Issue, RatedIssue};
use crate::ids::IssueId;
use crate::serde_skip::is_default;
use crate::settings::{Settings, severity_counted};
use crate::word_enum::word_enum;
use finding::Kind;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

word_enum! {
    /// A band of the probability that a vulnerability is exploited (EPSS). The probability itself changes from day to
    /// day.
    #[derive(PartialOrd, Ord, Default)]
    pub enum EpssBand: "a band of EPSS" {
        /// Below 10 %, or not reported.
        #[default]
        Unlikely = "unlikely",
        /// From 10 % to below 50 %.
        Possible = "possible",
        /// From 50 % on.
        Likely = "likely",
    }
}

impl EpssBand {
    /// Returns the band of a probability from 0 to 1.
    pub fn of(probability: Option<f64>) -> Self {
        match probability {
            Some(probability) if probability >= 0.5 => Self::Likely,
            Some(probability) if probability >= 0.1 => Self::Possible,
            Some(_) | None => Self::Unlikely,
        }
    }

    /// Returns the number of bands below.
    fn level(self) -> usize {
        Self::ALL.iter().position(|band| *band == self).unwrap_or_default()
    }

    /// Returns the band in words.
    fn describe(self) -> &'static str {
        match self {
            Self::Unlikely => "below 10 %",
            Self::Possible => "from 10 % to below 50 %",
            Self::Likely => "50 % or more",
        }
    }
}

/// The names of an issue, and what was known of its exploitation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The ids that it has under all of its names: its CVE, GHSA and other advisories, or its rule.
    pub names: BTreeSet<IssueId>,
    /// True if it was reported as known to be exploited (KEV).
    #[serde(skip_serializing_if = "is_default", default)]
    pub known_exploited: bool,
    /// The reported probability of its exploitation.
    #[serde(skip_serializing_if = "is_default", default)]
    pub epss: EpssBand,
}

/// The state of an issue that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Its severity; of chosen occurrences, the highest of theirs.
    pub severity: Severity,
    /// Its names and marks; absent in requests that were stored before these were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub marks: Option<Marks>,
}

impl Exemption {
    /// Returns what was judged of the issue: at the approval, or else at the request.
    pub fn judged(&self) -> Judged {
        let approved = self.approval().and_then(|approval| approval.judged.as_deref()).cloned();
        approved.unwrap_or_else(|| self.requested_for())
    }

    /// Returns what the request was for.
    pub fn requested_for(&self) -> Judged {
        Judged { severity: self.severity, marks: self.marks.clone() }
    }
}

/// An issue of a scan, to be checked for exemptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptibleIssue {
    /// All ids under which it may be exempted: first the one that the comparison gave it.
    pub ids: Vec<IssueId>,
    /// Its severity.
    pub severity: Severity,
    /// Its names and marks now.
    pub marks: Marks,
    /// True if its names are those of a vulnerability. A rule that was renamed is the same rule.
    pub is_vulnerability: bool,
}

impl RatedIssue {
    /// Returns the issue as exemptions are applied to it; `id` is the one that the comparison gave it.
    pub fn exemptible(&self, id: IssueId) -> ExemptibleIssue {
        ExemptibleIssue {
            ids: self.names(id),
            severity: self.severity(),
            marks: Marks {
                names: [self.id].into_iter().chain(self.aliases.iter().copied()).collect(),
                known_exploited: self.known_exploited,
                epss: EpssBand::of(self.epss),
            },
            is_vulnerability: self.kind == Kind::Dependency,
        }
    }
}

impl Issue {
    /// Returns the names and marks of the issue.
    pub fn marks(&self) -> Marks {
        RatedIssue::from(self).exemptible(self.id).marks
    }
}

/// The rise of severity up to which an exemption applies, by the settings of the scan's project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RiseAllowed {
    levels: usize,
    unassigned_as: Option<Severity>,
}

impl RiseAllowed {
    /// Returns the rise that these settings allow.
    pub fn of(settings: &Settings) -> Self {
        let levels = usize::try_from(settings.severity_rise_allowed.levels()).unwrap_or(usize::MAX);
        Self { levels, unassigned_as: settings.unassigned_as }
    }

    fn is_exceeded(self, judged: Severity, now: Severity) -> bool {
        let level = |severity| {
            let counted = severity_counted(severity, self.unassigned_as);
            Severity::ALL.iter().rev().position(|level| *level == counted).unwrap_or(Severity::ALL.len())
        };
        self.levels < level(now).saturating_sub(level(judged))
    }
}

impl Judged {
    /// Returns true if an exemption for which this was judged applies to the issue, which has this severity now. For a
    /// chosen occurrence that is the severity of the occurrence.
    pub fn includes(&self, issue: &ExemptibleIssue, severity: Severity, allowed: RiseAllowed) -> bool {
        if allowed.is_exceeded(self.severity, severity) {
            return false;
        }
        let Some(marks) = &self.marks else { return true };
        let (was, now) = (marks.epss.level(), issue.marks.epss.level());
        let is_named = !issue.is_vulnerability || issue.marks.names.is_subset(&marks.names);
        is_named && (marks.known_exploited || !issue.marks.known_exploited) && now.saturating_sub(was) <= allowed.levels
    }

    /// Returns what an approval of the issue as it is now would judge: the worse of both, under the names of both.
    pub fn joined(&self, now: &Self) -> Self {
        let marks = match (&self.marks, &now.marks) {
            (Some(was), Some(now)) => Some(Marks {
                names: was.names.union(&now.names).copied().collect(),
                known_exploited: was.known_exploited || now.known_exploited,
                epss: was.epss.max(now.epss),
            }),
            (None, marks) | (marks, None) => marks.clone(),
        };
        Self { severity: self.severity.max(now.severity), marks }
    }

    /// Returns what has changed since this was judged, in sentences. `new_names` are the issue's names that were not
    /// judged.
    pub fn changes(&self, now: &Self, new_names: &[String]) -> String {
        let mut changes = Vec::new();
        if self.severity < now.severity {
            changes.push(format!("It was {} when it was approved and is {} now.", self.severity, now.severity));
        }
        if let (Some(was), Some(now)) = (&self.marks, &now.marks) {
            if now.known_exploited && !was.known_exploited {
                changes.push("It is reported as known to be exploited now.".to_owned());
            }
            if was.epss < now.epss {
                let (was, now) = (was.epss.describe(), now.epss.describe());
                changes.push(format!("The probability of its exploitation (EPSS) was {was} and is {now} now."));
            }
        }
        if !new_names.is_empty() {
            let listed: Vec<_> = new_names.iter().take(NAMES_LISTED_MAX).map(String::as_str).collect();
            let more = if new_names.len() > NAMES_LISTED_MAX { ", ..." } else { "" };
            changes.push(format!("It goes under names now that were not judged: {}{more}.", listed.join(", ")));
        }
        changes.join(" ")
    }
}

/// The maximum number of names that a reason lists.
const NAMES_LISTED_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IssueId {
        IssueId::from_bits([n; 16])
    }

    fn marks(names: &[u8]) -> Marks {
        Marks { names: names.iter().map(|n| id(*n)).collect(), ..Marks::default() }
    }

    fn judged(severity: Severity, marks: Marks) -> Judged {
        Judged { severity, marks: Some(marks) }
    }

    fn issue(severity: Severity, marks: Marks) -> ExemptibleIssue {
        ExemptibleIssue { ids: vec![id(1)], severity, marks, is_vulnerability: true }
    }

    fn allowed(levels: u32, unassigned_as: Option<Severity>) -> RiseAllowed {
        let severity_rise_allowed = crate::settings::SeverityRise::new(levels).unwrap();
        RiseAllowed::of(&Settings { severity_rise_allowed, unassigned_as, ..Settings::default() })
    }

    fn includes(judged: &Judged, issue: &ExemptibleIssue) -> bool {
        judged.includes(issue, issue.severity, RiseAllowed::default())
    }

    #[test]
    fn a_severity_rises_by_no_more_levels_than_the_project_allows() {
        use Severity::{Critical, High, Info, Low, Medium, Unassigned};
        let cases = [
            (Low, Low, 0),
            (High, Low, 0),
            (Low, Medium, 1),
            (Low, Critical, 3),
            (Unassigned, Info, 1),
            (Unassigned, Critical, 5),
            (Critical, Unassigned, 0),
        ];
        for (was, now, levels) in cases {
            for allowed_levels in 0..=5 {
                let included =
                    judged(was, marks(&[1])).includes(&issue(now, marks(&[1])), now, allowed(allowed_levels, None));
                assert_eq!(included, levels <= allowed_levels, "{was} to {now}, {allowed_levels} allowed");
            }
        }
        let high = allowed(0, Some(High));
        let included = |was, now| judged(was, marks(&[1])).includes(&issue(now, marks(&[1])), now, high);
        assert!(included(Unassigned, High) && included(High, Unassigned), "it counts as high");
        assert!(!included(Low, Unassigned) && !included(Unassigned, Critical));
    }

    #[test]
    fn a_vulnerability_under_a_name_that_was_not_judged_is_not_included() {
        let was = judged(Severity::Low, marks(&[1, 2]));
        assert!(includes(&was, &issue(Severity::Low, marks(&[1, 2]))));
        assert!(includes(&was, &issue(Severity::Low, marks(&[2]))), "a name fewer");
        let united = issue(Severity::Low, marks(&[1, 3]));
        assert!(!includes(&was, &united));
        assert!(includes(&was, &ExemptibleIssue { is_vulnerability: false, ..united }), "a rule that was renamed");
    }

    #[test]
    fn a_vulnerability_that_becomes_exploited_is_not_included() {
        let exploited = Marks { known_exploited: true, ..marks(&[1]) };
        let (low, worst) = (Severity::Low, allowed(5, None));
        assert!(!judged(low, marks(&[1])).includes(&issue(low, exploited.clone()), low, worst), "whatever is allowed");
        assert!(includes(&judged(low, exploited.clone()), &issue(low, exploited.clone())));
        assert!(includes(&judged(low, exploited), &issue(low, marks(&[1]))));
        let epss = |epss| Marks { epss, ..marks(&[1]) };
        assert!(!includes(&judged(low, epss(EpssBand::Unlikely)), &issue(low, epss(EpssBand::Possible))));
        assert!(includes(&judged(low, epss(EpssBand::Likely)), &issue(low, epss(EpssBand::Possible))));
        let one = allowed(1, None);
        assert!(judged(low, epss(EpssBand::Unlikely)).includes(&issue(low, epss(EpssBand::Possible)), low, one));
        assert!(!judged(low, epss(EpssBand::Unlikely)).includes(&issue(low, epss(EpssBand::Likely)), low, one));
    }

    #[test]
    fn a_probability_has_the_band_in_which_it_is() {
        let cases = [(0.0, EpssBand::Unlikely), (0.099, EpssBand::Unlikely), (0.1, EpssBand::Possible)];
        let cases = cases.into_iter().chain([(0.499, EpssBand::Possible), (0.5, EpssBand::Likely)]);
        for (probability, band) in cases.chain([(1.0, EpssBand::Likely), (f64::NAN, EpssBand::Unlikely)]) {
            assert_eq!(EpssBand::of(Some(probability)), band, "{probability}");
        }
        assert_eq!(EpssBand::of(None), EpssBand::Unlikely);
    }

    #[test]
    fn what_was_stored_before_names_were_is_compared_by_its_severity_alone() {
        let old = Judged { severity: Severity::Low, marks: None };
        let named = Marks { known_exploited: true, epss: EpssBand::Likely, ..marks(&[7]) };
        assert!(includes(&old, &issue(Severity::Low, named.clone())));
        assert!(!includes(&old, &issue(Severity::Medium, named)));
    }

    #[test]
    fn the_changes_are_told_in_sentences() {
        let was = judged(Severity::Low, marks(&[1]));
        let now = judged(Severity::Critical, Marks { known_exploited: true, epss: EpssBand::Likely, ..marks(&[1, 2]) });
        insta::assert_snapshot!(was.changes(&now, &["CVE-2026-2".to_owned()]), @"It was low when it was approved and is critical now. It is reported as known to be exploited now. The probability of its exploitation (EPSS) was below 10 % and is 50 % or more now. It goes under names now that were not judged: CVE-2026-2.");
        assert_eq!(was.changes(&was, &[]), "");
        let many: Vec<_> = (0..7).map(|n| format!("CVE-{n}")).collect();
        assert!(was.changes(&was, &many).ends_with("CVE-4, ...."), "{}", was.changes(&was, &many));
    }

    #[test]
    fn an_approval_of_the_issue_as_it_is_judges_the_worse_of_both() {
        let was = judged(Severity::High, Marks { known_exploited: true, ..marks(&[1]) });
        let now = judged(Severity::Low, Marks { epss: EpssBand::Possible, ..marks(&[2]) });
        let both = Marks { known_exploited: true, epss: EpssBand::Possible, ..marks(&[1, 2]) };
        assert_eq!(was.joined(&now), judged(Severity::High, both));
        let old = Judged { severity: Severity::Low, marks: None };
        assert_eq!(old.joined(&now), now);
    }
}
