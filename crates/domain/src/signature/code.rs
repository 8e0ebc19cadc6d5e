//! The code of a finding: its own lines and one on either side.

use super::code_text;
use finding::Finding;

/// The most lines of a finding's own code that are compared.
const SNIPPET_LINES_MAX: usize = 10;
/// The most of them that stand before the line that the report gives.
const SNIPPET_LINES_MAX_BEFORE: u32 = 5;

/// A finding's code as it is compared.
pub(super) struct Parts {
    /// The line before its own.
    pub(super) before: String,
    /// Its own lines: from the one that the report gives.
    pub(super) own: String,
    /// The line after them.
    pub(super) after: String,
    /// The statement that it is in: what is still the same when a formatter has broken the lines in another way.
    pub(super) statement: String,
}

impl Parts {
    /// Cuts a finding's excerpt into its own lines and one line on either side; nothing, if its own lines are blank or not
    /// in it.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        let code = finding.code.as_ref()?;
        let location = finding.location.as_ref();
        let first = location.and_then(|location| location.line).unwrap_or(code.first_line);
        let last = location.and_then(|location| location.end_line).unwrap_or(first).max(first);
        let numbered = || {
            let number = |at| code.first_line.checked_add(u32::try_from(at).ok()?);
            code.lines.iter().enumerate().filter_map(move |(at, line)| Some((number(at)?, line)))
        };
        let text = |from: u32| {
            let lines = numbered().filter(|(number, _)| (from..=last).contains(number)).map(|(_, line)| line.as_str());
            code_text(&lines.take(SNIPPET_LINES_MAX).collect::<Vec<_>>().join("\n"))
        };
        let own = text(first);
        if own.is_empty() {
            return None;
        }
        // A long statement is cut so that the line that is meant stays in it.
        let begins = finding.statement_line.map(|line| line.max(first.saturating_sub(SNIPPET_LINES_MAX_BEFORE)));
        let statement = begins.filter(|begins| *begins < first).map_or_else(|| own.clone(), text);
        let line_at = |number: Option<u32>| {
            numbered().find(|(at, _)| Some(*at) == number).map(|(_, line)| code_text(line)).unwrap_or_default()
        };
        Some(Self { before: line_at(first.checked_sub(1)), own, after: line_at(last.checked_add(1)), statement })
    }
}

/// How alike two pieces of code are, in percent: the share of their pairs of neighbouring characters that both have
/// (Sørensen-Dice).
pub fn similarity(a: &str, b: &str) -> u8 {
    percent(strsim::sorensen_dice(a, b))
}

/// How much of the shorter of two pieces of code is in the longer, in percent of its pairs of neighbouring characters: a
/// line that was broken into several is contained in what it was.
pub fn containment(a: &str, b: &str) -> u8 {
    let pairs = |text: &str| u32::try_from(text.chars().count().saturating_sub(1)).map_or(0.0, f64::from);
    let (a_pairs, b_pairs) = (pairs(a), pairs(b));
    let common = strsim::sorensen_dice(a, b) * (a_pairs + b_pairs) / 2.0;
    percent(common / a_pairs.min(b_pairs).max(1.0))
}

fn percent(share: f64) -> u8 {
    (0..=100_u8).rev().find(|percent| f64::from(*percent) <= (share * 100.0).round()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_line_is_more_alike_than_another() {
        let old = r#"subprocess.run(command,shell=True)"#;
        let edited = similarity(old, r#"subprocess.run(command,shell=True,check=False)"#);
        let other = similarity(old, r#"yaml.load(request.body)"#);
        assert!(other < 40 && 80 < edited && edited < 100, "{other} {edited}");
        assert_eq!(containment(old, "subprocess.run("), 100);
        assert!(containment(old, "yaml.load(request.body)") < 40);
        assert_eq!((containment("", ""), containment("a", "a")), (0, 0), "nothing is in one character");
        assert_eq!((similarity(old, old), similarity("", old), similarity("ab", "cd")), (100, 0, 0));
    }
}
