//! Dockle, <https://github.com/goodwithtech/dockle>: linter for container images, after the CIS benchmark. Reads its
//! JSON report (`dockle -f json`).
//!
//! A result is one alert of one checkpoint (`details[].alerts[]`), so that a new setuid file is a new occurrence; a
//! checkpoint without alerts is one result. Checkpoints with the level `PASS` are passed, with `SKIP` not applicable,
//! with `IGNORE` (`--ignore`, `.dockleignore`) suppressed.
//!
//! Dockle's levels are `FATAL` ("should be fixed"), `WARN` and `INFO`; their scores lie in the severities that other
//! systems show.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::secret;
use finding::{Finding, Kind, Location};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "dockle",
    tool: "dockle",
    name: "Dockle",
    aliases: &[],
    versions: "0.2 to 0.4",
    category: "Containers",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "FATAL 8.0, WARN 5.5, INFO 2.0",
    severity_words: &[("FATAL", 800), ("WARN", 550), ("INFO", 200)],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["summary.fatal", "details"])
        || sniff.has_all(&["details[].code", "details[].level", "details[].alerts"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut image = None;
    json::walk(input, &["image"], &mut |item| {
        image = item.read::<json::Text>().ok().filled();
        Ok(())
    })?;
    let seen = json::walk(input, &["details~[]", "summary{}"], &mut |item| match item.path {
        0 => match fields::of(&item, |fields| read(fields, image.as_deref())) {
            Ok(alerts) => alerts.into_iter().try_for_each(|alert| match alert {
                Alert::Finding(finding) => collector.finding(*finding),
                Alert::Passed => collector.passed(),
                Alert::Skipped => collector.not_applicable(),
            }),
            Err(reason) => collector.rejected(reason),
        },
        _ => Ok(()),
    })?;
    seen.require(collector, &[0, 1], "a Dockle JSON report is an object with `summary` and the list `details`")
}

enum Alert {
    Finding(Box<Finding>),
    Passed,
    Skipped,
}

fn read(fields: Fields<'_>, image: Option<&str>) -> Result<Vec<Alert>, String> {
    let code = fields.required("code")?;
    let level = fields.text("level").unwrap_or_default();
    let title = fields.text("title").unwrap_or_else(|| code.clone());
    let mut alerts = fields.texts("alerts");
    let is_finding = !["PASS", "SKIP"].contains(&level.to_ascii_uppercase().as_str());
    if is_finding && fields.length("alerts") != Some(alerts.len()) {
        return Err("`alerts` must be a list of strings".to_owned());
    }
    if alerts.is_empty() {
        alerts.push(title.clone());
    }
    let alert = |message: String| match level.to_ascii_uppercase().as_str() {
        "PASS" => Alert::Passed,
        "SKIP" => Alert::Skipped,
        _ => {
            let mut finding = Finding::new(Kind::Infrastructure, code.clone(), title.clone(), message);
            finding.location = file(&finding.message).map(Location::file);
            finding.references = vec![format!(
                "https://github.com/goodwithtech/dockle/blob/master/CHECKPOINT.md#{}",
                code.to_lowercase()
            )];
            finding.suppressed = level.eq_ignore_ascii_case("IGNORE").then(|| format!("level {level}"));
            finding.raw.extend(image.map(|image| ("image".to_owned(), image.to_owned())));
            SCANNER.rating().word(Some(&level)).apply(&mut finding);
            if let Some(value) = secret_value(&finding.message) {
                secret::redact(&mut finding, &value);
            }
            Alert::Finding(Box::new(finding))
        }
    };
    Ok(alerts.into_iter().map(alert).collect())
}

/// The file in the image that an alert names: `setuid file: urwxr-xr-x usr/bin/chfn`.
fn file(alert: &str) -> Option<String> {
    let path = if let Some((_, rest)) = alert.split_once("set") {
        let (_, rest) = rest.split_once("id file: ")?;
        rest.split_whitespace().nth(1)?
    } else {
        let (_, rest) = alert.split_once("uspicious filename found : ")?;
        rest.split(" (You can").next()?
    };
    path.trim().to_owned().filled()
}

/// The value in `Suspicious ENV key found : SMTP_PASSWORD on ENV SMTP_PASSWORD=hunter2`, which newer versions mask.
fn secret_value(alert: &str) -> Option<String> {
    let (_, rest) = alert.split_once("ENV key found : ")?;
    let (key, rest) = rest.split_once(' ')?;
    let (_, value) = rest.split_once(key)?;
    let value = value.strip_prefix(['=', ' '])?.split_whitespace().next()?.trim_matches(['"', '\'']);
    value.chars().any(|c| c != '*').then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn of(details: &str) -> (Vec<Finding>, crate::Parsed) {
        let text = format!(r#"{{"image": "notes:1", "details": [{details}], "summary": {{"fatal": 0}}}}"#);
        findings(&SCANNER, text.as_bytes()).unwrap()
    }

    #[test]
    fn each_alert_is_a_result_at_its_file() {
        let (found, _) = of(
            r#"{"code": "CIS-DI-0008", "title": "Confirm safety of setuid/setgid files", "level": "INFO",
            "alerts": ["setuid file: urwxr-xr-x usr/bin/chfn", "setgid file: grwxr-xr-x usr/bin/wall"]},
            {"code": "CIS-DI-0010", "level": "FATAL", "alerts": ["Suspicious filename found : app/.env (You can suppress it with -af)"]}"#,
        );
        let paths: Vec<_> = found.iter().map(|f| f.location.as_ref().unwrap().path.as_str()).collect();
        assert_eq!(paths, ["usr/bin/chfn", "usr/bin/wall", "app/.env"]);
        assert_eq!(found[0].raw["image"], "notes:1");
    }

    #[test]
    fn levels_become_the_documented_severities_or_counts() {
        let cases = [("FATAL", Severity::High), ("WARN", Severity::Medium), ("INFO", Severity::Low)];
        for (word, severity) in cases {
            assert_eq!(
                of(&format!(r#"{{"code": "a", "level": "{word}", "alerts": []}}"#)).0[0].severity(),
                severity,
                "{word}"
            );
        }
        let (found, parsed) =
            of(r#"{"code": "a", "level": "PASS"}, {"code": "b", "level": "SKIP", "alerts": ["c", "d"]},
            {"code": "e", "level": "IGNORE", "alerts": ["f"]}, {"level": "WARN"}"#);
        let summary = parsed.summary;
        assert_eq!((summary.passed, summary.not_applicable, summary.suppressed, summary.rejected), (1, 2, 1, 1));
        assert_eq!(found[0].suppressed.as_deref(), Some("level IGNORE"));
        // The alerts are the results.
        for alerts in ["null", r#"["a", null]"#, r#""a""#] {
            let (_, parsed) = of(&format!(r#"{{"code": "a", "level": "WARN", "alerts": {alerts}}}"#));
            assert_eq!((parsed.summary.findings, parsed.summary.rejected), (0, 1), "{alerts}");
        }
    }

    #[test]
    fn a_password_in_an_alert_is_masked() {
        let (found, _) = of(r#"{"code": "CIS-DI-0010", "level": "FATAL", "alerts":
            ["Suspicious ENV key found : SMTP_PASSWORD on ENV SMTP_PASSWORD=hunter2hunter2 in it"]}"#);
        assert_eq!(found[0].message, "Suspicious ENV key found : SMTP_PASSWORD on ENV SMTP_PASSWORD=hun**** in it");
    }

    #[test]
    fn a_summary_or_details_alone_are_no_evidence() {
        for other in [r#"{"details": []}"#, r#"{"summary": {}}"#] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of Dockle"), "{other}");
        }
    }
}
