//! The least criteria of a project on the settings page: one per line, as text.

use crate::form::Form;
use api::Problem;
use api::problem::Code;
use api::v1::{CriteriaBody, CriterionError, SettingsBody};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The hint on least criteria.
const HINT: &str = "One per line, such as fail_on_new_occurrences=high. For some targets, put a pattern (RE2) for their names \
    in front: web|api: fail_on_severity=critical. Names: fail_on_severity, fail_on_new, fail_on_new_occurrences, required_scanners \
    (separated by commas), missing_baseline, new_blind_spots. An upload can be stricter, never looser.";

/// Writes the least criteria as lines.
pub(super) fn to_text(settings: &SettingsBody) -> String {
    let of_targets = settings.target_criteria.iter().map(|(pattern, body)| (format!("{pattern}: "), body));
    let all = settings.criteria.iter().map(|body| (String::new(), body)).chain(of_targets);
    let lines = all.flat_map(|(prefix, body)| {
        let scanners = (!body.required_scanners.is_empty()).then(|| body.required_scanners.join(","));
        let values = [
            ("fail_on_severity", body.fail_on_severity.clone()),
            ("fail_on_new", body.fail_on_new.clone()),
            ("fail_on_new_occurrences", body.fail_on_new_occurrences.clone()),
            ("required_scanners", scanners),
            ("missing_baseline", body.missing_baseline.clone()),
            ("new_blind_spots", body.new_blind_spots.clone()),
        ];
        values.into_iter().filter_map(move |(name, value)| Some(format!("{prefix}{name}={}", value?)))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads the least criteria from lines: those of the project, and those of targets by pattern.
///
/// # Errors
/// A line has another form.
pub(super) fn from_text(text: &str) -> Result<(Option<CriteriaBody>, BTreeMap<String, CriteriaBody>), Problem> {
    let mut of_project = None;
    let mut of_targets: BTreeMap<String, CriteriaBody> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = |what: &str| Problem::new(Code::InvalidBody, format!("least criteria: `{line}`: {what}"));
        let (before, value) = line.rsplit_once('=').ok_or_else(|| wrong("expected `name=value`"))?;
        let (body, name) = match before.rsplit_once(':') {
            Some((pattern, name)) => (of_targets.entry(pattern.trim().to_owned()).or_default(), name),
            None => (of_project.get_or_insert_default(), before),
        };
        body.set(name.trim(), value.trim().to_owned()).map_err(|error| match error {
            CriterionError::Unknown => wrong("the name is unknown"),
            CriterionError::Twice => wrong("it is given twice"),
        })?;
    }
    Ok((of_project, of_targets))
}

/// The section with the field.
pub(super) fn editor(form: &Form) -> Markup {
    html! {
        section class="card stack" aria-labelledby="criteria-title" {
            h2 id="criteria-title" { "Least criteria" }
            (field(form))
        }
    }
}

/// The field itself.
pub(super) fn field(form: &Form) -> Markup {
    html! {
        div class="field" {
            label for="criteria" { "What every upload is judged by" }
            textarea id="criteria" name="criteria" rows="4" spellcheck="false" autocapitalize="none" aria-describedby="criteria-hint" {
                (form.text("criteria"))
            }
            p class="hint" id="criteria-hint" { (HINT) }
        }
    }
}

/// The least criteria for users without the right to change them.
pub(super) fn facts(form: &Form) -> Markup {
    let lines: Vec<_> = form.text("criteria").lines().collect();
    html! {
        section class="card stack" aria-labelledby="criteria-title" {
            h2 id="criteria-title" { "Least criteria" }
            @if lines.is_empty() { p { "None: an upload without thresholds passes." } }
            @else { ul { @for line in lines { li class="break" { bdi { (line) } } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_survive_the_way_through_the_form() {
        let text = "fail_on_severity=critical\nrequired_scanners=bandit,trivy\nweb|api: fail_on_new=high\nweb|api: new_blind_spots=fail";
        let (criteria, target_criteria) = from_text(text).unwrap();
        assert_eq!(criteria.as_ref().unwrap().required_scanners, ["bandit", "trivy"]);
        assert_eq!(target_criteria["web|api"].fail_on_new.as_deref(), Some("high"));
        let settings = SettingsBody { criteria, target_criteria, ..SettingsBody::default() };
        assert_eq!(to_text(&settings), text);
        assert_eq!(from_text(" \n").unwrap(), (None, BTreeMap::new()));
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let error = |text: &str| from_text(text).unwrap_err().detail;
        assert_eq!(error("fail_on_severity"), "least criteria: `fail_on_severity`: expected `name=value`");
        assert_eq!(error("x=high"), "least criteria: `x=high`: the name is unknown");
        let twice = "web: fail_on_new=high\nweb: fail_on_new=low";
        assert_eq!(error(twice), "least criteria: `web: fail_on_new=low`: it is given twice");
    }
}
