//! The limits of reports and findings. Each is checked on entry, and tested at the limit and one above it.

/// Largest report after decompression, in bytes.
pub const REPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Largest ratio of decompressed to compressed bytes of a report.
pub const COMPRESSION_RATIO_MAX: u64 = 100;
/// Decompressed size in bytes up to which the ratio is not checked: a small repetitive report is not a bomb.
pub const COMPRESSION_RATIO_FLOOR_BYTES: u64 = 1024 * 1024;
/// Most findings of one report.
pub const FINDINGS_MAX: u64 = 1_000_000;
/// Longest text field of a finding, in bytes. A longer one is cut, marked and counted.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most entries of a list in a finding (references, advisories, lines of code, ...). The rest is left out and counted.
pub const LIST_ENTRIES_MAX: usize = 1000;
/// Longest name of a field in `raw` and `fingerprints`, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// Largest single entry of a report, in bytes: a parser of a streamed report has one in memory.
pub const ENTRY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting of a JSON report: arrays and objects inside one another.
pub const JSON_DEPTH_MAX: usize = 128;
/// Deepest nesting of an XML report: elements inside one another.
pub const XML_DEPTH_MAX: usize = 128;
/// Most rejected entries that are listed with their reasons. The count is always exact.
pub const REJECTED_LISTED_MAX: usize = 100;
/// Most bytes of all texts in a report's summary, as JSON: the summary is one value of the store. Errors and rejected
/// entries over it are counted only, and blind spots become one over everything.
pub const SUMMARY_TEXT_BYTES_MAX: usize = 160 * 1024;
/// Most blind spots of one report. More of them become one over everything, so that none is lost.
pub const BLIND_SPOTS_MAX: usize = 1000;
/// Longest path or name of a blind spot, in bytes. What a longer one names cannot be found again, so it is everything.
pub const BLIND_SPOT_NAME_BYTES_MAX: usize = 1024;
/// Largest sidecar with code from the working tree, after decompression, in bytes.
pub const SOURCE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest line of a sidecar, in bytes: enough for an excerpt of the longest lines with every character escaped.
pub const SOURCE_ROW_BYTES_MAX: usize = 1024 * 1024;
/// Longest line of code taken from the working tree, in bytes. A longer one is cut and marked.
pub const SOURCE_LINE_BYTES_MAX: usize = 4 * 1024;
/// Most of a finding's own lines taken from the working tree.
pub const SOURCE_LINES_MAX: u32 = 10;
/// Lines taken from the working tree before and after those.
pub const SOURCE_NEIGHBOURS: u32 = 1;
/// The end of every text that was cut.
pub const CUT_MARK: &str = "… [cut]";

/// Cuts `text` to at most [`TEXT_BYTES_MAX`] bytes, mark included, at a character boundary. Returns true if it cut.
pub fn cut_text(text: &mut String) -> bool {
    if text.len() <= TEXT_BYTES_MAX {
        return false;
    }
    let room = TEXT_BYTES_MAX - CUT_MARK.len();
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= room).last().unwrap_or(0);
    text.truncate(end);
    text.push_str(CUT_MARK);
    true
}

/// Cuts `text` after its first `bytes_max` bytes, at a character boundary, and appends the mark. For summaries; the
/// texts of findings are cut by [`cut_text`].
pub fn cut_to(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str(CUT_MARK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_the_limit_is_kept_and_one_byte_more_is_cut_and_marked() {
        let mut at_limit = "x".repeat(TEXT_BYTES_MAX);
        assert!(!cut_text(&mut at_limit));
        assert_eq!(at_limit.len(), TEXT_BYTES_MAX);
        let mut over = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(cut_text(&mut over));
        assert!(over.len() <= TEXT_BYTES_MAX && over.ends_with(CUT_MARK));
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let mut text = "é".repeat(TEXT_BYTES_MAX);
        assert!(cut_text(&mut text));
        assert!(text.len() <= TEXT_BYTES_MAX && text.trim_end_matches(CUT_MARK).chars().all(|c| c == 'é'));
    }
}
