//! The locations of results: artifact locations (§3.4), base URIs (§3.14.14), regions (§3.30).

use super::log::{RawArtifactLocation, Run};
use super::rule::RawMessageString;
use crate::reader::json::Number;
use crate::reader::text::Filled;
use finding::{Excerpt, Location};
use serde::Deserialize;

/// The longest chain of base URIs that is followed.
const BASES_MAX: usize = 16;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawLocation {
    pub(super) physical_location: Option<RawPhysicalLocation>,
    pub(super) logical_locations: crate::reader::json::Many<RawLogicalLocation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawPhysicalLocation {
    artifact_location: RawArtifactLocation,
    region: Option<RawRegion>,
    context_region: Option<RawRegion>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawLogicalLocation {
    pub(super) fully_qualified_name: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawRegion {
    start_line: Number,
    end_line: Number,
    start_column: Number,
    end_column: Number,
    snippet: RawMessageString,
}

impl RawPhysicalLocation {
    /// The path of its file, if it names one.
    pub(super) fn path(&self, run: &Run) -> Option<String> {
        path(&self.artifact_location, run)
    }

    /// The location, if it names a file.
    pub(super) fn location(&self, run: &Run) -> Option<Location> {
        let path = path(&self.artifact_location, run)?;
        let region = self.region.as_ref();
        let line = region.and_then(|region| region.start_line.line());
        Some(
            Location::lines(path, line, region.and_then(|region| region.end_line.line()))
                .with_column(region.and_then(|region| region.start_column.line())),
        )
    }

    /// The code of the region, with the context region if the report has its text.
    pub(super) fn code(&self) -> Option<Excerpt> {
        let own = self.region.as_ref()?;
        let line = own.start_line.line()?;
        // In Bandit's reports, the context region can begin inside a region of several lines.
        let last = own.end_line.line().unwrap_or(line).max(line);
        let context =
            self.context_region.as_ref().filter(|region| region.start_line.line().is_some_and(|at| at <= last));
        let (first_line, text) = match context.map(|region| (region.start_line.line(), region.snippet.text.as_deref()))
        {
            Some((Some(first), Some(text))) => (first, text),
            Some(_) | None => (line, own.snippet.text.as_deref()?),
        };
        // A line break at the end does not begin another line; "requires login" is not code.
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let placeholder = lines.len() == 1 && text.trim() == crate::formats::semgrep::REQUIRES_LOGIN;
        (!lines.is_empty() && !placeholder).then_some(Excerpt { first_line, lines })
    }

    /// The columns where the region begins and ends.
    pub(super) fn columns(&self) -> (Option<u32>, Option<u32>) {
        let region = self.region.as_ref();
        let of = |number: fn(&RawRegion) -> Number| region.and_then(|region| number(region).line());
        (of(|region| region.start_column), of(|region| region.end_column))
    }

    /// True if the report has the text of a context region.
    pub(super) fn has_context(&self) -> bool {
        self.context_region.as_ref().is_some_and(|region| region.snippet.text.is_some())
    }

    /// True if the region has an end line.
    pub(super) fn has_end(&self) -> bool {
        self.region.as_ref().is_some_and(|region| region.end_line.line().is_some())
    }

    /// The text of the region itself.
    pub(super) fn region_text(&self) -> Option<&str> {
        self.region.as_ref().and_then(|region| region.snippet.text.as_deref())
    }
}

/// The path of an artifact, relative to the root of the scanned files if the run names that root.
pub(super) fn path(location: &RawArtifactLocation, run: &Run) -> Option<String> {
    let indexed = location.index.and_then(|index| run.artifacts.get(&usize::try_from(index).ok()?));
    let location = match (&location.uri, indexed) {
        (None, Some(indexed)) => indexed,
        (Some(_), _) | (None, None) => location,
    };
    let uri = location.uri.as_deref().map(str::trim).filled()?;
    if let Some(absolute) = file_path(uri) {
        return Some(without_root(&absolute, run));
    }
    let base = base_path(location.uri_base_id.as_deref(), run);
    let relative = if has_scheme(uri) { uri.to_owned() } else { percent_decoded(uri) };
    Some(without_parent_steps(&format!("{base}{relative}")))
}

/// The prefix that a base id adds to a relative path. An absolute base is a root, and paths are relative to it. A base
/// that is not defined means the root of the repository, as tools use it (`%SRCROOT%`).
fn base_path(id: Option<&str>, run: &Run) -> String {
    let mut prefix = String::new();
    let mut next = id;
    for _ in 0..BASES_MAX {
        let Some(base) = next.and_then(|id| run.bases.get(id)) else { break };
        let uri = base.uri.as_deref().map(str::trim).unwrap_or_default();
        if has_scheme(uri) || uri.starts_with('/') {
            break;
        }
        let slash = if uri.is_empty() || uri.ends_with('/') { "" } else { "/" };
        prefix = format!("{}{slash}{prefix}", percent_decoded(uri));
        next = base.uri_base_id.as_deref();
    }
    prefix
}

/// An absolute path without the scanned folder, if the run names it.
fn without_root(absolute: &str, run: &Run) -> String {
    let roots = run.bases.values().filter_map(|base| file_path(base.uri.as_deref()?.trim()));
    let roots = roots.chain(run.folders.iter().cloned()).filter(|root| root.trim_matches('/').len() > 1);
    let inside = |root: String| {
        let root = root.trim_end_matches('/').to_owned();
        absolute.strip_prefix(&root).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned)
    };
    roots.filter_map(inside).min_by_key(String::len).unwrap_or_else(|| absolute.to_owned())
}

/// The path of a `file:` URI.
pub(super) fn file_path(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("file:").or_else(|| uri.strip_prefix("FILE:"))?;
    let path = match rest.strip_prefix("//") {
        // `file://host/path`: the host is not part of the path.
        Some(after) => after.find('/').and_then(|slash| after.get(slash..)).unwrap_or(after),
        None => rest,
    };
    let path = percent_decoded(path);
    // `/C:/code` is `C:/code`.
    let bytes = path.as_bytes();
    let drive = bytes.get(2) == Some(&b':') && bytes.get(1).is_some_and(u8::is_ascii_alphabetic);
    Some(if drive { path.get(1..).unwrap_or_default().to_owned() } else { path })
}

/// True for an absolute URI. Names of images contain colons too, so `:` alone does not count.
fn has_scheme(uri: &str) -> bool {
    uri.starts_with("file:")
        || uri.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|c| c.is_ascii_alphanumeric()))
}

/// A path without percent-encoding, with `/` between its parts. A path that does not decode to UTF-8 is unchanged.
fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = match byte {
            Some(byte) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            None => {
                bytes.push(*first);
                after
            }
        };
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned());
    if text.contains('/') { text } else { text.replace('\\', "/") }
}

/// A path without `..`. Steps above the root are dropped.
fn without_parent_steps(path: &str) -> String {
    if !path.split('/').any(|part| part == "..") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(bases: &[(&str, &str, Option<&str>)]) -> Run {
        let base = |(id, uri, parent): &(&str, &str, Option<&str>)| {
            let location = RawArtifactLocation {
                uri: Some((*uri).to_owned()),
                uri_base_id: parent.map(str::to_owned),
                index: None,
            };
            ((*id).to_owned(), location)
        };
        Run { bases: bases.iter().map(base).collect(), ..Run::default() }
    }

    fn check(run: &Run, uri: &str, base: Option<&str>, expected: &str) {
        let location =
            RawArtifactLocation { uri: Some(uri.to_owned()), uri_base_id: base.map(str::to_owned), index: None };
        assert_eq!(path(&location, run).as_deref(), Some(expected), "{uri} on {base:?}");
    }

    #[test]
    fn paths_are_resolved_against_their_bases() {
        let none = run(&[]);
        check(&none, "src/a.py", Some("%SRCROOT%"), "src/a.py");
        check(&none, "src/a%20b.py", None, "src/a b.py");
        check(&none, "src\\a.py", None, "src/a.py");
        check(&none, "../../path/positive.tf", None, "path/positive.tf");
        check(&none, "src/x/../a.py", None, "src/a.py");
        check(&none, "file:///home/ci/src/a.py", None, "/home/ci/src/a.py");
        check(&none, "file:///C:/code/file1.c", None, "C:/code/file1.c");
        check(&none, "docker.io/library/alpine:3.1", None, "docker.io/library/alpine:3.1");
        check(&none, "https://shop.example/login", None, "https://shop.example/login");
        check(&none, "100%", None, "100%");

        let nested =
            run(&[("ROOT", "file:///build/", None), ("SRC", " src/", Some("ROOT")), ("LIB", "lib", Some("SRC"))]);
        check(&nested, "a.py", Some("ROOT"), "a.py");
        check(&nested, "a.py", Some("SRC"), "src/a.py");
        check(&nested, "a.py", Some("LIB"), "src/lib/a.py");
        check(&nested, "file:///build/src/a.py", None, "src/a.py");
        check(&nested, "file:///workshop/a.py", None, "/workshop/a.py");
    }

    #[test]
    fn bases_that_build_on_one_another_in_a_circle_end() {
        let circle = run(&[("A", "a/", Some("B")), ("B", "b/", Some("A"))]);
        let location =
            RawArtifactLocation { uri: Some("x".to_owned()), uri_base_id: Some("A".to_owned()), index: None };
        assert_eq!(path(&location, &circle).unwrap().matches("a/").count(), BASES_MAX / 2);
    }
}
