//! The parts of a SARIF log other than its results.

use super::locations::RawLocation;
use super::rule::{self, Rule};
use super::tools::{self, KnownTool};
use crate::reader::json::{self, Item, Text};
use crate::reader::report::{Input, ParseError};
use crate::reader::text::{Filled, shown};
use crate::value::time;
use finding::Reach;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of rule texts that are kept of a log. Further rules have only severities and ids.
const RULE_TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most errors of one run that are reported.
const ERRORS_MAX: usize = 1000;

/// A log, without its results.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) runs: BTreeMap<usize, Run>,
    /// The run that refers to each inline external property.
    inline: BTreeMap<usize, usize>,
}

/// A run, without its results.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) tool: String,
    pub(super) known_tool: Option<&'static KnownTool>,
    pub(super) version: Option<String>,
    pub(super) category: Option<String>,
    /// The driver at 0, the extensions from 1 on.
    pub(super) components: BTreeMap<usize, Component>,
    /// The locations of artifacts, by index.
    pub(super) artifacts: BTreeMap<usize, RawArtifactLocation>,
    pub(super) bases: BTreeMap<String, RawArtifactLocation>,
    /// Overrides of rule levels, by invocation.
    pub(super) overrides: BTreeMap<usize, Vec<RawOverride>>,
    /// Numbers of weaknesses in a taxonomy named CWE, by the index of the taxonomy and of the weakness.
    pub(super) cwes: BTreeMap<(usize, usize), u32>,
    pub(super) cwe_taxonomies: BTreeSet<usize>,
    pub(super) errors: Vec<String>,
    /// The notifications of level `error`; at most [`ERRORS_MAX`].
    pub(super) failures: Vec<Failure>,
    /// True if the run has more of them with a location or rule.
    pub(super) has_more_failures: bool,
    /// The invocations that were not successful.
    pub(super) unsuccessful: BTreeSet<usize>,
    /// Paths of the working directories of the run's invocations.
    pub(super) folders: Vec<String>,
    pub(super) guid: Option<String>,
    /// The earliest end and start of the run's invocations, in milliseconds since the Unix epoch.
    pub(super) ended_ms: Option<i64>,
    pub(super) started_ms: Option<i64>,
    /// True if `version` is the driver's semantic version, which is preferred to its other version.
    pub(super) is_semantic_version: bool,
}

/// A notification of level `error` (§3.58).
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) invocation: usize,
    pub(super) reason: String,
    locations: Vec<RawLocation>,
    rule: RawDescriptor,
}

/// A tool component with its rules, and the index of each rule id.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) name: Option<String>,
    pub(super) guid: Option<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) by_id: BTreeMap<String, usize>,
    pub(super) messages: BTreeMap<String, String>,
}

/// An artifact location (§3.4).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawArtifactLocation {
    pub(super) uri: Option<String>,
    pub(super) uri_base_id: Option<String>,
    pub(super) index: Option<i64>,
}

/// An override of a rule's configuration (§3.20.5).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawOverride {
    pub(super) descriptor: RawDescriptor,
    pub(super) configuration: RawConfiguration,
}

/// A reference to a rule (§3.52).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawDescriptor {
    pub(super) id: Option<Text>,
    pub(super) index: Option<i64>,
    pub(super) guid: Option<String>,
    pub(super) tool_component: Option<RawComponentReference>,
}

/// A reference to a tool component (§3.54).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawComponentReference {
    pub(super) name: Option<String>,
    pub(super) index: Option<i64>,
    pub(super) guid: Option<String>,
}

/// A rule's configuration (§3.50).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawConfiguration {
    pub(super) level: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawNotification {
    level: Option<Text>,
    message: RawText,
    descriptor: RawDescriptor,
    associated_rule: RawDescriptor,
    locations: json::Many<RawLocation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawText {
    text: Option<String>,
    markdown: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawReference {
    location: Option<RawArtifactLocation>,
    guid: Option<String>,
}

const PATHS: &[&str] = &[
    "version",
    "runs[].tool.driver.name",
    "runs[].tool.driver.semanticVersion",
    "runs[].tool.driver.version",
    "runs[].tool.driver.rules[]",
    "runs[].tool.driver.globalMessageStrings{}",
    "runs[].tool.extensions[].name",
    "runs[].tool.extensions[].guid",
    "runs[].tool.extensions[].rules[]",
    "runs[].artifacts[].location",
    "runs[].originalUriBaseIds{}",
    "runs[].automationDetails.id",
    "runs[].automationDetails.guid",
    "runs[].invocations[].executionSuccessful",
    "runs[].invocations[].toolExecutionNotifications[]",
    "runs[].invocations[].toolConfigurationNotifications[]",
    "runs[].invocations[].ruleConfigurationOverrides[]",
    "runs[].invocations[].workingDirectory",
    "runs[].invocations[].endTimeUtc",
    "runs[].invocations[].startTimeUtc",
    "runs[].taxonomies[].name",
    "runs[].taxonomies[].taxa[].id",
    "runs[].externalPropertyFileReferences{}",
    "inlineExternalProperties[].guid",
    "inlineExternalProperties[].runGuid",
    "inlineExternalProperties[].driver.rules[]",
    "inlineExternalProperties[].artifacts[].location",
];

/// The index of the driver's name in [`PATHS`].
const DRIVER_NAME: usize = 1;

/// The parts of external property files that contain results, or that change their severity or location.
const NEEDED_PARTS: &[&str] = &["results", "invocations", "driver", "extensions", "artifacts"];

impl Log {
    /// Reads a log without its results.
    ///
    /// # Errors
    /// Returns `WrongTool` if the report is not SARIF 2.1.
    pub(super) fn read(input: Input<'_>) -> Result<Self, ParseError> {
        let mut builder = LogBuilder::default();
        let seen = json::walk(input, PATHS, &mut |item| {
            if let Some(path) = PATHS.get(item.path) {
                builder.add(path, &item);
            }
            Ok(())
        })?;
        let wrong = |reason: String| ParseError::WrongTool { expected: "SARIF", reason };
        match builder.version.as_deref() {
            Some(version) if version.starts_with("2.1") => {}
            Some(version) => {
                return Err(wrong(format!("`version` is `{}`; expected `2.1.0`", shown(version, 20))));
            }
            None => return Err(wrong("`version` is missing".to_owned())),
        }
        if !seen.has(DRIVER_NAME) {
            return Err(wrong("`runs` with a `tool` and its `driver` is missing".to_owned()));
        }
        Ok(builder.finish())
    }

    /// True if an inline external property belongs to this run.
    pub(super) fn has_inline(&self, run: usize) -> bool {
        self.inline.values().any(|of| *of == run)
    }

    /// The run to which an inline external property belongs.
    pub(super) fn run_of_inline(&self, inline: usize) -> Option<usize> {
        self.inline.get(&inline).copied()
    }
}

#[derive(Default)]
struct LogBuilder {
    version: Option<String>,
    log: Log,
    rule_bytes: usize,
    /// Guids of inline external properties.
    inline_guids: BTreeMap<usize, String>,
    /// Guids of the runs that inline external properties belong to.
    inline_runs: BTreeMap<usize, String>,
    inline_rules: BTreeMap<usize, Vec<Rule>>,
    inline_errors: Vec<(usize, String)>,
    inline_artifacts: BTreeMap<usize, BTreeMap<usize, RawArtifactLocation>>,
    /// References from runs to external properties: the run, the part and its guid, if any.
    references: Vec<(usize, String, Option<String>)>,
}

impl LogBuilder {
    fn add(&mut self, path: &str, item: &Item<'_>) {
        if let Some(inner) = path.strip_prefix("runs[].") {
            let text_bytes_left = RULE_TEXT_BYTES_MAX.saturating_sub(self.rule_bytes);
            let run = self.log.runs.entry(item.index(0)).or_default();
            match inner {
                "tool.driver.rules[]" => self.rule_bytes += run.add_rule(0, item, text_bytes_left),
                "tool.extensions[].rules[]" => {
                    self.rule_bytes += run.add_rule(item.index(1) + 1, item, text_bytes_left);
                }
                "externalPropertyFileReferences{}" => {
                    let references = item.read::<json::Many<RawReference>>();
                    if let (Err(reason), true) = (&references, NEEDED_PARTS.contains(&item.name(1))) {
                        run.error(format!(
                            "the reference to the file of the run's {} cannot be read: {reason}",
                            item.name(1)
                        ));
                    }
                    for reference in references.unwrap_or_default().0 {
                        if reference.guid.is_some() || reference.location.is_some() {
                            self.references.push((item.index(0), item.name(1).to_owned(), reference.guid));
                        }
                    }
                }
                other => run.add(other, item),
            }
            return;
        }
        let text = || item.read::<Text>().ok().filled();
        let at = item.index(0);
        match path {
            "version" => self.version = text(),
            "inlineExternalProperties[].guid" => drop(text().map(|guid| self.inline_guids.insert(at, guid))),
            "inlineExternalProperties[].runGuid" => drop(text().map(|guid| self.inline_runs.insert(at, guid))),
            "inlineExternalProperties[].driver.rules[]" => {
                let (rule, unread) = rule::read(item.raw);
                self.inline_errors.extend(unread.map(|unread| (at, unread)));
                self.inline_rules.entry(at).or_default().push(rule.into_rule(usize::MAX));
            }
            "inlineExternalProperties[].artifacts[].location" => {
                let location = json::partly::<RawArtifactLocation>(item.raw);
                let location = location.map(|(location, _)| location).unwrap_or_default();
                self.inline_artifacts.entry(at).or_default().insert(item.index(1), location);
            }
            _ => {}
        }
    }

    /// Adds inline external properties to their runs, and notes missing external files as errors.
    fn finish(mut self) -> Log {
        for (run, part, guid) in std::mem::take(&mut self.references) {
            let inline = self
                .inline_guids
                .iter()
                .find(|(_, inline_guid)| guid.as_ref() == Some(*inline_guid))
                .map(|(at, _)| *at);
            match inline {
                Some(inline) => drop(self.log.inline.insert(inline, run)),
                None if NEEDED_PARTS.contains(&part.as_str()) => {
                    let run = self.log.runs.entry(run).or_default();
                    run.error(format!("the run's {part} are in another file, which is not part of the report"));
                }
                None => {}
            }
        }
        for (inline, guid) in &self.inline_runs {
            if let Some((run, _)) = self.log.runs.iter().find(|(_, run)| run.guid.as_ref() == Some(guid)) {
                self.log.inline.entry(*inline).or_insert(*run);
            }
        }
        // Inline properties without a reference belong to the only run, if there is only one.
        let inlines = self.inline_guids.keys().chain(self.inline_rules.keys()).copied().collect::<BTreeSet<_>>();
        if let (1, Some(only)) = (self.log.runs.len(), self.log.runs.keys().next().copied()) {
            for inline in inlines.into_iter().chain([0]) {
                self.log.inline.entry(inline).or_insert(only);
            }
        }
        for (inline, run) in &self.log.inline {
            let Some(run) = self.log.runs.get_mut(run) else { continue };
            for rule in self.inline_rules.remove(inline).unwrap_or_default() {
                run.component(0).add(rule);
            }
            run.artifacts.extend(self.inline_artifacts.remove(inline).unwrap_or_default());
        }
        for (inline, error) in self.inline_errors {
            let run = self.log.inline.get(&inline).and_then(|run| self.log.runs.get_mut(run));
            run.into_iter().for_each(|run| run.error(error.clone()));
        }
        for run in self.log.runs.values_mut() {
            if run.tool.is_empty() {
                "sarif".clone_into(&mut run.tool);
            }
        }
        self.log
    }
}

impl Run {
    fn component(&mut self, at: usize) -> &mut Component {
        self.components.entry(at).or_default()
    }

    /// Adds a rule of a component; returns the bytes of its texts. A rule that cannot be read still takes an index:
    /// results refer to rules by index.
    fn add_rule(&mut self, component: usize, item: &Item<'_>, text_bytes: usize) -> usize {
        let (rule, unread) = rule::read(item.raw);
        unread.into_iter().for_each(|unread| self.error(unread));
        let rule = rule.into_rule(text_bytes);
        let bytes = rule.text_bytes();
        self.component(component).add(rule);
        bytes
    }

    pub(super) fn error(&mut self, error: String) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    fn add(&mut self, path: &str, item: &Item<'_>) {
        let text = || item.read::<Text>().ok().filled();
        match path {
            "tool.driver.name" => {
                let name = text().unwrap_or_default();
                if name.is_empty() {
                    self.error("the name of the tool cannot be read; it says how severities are to be read".to_owned());
                }
                self.tool = tools::tool_of(&name);
                self.known_tool = tools::known_tool(&self.tool);
            }
            "tool.driver.semanticVersion" => (self.version, self.is_semantic_version) = (text(), true),
            "tool.driver.version" if !self.is_semantic_version => self.version = text(),
            "tool.driver.globalMessageStrings{}" => {
                let message: rule::RawMessageString = item.read().unwrap_or_default();
                self.component(0).messages.insert(item.name(1).to_owned(), message.text.unwrap_or_default());
            }
            "tool.extensions[].name" => self.component(item.index(1) + 1).name = text(),
            "tool.extensions[].guid" => self.component(item.index(1) + 1).guid = text(),
            "artifacts[].location" => {
                let location = self.location(item, "the location of an artifact");
                self.artifacts.insert(item.index(1), location);
            }
            "originalUriBaseIds{}" => {
                let location = self.location(item, "a base of URIs");
                self.bases.insert(item.name(1).to_owned(), location);
            }
            // The part of the id after the last slash names the single run (§3.17.3).
            "automationDetails.id" => {
                let id = text().unwrap_or_default();
                self.category = id.rsplit_once('/').map(|(category, _)| category.to_owned()).filled();
            }
            "automationDetails.guid" => self.guid = text(),
            "invocations[].endTimeUtc" => time::keep_earliest(&mut self.ended_ms, text().as_deref()),
            "invocations[].startTimeUtc" => time::keep_earliest(&mut self.started_ms, text().as_deref()),
            "invocations[].executionSuccessful" if !matches!(item.raw.trim(), "true" | "null" | "\"true\"") => {
                self.unsuccessful.insert(item.index(1));
            }
            "invocations[].toolExecutionNotifications[]" | "invocations[].toolConfigurationNotifications[]" => {
                let notification = json::partly::<RawNotification>(item.raw);
                let (notification, unread) = notification.unwrap_or_else(|_| Default::default());
                let is_error = notification.level.as_ref().is_some_and(|level| level.0.eq_ignore_ascii_case("error"));
                if is_error || unread.iter().any(|place| place == "level") {
                    self.add_failure(item.index(1), notification, &unread);
                }
            }
            "invocations[].ruleConfigurationOverrides[]" => match json::partly::<RawOverride>(item.raw) {
                Ok((set, unread)) if unread.is_empty() => {
                    self.overrides.entry(item.index(1)).or_default().push(set);
                }
                Ok(_) | Err(_) => self.error("an override of a rule's level cannot be read".to_owned()),
            },
            "invocations[].workingDirectory" => {
                let uri = self.location(item, "a working directory").uri;
                self.folders.extend(uri.as_deref().and_then(super::locations::file_path));
            }
            "taxonomies[].name" if text().is_some_and(|name| name.eq_ignore_ascii_case("cwe")) => {
                self.cwe_taxonomies.insert(item.index(1));
            }
            "taxonomies[].taxa[].id" => {
                if let Some(number) = text().as_deref().and_then(crate::value::cwe::number) {
                    self.cwes.insert((item.index(1), item.index(2)), number);
                }
            }
            _ => {}
        }
    }

    fn add_failure(&mut self, invocation: usize, notification: RawNotification, unread: &[String]) {
        let RawNotification { message, descriptor, associated_rule, locations, .. } = notification;
        let reason = message.text.or(message.markdown).or(descriptor.id.map(|id| id.0));
        let reason = reason.unwrap_or_else(|| "the tool reports an error without a description".to_owned());
        // What cannot be read may be another place.
        let is_read = !unread.iter().any(|place| place.starts_with("locations") || place.starts_with("associatedRule"));
        let (locations, rule) = if is_read { (locations.0, associated_rule) } else { Default::default() };
        let failure = Failure { invocation, reason, locations, rule };
        match (self.failures.len() < ERRORS_MAX, self.reach_of(&failure).is_empty()) {
            (true, _) => self.failures.push(failure),
            (false, false) => self.has_more_failures = true,
            (false, true) => self.error(failure.reason),
        }
    }

    /// The reach of a notification: the files of its locations, else its rule; empty if it has neither.
    pub(super) fn reach_of(&self, failure: &Failure) -> Vec<Reach> {
        let path = |location: &RawLocation| location.physical_location.as_ref()?.path(self);
        let paths: Option<Vec<String>> = failure.locations.iter().map(path).collect();
        if let Some(paths) = paths.filter(|paths| !paths.is_empty()) {
            return paths.into_iter().map(Reach::File).collect();
        }
        let rule = self.rule(None, None, &failure.rule).map(|rule| rule.id.clone()).filled();
        rule.or_else(|| failure.rule.id.clone().filled()).map(Reach::Rule).into_iter().collect()
    }

    fn location(&mut self, item: &Item<'_>, what: &str) -> RawArtifactLocation {
        let read = json::partly::<RawArtifactLocation>(item.raw);
        // Null is absent; anything else that is not an object is a location that cannot be read.
        let whole =
            |reason| (RawArtifactLocation::default(), if item.raw.trim() == "null" { vec![] } else { vec![reason] });
        let (location, unread) = read.unwrap_or_else(whole);
        if !unread.is_empty() {
            self.error(format!("of {what} this cannot be read: {}", unread.join(", ")));
        }
        location
    }

    /// The rule that a result refers to: by id, or by index if it has no id.
    pub(super) fn rule(&self, id: Option<&str>, index: Option<i64>, descriptor: &RawDescriptor) -> Option<&Rule> {
        let component = descriptor.tool_component.as_ref().map_or(Some(0), |reference| self.component_at(reference));
        let id = descriptor.id.as_ref().map(|id| id.0.as_str()).or(id);
        let index = descriptor.index.or(index).and_then(|index| usize::try_from(index).ok());
        let at = |component: usize| self.components.get(&component);
        // If index and id disagree, the id counts: several tools write wrong indices.
        if let (Some(component), Some(index)) = (component.and_then(at), index)
            && let Some(rule) = component.rules.get(index)
            && id.is_none_or(|id| rule.has_id(id))
        {
            return Some(rule);
        }
        let guid = descriptor.guid.as_deref();
        let by_guid = guid.and_then(|guid| self.rules().find(|rule| rule.guid.as_deref() == Some(guid)));
        by_guid.or_else(|| id.and_then(|id| self.rule_with_id(id)))
    }

    fn rule_with_id(&self, id: &str) -> Option<&Rule> {
        let with_id =
            |id: &str| self.components.values().find_map(|component| component.rules.get(*component.by_id.get(id)?));
        // A hierarchical id: `CA5350/md5` is a case of `CA5350` (§3.27.7).
        let shorter = std::iter::successors(id.rsplit_once('/'), |(before, _)| before.rsplit_once('/'));
        with_id(id).or_else(|| shorter.map(|(before, _)| before).find_map(with_id))
    }

    /// True if a component of the run has rules.
    pub(super) fn has_rules(&self) -> bool {
        self.rules().next().is_some()
    }

    /// True if a rule of the run has a score, which counts before the level of a result.
    pub(super) fn has_scored_rules(&self) -> bool {
        self.rules().any(|rule| rule.security_severity.is_some() || !rule.cvss.is_empty())
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.components.values().flat_map(|component| &component.rules)
    }

    fn component_at(&self, reference: &RawComponentReference) -> Option<usize> {
        if let Some(index) = reference.index.and_then(|index| usize::try_from(index).ok()) {
            return Some(index + 1);
        }
        let is = |component: &Component| {
            (reference.guid.is_some() && component.guid == reference.guid)
                || (reference.name.is_some() && component.name == reference.name)
        };
        self.components.iter().find(|(_, component)| is(component)).map(|(at, _)| *at)
    }
}

impl Component {
    fn add(&mut self, rule: Rule) {
        self.by_id.entry(rule.id.clone()).or_insert(self.rules.len());
        self.rules.push(rule);
    }
}
