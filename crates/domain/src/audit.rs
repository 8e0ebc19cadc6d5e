//! Descriptions of journal events for the audit log: what was done, to what, and why. Events are read as JSON and not
//! as the types that wrote them, so that events of unknown types are listed too.

use crate::event::Actor;
use crate::ids::{ExemptionId, Subject, TargetName};
use crate::journal::JournalId;
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Fields that are removed from details, at any depth: they are secret, or help to find a secret.
const SECRET_FIELDS: [&str; 1] = ["sha256"];
/// The name of a scan's event, which has no `type`.
const SCAN_RECORDED: &str = "scan_recorded";
/// The name of an event that registers an exemption of the whole installation.
const PROMOTED: &str = "exemption_promoted";
/// The prefix of the names of events of an exemptions' journal.
const OF_EXEMPTIONS: &str = "exemption_";

/// The names and ids of the things that an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Targets by name.
    pub targets: BTreeSet<String>,
    /// Exemptions by id.
    pub exemptions: BTreeSet<String>,
    /// Tokens by their public ids.
    pub tokens: BTreeSet<String>,
    /// Scans by id.
    pub scans: BTreeSet<String>,
}

/// An event as the audit log shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedEvent {
    /// The action: the event's own name, with a prefix where the name alone is ambiguous.
    pub what: String,
    /// The things that it is about.
    pub about: About,
    /// The reason, as the actor wrote it.
    pub why: Option<String>,
    /// The whole event, without secrets.
    pub details: Value,
    /// The actions of the events inside it, if it contains several.
    inside: BTreeSet<String>,
}

/// The targets that events name only indirectly.
#[derive(Debug, Clone, Copy)]
pub struct ImplicitTargets<'a> {
    /// The target of the whole journal, if it belongs to one.
    pub target: Option<&'a TargetName>,
    /// The target of each exemption.
    pub exemptions: &'a BTreeMap<ExemptionId, TargetName>,
}

impl DescribedEvent {
    /// Describes an event of this journal.
    pub fn new(journal: &JournalId, event: Value, known: ImplicitTargets<'_>) -> Self {
        let several = event.get("events").and_then(Value::as_array);
        let inside = several.into_iter().flatten();
        let mut about = About::default();
        let mut whys = BTreeSet::new();
        for event in inside.clone().chain([&event]) {
            about.add(journal, event);
            whys.extend(why(event));
        }
        about.targets.extend(known.target.map(TargetName::to_string));
        let of_exemptions = about.exemptions.iter().filter_map(|id| known.exemptions.get(&id.parse().ok()?));
        about.targets.extend(of_exemptions.map(TargetName::to_string));
        Self {
            what: what(journal, &event),
            about,
            // Several events with different reasons: these are in the details.
            why: if whys.len() == 1 { whys.pop_first().map(str::to_owned) } else { None },
            inside: inside.map(|event| what(journal, event)).collect(),
            details: without_secrets(event),
        }
    }
}

impl About {
    fn add(&mut self, journal: &JournalId, event: &Value) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let inside = |of: Option<&Value>, field| of.and_then(|of| text(of.get(field)));
        let returned = event.get("requests").and_then(Value::as_array);
        for request in returned.into_iter().flatten().chain(event.get("request")) {
            let seen = inside(request.get("seen"), "target");
            self.targets.extend(inside(request.get("reach"), "target").or(seen));
            self.exemptions.extend(text(request.get("id")));
        }
        // In events of a project's journal, `name` is the name of a target.
        let name = event.get("name").filter(|_| matches!(journal, JournalId::Project { .. }));
        self.targets.extend(text(name).into_iter().chain(text(event.get("target"))));
        self.exemptions.extend(text(event.get("exemption")));
        let token = event.get("token");
        self.tokens.extend(text(token).or_else(|| inside(token, "id")));
        self.scans.extend(text(event.get("scan")));
    }
}

/// The name of an event's action.
fn what(journal: &JournalId, event: &Value) -> String {
    let name = event.get("type").and_then(Value::as_str).unwrap_or("unnamed");
    match journal {
        JournalId::Scans { .. } => SCAN_RECORDED.to_owned(),
        JournalId::Exemptions { .. } => format!("{OF_EXEMPTIONS}{name}"),
        JournalId::Promoted => PROMOTED.to_owned(),
        JournalId::Account | JournalId::Project { .. } | JournalId::Outbox { .. } | JournalId::Execution { .. } => {
            name.to_owned()
        }
    }
}

/// The reason, as the actor wrote it: the comment of a decision, or the text of a request.
fn why(event: &Value) -> Option<&str> {
    let text = event.get("comment").or_else(|| event.get("request")?.get("text"))?.as_str()?;
    (!text.is_empty()).then_some(text)
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(name, _)| !SECRET_FIELDS.contains(&name.as_str()));
            Value::Object(fields.map(|(name, value)| (name, without_secrets(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A filter for events. Fields that are absent match every event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The subject who acted.
    pub by: Option<Subject>,
    /// The action, of the event itself or of an event inside it.
    pub what: Option<String>,
    /// A target that the event is about.
    pub target: Option<TargetName>,
    /// True for refused events only, false for effective ones only.
    pub refused: Option<bool>,
    /// The earliest time, inclusive.
    pub since: Option<Timestamp>,
    /// The latest time, inclusive.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// True if events of this journal can match. `target` is the target that the journal belongs to, if any. A journal
    /// that cannot match is not read.
    pub fn may_match(&self, journal: &JournalId, target: Option<&TargetName>) -> bool {
        let what = self.what.as_deref().is_none_or(|what| match journal {
            JournalId::Scans { .. } => what == SCAN_RECORDED,
            JournalId::Exemptions { .. } => what.starts_with(OF_EXEMPTIONS),
            JournalId::Promoted => what == PROMOTED,
            JournalId::Account | JournalId::Project { .. } | JournalId::Outbox { .. } | JournalId::Execution { .. } => {
                what != SCAN_RECORDED && !what.starts_with(OF_EXEMPTIONS)
            }
        });
        let never_refused = matches!(journal, JournalId::Scans { .. });
        what && !(never_refused && self.refused == Some(true))
            && (target.is_none() || self.target.is_none() || self.target.as_ref() == target)
    }

    /// True if the event matches. Does not check [`refused`](Self::refused), which the event itself does not show.
    pub fn matches(&self, at: Timestamp, by: &Actor, event: &DescribedEvent) -> bool {
        self.by.as_ref().is_none_or(|wanted| *wanted == by.subject)
            && self.what.as_ref().is_none_or(|what| *what == event.what || event.inside.contains(what))
            && self.target.as_ref().is_none_or(|target| event.about.targets.contains(target.as_str()))
            && self.since.is_none_or(|since| since <= at)
            && self.until.is_none_or(|until| at <= until)
    }
}

#[cfg(test)]
mod tests;
