//! Notices about a project's exemptions, to be delivered to people: requests, decisions and ends. The fold of a
//! project's outbox stores only how far notices were written. The notices themselves stay in the events.

use crate::event::Entry;
use crate::exemption::{Reason, Scope};
use crate::ids::{ExemptionId, ScannerId, Subject};
use crate::journal::{Fold, Refusal};
use crate::time::Timestamp;
use crate::word_enum::word_enum;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of days that an announced end is remembered after it has passed. By then it cannot be announced again.
const ENDED_DAYS_KEPT: u32 = 30;
/// The maximum length of a text in a notice, in bytes.
const EXCERPT_BYTES_MAX: usize = 256;

/// The beginning of a free text, at most 256 bytes. A text that was cut ends in `…`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Excerpt(String);

impl Excerpt {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Excerpt {
    fn from(text: String) -> Self {
        // A control character would take six bytes in JSON, and means nothing in a notice.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.len() <= EXCERPT_BYTES_MAX {
            return Self(text);
        }
        let end = text.floor_char_boundary(EXCERPT_BYTES_MAX - '…'.len_utf8());
        Self(format!("{}…", text.get(..end).unwrap_or_default()))
    }
}

impl From<Excerpt> for String {
    fn from(excerpt: Excerpt) -> Self {
        excerpt.0
    }
}

word_enum! {
    /// The subject of a notice.
    pub enum NoticeKind: "a kind of notice" {
        /// The exemption was requested.
        Requested = "requested",
        /// It was reopened.
        Reopened = "reopened",
        /// It was approved.
        Approved = "approved",
        /// It was rejected, or its approval was revoked.
        Rejected = "rejected",
        /// It was withdrawn.
        Cancelled = "cancelled",
        /// It returned to review, because the code of its occurrences was edited or moved.
        Returned = "returned",
        /// It will end soon.
        Ending = "ending",
    }
}

/// A notice about an exemption, with the fields of the reference product's notifications (its section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The subject.
    pub kind: NoticeKind,
    /// The exemption.
    pub exemption: ExemptionId,
    /// The number of the event in the exemptions' journal. 0, which no event has, for an end.
    pub n: u64,
    /// The issue's title.
    pub title: Excerpt,
    /// The issue's severity.
    pub severity: Severity,
    /// The tool that reports the issue.
    pub scanner: ScannerId,
    /// The exemption's scope.
    pub scope: Scope,
    /// The actor; for an end, the requester.
    pub by: Subject,
    /// The time of the event.
    pub at: Timestamp,
    /// The end of the exemption, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<Timestamp>,
    /// The reason of the request, as one word.
    pub reason: Reason,
    /// The comment.
    #[serde(skip_serializing_if = "Excerpt::is_empty", default)]
    pub comment: Excerpt,
}

/// An event of an outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum OutboxEvent {
    /// Notices were written for events of the exemptions' journal. Notices whose `n` is above the outbox's `upto` are
    /// new; the others were written by a concurrent request.
    Exemptions {
        /// The number of the last event.
        upto: u64,
        /// The notices of those events that need one.
        notices: Vec<Notice>,
    },
    /// Exemptions will end soon. Notices of ends that were announced before are not new.
    Ending {
        /// The notices.
        notices: Vec<Notice>,
    },
}

/// The progress of a project's outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The last event of the exemptions' journal for which notices were written.
    pub upto: u64,
    /// The announced ends, without those long past.
    pub ending: BTreeMap<ExemptionId, Timestamp>,
}

impl Outbox {
    /// True if this end of an exemption was announced.
    pub fn announced(&self, exemption: ExemptionId, ends: Timestamp) -> bool {
        self.ending.get(&exemption) == Some(&ends)
    }
}

impl Fold for Outbox {
    type Event = OutboxEvent;
    const ORDERED: bool = true;

    /// Refuses an event without new notices, even if the same event was appended before: delivery takes the notices of
    /// effective events, so none is delivered twice.
    fn apply(&mut self, _n: u64, entry: &Entry<OutboxEvent>) -> Result<(), Refusal> {
        match &entry.event {
            OutboxEvent::Exemptions { upto, .. } => {
                if *upto <= self.upto {
                    return Err(Refusal::new(format!("notices up to event {} were written before", self.upto)));
                }
                self.upto = *upto;
            }
            OutboxEvent::Ending { notices } => {
                let ends = notices.iter().filter_map(|notice| notice.ends.map(|ends| (notice.exemption, ends)));
                let new: Vec<_> = ends.filter(|(exemption, ends)| !self.announced(*exemption, *ends)).collect();
                if new.is_empty() {
                    return Err(Refusal::new("all of these ends were announced before"));
                }
                self.ending.retain(|_, ends| entry.at < ends.plus_days(ENDED_DAYS_KEPT));
                self.ending.extend(new);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;
    use crate::time::DAY_MS;

    fn notice(kind: NoticeKind, exemption: u8, ends: Option<i64>) -> Notice {
        Notice {
            kind,
            exemption: ExemptionId::from_bits([exemption; 16]),
            n: 3,
            title: "SQL injection".to_owned().into(),
            severity: Severity::Critical,
            scanner: "bandit".parse().unwrap(),
            scope: Scope::Target,
            by: "ann".parse().unwrap(),
            at: Timestamp::from_ms(5),
            ends: ends.map(Timestamp::from_ms),
            reason: Reason::AcceptableRisk,
            comment: Excerpt::default(),
        }
    }

    fn exemptions(upto: u64) -> OutboxEvent {
        OutboxEvent::Exemptions { upto, notices: vec![notice(NoticeKind::Requested, 1, None)] }
    }

    fn ending(ends: &[(u8, i64)]) -> OutboxEvent {
        let notices = ends.iter().map(|(exemption, ends)| notice(NoticeKind::Ending, *exemption, Some(*ends)));
        OutboxEvent::Ending { notices: notices.collect() }
    }

    fn apply(outbox: &mut Outbox, at: i64, event: OutboxEvent) -> bool {
        outbox.apply(1, &entry(1, "gate", at, event)).is_ok()
    }

    #[test]
    fn notices_of_an_event_are_written_once() {
        let mut outbox = Outbox::default();
        let applied = [2, 2, 1, 3].map(|upto| apply(&mut outbox, 0, exemptions(upto)));
        assert_eq!((applied, outbox.upto), ([true, false, false, true], 3));
    }

    #[test]
    fn an_end_is_announced_once_and_a_new_end_too() {
        let mut outbox = Outbox::default();
        assert!(apply(&mut outbox, 0, ending(&[(1, 10)])));
        assert!(!apply(&mut outbox, 0, ending(&[(1, 10)])), "the same end");
        assert!(apply(&mut outbox, 0, ending(&[(1, 10), (2, 10)])), "one of them is new");
        assert!(apply(&mut outbox, 0, ending(&[(1, 11)])), "it was approved again");
        assert!(outbox.announced(ExemptionId::from_bits([1; 16]), Timestamp::from_ms(11)));
        assert!(!outbox.announced(ExemptionId::from_bits([1; 16]), Timestamp::from_ms(10)));
        assert!(!apply(&mut outbox, 0, ending(&[])));
        let unknown = OutboxEvent::Ending { notices: vec![notice(NoticeKind::Ending, 3, None)] };
        assert!(!apply(&mut outbox, 0, unknown), "a notice without an end is not remembered");
    }

    #[test]
    fn an_end_is_forgotten_thirty_days_after_it() {
        let mut outbox = Outbox::default();
        apply(&mut outbox, 0, ending(&[(1, 10)]));
        apply(&mut outbox, 30 * DAY_MS + 9, ending(&[(2, 31 * DAY_MS)]));
        assert_eq!(outbox.ending.len(), 2);
        apply(&mut outbox, 30 * DAY_MS + 10, ending(&[(3, 31 * DAY_MS)]));
        assert_eq!(
            outbox.ending.keys().copied().collect::<Vec<_>>(),
            [2, 3].map(|id| ExemptionId::from_bits([id; 16]))
        );
    }

    #[test]
    fn free_texts_of_any_author_are_cut() {
        let most = "ü".repeat(EXCERPT_BYTES_MAX / 2);
        assert_eq!(Excerpt::from(most.clone()).as_str(), most);
        let cut = serde_json::from_value::<Excerpt>(format!("{most}x").into()).unwrap();
        assert!(cut.as_str().len() <= EXCERPT_BYTES_MAX && cut.as_str().ends_with("ü…"));
        assert_eq!(Excerpt::from("a\u{1b}[31m\n".to_owned()).as_str(), "a [31m ", "nor does it colour a terminal");
    }

    #[test]
    fn the_stored_form_is_pinned() {
        insta::assert_json_snapshot!(exemptions(3), @r#"
        {
          "type": "exemptions",
          "upto": 3,
          "notices": [
            {
              "kind": "requested",
              "exemption": "01010101010101010101010101010101",
              "n": 3,
              "title": "SQL injection",
              "severity": "critical",
              "scanner": "bandit",
              "scope": "target",
              "by": "ann",
              "at": 5,
              "reason": "acceptable_risk"
            }
          ]
        }
        "#);
        let mut outbox = Outbox::default();
        apply(&mut outbox, 0, ending(&[(1, 10)]));
        insta::assert_json_snapshot!(outbox, @r#"
        {
          "upto": 0,
          "ending": {
            "01010101010101010101010101010101": 10
          }
        }
        "#);
    }
}
