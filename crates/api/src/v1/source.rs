//! The sidecar of an upload: code of the working tree for the report's findings, as JSON lines. The command line writes
//! it and `ingest` reads it. `docs/source.md` describes the format.

use domain::source::{CheckoutRoot, Revision, SourceView};
use finding::Excerpt;
use finding::limits::{SOURCE_LINE_BYTES_MAX, SOURCE_LINES_MAX, SOURCE_NEIGHBOURS, cut_to};
use serde::{Deserialize, Serialize};

/// The version of the format.
pub const SOURCE_VERSION: u8 = 1;
/// The name of the form's part with the sidecar. It comes before the report.
pub const SOURCE_PART: &str = "source";
/// The name of the form's part with the report.
pub const REPORT_PART: &str = "report";

/// The first line of a sidecar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceHead {
    /// The format's version: 1.
    pub v: u8,
    /// The scanned git revision.
    #[serde(skip_serializing_if = "Revision::is_empty", default)]
    pub git: Revision,
    /// The root of the checkout, as an absolute path on the machine where the scanner ran. Paths of findings below it
    /// become relative to it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub root: Option<CheckoutRoot>,
}

/// A further line of a sidecar: the code of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRow {
    /// The position of the finding's result in the report, counted from 0. Rows are sorted by it.
    pub result: u32,
    /// The file, as written in the report.
    pub path: String,
    /// The finding's first line; absent if the report does not contain it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The SHA-256 of the whole file as 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The line number of the first of `lines`, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_line: Option<u32>,
    /// At most 10 lines of the finding, and one neighbouring line on each side.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<String>,
}

impl SourceHead {
    /// Parses the first line.
    ///
    /// # Errors
    /// The line is invalid, or its version is not supported.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        let Version { v } = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if v != u64::from(SOURCE_VERSION) {
            return Err(format!("expected version {SOURCE_VERSION}, found {v}"));
        }
        serde_json::from_slice(line).map_err(|error| error.to_string())
    }
}

impl SourceRow {
    /// Parses a further line.
    ///
    /// # Errors
    /// The line is invalid.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let row: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let most = SOURCE_LINES_MAX + 2 * SOURCE_NEIGHBOURS;
        if row.sha256.len() != 64 || !row.sha256.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("`sha256` must have 64 lower-case hexadecimal digits".to_owned());
        }
        if usize::try_from(most).is_ok_and(|most| most < row.lines.len()) {
            return Err(format!("`lines` must have at most {most} lines"));
        }
        match (row.first_line, row.lines.is_empty()) {
            (None, true) | (Some(1..), false) => Ok(row),
            (Some(0), _) => Err("`first_line` must be at least 1".to_owned()),
            (Some(_), true) => Err("`first_line` is set, but `lines` is missing".to_owned()),
            (None, false) => Err("`lines` is set, but `first_line` is missing".to_owned()),
        }
    }

    /// The data for the finding, with long lines cut.
    pub fn into_view(self) -> SourceView {
        let Self { result: _, path, line, sha256, first_line, mut lines } = self;
        lines.iter_mut().for_each(|line| cut_to(line, SOURCE_LINE_BYTES_MAX));
        let code = first_line.map(|first_line| Excerpt { first_line, lines });
        SourceView { path, line, sha256, code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::limits::{CUT_MARK, SOURCE_ROW_BYTES_MAX};

    fn row(rest: &str) -> Result<SourceRow, String> {
        let sha256 = "0".repeat(64);
        SourceRow::read(format!(r#"{{"result": 3, "path": "a.py", "sha256": "{sha256}"{rest}}}"#).as_bytes())
    }

    #[test]
    fn the_form_on_the_wire_is_pinned() {
        let git = Revision { commit: "abc1234".parse().ok(), branch: "main".parse().ok(), remote: None };
        let root = CheckoutRoot::try_from("/builds/shop".to_owned()).ok();
        let head = SourceHead { v: SOURCE_VERSION, git, root };
        let (path, sha256) = ("a.py".to_owned(), "0".repeat(64));
        let row =
            SourceRow { result: 3, path, line: Some(2), sha256, first_line: Some(1), lines: vec!["x".to_owned()] };
        let text = [serde_json::to_string(&head).unwrap(), serde_json::to_string(&row).unwrap()].join("\n");
        insta::assert_snapshot!(text, @r#"
        {"v":1,"git":{"commit":"abc1234","branch":"main"},"root":"/builds/shop"}
        {"result":3,"path":"a.py","line":2,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","first_line":1,"lines":["x"]}
        "#);
        assert_eq!((SourceHead::read(text.lines().next().unwrap().as_bytes())), Ok(head));
        assert_eq!((SourceRow::read(text.lines().nth(1).unwrap().as_bytes())), Ok(row));
        assert_eq!(SourceHead::read(br#"{"v": 1}"#).map(|head| head.git.is_empty()), Ok(true));
    }

    #[test]
    fn a_head_of_another_version_or_with_other_fields_is_refused() {
        for (line, expected) in [
            (r#"{"v": 2, "new": true}"#, "expected version 1, found 2"),
            (r#"{"v": 1, "new": true}"#, "unknown field `new`"),
            (r#"{"v": 1, "git": {"commit": "HEAD"}}"#, "commit `HEAD` has the character `H`"),
            (r#"{"v": 1, "root": "builds/shop"}"#, "`root` must be an absolute path"),
            (r#"{"git": {}}"#, "missing field `v`"),
            ("{", "EOF while parsing"),
        ] {
            let error = SourceHead::read(line.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn a_row_at_a_limit_is_read_and_one_beyond_it_is_refused() {
        let lines = |count: usize| format!(r#", "first_line": 1, "lines": [{}]"#, vec![r#""x""#; count].join(","));
        assert_eq!(row(&lines(12)).map(|row| row.lines.len()), Ok(12));
        assert_eq!(row(&lines(13)), Err("`lines` must have at most 12 lines".to_owned()));
        for (rest, expected) in [
            (r#", "first_line": 0, "lines": ["x"]"#, "must be at least 1"),
            (r#", "first_line": 1"#, "but `lines` is missing"),
            (r#", "lines": ["x"]"#, "but `first_line` is missing"),
            (r#", "code": "x""#, "unknown field `code`"),
            (r#", "line": -1"#, "invalid value"),
            (r#", "line": 1, "line": 2"#, "duplicate field"),
        ] {
            let error = row(rest).unwrap_err();
            assert!(error.contains(expected), "{rest}: {error}");
        }
        for sha256 in ["", "0", &"0".repeat(65), &"A".repeat(64), &"é".repeat(32)] {
            let text = format!(r#"{{"result": 0, "path": "a", "sha256": "{sha256}"}}"#);
            assert!(SourceRow::read(text.as_bytes()).unwrap_err().contains("64 lower-case"), "{sha256}");
        }
    }

    #[test]
    fn long_lines_are_cut_and_marked_and_the_longest_fit_into_a_row() {
        let whole = "\u{1}".repeat(SOURCE_LINE_BYTES_MAX);
        let row = SourceRow { first_line: Some(1), lines: vec![whole.clone(); 12], ..row("").unwrap() };
        let path_and_rest = 6 * finding::limits::TEXT_BYTES_MAX + 1024;
        assert!(serde_json::to_vec(&row).unwrap().len() + path_and_rest < SOURCE_ROW_BYTES_MAX);
        assert_eq!(row.clone().into_view().code.unwrap().lines, vec![whole.clone(); 12]);
        let over = SourceRow { lines: vec![whole.clone() + "x"], ..row };
        assert_eq!(over.into_view().code.unwrap().lines, [whole + CUT_MARK]);
    }
}
