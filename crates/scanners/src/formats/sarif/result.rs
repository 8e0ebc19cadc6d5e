//! Turns a result (§3.27) into a finding.

use super::locations::{RawLocation, RawPhysicalLocation};
use super::log::{RawDescriptor, Run};
use super::rule::{RawProperties, Rule, decides, is_cwe};
use super::tool_specific;
use crate::formats::semgrep::REQUIRES_LOGIN;
use crate::reader::json::{Many, Number, Text, partly};
use crate::reader::report::{Collector, ParseError};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::rating::{Rating, Words};
use crate::value::secret;
use finding::{Finding, Kind, Package};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The levels of SARIF (§3.27.10).
pub(super) const LEVELS: Words = &[
    ("error", 800),
    ("warning", 550),
    ("note", 0),
    ("none", 0),
    // Not levels of SARIF, but written as such.
    ("critical", 950),
    ("high", 800),
    ("medium", 550),
    ("moderate", 550),
    ("low", 200),
    ("info", 0),
    ("informational", 0),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawResult {
    #[serde(default)]
    rule_id: Option<Text>,
    #[serde(default)]
    rule_index: Option<i64>,
    #[serde(default)]
    rule: RawDescriptor,
    #[serde(default)]
    kind: Option<Text>,
    #[serde(default)]
    level: Option<Text>,
    #[serde(default)]
    message: RawMessage,
    #[serde(default)]
    locations: Many<RawLocation>,
    #[serde(default)]
    related_locations: Many<RawLocation>,
    #[serde(default)]
    fingerprints: BTreeMap<String, RawFingerprint>,
    #[serde(default)]
    partial_fingerprints: BTreeMap<String, RawFingerprint>,
    #[serde(default)]
    suppressions: Many<RawSuppression>,
    #[serde(default)]
    baseline_state: Option<Text>,
    #[serde(default)]
    rank: Number,
    #[serde(default)]
    taxa: Many<RawDescriptor>,
    #[serde(default)]
    fixes: Many<RawFix>,
    #[serde(default)]
    guid: Option<Text>,
    #[serde(default)]
    provenance: RawProvenance,
    #[serde(default)]
    hosted_viewer_uri: Option<String>,
    #[serde(default)]
    properties: RawProperties,
}

/// The parts of a result that decide its severity, its identity, or that it is one.
const DECIDING: [&str; 12] = [
    "ruleId",
    "ruleIndex",
    "rule",
    "kind",
    "level",
    "message",
    "locations",
    "fingerprints",
    "partialFingerprints",
    "suppressions",
    "baselineState",
    "provenance",
];

/// A message (§3.11): a text, markdown alone, or the id of one of the rule's messages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawMessage {
    text: Option<Text>,
    markdown: Option<Text>,
    id: Option<String>,
    arguments: Many<Text>,
}

/// A fingerprint: a text, or an object with a text (Black Duck).
#[derive(Debug, Deserialize)]
#[serde(from = "serde_json::Value")]
struct RawFingerprint(Option<String>);

impl From<serde_json::Value> for RawFingerprint {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        let inner = value.get("value").unwrap_or(&value);
        Self(match inner {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawSuppression {
    kind: Option<Text>,
    status: Option<Text>,
    /// The name of `status` in drafts of the format.
    state: Option<Text>,
    justification: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawFix {
    description: super::rule::RawMessageString,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawProvenance {
    invocation_index: Option<i64>,
}

impl RawResult {
    /// Reads a result. A part that decides its severity or identity and cannot be read makes the scan incomplete.
    pub(super) fn read(raw: &str, collector: &mut Collector<'_>) -> Result<Self, String> {
        let (result, unread) = partly::<Self>(raw)?;
        let unread = unread.into_iter().filter(|place| decides(place, &DECIDING)).map(|place| format!("`{place}`"));
        let severity = result.properties.unread_severity.as_ref();
        let unread = unread.chain(severity.map(|found| format!("`security-severity`, which is {found}")));
        let unread = unread.collect::<Vec<_>>().join(", ");
        if !unread.is_empty() {
            let number = collector.results() + 1;
            collector.scanner_error(format!("of result {number} this cannot be read: {unread}"));
        }
        Ok(result)
    }

    /// Hands the result to the collector. `several_tools`: the runs of the report are of different tools. `rules_seen`:
    /// rules with an earlier result in the run, for tools where that matters.
    pub(super) fn collect(
        self,
        run: &Run,
        several_tools: bool,
        rules_seen: &mut BTreeSet<String>,
        collector: &mut Collector<'_>,
    ) -> Result<(), ParseError> {
        if is(self.baseline_state.as_ref(), "absent") {
            return collector.closed();
        }
        match self.kind.as_ref().map(|kind| kind.0.trim()) {
            Some("pass") => collector.passed(),
            Some("notApplicable" | "informational") => collector.not_applicable(),
            Some(_) | None if self.is_empty() => {
                collector.rejected("the result has neither a rule nor a message".to_owned())
            }
            Some(_) | None => {
                if self.lacks_its_rule(run) {
                    let number = collector.results() + 1;
                    collector.scanner_error(format!(
                        "the run does not list the rule of result {number}, so its severity is unknown"
                    ));
                }
                let finding = self.into_finding(run, several_tools, rules_seen);
                if run.tool == "checkov" && crate::formats::checkov::is_about_secrets(&finding.rule) {
                    collector.holds_secrets();
                }
                collector.finding(finding)
            }
        }
    }

    fn is_empty(&self) -> bool {
        let Self { rule_id, rule_index, rule, message, .. } = self;
        let unnamed = rule_id.is_none() && rule_index.is_none() && rule.id.is_none() && rule.index.is_none();
        unnamed && rule.guid.is_none() && message.text.is_none() && message.markdown.is_none()
    }

    /// True if the severity should come from a rule that the run does not have, although it has rules.
    fn lacks_its_rule(&self, run: &Run) -> bool {
        // The score of a rule counts before a result's level.
        let is_rated = (self.level.is_some() && !run.has_scored_rules())
            || self.properties.security_severity.is_some()
            || self.properties.text("issue_severity").is_some();
        let id = self.rule_id.as_ref().map(|id| id.0.as_str());
        let index = self.rule.index.or(self.rule_index).filter(|index| *index >= 0);
        // Gitleaks 7 names no rules in its results.
        let names_none = id.is_none() && index.is_none() && self.rule.id.is_none() && self.rule.guid.is_none();
        let needs_one = index.is_some() || run.has_rules() && !(names_none && run.tool == "gitleaks");
        !is_rated && needs_one && run.rule(id, self.rule_index, &self.rule).is_none()
    }

    fn into_finding(self, run: &Run, several_tools: bool, rules_seen: &mut BTreeSet<String>) -> Finding {
        let rule = run.rule(self.rule_id.as_ref().map(|id| id.0.as_str()), self.rule_index, &self.rule);
        let named = self.rule_id.as_ref().or(self.rule.id.as_ref()).map(|id| id.0.clone());
        let id = match rule {
            // A hierarchical id is a case of its rule; the issue is keyed by the rule.
            Some(rule) if !rule.id.is_empty() => rule.id.clone(),
            Some(_) | None => named.clone().filled().unwrap_or_else(|| "unnamed".to_owned()),
        };
        let message = self.message(rule, run);
        let title = rule.and_then(Rule::title).or_else(|| first_line(&message)).unwrap_or(&id).to_owned();
        let mut finding = Finding::new(self.kind(run, rule, &id), id.as_str(), title, message);
        finding.tool = several_tools.then(|| run.tool.clone());
        if let Some(named) = named.filter(|named| *named != id) {
            finding.raw.insert("rule_id".to_owned(), named);
        }
        self.describe(&mut finding, rule);
        self.add_weaknesses(&mut finding, run, rule);
        self.rate(&mut finding, run, rule);
        self.locate(&mut finding, run);
        finding.suppressed = self.suppressed();
        let mut withheld = false;
        for (name, print) in self.partial_fingerprints.into_iter().chain(self.fingerprints) {
            let RawFingerprint(Some(value)) = print else { continue };
            withheld |= value == REQUIRES_LOGIN;
            if value != REQUIRES_LOGIN && !value.trim().is_empty() {
                finding.fingerprints.insert(name, value);
            }
        }
        let location = self.locations.0.first().and_then(|location| location.physical_location.as_ref());
        let properties = self.properties;
        if finding.kind == Kind::Dependency {
            let component = properties.text("component").map(|name| Package {
                name: name.to_owned(),
                version: properties.text("componentVersion").map(str::to_owned),
                ecosystem: properties.text("componentOrigin").map(str::to_lowercase),
                ..Package::default()
            });
            super::dependency::fill(&mut finding, component, &run.tool);
        }
        if let Some(offender) = properties.text("offender") {
            secret::attach(&mut finding, offender);
        } else if finding.kind == Kind::Secret
            && !tool_specific::extracts_secret(&run.tool)
            && let Some(text) = location.and_then(RawPhysicalLocation::region_text)
        {
            secret::attach(&mut finding, text);
        }
        tool_specific::adapt(
            &run.tool,
            &mut finding,
            &tool_specific::ResultParts { rule, location, withheld },
            rules_seen,
        );
        finding
    }

    fn kind(&self, run: &Run, rule: Option<&Rule>, id: &str) -> Kind {
        let tagged =
            |tag: &str| rule.is_some_and(|rule| rule.tags.iter().any(|of_rule| of_rule.eq_ignore_ascii_case(tag)));
        if let Some(kind) = tool_specific::kind(&run.tool, id, rule) {
            return kind;
        }
        if self.properties.text("offender").is_some() || tagged("secret") || tagged("secrets") {
            return Kind::Secret;
        }
        if tagged("misconfiguration") {
            return Kind::Infrastructure;
        }
        if tagged("license") {
            return Kind::License;
        }
        if self.properties.text("component").is_some() || super::dependency::is_advisory(id) {
            return Kind::Dependency;
        }
        run.known_tool.map_or(Kind::Code, |known| known.kind)
    }

    fn message(&self, rule: Option<&Rule>, run: &Run) -> String {
        let by_id = self.message.id.as_ref().and_then(|id| {
            let of_rule = rule.and_then(|rule| rule.messages.get(id));
            of_rule.or_else(|| run.components.get(&0).and_then(|driver| driver.messages.get(id)))
        });
        let own = [&self.message.text, &self.message.markdown].into_iter().flatten().map(|text| &text.0);
        let text = own.chain(by_id).find(|text| !text.trim().is_empty());
        let text = text.or_else(|| rule.and_then(|rule| rule.full.as_ref().or(rule.short.as_ref())));
        with_arguments(text.map(String::as_str).unwrap_or_default(), &self.message.arguments.0)
    }

    fn describe(&self, finding: &mut Finding, rule: Option<&Rule>) {
        let raw = &mut finding.raw;
        let mut keep = |name: &str, value: Option<String>| drop(value.map(|value| raw.insert(name.to_owned(), value)));
        keep("kind", self.kind.clone().filled().filter(|kind| kind != "fail"));
        keep("baseline_state", self.baseline_state.clone().filled());
        keep("rank", self.rank.0.map(|rank| rank.to_string()));
        keep("commit", self.properties.text("commit").map(str::to_owned));
        keep("commit_message", self.properties.text("commitMessage").map(str::to_owned));
        keep("viewer", self.hosted_viewer_uri.clone());
        keep("precision", rule.and_then(|rule| rule.precision.clone()));
        // §3.49.5: ids of a renamed rule in earlier versions of the tool.
        finding.add_former_rules(rule.into_iter().flat_map(|rule| rule.deprecated_ids.iter().cloned()));
        finding.confidence = self.properties.text("issue_confidence").map(str::to_owned);
        finding.tool_id = self.guid.as_ref().map(|guid| guid.0.clone());
        finding.description = rule.and_then(|rule| rule.full.clone().or(rule.short.clone()));
        let fix = self.fixes.0.iter().find_map(|fix| fix.description.text.clone());
        finding.remediation = fix.or_else(|| rule.and_then(|rule| rule.help.clone()));
        finding.references = rule.and_then(|rule| rule.help_uri.clone()).into_iter().collect();
    }

    fn add_weaknesses(&self, finding: &mut Finding, run: &Run, rule: Option<&Rule>) {
        let of_rule = rule.map(|rule| rule.cwes.clone()).unwrap_or_default();
        let taxa = self.taxa.0.iter().filter_map(|taxon| {
            let component = taxon.tool_component.as_ref();
            let taxonomy = component.and_then(|component| component.index).and_then(|at| usize::try_from(at).ok());
            if is_cwe(taxon) || taxonomy.is_some_and(|at| run.cwe_taxonomies.contains(&at)) {
                if let Some(number) = taxon.id.as_ref().and_then(|id| cwe::number(&id.0)) {
                    return Some(number);
                }
                let at = (taxonomy?, usize::try_from(taxon.index?).ok()?);
                return run.cwe_taxonomies.contains(&at.0).then(|| run.cwes.get(&at).copied()).flatten();
            }
            None
        });
        for number in of_rule.into_iter().chain(self.properties.cwe_numbers()).chain(taxa) {
            if !finding.cwes.contains(&number) {
                finding.cwes.push(number);
            }
        }
    }

    fn rate(&self, finding: &mut Finding, run: &Run, rule: Option<&Rule>) {
        let own_words = run.known_tool.and_then(|known| known.words);
        if let (Some(words), Some(word)) = (own_words, self.properties.text("issue_severity")) {
            return Rating::new(words).word(Some(word)).apply(finding);
        }
        let needs_review = is(self.kind.as_ref(), "open") || is(self.kind.as_ref(), "review");
        let level = match (needs_review, self.level.clone().filled()) {
            (true, _) => "none".to_owned(),
            (false, Some(level)) => level,
            (false, None) => {
                let set = self.overridden_level(run, rule).or_else(|| rule.and_then(|rule| rule.level.clone()));
                set.unwrap_or_else(|| "warning".to_owned())
            }
        };
        let own_word = tool_specific::severity_word(&run.tool, finding.kind, &level, rule).filter(|_| !needs_review);
        if let (Some(words), Some(word)) = (own_words, own_word) {
            return Rating::new(words).word(Some(word)).apply(finding);
        }
        let in_range = |score: &f64| (0.0..=10.0).contains(score);
        let of_rule = rule.and_then(|rule| rule.security_severity);
        let security = self.properties.security_severity.or(of_rule).filter(in_range);
        let vectors = self.properties.cvss.iter().map(String::as_str);
        let vectors = vectors.chain(rule.iter().flat_map(|rule| rule.cvss.iter().map(String::as_str)));
        let rating = vectors.fold(Rating::new(LEVELS), |rating, vector| rating.vector(Some(vector), None));
        rating.own(security.filter(|_| !needs_review)).word(Some(&level)).apply(finding);
        // Unlike a word, a level counts as a severity even if the tool gives its rules a score.
        finding.scanner_severity = finding.score.map(|scored| scored.score.severity());
    }

    /// The level that the result's invocation sets for its rule (§3.20.5).
    fn overridden_level(&self, run: &Run, rule: Option<&Rule>) -> Option<String> {
        let invocation = self.provenance.invocation_index.and_then(|at| usize::try_from(at).ok());
        let invocation =
            invocation.or((run.overrides.len() == 1).then(|| run.overrides.keys().next().copied()).flatten());
        let overrides = run.overrides.get(&invocation?)?;
        let same = |descriptor: &RawDescriptor| {
            let id = descriptor.id.as_ref().map(|id| id.0.as_str());
            let id = id.or_else(|| run.rule(None, descriptor.index, descriptor).map(|rule| rule.id.as_str()));
            id.is_some_and(|id| rule.is_some_and(|rule| rule.has_id(id)))
        };
        overrides.iter().find(|set| same(&set.descriptor)).and_then(|set| set.configuration.level.clone().filled())
    }

    fn locate(&self, finding: &mut Finding, run: &Run) {
        let physical = || self.locations.0.iter().filter_map(|location| location.physical_location.as_ref());
        let mut locations = physical().filter_map(|physical| physical.location(run));
        finding.location = locations.next();
        finding.other_locations = locations.collect();
        finding.code = physical().next().and_then(RawPhysicalLocation::code);
        let logical = self.locations.0.iter().flat_map(|location| &location.logical_locations.0);
        let mut names = logical.filter_map(|logical| logical.fully_qualified_name.as_ref().or(logical.name.as_ref()));
        if let Some(name) = names.next() {
            if finding.kind == Kind::Infrastructure || finding.location.is_none() {
                finding.resource = Some(name.clone());
            }
            finding.raw.insert("logical_location".to_owned(), name.clone());
        }
        let related =
            self.related_locations.0.iter().filter_map(|location| location.physical_location.as_ref()?.location(run));
        let related: Vec<String> = related
            .take(finding::limits::REJECTED_LISTED_MAX)
            .map(|at| at.line.map_or_else(|| at.path.clone(), |line| format!("{}:{line}", at.path)))
            .collect();
        if !related.is_empty() {
            finding.raw.insert("related_locations".to_owned(), related.join("\n"));
        }
    }

    /// The suppressions as one text, if there are any and all of them are accepted (§3.27.23).
    fn suppressed(&self) -> Option<String> {
        let accepted = |one: &RawSuppression| {
            let status = one.status.as_ref().or(one.state.as_ref());
            // An object with none of these is not a suppression.
            (status.is_some() || one.kind.is_some() || one.justification.is_some())
                && status.is_none_or(|status| status.0.trim() == "accepted")
        };
        if self.suppressions.0.is_empty() || !self.suppressions.0.iter().all(accepted) {
            return None;
        }
        let text = |one: &RawSuppression| {
            let kind = one.kind.clone().filled().unwrap_or_else(|| "suppressed".to_owned());
            match one.justification.as_ref().map(|text| text.0.trim()).filled() {
                Some(justification) => format!("{kind}: {justification}"),
                None => kind,
            }
        };
        Some(self.suppressions.0.iter().map(text).collect::<Vec<_>>().join("; "))
    }
}

/// True if a word is this one.
fn is(word: Option<&Text>, expected: &str) -> bool {
    word.is_some_and(|word| word.0.trim() == expected)
}

impl Rule {
    /// The short description, else a name that differs from the id, else the first line of the full description.
    fn title(&self) -> Option<&str> {
        let short = self.short.as_deref().and_then(first_line);
        let name = self.name.as_deref().filter(|name| *name != self.id);
        short.or(name).or(self.full.as_deref().and_then(first_line))
    }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// Replaces placeholders such as `{0}` in a message by its arguments; a doubled brace is a brace (§3.11.5).
fn with_arguments(text: &str, arguments: &[Text]) -> String {
    if arguments.is_empty() {
        return text.to_owned();
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            filled.push_str(from.get(..1).unwrap_or_default());
            rest = after;
            continue;
        }
        let number = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let argument = number.and_then(|(number, after)| Some((arguments.get(number.parse::<usize>().ok()?)?, after)));
        rest = match argument {
            Some((argument, after)) => {
                filled.push_str(&argument.0);
                after
            }
            None => {
                filled.push_str(from.get(..1).unwrap_or_default());
                from.get(1..).unwrap_or_default()
            }
        };
    }
    filled.push_str(rest);
    filled
}
