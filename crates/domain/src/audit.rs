//! What the events of journals say, for an audit: what was done, to what, and why. Events are read as JSON and not as the
//! types that wrote them, so that an event which nobody thought of here is told all the same.

use crate::event::Actor;
use crate::ids::{ExemptionId, Subject, TargetName};
use crate::journal::JournalId;
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields that are left out of what is told, wherever they stand: they are as good as a secret, or help to find one.
const SECRET_FIELDS: [&str; 1] = ["sha256"];
/// What a scan's event is called; it has no name of its own.
const SCAN_RECORDED: &str = "scan_recorded";
/// What an event is called that says where to look for an exemption of the whole installation.
const PROMOTED: &str = "exemption_promoted";
/// What stands before the name of an event of an exemptions' journal.
const OF_EXEMPTIONS: &str = "exemption_";

/// What an event is about: names and ids, each once.
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

/// An event as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedEvent {
    /// What was done: the event's own name, with what kind of thing it is about where that is not clear.
    pub what: String,
    /// What it is about.
    pub about: About,
    /// Why, in the words of who did it.
    pub why: Option<String>,
    /// The event whole, without secrets.
    pub details: Value,
    /// What the events inside it do, if it is several in one.
    inside: BTreeSet<String>,
}

/// The targets that events name only by way of something else.
#[derive(Debug, Clone, Copy)]
pub struct ImplicitTargets<'a> {
    /// The target that the whole journal is of.
    pub target: Option<&'a TargetName>,
    /// The targets of exemptions.
    pub exemptions: &'a BTreeMap<ExemptionId, TargetName>,
}

impl DescribedEvent {
    /// Tells an event of this journal.
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
            // Several events with as many reasons: they stand in the details.
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
        // In a project's events a name is a target's.
        let name = event.get("name").filter(|_| matches!(journal, JournalId::Project { .. }));
        self.targets.extend(text(name).into_iter().chain(text(event.get("target"))));
        self.exemptions.extend(text(event.get("exemption")));
        let token = event.get("token");
        self.tokens.extend(text(token).or_else(|| inside(token, "id")));
        self.scans.extend(text(event.get("scan")));
    }
}

/// What an event does.
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

/// Why, in the words of who did it: a decision's comment, or a request's text.
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

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// What this person or machine did.
    pub by: Option<Subject>,
    /// What does this, alone or as one of several.
    pub what: Option<String>,
    /// What is about this target.
    pub target: Option<TargetName>,
    /// What was refused only, or what took effect only.
    pub refused: Option<bool>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Up to this time.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether events of this journal, which is of this target if of one, may be asked for. Saves reading it.
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

    /// Whether an event is asked for, whatever became of it.
    pub fn matches(&self, at: Timestamp, by: &Actor, told: &DescribedEvent) -> bool {
        self.by.as_ref().is_none_or(|wanted| *wanted == by.subject)
            && self.what.as_ref().is_none_or(|what| *what == told.what || told.inside.contains(what))
            && self.target.as_ref().is_none_or(|target| told.about.targets.contains(target.as_str()))
            && self.since.is_none_or(|since| since <= at)
            && self.until.is_none_or(|until| at <= until)
    }
}

#[cfg(test)]
mod tests;
