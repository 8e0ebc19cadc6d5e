//! The sections of the static analysis' report.

use super::{RawMetadata, SCANNER};
use crate::reader::json::{self, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::value::secret;
use finding::{Endpoint, Finding, Kind, Location};
use serde_json::{Map, Value};

/// The sections that contain results. They come first in the list of paths, so their indices are the same there.
const SECTIONS: [&str; 21] = [
    "code_analysis",
    "findings",
    "manifest_analysis",
    "manifest",
    "network_security",
    "ats_analysis",
    "certificate_analysis",
    "firebase_analysis",
    "binary_analysis",
    "macho_analysis",
    "dylib_analysis",
    "framework_analysis",
    "permissions",
    "android_api",
    "ios_api",
    "file_analysis",
    "secrets",
    "firebase_urls",
    "trackers",
    "domains",
    "insecure_connections",
];

type Collected = Result<(), ParseError>;

/// Parses a report; `before` is the path of each report in a list of them.
pub(super) fn parse(input: Input<'_>, before: &str, collector: &mut Collector<'_>) -> Collected {
    const VERSION: &str = "version";
    const MADE: &str = "timestamp";
    let names: Vec<&str> = SECTIONS.into_iter().chain(["md5", "file_name", VERSION, MADE]).collect();
    // An unknown part with rated entries is a section of a newer version.
    let unknown = format!("??{}:appsec", before.trim_end_matches('.'));
    let paths = names.iter().map(|name| format!("{before}{name}"));
    let paths: Vec<String> = paths.chain([unknown]).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (mut sections, mut identified) = (0_u64, false);
    let seen = json::walk(input, &paths, &mut |item| {
        let Some(section) = SECTIONS.get(item.path) else {
            if names.get(item.path) == Some(&MADE) {
                return item.ended(collector);
            }
            let is_version = names.get(item.path) == Some(&VERSION);
            identified |= !is_version;
            if let (true, Ok(version)) = (is_version, item.read::<String>()) {
                collector.version(version);
            }
            return Ok(());
        };
        sections += 1;
        match item.read::<Value>() {
            Ok(value) => collect_section(section, value, collector),
            Err(reason) => collector.rejected(format!("{section}: {reason}")),
        }
    })?;
    seen.report_missing(collector);
    collector.require(
        sections > 0 && identified,
        "a report of MobSF has `md5` or `file_name` and sections like `code_analysis`",
    )
}

fn collect_section(section: &str, value: Value, collector: &mut Collector<'_>) -> Collected {
    let value = match unwrapped(value) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        // An analysis that was not done, or a text in place of the entries of one without results.
        Ok(Value::Null) => return Ok(()),
        Ok(Value::String(text)) if text.trim().is_empty() => return Ok(()),
        Ok(other @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
            return collector
                .rejected(format!("{section}: expected an object or a list, found {}", json::type_of(&other)));
        }
        Err(reason) => return collector.rejected(format!("{section}: {reason}")),
    };
    match section {
        "code_analysis" | "findings" => entries(value).try_for_each(|(rule, value)| code(&rule, value, collector)),
        "android_api" | "ios_api" => entries(value).try_for_each(|(rule, value)| api(&rule, value, collector)),
        "binary_analysis" | "macho_analysis" | "dylib_analysis" | "framework_analysis" => {
            binary(section, value, collector)
        }
        "permissions" => entries(value).try_for_each(|(name, value)| permission(&name, &value, collector)),
        "file_analysis" => entries(value).try_for_each(|(_, value)| files(&value, collector)),
        "secrets" => entries(value).try_for_each(|(_, value)| secret_entry(&value, collector)),
        "firebase_urls" => entries(value).try_for_each(|(_, value)| firebase(&value, collector)),
        "trackers" => entries(value).try_for_each(|(_, value)| tracker(&value, collector)),
        "domains" => entries(value).try_for_each(|(name, value)| domain(&name, &value, collector)),
        "insecure_connections" => entries(value).try_for_each(|(_, value)| connection(&value, collector)),
        _ => entries(value).try_for_each(|(_, value)| entry(section, &value, collector)),
    }
}

/// The findings of a section. Newer versions put them into an object together with a summary.
///
/// # Errors
/// The object has a summary without the findings that it summarises.
fn unwrapped(value: Value) -> Result<Value, String> {
    const NAMES: [&str; 7] = [
        "findings",
        "manifest_findings",
        "network_findings",
        "ats_findings",
        "certificate_findings",
        "firebase_findings",
        "trackers",
    ];
    let Value::Object(mut fields) = value else { return Ok(value) };
    if let Some(name) = NAMES.into_iter().find(|name| fields.contains_key(*name)) {
        return match fields.remove(name) {
            Some(list @ (Value::Object(_) | Value::Array(_))) => Ok(list),
            Some(other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                Err(format!("expected a list in `{name}`, found {}", json::type_of(&other)))
            }
            None => Ok(Value::Null),
        };
    }
    // Only counts, or a certificate that MobSF could not read.
    const SUMMARIES: [&str; 4] = ["total_trackers", "detected_trackers", "certificate_info", "certificate_status"];
    if !SUMMARIES.iter().any(|name| fields.contains_key(*name)) {
        return Ok(Value::Object(fields));
    }
    match fields.iter().find(|(_, value)| value.as_array().is_some_and(|list| !list.is_empty())) {
        Some((name, _)) => Err(format!("the list `{name}` is unknown")),
        None => Ok(Value::Null),
    }
}

/// The entries of a list or an object, with their names; a list's entries have empty names.
fn entries(value: Value) -> Box<dyn Iterator<Item = (String, Value)>> {
    match value {
        Value::Object(fields) => Box::new(fields.into_iter()),
        Value::Array(list) => Box::new(list.into_iter().map(|value| (String::new(), value))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}

fn text<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| value.get(name)?.as_str()).map(str::trim).filter(|text| !text.is_empty())
}

fn is_good(word: Option<&str>) -> bool {
    word.is_some_and(|word| ["good", "secure"].iter().any(|good| word.eq_ignore_ascii_case(good)))
}

/// Collects a rule with its files and their lines, or (before version 1) a title with files.
fn code(rule: &str, value: Value, collector: &mut Collector<'_>) -> Collected {
    let metadata = value.get("metadata").unwrap_or(&value).clone();
    if !value.is_array()
        && text(&metadata, &["severity", "level", "description"]).is_none()
        && value.get("path").is_none()
    {
        return collector.rejected(format!("{rule}: `metadata` has neither a severity nor a description"));
    }
    let level = text(&metadata, &["severity", "level"]).map(str::to_owned);
    let description = text(&metadata, &["description"]).map(str::to_owned);
    let metadata = match json::from_value::<RawMetadata>(metadata) {
        Ok(metadata) => RawMetadata { severity: level, description, ..metadata },
        Err(error) => return collector.rejected(format!("{rule}: {error}")),
    };
    if is_good(metadata.severity.as_deref()) {
        return collector.passed();
    }
    let finding = metadata.finding(Kind::Code, rule, SCANNER.severity_words);
    let files = value.get("files").or(value.get("path"));
    if value.get("metadata").is_some() && !files.is_some_and(|files| files.is_object() || files.is_array()) {
        return collector.rejected(format!("{rule}: `files` is missing"));
    }
    let lists_files = |file: &Value| file.is_string() || text(file, &["file_path"]).is_some();
    if files.and_then(Value::as_array).is_some_and(|files| !files.iter().all(lists_files)) {
        return collector.rejected(format!("{rule}: an entry of `files` has no path"));
    }
    let matches = files_and_lines(files);
    if matches.is_empty() {
        return collector.finding(finding);
    }
    matches.into_iter().try_for_each(|(path, lines)| {
        let mut finding = finding.clone();
        let at = |line: Option<u32>| Location::lines(path.clone(), line, None);
        finding.location = Some(at(lines.first().copied()));
        finding.other_locations = lines.into_iter().skip(1).map(|line| at(Some(line))).collect();
        collector.finding(finding)
    })
}

/// Files with their lines, sorted and without duplicates: `{"a.java": "20,3"}`, `["a.java"]` or a list of matches.
fn files_and_lines(files: Option<&Value>) -> Vec<(String, Vec<u32>)> {
    let lines = |value: &Value| {
        let text = json::from_value::<Text>(value.clone()).unwrap_or_default().0;
        let mut lines: Vec<u32> = text.split(',').filter_map(|line| line.trim().parse().ok()).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    match files {
        Some(Value::Object(files)) => files.iter().map(|(path, value)| (path.clone(), lines(value))).collect(),
        Some(Value::Array(files)) => {
            let place = |file: &Value| {
                let path = file.as_str().or(text(file, &["file_path"]))?.to_owned();
                let first =
                    file.pointer("/match_lines/0").and_then(Value::as_u64).and_then(|line| line.try_into().ok());
                Some((path, first.into_iter().collect()))
            };
            files.iter().filter_map(place).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

fn api(rule: &str, value: Value, collector: &mut Collector<'_>) -> Collected {
    let word = value.get("metadata").and_then(|metadata| text(metadata, &["severity"]));
    match word.is_none_or(|word| word.eq_ignore_ascii_case("info")) {
        true => collector.not_applicable(),
        false => code(rule, value, collector),
    }
}

/// Collects an object with title, severity and description. An entry about a certificate is a list of these texts.
fn entry(section: &str, value: &Value, collector: &mut Collector<'_>) -> Collected {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let parts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    if parts.len() < list.len() {
        return collector.rejected(format!("expected only strings in an entry of `{section}`"));
    }
    let (word, title, message) = match parts.as_slice() {
        [word, message, title, ..] => (Some(*word), Some(*title), Some(*message)),
        [word, message] => (Some(*word), Some(*message), None),
        _ => {
            let message = text(value, &["description", "desc", "detailed_desc"]);
            let title = text(value, &["title", "issue", "name"]).or(message);
            (text(value, &["severity", "stat", "status"]), title, message)
        }
    };
    let Some(title) = title else {
        return collector.rejected(format!("the title is missing in an entry of `{section}`"));
    };
    if is_good(word) {
        return collector.passed();
    }
    let rule =
        text(value, &["rule"]).map_or_else(|| rule_from_title(section, title), |rule| format!("{section}/{rule}"));
    let (title, message) = (plain(title), message.map(plain));
    let message = message.unwrap_or_else(|| title.clone());
    let resource = ["component", "scope"].into_iter().find_map(|name| value.get(name)).map(listed);
    let mut finding =
        Finding { resource: resource.filled(), ..Finding::new(Kind::Infrastructure, rule, title, message) };
    SCANNER.rating().word(word).apply(&mut finding);
    collector.finding(finding)
}

fn listed(value: &Value) -> String {
    let parts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    parts.iter().filter_map(Value::as_str).map(plain).collect::<Vec<_>>().join(" ")
}

/// Collects checks of binaries, in three forms: by title, by binary, or as a list of checks with their status.
fn binary(section: &str, value: Value, collector: &mut Collector<'_>) -> Collected {
    match value {
        Value::Array(list) => list.iter().try_for_each(|binary| match binary.as_object() {
            Some(checks) if text(binary, &["issue", "title"]).is_none() => {
                checks_of(section, text(binary, &["name"]), checks, collector)
            }
            Some(_) | None => entry(section, binary, collector),
        }),
        Value::Object(checks) => {
            let name = checks.get("name").and_then(Value::as_str).map(str::to_owned);
            checks_of(section, name.as_deref(), &checks, collector)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn checks_of(
    section: &str,
    name: Option<&str>,
    checks: &Map<String, Value>,
    collector: &mut Collector<'_>,
) -> Collected {
    /// Fields of a binary that are not checks.
    const FACTS: [&str; 6] = ["name", "path", "arch", "type", "bits", "endian"];
    let all = checks.iter().filter(|(name, _)| !FACTS.contains(&name.as_str()));
    all.into_iter().try_for_each(|(rule, check)| {
        let word = text(check, &["severity", "status"]);
        if word.is_none() {
            return collector.rejected(format!("{section}: the severity of `{rule}` is missing"));
        }
        // For checks of a named binary, `info` means that the protection exists.
        if is_good(word) || name.is_some() && word.is_some_and(|word| word.eq_ignore_ascii_case("info")) {
            return collector.passed();
        }
        let mut metadata = json::from_value::<RawMetadata>(check.clone()).unwrap_or_default();
        metadata.severity = word.map(str::to_owned);
        metadata.description = text(check, &["detailed_desc", "description"]).map(str::to_owned);
        let mut finding = metadata.finding(Kind::Code, &format!("{section}/{rule}"), SCANNER.severity_words);
        finding.title.clone_from(rule);
        finding.location = name.map(Location::file);
        collector.finding(finding)
    })
}

fn permission(name: &str, value: &Value, collector: &mut Collector<'_>) -> Collected {
    let name = if name.is_empty() { text(value, &["name"]).unwrap_or("permission") } else { name };
    let status = text(value, &["status"]);
    if status.is_none() {
        return collector.rejected(format!("the status of the permission `{name}` is missing"));
    }
    if !status.is_some_and(|status| ["dangerous", "unknown"].contains(&status.to_ascii_lowercase().as_str())) {
        return collector.not_applicable();
    }
    let message = text(value, &["description", "info"]).unwrap_or(name);
    let mut finding = Finding {
        resource: Some(name.to_owned()),
        ..Finding::new(Kind::Infrastructure, format!("permissions/{name}"), name, message)
    };
    SCANNER.rating().word(status).apply(&mut finding);
    collector.finding(finding)
}

fn files(value: &Value, collector: &mut Collector<'_>) -> Collected {
    let Some(title) = text(value, &["finding"]) else {
        // A list of files of a kind.
        return match text(value, &["type", "issue"]) {
            Some(_) => collector.not_applicable(),
            None => collector.rejected("the title is missing in an entry of `file_analysis`".to_owned()),
        };
    };
    if !value.get("files").is_some_and(|files| files.is_array() || files.is_object()) {
        return collector.rejected(format!("file_analysis: the list `files` of `{title}` is missing"));
    }
    entries(value.get("files").cloned().unwrap_or_default()).try_for_each(|(_, file)| {
        let path = file.as_str().or(text(&file, &["file_path"])).unwrap_or_default();
        let mut finding = Finding {
            location: Some(Location::file(path)),
            ..Finding::new(Kind::Code, rule_from_title("file_analysis", title), plain(title), plain(title))
        };
        // MobSF's own summary rates such files as hotspots.
        SCANNER.rating().word(Some("hotspot")).apply(&mut finding);
        collector.finding(finding)
    })
}

/// Collects a secret: `"name" : "value"`, or only the value.
fn secret_entry(value: &Value, collector: &mut Collector<'_>) -> Collected {
    let Some(whole) = value.as_str().or(text(value, &["secret", "value"])) else {
        return collector.rejected("expected a string in `secrets`".to_owned());
    };
    let (name, secret) = match whole.split_once("\" : \"") {
        Some((name, secret)) => (Some(name.trim_matches('"')), secret.trim_matches('"')),
        None => (None, whole),
    };
    let message = name.map_or_else(|| "Possible secret".to_owned(), |name| format!("Possible secret: {name}"));
    let mut finding = Finding::new(Kind::Secret, "secrets", "This app may contain hardcoded secrets", message);
    // The severity in MobSF's own summary.
    SCANNER.rating().word(Some("warning")).apply(&mut finding);
    secret::attach(&mut finding, secret);
    collector.finding(finding)
}

fn firebase(value: &Value, collector: &mut Collector<'_>) -> Collected {
    let url = value.as_str().or(text(value, &["url"])).unwrap_or_default();
    if value.get("open").and_then(Value::as_bool) != Some(true) {
        return collector.not_applicable();
    }
    let mut finding = Finding {
        endpoint: Some(Endpoint { url: Some(url.to_owned()), ..Endpoint::default() }),
        ..Finding::new(
            Kind::Web,
            "firebase_urls",
            "Firebase DB is exposed publicly",
            format!("{url} is open to everyone"),
        )
    };
    SCANNER.rating().word(Some("high")).apply(&mut finding);
    collector.finding(finding)
}

fn tracker(value: &Value, collector: &mut Collector<'_>) -> Collected {
    let name = text(value, &["name"]).unwrap_or("tracker");
    let message = text(value, &["categories"]).map_or_else(|| name.to_owned(), |kinds| format!("{name}: {kinds}"));
    let mut finding = Finding {
        references: text(value, &["url"]).map(str::to_owned).into_iter().collect(),
        ..Finding::new(Kind::Infrastructure, format!("trackers/{name}"), format!("Tracker {name}"), message)
    };
    SCANNER.rating().word(Some("warning")).apply(&mut finding);
    collector.finding(finding)
}

fn domain(name: &str, value: &Value, collector: &mut Collector<'_>) -> Collected {
    let bad = text(value, &["bad"]).is_some_and(|word| word.eq_ignore_ascii_case("yes"));
    let sanctioned = value.get("ofac").and_then(Value::as_bool) == Some(true);
    let (rule, title, word) = match (bad, sanctioned) {
        (true, _) => ("domains/bad", "Malicious domain", "high"),
        (false, true) => ("domains/ofac", "Domain in a sanctioned country", "hotspot"),
        (false, false) => return Ok(()),
    };
    let mut finding = Finding {
        endpoint: Some(Endpoint { host: Some(name.to_owned()), ..Endpoint::default() }),
        ..Finding::new(Kind::Web, rule, title, format!("{title}: {name}"))
    };
    SCANNER.rating().word(Some(word)).apply(&mut finding);
    collector.finding(finding)
}

fn connection(value: &Value, collector: &mut Collector<'_>) -> Collected {
    let url = value.as_str().unwrap_or_default();
    let mut finding = Finding {
        endpoint: Some(Endpoint { url: Some(url.to_owned()), ..Endpoint::default() }),
        ..Finding::new(Kind::Web, "insecure_connections", "Insecure connection", url)
    };
    SCANNER.rating().word(Some("warning")).apply(&mut finding);
    collector.finding(finding)
}

/// A text without HTML tags, which MobSF writes for its web pages.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        plain.push_str(before);
        let name = tag.trim_start_matches(['<', '/']);
        let is_tag = ["br", "strong", "b>", "p>", "a ", "a>", "ul", "li"].iter().any(|known| name.starts_with(known));
        match tag.find('>').filter(|_| is_tag) {
            Some(end) => {
                plain.push(' ');
                rest = tag.get(end + 1..).unwrap_or_default();
            }
            None => {
                plain.push('<');
                rest = tag.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A rule for a finding that has only a title: the title without brackets and numbers, which vary by app.
pub(super) fn rule_from_title(section: &str, title: &str) -> String {
    let mut depth = 0_usize;
    let outside = plain(title).chars().fold(String::new(), |mut kept, c| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
        kept
    });
    let words = outside.split_whitespace().filter(|word| !word.chars().all(|c| c.is_ascii_digit()));
    let words = words.collect::<Vec<_>>().join(" ");
    if section.is_empty() { words } else { format!("{section}/{words}") }
}
