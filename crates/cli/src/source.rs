//! The sidecar of an upload: code of the working tree for a report's findings, so that they still match when they move.
//! `docs/source.md` describes it, and what is never sent.

mod git;
mod locations;
mod tree;

use std::path::Path;

use anyhow::{Context as _, Result};
use api::v1::{SOURCE_VERSION, SourceHead, SourceRow};
use domain::source::{CheckoutRoot, Revision};
use finding::Excerpt;
use finding::limits::SOURCE_BYTES_MAX;

use crate::body::ReportBody;
use crate::terminal;
use locations::{FindingLocation, Locations};
use tree::{Text, Tree};

/// The number of shown characters of a commit's id.
const COMMIT_CHARACTERS: usize = 7;

/// The source of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeSource<'a> {
    /// No code.
    None,
    /// This folder.
    Folder(&'a Path),
    /// The current folder, if it is in a git checkout with a file of the report.
    CurrentFolder,
}

/// A sidecar and its summary.
#[derive(Debug)]
pub(crate) struct Sidecar {
    /// JSON lines.
    pub(crate) lines: Vec<u8>,
    /// The summary for people.
    pub(crate) summary: String,
}

/// Builds the sidecar of a report, if it has any row.
///
/// # Errors
/// The named folder does not exist, or the report can't be read from disk. A report that can't be parsed is not an
/// error: the server says what is wrong with it.
pub(crate) fn sidecar(source: CodeSource<'_>, report: &ReportBody, scanner: &str) -> Result<Option<Sidecar>> {
    let (folder, named) = match source {
        CodeSource::None => return Ok(None),
        CodeSource::Folder(folder) => (folder, true),
        CodeSource::CurrentFolder => (Path::new("."), false),
    };
    let tree = match Tree::open(folder) {
        Ok(tree) => tree,
        Err(_) if !named => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot use the source folder {}", folder.display())),
    };
    if !named && !tree.is_checkout() {
        return Ok(None);
    }
    let (file, gzip) = report.original();
    let Ok(locations) = locations::of(file, gzip, scanner) else { return Ok(None) };
    if !named && !locations.keys().any(|path| tree.find(path).is_some()) {
        return Ok(None);
    }
    let revision = git::revision(tree.root(), |name| std::env::var(name).ok());
    collected(&tree, &locations, revision, SOURCE_BYTES_MAX, &folder.display().to_string()).map(Some)
}

/// Reads each file once and writes a row for each finding, in at most `bytes_max` bytes.
fn collected(tree: &Tree, locations: &Locations, revision: Revision, bytes_max: u64, folder: &str) -> Result<Sidecar> {
    let from = revision_text(&revision);
    // Without a root paths stay as they are: one that is not UTF-8 or too long is not worth a failed upload.
    let root = tree.checkout_root().to_str().map(str::to_owned).and_then(|root| CheckoutRoot::try_from(root).ok());
    let mut head = serde_json::to_string(&SourceHead { v: SOURCE_VERSION, git: revision, root })?;
    head.push('\n');
    let mut rows = Rows { left: bytes_max.saturating_sub(length(&head)), ..Rows::default() };
    // Code is worth more than hashes: hashes leave half of the space to it.
    rows.left_for_hashes = rows.left / 2;
    for (path, locations) in locations {
        let Some(text) = tree.find(path).and_then(|file| tree.read(&file)) else { continue };
        let lines = text.lines();
        for location in locations {
            rows.push(path, location, &text, &lines)?;
        }
    }
    let Rows { mut rows, with_code, left_out, .. } = rows;
    rows.sort_unstable_by_key(|(result, _)| *result);
    let lines = std::iter::once(head).chain(rows.into_iter().map(|(_, row)| row)).collect::<String>().into_bytes();
    let code = terminal::count(with_code, "finding");
    let left_out = match left_out {
        0 => String::new(),
        more => format!("; {more} more did not fit"),
    };
    let summary = terminal::plain(&format!("source: code of {code} from {folder}{from}{left_out}"));
    Ok(Sidecar { lines, summary })
}

/// `, commit abc1234 (main)`, or the known part of it.
fn revision_text(revision: &Revision) -> String {
    let commit =
        revision.commit.as_ref().map(|commit| commit.as_str().chars().take(COMMIT_CHARACTERS).collect::<String>());
    match (commit, &revision.branch) {
        (Some(commit), Some(branch)) => format!(", commit {commit} ({branch})"),
        (Some(commit), None) => format!(", commit {commit}"),
        (None, Some(branch)) => format!(", branch {branch}"),
        (None, None) => String::new(),
    }
}

/// The rows so far, file by file.
#[derive(Default)]
struct Rows {
    rows: Vec<(u32, String)>,
    left: u64,
    left_for_hashes: u64,
    with_code: u64,
    left_out: u64,
}

impl Rows {
    fn push(&mut self, path: &str, location: &FindingLocation, text: &Text, lines: &[&str]) -> Result<()> {
        let code = location
            .line
            .filter(|_| location.wants_code)
            .and_then(|line| tree::excerpt(lines, line, location.end_line));
        let row = row(path, location, &text.sha256, code.clone())?;
        if self.fits(&row, code.is_some()) {
            self.with_code += u64::from(code.is_some());
            self.rows.push((location.result, row));
            return Ok(());
        }
        self.left_out += u64::from(code.is_some());
        Ok(())
    }

    /// Reserves the space for a row, if there is any.
    fn fits(&mut self, row: &str, has_code: bool) -> bool {
        let bytes = length(row);
        let room = if has_code { self.left } else { self.left.min(self.left_for_hashes) };
        if room < bytes {
            return false;
        }
        self.left -= bytes;
        self.left_for_hashes = self.left_for_hashes.saturating_sub(if has_code { 0 } else { bytes });
        true
    }
}

fn row(path: &str, location: &FindingLocation, sha256: &str, code: Option<Excerpt>) -> Result<String> {
    let (first_line, lines) = code.map(|code| (code.first_line, code.lines)).unzip();
    let row = SourceRow {
        result: location.result,
        path: path.to_owned(),
        line: location.line,
        sha256: sha256.to_owned(),
        first_line,
        lines: lines.unwrap_or_default(),
    };
    Ok(serde_json::to_string(&row)? + "\n")
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn location(result: u32, line: u32, wants_code: bool) -> FindingLocation {
        FindingLocation { result, line: Some(line), end_line: None, wants_code }
    }

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let tree = Tree::open(folder.path()).unwrap();
        (folder, tree)
    }

    fn made(tree: &Tree, locations: &Locations, bytes_max: u64) -> (Vec<SourceRow>, String, usize) {
        let revision = Revision { branch: "main".parse().ok(), ..Revision::default() };
        let Sidecar { lines, summary } = collected(tree, locations, revision, bytes_max, ".").unwrap();
        let size = lines.len();
        let text = String::from_utf8(lines).unwrap();
        let mut lines = text.lines();
        assert_eq!(SourceHead::read(lines.next().unwrap().as_bytes()).unwrap().v, SOURCE_VERSION);
        (lines.map(|line| SourceRow::read(line.as_bytes()).unwrap()).collect(), summary, size)
    }

    #[test]
    fn rows_are_in_the_reports_order_and_have_code_where_needed() {
        let (_folder, tree) = folder(&[("a.py", "1\n2\n3\n4\n"), ("b.py", "x\ny\n")]);
        let locations = Locations::from([
            ("b.py".to_owned(), vec![location(0, 2, true), location(3, 1, false)]),
            ("a.py".to_owned(), vec![location(1, 3, true), location(2, 99, true)]),
            ("gone.py".to_owned(), vec![location(4, 1, true)]),
        ]);
        let (rows, summary, _) = made(&tree, &locations, SOURCE_BYTES_MAX);
        let seen: Vec<_> = rows.iter().map(|row| (row.result, row.path.as_str(), row.lines.concat())).collect();
        assert_eq!(
            seen,
            [
                (0, "b.py", "xy".to_owned()),
                (1, "a.py", "234".to_owned()),
                (2, "a.py", String::new()),
                (3, "b.py", String::new())
            ]
        );
        assert_eq!(rows[1].sha256, rows[2].sha256);
        assert_eq!(summary, "source: code of 2 findings from ., branch main");
    }

    #[test]
    fn a_sidecar_never_grows_beyond_its_limit_and_hashes_leave_room_for_code() {
        let (_folder, tree) = folder(&[("a.py", "1\n2\n3\n"), ("b.py", "x\ny\n")]);
        let many =
            |wants_code: bool, from: u32| (from..from + 50).map(|n| location(n, 2, wants_code)).collect::<Vec<_>>();
        let locations = Locations::from([("a.py".to_owned(), many(false, 0)), ("b.py".to_owned(), many(true, 50))]);
        for bytes_max in [0, 100, 5000, 9000] {
            let (rows, summary, size) = made(&tree, &locations, bytes_max);
            let head = 64 + tree.checkout_root().as_os_str().len();
            assert!(size <= head.max(usize::try_from(bytes_max).unwrap()), "{size} of {bytes_max}");
            let with_code = rows.iter().filter(|row| !row.lines.is_empty()).count();
            assert!(bytes_max < 5000 || 0 < with_code, "{bytes_max}");
            assert!(summary.ends_with(&format!("{} more did not fit", 50 - with_code)), "{summary}");
        }
        assert_eq!(made(&tree, &locations, SOURCE_BYTES_MAX).0.len(), 100);
    }

    #[test]
    fn a_summary_has_the_known_parts_of_a_revision() {
        let of = |commit: &str, branch: &str| {
            revision_text(&Revision { commit: commit.parse().ok(), branch: branch.parse().ok(), remote: None })
        };
        assert_eq!(of("0123456789", "main"), ", commit 0123456 (main)");
        assert_eq!([of("012", ""), of("", "main"), of("", "")], [", commit 012", ", branch main", ""]);
    }

    const REPORT: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Notes", "rules": []}}, "results": [
        {"ruleId": "N1", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation":
        {"uri": "a.py"}, "region": {"startLine": 2}}}]}]}]}"#;

    #[test]
    fn a_named_folder_needs_no_checkout_and_a_missing_one_is_an_error() {
        let report = ReportBody::from_text(REPORT).unwrap();
        let (folder, _) = folder(&[("a.py", "1\n2\n3\n")]);
        let made = sidecar(CodeSource::Folder(folder.path()), &report, "auto").unwrap().unwrap();
        assert!(String::from_utf8(made.lines).unwrap().contains(r#""first_line":1,"lines":["1","2","3"]"#));
        assert!(sidecar(CodeSource::None, &report, "auto").unwrap().is_none());
        let none = folder.path().join("none");
        let error = sidecar(CodeSource::Folder(&none), &report, "auto").unwrap_err();
        assert!(error.to_string().starts_with("cannot use the source folder"), "{error}");
        let broken = ReportBody::from_text("{}").unwrap();
        assert!(sidecar(CodeSource::Folder(folder.path()), &broken, "auto").unwrap().is_none());
    }

    #[test]
    fn the_current_folder_is_used_only_if_it_has_a_file_of_the_report() {
        // The tests run in the folder of this crate, which is in a checkout or in an unpacked archive.
        let elsewhere = ReportBody::from_text(REPORT).unwrap();
        assert!(sidecar(CodeSource::CurrentFolder, &elsewhere, "auto").unwrap().is_none());
        let here = ReportBody::from_text(&REPORT.replace("a.py", "src/main.rs")).unwrap();
        let checkout = Tree::open(Path::new(".")).unwrap().is_checkout();
        assert_eq!(sidecar(CodeSource::CurrentFolder, &here, "auto").unwrap().is_some(), checkout);
    }
}
