//! Kubescape, <https://kubescape.io>: checks Kubernetes clusters and manifests. Reads its JSON report
//! (`kubescape scan --format json --format-version v2`), as versions 2 and 3 write it.
//!
//! A result is a rule of a control on one resource: each of `results[].controls[].rules[]`. A rule that did not pass,
//! of a control that failed, is a finding. If it has an exception (`alertOnly`, or the sub-status `w/exceptions`), it
//! is suppressed. Rules that passed count as passed, those of skipped controls as not applicable. Version 2.0 has no
//! status of a control on a resource; the rule's own status counts there. A control that failed without a rule is a
//! result of its own.
//!
//! The score is the control's `scoreFactor`, from 1 to 10, from which Kubescape derives its own severities (critical
//! from 9, high from 7, medium from 4, low from 1); version 3 also states that severity. 0 means unknown.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use finding::{Finding, Kind, Location};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "kubescape",
    tool: "kubescape",
    name: "Kubescape",
    aliases: &["kubescape-json"],
    versions: "2.0 to 3.0",
    category: "IaC",
    notation: Notation::Json,
    formats: "JSON (`--format json`, format version v2)",
    severities: "the control's score factor from 1 to 10; else critical 9.5, high 8.0, medium 5.5, low 2.0",
    severity_words: &[("critical", 950), ("high", 800), ("medium", 550), ("low", 200)],
    differences: &[("severity", "Kubescape itself makes a score factor of 7 high; others make it medium")],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has("summaryDetails.controls")
        || sniff.has_all(&["results[].controls[].controlID", "results[].resourceID"])
        || sniff.has_all(&["clusterAPIServerInfo", "generationTime"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut index = ReportIndex::of(input, collector)?;
    let seen = json::walk(input, &["results[]", "summaryDetails.controls{}"], &mut |item| {
        if item.path == 1 {
            return Ok(());
        }
        match item.read::<RawResult>() {
            Ok(result) => result.controls.into_iter().flatten().try_for_each(|control| {
                let resource = &result.resource_id.0;
                match control.read::<RawControl>() {
                    Ok(control) => {
                        index.failed.remove(&control.control_id.0);
                        control.results(resource, &index, collector)
                    }
                    Err(reason) => collector.rejected(format!("the control cannot be read: {reason}")),
                }
            }),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    for control in &index.failed {
        collector.rejected(format!("the control {control} failed, but `results` has no result of it"))?;
    }
    seen.require(
        collector,
        &[1],
        "a Kubescape JSON report is an object with `summaryDetails.controls` and the list `results`",
    )
}

/// The parts of the report that results refer to.
#[derive(Default)]
struct ReportIndex {
    /// The controls that failed, by the summary, and have no result so far.
    failed: BTreeSet<String>,
    /// The controls' score factors.
    factors: BTreeMap<String, f64>,
    /// The files of resources.
    files: BTreeMap<String, String>,
}

impl ReportIndex {
    fn of(input: Input<'_>, collector: &mut Collector<'_>) -> Result<Self, ParseError> {
        let mut index = Self::default();
        let paths =
            ["summaryDetails.controls{}", "resources[]", "metadata.scanMetadata.kubescapeVersion", "generationTime"];
        json::walk(input, &paths, &mut |item| {
            match item.path {
                0 => {
                    let summary: RawSummary = item.context("a control of `summaryDetails`", collector);
                    let status = summary.status_info.0.as_ref().map_or(&summary.status, |info| &info.status);
                    if status.is("failed") {
                        index.failed.insert(item.name(0).to_owned());
                    }
                    if let Some(factor) = summary.score_factor.number().or(summary.base_score.number()) {
                        index.factors.insert(item.name(0).to_owned(), factor);
                    }
                }
                1 => {
                    if let Ok(resource) = item.read::<RawResource>()
                        && let Some(path) = resource.path()
                    {
                        index.files.insert(resource.resource_id.0, path);
                    }
                }
                3 => item.ended(collector)?,
                _ => item.read::<Text>().into_iter().for_each(|version| collector.version(version.0)),
            }
            Ok(())
        })?;
        Ok(index)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawSummary {
    status_info: Loose<RawStatus>,
    status: Loose<Text>,
    score_factor: Loose<Number>,
    base_score: Loose<Number>,
}

#[derive(Deserialize)]
struct RawResource {
    #[serde(rename = "resourceID")]
    resource_id: Text,
    source: Loose<RawSource>,
    object: Loose<RawObject>,
}

#[derive(Deserialize)]
struct RawSource {
    #[serde(rename = "relativePath")]
    relative_path: Loose<Text>,
}

#[derive(Deserialize)]
struct RawObject {
    #[serde(rename = "sourcePath")]
    source_path: Loose<Text>,
}

impl RawResource {
    /// The file, without the document's number that Kubescape appends: `nginx.yaml:0`.
    fn path(&self) -> Option<String> {
        let relative = self.source.0.as_ref().and_then(|source| source.relative_path.clone().filled());
        let named = || self.object.0.as_ref().and_then(|object| object.source_path.clone().filled());
        relative.or_else(|| {
            let path = named()?;
            Some(match path.rsplit_once(':') {
                Some((file, document)) if document.bytes().all(|byte| byte.is_ascii_digit()) => file.to_owned(),
                Some(_) | None => path,
            })
        })
    }
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(rename = "resourceID")]
    resource_id: Text,
    controls: Option<Vec<Entry>>,
}

/// A value that is read on its own, so that a wrong shape does not hide its neighbours.
#[derive(Deserialize)]
#[serde(transparent)]
struct Entry(Box<serde_json::value::RawValue>);

impl Entry {
    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        json::parse(self.0.get())
    }
}

#[derive(Deserialize)]
struct RawControl {
    #[serde(rename = "controlID")]
    control_id: Text,
    name: Loose<Text>,
    severity: Loose<Text>,
    status: Loose<RawStatus>,
    #[serde(default)]
    rules: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct RawStatus {
    status: Loose<Text>,
    #[serde(rename = "subStatus")]
    sub_status: Loose<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRule {
    name: Loose<Text>,
    status: Loose<Text>,
    #[serde(rename = "subStatus")]
    sub_status: Loose<Text>,
    exception: Loose<Vec<RawException>>,
    paths: Loose<Vec<RawPath>>,
}

#[derive(Deserialize)]
struct RawException {
    name: Loose<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawPath {
    failed_path: Loose<Text>,
    review_path: Loose<Text>,
    delete_path: Loose<Text>,
    fix_command: Loose<Text>,
    fix_path: Loose<RawFix>,
}

#[derive(Deserialize)]
struct RawFix {
    path: Loose<Text>,
    value: Loose<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Failed,
    Passed,
    Skipped,
}

fn status(written: &Loose<Text>) -> Option<Status> {
    Some(match written.0.as_ref()?.0.to_ascii_lowercase().as_str() {
        "failed" | "warning" | "error" => Status::Failed,
        "passed" | "excluded" => Status::Passed,
        "skipped" | "irrelevant" | "ignored" | "unknown" => Status::Skipped,
        _ => return None,
    })
}

impl RawControl {
    fn status(&self) -> Option<Status> {
        status(&self.status.0.as_ref()?.status)
    }

    fn results(&self, resource: &str, index: &ReportIndex, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        let rules = self.rules.as_deref().unwrap_or_default();
        if rules.is_empty() {
            let sub_status = self.status.0.as_ref().map(|status| status.sub_status.clone()).unwrap_or_default();
            let whole_control = RawRule { sub_status, ..RawRule::default() };
            return self.result(whole_control, resource, index, collector);
        }
        rules.iter().try_for_each(|rule| match rule.read::<RawRule>() {
            Ok(rule) => self.result(rule, resource, index, collector),
            Err(reason) => collector.rejected(format!("a rule of {} cannot be read: {reason}", self.control_id.0)),
        })
    }

    fn result(
        &self,
        rule: RawRule,
        resource: &str,
        index: &ReportIndex,
        collector: &mut Collector<'_>,
    ) -> Result<(), ParseError> {
        let suppressed = rule.suppressed();
        let of_rule = status(&rule.status);
        match (self.status(), of_rule) {
            _ if suppressed.is_some() => {}
            (Some(Status::Failed) | None, Some(Status::Passed)) => return collector.passed(),
            (Some(Status::Passed), _) => return collector.passed(),
            (Some(Status::Skipped), _) | (None, Some(Status::Skipped)) => return collector.not_applicable(),
            (Some(Status::Failed), Some(Status::Failed | Status::Skipped) | None) | (None, Some(Status::Failed)) => {}
            (None, None) => {
                return collector.rejected(format!(
                    "a rule of {} on {resource} has no status, or an unknown one",
                    self.control_id.0
                ));
            }
        }
        collector.finding(self.finding(rule, suppressed, resource, index))
    }

    fn finding(&self, rule: RawRule, suppressed: Option<String>, resource: &str, index: &ReportIndex) -> Finding {
        let id = self.control_id.0.as_str();
        let title = self.name.clone().filled().unwrap_or_else(|| id.to_owned());
        let (paths, fixes) = rule.paths_and_fixes();
        let message =
            if paths.is_empty() { format!("{title}: {resource}") } else { format!("{title}: {}", paths.join(", ")) };
        let file = index.files.get(resource);
        let mut finding = Finding {
            remediation: fixes.join("\n").filled(),
            location: file.map(|path| Location::file(path.clone())),
            resource: Some(resource.to_owned()),
            raw: rule.name.filled().map(|name| ("rule".to_owned(), name)).into_iter().collect(),
            suppressed,
            ..Finding::new(Kind::Infrastructure, id, title, message)
        };
        if let Some(number) = id.strip_prefix("C-").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            finding.references.push(format!("https://hub.armosec.io/docs/c-{number}"));
        }
        let factor = index.factors.get(id).copied().filter(|factor| *factor >= 1.0);
        SCANNER.rating().own(factor).word(self.severity.clone().filled().as_deref()).apply(&mut finding);
        finding
    }
}

impl RawRule {
    /// The exceptions that suppress the rule.
    fn suppressed(&self) -> Option<String> {
        let exceptions = self.exception.0.as_deref().unwrap_or_default();
        let marked = self.sub_status.0.as_ref().is_some_and(|sub_status| sub_status.0 == "w/exceptions");
        if exceptions.is_empty() {
            return marked.then(|| "w/exceptions".to_owned());
        }
        let mut names: Vec<String> =
            exceptions.iter().filter_map(|exception| exception.name.clone().filled()).collect();
        names.dedup();
        Some(if names.is_empty() { "exception".to_owned() } else { format!("exception {}", names.join(", ")) })
    }

    /// The paths in the resource, and the fixes.
    fn paths_and_fixes(&self) -> (Vec<String>, Vec<String>) {
        let (mut paths, mut fixes) = (Vec::new(), Vec::new());
        for path in self.paths.0.as_deref().unwrap_or_default() {
            let fix = path.fix_path.0.as_ref();
            let fixed = fix.and_then(|fix| fix.path.clone().filled());
            let shown = [&path.failed_path, &path.review_path, &path.delete_path];
            let shown = shown.into_iter().find_map(|path| path.clone().filled()).or_else(|| fixed.clone());
            paths.extend(shown.filter(|path| !paths.contains(path)));
            let value = fix.and_then(|fix| fix.value.clone().filled());
            fixes.extend(fixed.map(|path| format!("{path}={}", value.unwrap_or_default())));
            fixes.extend(path.delete_path.clone().filled().map(|path| format!("delete {path}")));
            fixes.extend(path.fix_command.clone().filled());
        }
        (paths, fixes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn report(controls: &str, factor: &str) -> String {
        format!(
            r#"{{"results": [{{"resourceID": "apps/v1/shop/Deployment/web", "controls": [{controls}]}}],
                "resources": [{{"resourceID": "apps/v1/shop/Deployment/web", "object": {{"sourcePath": "web.yaml:0"}}}}],
                "summaryDetails": {{"controls": {{"C-0016": {{"scoreFactor": {factor}}}}}}}}}"#
        )
    }

    fn control(status: &str, rules: &str) -> String {
        format!(r#"{{"controlID": "C-0016", "name": "Allow privilege escalation", {status} "rules": [{rules}]}}"#)
    }

    #[test]
    fn each_rule_is_counted_by_its_status_and_its_controls() {
        let failed = r#""status": {"status": "failed"},"#;
        let excepted = r#"{"status": "failed", "exception": [{"name": "agreed"}]}"#;
        // Findings, suppressed, passed, not applicable, rejected.
        let cases = [
            (failed, r#"{"status": "failed"}"#, (1, 0, 0, 0, 0)),
            (failed, r#"{"status": "passed"}, {"status": "skipped"}"#, (1, 0, 1, 0, 0)),
            (failed, "", (1, 0, 0, 0, 0)),
            (failed, "5", (0, 0, 0, 0, 1)),
            (failed, excepted, (0, 1, 0, 0, 0)),
            ("", r#"{"status": "failed"}, {"status": "passed"}, {"status": "skipped"}"#, (1, 0, 1, 1, 0)),
            ("", excepted, (0, 1, 0, 0, 0)),
            ("", "{}", (0, 0, 0, 0, 1)),
            (r#""status": {"status": "passed"},"#, r#"{"status": "passed"}"#, (0, 0, 1, 0, 0)),
            (
                r#""status": {"status": "passed", "subStatus": "w/exceptions"},"#,
                r#"{"status": "passed", "subStatus": "w/exceptions"}"#,
                (0, 1, 0, 0, 0),
            ),
            (r#""status": {"status": "skipped"},"#, r#"{"status": "skipped"}"#, (0, 0, 0, 1, 0)),
        ];
        for (status, rules, expected) in cases {
            let (_, parsed) = findings(&SCANNER, report(&control(status, rules), "6").as_bytes()).unwrap();
            let summary = parsed.summary;
            let counts =
                (summary.findings, summary.suppressed, summary.passed, summary.not_applicable, summary.rejected);
            assert_eq!(counts, expected, "{status} {rules}");
        }
    }

    #[test]
    fn the_score_is_the_controls_factor_with_kubescapes_own_severities() {
        let cases = [
            ("10", Severity::Critical),
            ("9", Severity::Critical),
            ("8", Severity::High),
            ("7", Severity::High),
            ("6", Severity::Medium),
            ("4", Severity::Medium),
            ("3", Severity::Low),
            ("1", Severity::Low),
            ("0", Severity::Unassigned),
            ("null", Severity::Unassigned),
        ];
        for (factor, severity) in cases {
            let (findings, _) =
                findings(&SCANNER, report(&control("", r#"{"status": "failed"}"#), factor).as_bytes()).unwrap();
            assert_eq!(findings[0].severity(), severity, "{factor}");
        }
        let worded = control(r#""severity": "Medium","#, r#"{"status": "failed"}"#);
        let (findings, _) = findings(&SCANNER, report(&worded, "0").as_bytes()).unwrap();
        assert_eq!(findings[0].severity(), Severity::Medium);
    }

    #[test]
    fn a_finding_has_its_location_and_its_fix() {
        let rule = r#"{"name": "no-escalation", "status": "failed", "paths": [
            {"fixPath": {"path": "spec.containers[0].securityContext.allowPrivilegeEscalation", "value": "false"}},
            {"failedPath": "spec.containers[1]"}]}"#;
        let (findings, _) = findings(&SCANNER, report(&control("", rule), "6").as_bytes()).unwrap();
        let finding = &findings[0];
        assert_eq!(finding.location.as_ref().map(|location| location.path.as_str()), Some("web.yaml"));
        assert_eq!(finding.resource.as_deref(), Some("apps/v1/shop/Deployment/web"));
        assert!(finding.message.ends_with("allowPrivilegeEscalation, spec.containers[1]"), "{}", finding.message);
        assert!(finding.remediation.as_ref().unwrap().ends_with("allowPrivilegeEscalation=false"));
        assert_eq!(finding.references, ["https://hub.armosec.io/docs/c-0016"]);
    }

    #[test]
    fn a_report_without_its_summary_is_refused() {
        let text = br#"{"results": [], "resources": []}"#;
        assert!(failure(&SCANNER, text).contains("`summaryDetails.controls`"));
    }
}
