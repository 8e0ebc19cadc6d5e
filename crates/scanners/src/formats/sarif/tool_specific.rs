//! Rules for the SARIF of single tools. They adapt findings to the tool's own report, so that both formats give the
//! same issues, and the same occurrences if the SARIF has enough data. `tests/pairs` contains both reports of the same
//! runs.
//!
//! Missing in the SARIF of a tool:
//!
//! - Bandit, with the plug-in `bandit-sarif-formatter`: weaknesses; the last line of a call of several lines if an
//!   argument of it is reported.
//! - Checkov: which secrets after the first of a check are equal; the resource of later results of a check, unless it
//!   is Terraform or a Dockerfile; the check's id for a licence.
//! - ESLint: the code. Messages without a rule are notifications.
//! - Semgrep: CRITICAL, which is an error like HIGH; that a rule looks for secrets, unless its id says so.

use super::locations::RawPhysicalLocation;
use super::result::LEVELS;
use super::rule::Rule;
use crate::formats::semgrep::REQUIRES_LOGIN;
use crate::formats::{bandit, checkov, eslint, semgrep};
use crate::reader::text::Filled;
use finding::{Finding, Kind};
use std::collections::BTreeSet;

/// The parts of a result that [`adapt`] needs.
pub(super) struct ResultParts<'r> {
    pub(super) rule: Option<&'r Rule>,
    pub(super) location: Option<&'r RawPhysicalLocation>,
    /// True if the report has `requires login` instead of fingerprints; the tool's own report then has no code either.
    pub(super) withheld: bool,
}

/// The kind of a result, if the tool's rule ids determine it.
pub(super) fn kind(tool: &str, id: &str, rule: Option<&Rule>) -> Option<Kind> {
    match tool {
        "checkov" if id.starts_with("CKV_SECRET_") || resource_in_help(rule).is_some_and(checkov::is_sha1) => {
            Some(Kind::Secret)
        }
        "checkov" if id.contains("_SAST_") => Some(Kind::Code),
        "semgrep" if semgrep::is_secret(id, &[], None) => Some(Kind::Secret),
        _ => None,
    }
}

/// The tool's own word for a severity, if it follows from the level.
pub(super) fn severity_word(tool: &str, kind: Kind, level: &str, rule: Option<&Rule>) -> Option<&'static str> {
    let [error, warning, note] = match tool {
        "bandit" => ["HIGH", "MEDIUM", "LOW"],
        // Even if the rule has a score: Semgrep's own report has the word.
        "semgrep" => ["ERROR", "WARNING", "INFO"],
        // Checkov knows severities only with an account; without one, every failed check is an error. A known severity
        // is in the rule, as the highest score of that severity in Checkov's own table.
        "checkov" if kind != Kind::Dependency => {
            let hundredths = rule.and_then(|rule| rule.security_severity).map(|score| format!("{score:.1}"));
            return Some(match hundredths.as_deref() {
                Some("10.0") => "CRITICAL",
                Some("8.9") => "HIGH",
                Some("6.9") => "MEDIUM",
                Some("3.9") => "LOW",
                Some("0.0") => "INFO",
                Some(_) => return None,
                None => "FAILED",
            });
        }
        _ => return None,
    };
    let words = LEVELS.iter().map(|(level, _)| *level).zip([error, warning, note]);
    words.into_iter().find(|(known, _)| *known == level).map(|(_, word)| word)
}

/// True if [`adapt`] extracts the secret of a result of this tool.
pub(super) fn extracts_secret(tool: &str) -> bool {
    matches!(tool, "checkov" | "semgrep")
}

/// Adapts a finding to the tool's own report. `rules_seen`: rules with an earlier result in the run.
pub(super) fn adapt(tool: &str, finding: &mut Finding, parts: &ResultParts<'_>, rules_seen: &mut BTreeSet<String>) {
    match tool {
        "bandit" => adapt_bandit(finding, parts),
        "checkov" => adapt_checkov(finding, parts, rules_seen),
        "eslint" => adapt_eslint(finding),
        "semgrep" => adapt_semgrep(finding, parts),
        _ => {}
    }
}

/// Rules of Bandit that report the line of an argument instead of the first line of the call.
const ARGUMENT_RULES: [&str; 13] =
    ["B106", "B201", "B501", "B502", "B503", "B504", "B507", "B508", "B509", "B602", "B604", "B605", "B609"];

/// Corrects the lines of Bandit's two SARIF formatters. The code of both begins one line before the reported line and
/// has two lines more than the range, fewer at the end of the file. The built-in formatter reports the first two lines
/// of the range, the plug-in only the reported line.
fn adapt_bandit(finding: &mut Finding, parts: &ResultParts<'_>) {
    bandit::hide_password(finding);
    let Some(location) = finding.location.as_mut() else { return };
    location.column = location.column.and_then(|column| column.checked_sub(1));
    let Some(place) = parts.location.filter(|place| place.has_context()) else { return };
    let (Some(first), Some(code)) = (location.line, &finding.code) else { return };
    let shown = u32::try_from(code.lines.len()).unwrap_or(u32::MAX);
    let last = first.saturating_add(shown.saturating_sub(3));
    if !place.has_end() {
        let begins = !ARGUMENT_RULES.contains(&finding.rule.as_str());
        location.end_line = Some(last).filter(|last| begins && first < *last);
    } else if let Some(second) = location.end_line {
        let last = last.max(second);
        let line = if code.first_line < first.max(2) { first } else { code.first_line.saturating_add(1).min(last) };
        location.line = Some(line);
        location.end_line = Some(last).filter(|last| line < *last);
        finding.statement_line = Some(first).filter(|first| *first < line);
    }
}

fn adapt_eslint(finding: &mut Finding) {
    finding.title.clone_from(&finding.rule);
    let secret = eslint::quoted_secret(&finding.rule, &finding.message).map(str::to_owned);
    if let Some(secret) = secret {
        crate::value::secret::attach(finding, &secret);
    }
}

fn adapt_semgrep(finding: &mut Finding, parts: &ResultParts<'_>) {
    semgrep::title_of(&finding.rule).clone_into(&mut finding.title);
    let tags = parts.rule.map(|rule| rule.tags.as_slice()).unwrap_or_default();
    finding.confidence = tags.iter().find_map(|tag| tag.strip_suffix(" CONFIDENCE")).map(str::to_owned);
    if finding.kind != Kind::Secret {
        return;
    }
    let (start, end) = parts.location.map(RawPhysicalLocation::columns).unwrap_or_default();
    let text = parts.location.and_then(RawPhysicalLocation::region_text).filter(|text| text.trim() != REQUIRES_LOGIN);
    let matched = text.map(|text| semgrep::matched(text, start, end));
    let template = parts.rule.and_then(|rule| rule.full.as_deref()).unwrap_or_default();
    let values = metavariables(template, &finding.message);
    if parts.withheld {
        // The tool's own report has no code, so there the secret is identified by its location only; the same here.
        if finding.location.as_ref().is_some_and(|location| location.end_line.is_none()) {
            semgrep::mask_by_length(finding, start, end);
        }
        let values = values.into_iter().filter(|value| matched.as_ref().is_some_and(|matched| matched.contains(value)));
        semgrep::mask_secret(finding, None, values.collect::<Vec<_>>().into_iter());
        matched.into_iter().for_each(|matched| crate::value::secret::redact(finding, &matched));
    } else {
        semgrep::mask_secret(finding, matched, values.into_iter());
    }
}

/// The texts of a message at the metavariables of its template: `$KEY`.
fn metavariables(template: &str, message: &str) -> Vec<String> {
    let mut pieces = template.split('$');
    let Some(mut rest) = pieces.next().and_then(|first| message.strip_prefix(first)) else { return vec![] };
    let mut values = Vec::new();
    let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    for piece in pieces {
        let literal = piece.trim_start_matches(name);
        let end = if literal.is_empty() { Some(rest.len()) } else { rest.find(literal) };
        let Some((value, after)) = end.and_then(|end| rest.split_at_checked(end)) else { break };
        values.push(value.to_owned());
        rest = after.strip_prefix(literal).unwrap_or(after);
    }
    values
}

fn adapt_checkov(finding: &mut Finding, parts: &ResultParts<'_>, rules_seen: &mut BTreeSet<String>) {
    // In Checkov's own report, paths begin with a slash, which stands for the scanned folder.
    if let Some(location) = finding.location.as_mut().filter(|location| !location.path.starts_with('/')) {
        location.path.insert(0, '/');
    }
    // The rule's help is about the resource of the first result only.
    finding.remediation = None;
    if finding.description.as_ref() == Some(&finding.title) {
        finding.description = None;
    }
    let named = resource_in_help(parts.rule).filled();
    let first = named.is_some() && rules_seen.insert(finding.rule.clone());
    match finding.kind {
        Kind::Secret => {
            finding.code = None;
            finding.message.clone_from(&finding.title);
            finding.secret = named.filter(|_| first).map(checkov::secret_of);
        }
        Kind::Dependency => {
            finding.code = None;
            if let Some(package) = &finding.package {
                let version = package.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
                finding.title = format!("{} in {}", finding.rule, package.name);
                finding.message = format!("{}{version}", finding.title);
            }
        }
        Kind::Code | Kind::License | Kind::Web | Kind::Host | Kind::Infrastructure => {
            let path = finding.location.as_ref().map(|location| location.path.as_str()).unwrap_or_default();
            let text = parts.location.and_then(RawPhysicalLocation::region_text).unwrap_or_default();
            finding.resource = match named {
                Some(named) if first => Some(named.to_owned()),
                named => terraform_resource(text).or_else(|| later_resource(named?, path, text)),
            };
            if let Some(resource) = &finding.resource {
                finding.message = format!("{}: {resource}", finding.title);
            }
            if checkov::is_about_secrets(&finding.rule) {
                finding.code = None;
            }
        }
    }
}

/// The resource in a rule's help, which is that of the rule's first result.
fn resource_in_help(rule: Option<&Rule>) -> Option<&str> {
    rule?.help.as_deref()?.lines().find_map(|line| line.strip_prefix("Resource: ")).map(str::trim)
}

/// Checkov's name for the resource of a Terraform block: `resource "aws_s3_bucket" "notes" {`.
fn terraform_resource(text: &str) -> Option<String> {
    let head = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut words = head.strip_suffix('{')?.split_whitespace();
    let kind = words.next()?;
    let names: Vec<&str> = words.map(|word| word.trim_matches('"')).collect();
    match (kind, names.as_slice()) {
        ("resource" | "data", [kind, name]) => Some(format!("{kind}.{name}")),
        ("module", [name]) => Some((*name).to_owned()),
        ("provider", [name]) => {
            let alias = text.lines().find_map(|line| line.trim().strip_prefix("alias")?.trim().strip_prefix('='));
            Some(format!("{name}.{}", alias.map_or("default", |alias| alias.trim().trim_matches('"'))))
        }
        _ => None,
    }
}

/// The resource of a later result, derived from that of the first: the instruction in another Dockerfile, or the same
/// resource if the code contains its name.
fn later_resource(first: &str, path: &str, text: &str) -> Option<String> {
    let (before, last) = first.rsplit_once('.')?;
    if before.starts_with('/') && text.trim_start().starts_with(last) {
        return Some(format!("{path}.{last}"));
    }
    let names = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    (!last.is_empty() && text.split(names).any(|word| word == last)).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tool: &str, rules: &str, results: &str) -> Vec<Finding> {
        let report = format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "{tool}", "rules": [{rules}]}}}},
                "results": [{results}]}}]}}"#
        );
        crate::tests::findings_as(crate::Expected::Any, report.as_bytes()).unwrap().findings
    }

    fn result(rule: &str, message: &str, uri: &str, region: &str, rest: &str) -> String {
        let message = serde_json::to_string(message).unwrap();
        format!(
            r#"{{"ruleId": "{rule}", "message": {{"text": {message}}}, "locations": [{{"physicalLocation":
                {{"artifactLocation": {{"uri": "{uri}"}}, "region": {region}}}}}] {rest}}}"#
        )
    }

    #[test]
    fn bandits_and_semgreps_levels_stand_for_their_words() {
        for (tool, words) in [
            ("Bandit", ["HIGH", "MEDIUM", "MEDIUM", "LOW"]),
            ("Semgrep OSS", ["ERROR", "WARNING", "WARNING", "INFO"]),
            ("Other", ["error", "warning", "warning", "note"]),
        ] {
            let levels = [r#", "level": "error""#, r#", "level": "warning""#, "", r#", "level": "note""#];
            let results = levels.map(|level| result("R", "m", "a.py", "{}", level)).join(",");
            let rule = r#"{"id": "R"}"#;
            let found: Vec<_> = run(tool, rule, &results).into_iter().filter_map(|one| one.severity_word).collect();
            assert_eq!(found, words, "{tool}");
        }
    }

    #[test]
    fn a_severity_that_checkov_knows_is_in_the_rule_and_without_one_the_word_is_failed() {
        for (score, word) in
            [("10.0", "CRITICAL"), ("8.9", "HIGH"), ("6.9", "MEDIUM"), ("3.9", "LOW"), ("0.0", "INFO"), ("", "FAILED")]
        {
            let rule = format!(r#"{{"id": "CKV_1", "properties": {{"security-severity": "{score}"}}}}"#);
            let found = run("Checkov", &rule, &result("CKV_1", "m", "a.tf", "{}", r#", "level": "error""#));
            assert_eq!(found[0].severity_word.as_deref(), Some(word));
        }
    }

    #[test]
    fn checkovs_rule_has_the_secret_of_its_first_result_and_later_ones_are_identified_by_location() {
        let hash = "25910f981e85ca04baf359199dd0bd4a3ae738b6";
        let rule = format!(r#"{{"id": "CKV_SECRET_2", "help": {{"text": "AWS Access Key\nResource: {hash}"}}}}"#);
        let region = r#"{"startLine": 3, "snippet": {"text": "key = 'AKIAI****'"}}"#;
        let results = ["a.tf", "b.tf"].map(|uri| result("CKV_SECRET_2", "AWS Access Key", uri, region, "")).join(",");
        let [first, second] = run("Checkov", &rule, &results).try_into().unwrap();
        assert_eq!(first.secret, Some(checkov::secret_of(hash)));
        assert_eq!((second.kind, second.secret, second.code), (Kind::Secret, None, None));
    }

    #[test]
    fn code_that_shows_a_secret_is_left_out_of_checkovs_results() {
        let region = r#"{"startLine": 1, "snippet": {"text": "provider \"aws\" {\n  secret_key = \"hunter2\"\n}"}}"#;
        let found = run("Checkov", "", &result("CKV_AWS_41", "m", "/a.tf", region, ""));
        assert_eq!((found[0].code.as_ref(), found[0].resource.as_deref()), (None, Some("aws.default")));
    }

    #[test]
    fn a_vulnerable_package_of_checkov_is_one_of_its_advisory() {
        let rule = r#"{"id": "CVE-2019-19844_django@1.2", "properties": {"security-severity": "9.8"}}"#;
        let found = run("Checkov", rule, &result("CVE-2019-19844_django@1.2", "m", "requirements.txt", "{}", ""));
        let package = found[0].package.as_ref().unwrap();
        assert_eq!((found[0].kind, found[0].rule.as_str()), (Kind::Dependency, "CVE-2019-19844"));
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("django", Some("1.2")));
        assert_eq!(found[0].score.map(|scored| scored.score.hundredths()), Some(980));
    }

    #[test]
    fn a_secret_of_semgrep_is_what_was_matched_and_of_its_place_alone_where_the_tools_own_report_withholds_it() {
        let secret = "ntk_0123456789abcdef";
        let rule = r#"{"id": "python.secrets.token", "fullDescription": {"text": "Token $T with $PART."}}"#;
        let region = format!(
            r#"{{"startLine": 2, "endLine": 2, "startColumn": 5, "endColumn": 27, "snippet": {{"text": "t = '{secret}'"}}}}"#
        );
        let message = format!("Token {secret} with 456789ab.");
        for (print, known) in [("c0ffee", true), (REQUIRES_LOGIN, false)] {
            let rest = format!(r#", "fingerprints": {{"matchBasedId/v1": "{print}"}}"#);
            let found = run("Semgrep OSS", rule, &result("python.secrets.token", &message, "a.py", &region, &rest));
            assert_eq!((found[0].kind, found[0].title.as_str()), (Kind::Secret, "token"));
            assert_eq!(found[0].secret.is_some(), known);
            let stored = serde_json::to_string(&found).unwrap();
            assert!(!stored.contains(secret) && !stored.contains("456789ab"), "{stored}");
        }
    }

    #[test]
    fn values_of_metavariables_are_found_with_the_template() {
        let cases: [(&str, &str, &[&str]); 6] = [
            ("A key: $KEY", "A key: hunter2", &["hunter2"]),
            ("`$A` and `$B_1`!", "`x y` and `z`!", &["x y", "z"]),
            ("$A", "all", &["all"]),
            ("no variable", "no variable", &[]),
            ("$A: other", "nothing like it", &[]),
            ("", "text", &[]),
        ];
        for (template, message, expected) in cases {
            assert_eq!(metavariables(template, message), expected, "{template}");
        }
    }

    #[test]
    fn blocks_of_terraform_are_called_as_checkov_calls_them() {
        let cases = [
            ("resource \"aws_s3_bucket\" \"notes\" {\n}\n", Some("aws_s3_bucket.notes")),
            ("data \"aws_iam_policy_document\" \"all\" {\n}", Some("aws_iam_policy_document.all")),
            ("provider \"aws\" {\n  region = \"x\"\n}\n", Some("aws.default")),
            ("provider \"aws\" {\n  alias = \"east\"\n}\n", Some("aws.east")),
            ("module \"web\" {\n}\n", Some("web")),
            ("FROM python:latest\n", None),
            ("spec: {", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(terraform_resource(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_further_result_has_the_firsts_resource_only_where_its_code_says_so() {
        let cases = [
            ("/Dockerfile.EXPOSE", "/web/Dockerfile", "EXPOSE 22\n", Some("/web/Dockerfile.EXPOSE")),
            ("/Dockerfile.", "/web/Dockerfile", "FROM x\n", Some("/web/Dockerfile.")),
            ("Deployment.default.web", "/a.yaml", "metadata:\n  name: web\n", Some("Deployment.default.web")),
            ("Deployment.default.web", "/a.yaml", "metadata:\n  name: web-2\n", None),
            ("plain", "/a.yaml", "plain", None),
        ];
        for (first, path, text, expected) in cases {
            assert_eq!(later_resource(first, path, text).as_deref(), expected, "{first} {text}");
        }
    }
}
