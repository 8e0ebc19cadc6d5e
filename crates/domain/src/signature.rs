//! What an occurrence is recognised by: its path, rule, message and code, normalised and hashed.
//!
//! A signature is an input of the matcher in [`tracking`](crate::tracking), never an identity. Line numbers are not in it.

use crate::digest::Short;
use finding::{Endpoint, Excerpt, Finding, Kind, Location};

/// The most lines of a finding's own code that are compared.
const SNIPPET_LINES_MAX: usize = 10;

/// The hashes by which two scans' occurrences are compared, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Signatures {
    /// Path, message, the code and its neighbouring lines. Absent when the report shows no code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<Short>,
    /// Path and the code itself. Absent when the report shows no code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snippet: Option<Short>,
    /// Path and message: what is left when there is no code.
    pub message: Short,
}

impl Signatures {
    /// The signatures of a finding. The rule is not in them: occurrences are compared within one issue only.
    pub fn of(finding: &Finding) -> Self {
        let place = place_text(finding);
        let code = finding.code.as_ref().and_then(|code| Parts::of(code, finding.location.as_ref()));
        // What is found from outside or in a package is told apart by its place: its message names versions and times.
        let message = match finding.kind {
            Kind::Code | Kind::Secret => finding.message.as_bytes(),
            Kind::Dependency | Kind::License | Kind::Web | Kind::Host | Kind::Infrastructure => b"",
        };
        let path = place.as_bytes();
        Self {
            context: code.as_ref().map(|code| {
                let [before, own, after] = [&code.before, &code.own, &code.after].map(|text| text.as_bytes());
                Short::derive("v1:signature:context", &[path, message, before, own, after])
            }),
            snippet: code.as_ref().map(|code| Short::derive("v1:signature:snippet", &[path, code.own.as_bytes()])),
            message: Short::derive("v1:signature:message", &[path, message]),
        }
    }
}

/// Where a finding is, as it is compared: the file, the address, the resource, the package, whichever it has.
pub fn place_text(finding: &Finding) -> String {
    let file = finding.location.as_ref().map(|location| normal_path(&location.path));
    let endpoint = finding.endpoint.as_ref().map(endpoint_text);
    // In a file or image there may be several packages with one vulnerability; the key has the package's name.
    let parts = [file, endpoint, finding.resource.clone()];
    let text = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match (&finding.package, text.is_empty()) {
        (Some(package), true) => package.name.clone(),
        (Some(_), false) | (None, _) => text,
    }
}

fn endpoint_text(endpoint: &Endpoint) -> String {
    let Endpoint { url, host, port, protocol, method, parameter } = endpoint;
    let port = port.map(|port| port.to_string());
    let network = [host, &port, protocol].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(":");
    let place = url.clone().unwrap_or(network);
    let parts = [method.as_deref(), Some(place.as_str()), parameter.as_deref()];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A path as it is compared: `/` between its parts, no `./` before them.
pub fn normal_path(path: &str) -> String {
    let slashes = path.replace('\\', "/");
    let mut rest = slashes.as_str();
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    rest.to_owned()
}

struct Parts {
    before: String,
    own: String,
    after: String,
}

impl Parts {
    /// Cuts an excerpt into the finding's own lines and one line on either side.
    fn of(code: &Excerpt, location: Option<&Location>) -> Option<Self> {
        let first = location.and_then(|location| location.line).unwrap_or(code.first_line);
        let last = location.and_then(|location| location.end_line).unwrap_or(first).max(first);
        let numbered = || {
            let number = |at| code.first_line.checked_add(u32::try_from(at).ok()?);
            code.lines.iter().enumerate().filter_map(move |(at, line)| Some((number(at)?, line)))
        };
        let own: Vec<&str> = numbered()
            .filter(|(number, _)| (first..=last).contains(number))
            .map(|(_, line)| line.as_str())
            .take(SNIPPET_LINES_MAX)
            .collect();
        let own = normal_code(&own.join("\n"));
        if own.is_empty() {
            return None;
        }
        let line_at = |number: Option<u32>| {
            numbered().find(|(at, _)| Some(*at) == number).map(|(_, line)| normal_code(line)).unwrap_or_default()
        };
        Some(Self { before: line_at(first.checked_sub(1)), own, after: line_at(last.checked_add(1)) })
    }
}

/// Code as it is compared: without white space, with one kind of quote, without a comma before a closing bracket,
/// so that a formatter's work changes nothing.
fn normal_code(code: &str) -> String {
    let mut normal = String::with_capacity(code.len());
    for c in code.chars().filter(|c| !c.is_whitespace()) {
        if matches!(c, ')' | ']' | '}') && normal.ends_with(',') {
            normal.pop();
        }
        normal.push(if c == '\'' { '"' } else { c });
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    #[test]
    fn moving_down_reformatting_and_requoting_change_no_signature() {
        let here = Signatures::of(&finding(0, "B1", "./src/a.py", 10, &["def f():", "  md5('x', y)", "  return"]));
        let moved = Signatures::of(&finding(5, "B1", "src/a.py", 40, &["def f():", "    md5(\"x\", y,)", "return"]));
        assert_eq!(here, moved);
    }

    #[test]
    fn other_code_other_neighbours_and_other_paths_are_told_apart() {
        let here = Signatures::of(&finding(0, "B1", "a.py", 10, &["before", "md5(x)", "after"]));
        let code = Signatures::of(&finding(0, "B1", "a.py", 10, &["before", "md5(y)", "after"]));
        assert!(here.snippet != code.snippet && here.context != code.context && here.message == code.message);
        let neighbour = Signatures::of(&finding(0, "B1", "a.py", 10, &["changed", "md5(x)", "after"]));
        assert!(here.snippet == neighbour.snippet && here.context != neighbour.context);
        let path = Signatures::of(&finding(0, "B1", "b.py", 10, &["before", "md5(x)", "after"]));
        assert!(here.snippet != path.snippet && here.message != path.message);
    }

    #[test]
    fn without_code_only_the_message_is_left() {
        let bare = Signatures::of(&finding(0, "B1", "a.py", 10, &[]));
        assert!(bare.context.is_none() && bare.snippet.is_none());
        let blank = Signatures::of(&finding(0, "B1", "a.py", 10, &["x", "   ", "y"]));
        assert!(blank.context.is_none() && blank.snippet.is_none(), "a blank line is no code to match on");
    }

    #[test]
    fn lines_at_the_end_of_the_number_range_are_no_trap() {
        let last = Signatures::of(&finding(0, "B1", "a.py", u32::MAX, &["a", "b", "c"]));
        assert!(last.snippet.is_some());
    }
}
