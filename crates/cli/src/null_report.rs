//! The scanner of a report that is only `null`. Tools written in Go write it for an empty list, and no format can be
//! detected in it, but the path of the file may name the tool.

use std::io::{self, Read as _};
use std::path::Path;

use api::v1::ScannerItem;

use crate::body::ReportBody;

/// The longest report that is looked at, in bytes: `null` with a mark and white space.
const BYTES_MAX: u64 = 16;

/// Returns the scanner that the path of a report names, if the report is only `null`.
///
/// # Errors
/// The report cannot be read.
pub(crate) fn scanner(path: &Path, report: &ReportBody) -> io::Result<Option<String>> {
    if BYTES_MAX < report.bytes() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    report.reader()?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    Ok((text.trim_ascii() == b"null").then(|| named(path)).flatten())
}

/// Returns the scanner whose name is in the name of the file, or else of its folder; nothing if two tools are named.
fn named(path: &Path) -> Option<String> {
    let all = ScannerItem::all();
    let in_part = |part: &str| {
        let part = part.to_ascii_lowercase().replace('_', "-");
        let has = |item: &&ScannerItem| {
            [&item.id, &item.tool].into_iter().chain(&item.aliases).any(|name| part.contains(name.as_str()))
        };
        let found: Vec<&ScannerItem> = all.iter().filter(has).collect();
        let first = found.first()?;
        found.iter().all(|item| item.tool == first.tool).then(|| first.id.clone())
    };
    let file = path.file_name().and_then(|name| name.to_str()).and_then(in_part);
    file.or_else(|| path.parent()?.file_name()?.to_str().and_then(in_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_null_report_names_its_scanner() {
        let cases = [
            ("gitleaks.json", Some("gitleaks")),
            ("out/Gitleaks-report.json", Some("gitleaks")),
            ("gitleaks/report.json", Some("gitleaks")),
            ("report.json", None),
            ("gitleaks-and-trivy.json", None),
        ];
        for (path, expected) in cases {
            let report = ReportBody::from_text(" null\n").unwrap();
            assert_eq!(scanner(Path::new(path), &report).unwrap().as_deref(), expected, "{path}");
        }
        for text in ["[]", "{}", "null null", "nullnullnullnullnull"] {
            let report = ReportBody::from_text(text).unwrap();
            assert_eq!(scanner(Path::new("gitleaks.json"), &report).unwrap(), None, "{text}");
        }
    }
}
