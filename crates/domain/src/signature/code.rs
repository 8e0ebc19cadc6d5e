//! The code of a finding: its own lines and one on either side.

use super::exact::exact_text;
use super::text::{code_text, normal_path};
use finding::Finding;

/// The maximum number of a finding's own lines that are compared.
const SNIPPET_LINES_MAX: usize = 10;
/// The maximum number of them before the line that the report states.
const SNIPPET_LINES_MAX_BEFORE: u32 = 5;

/// The normalised code of a finding.
pub(super) struct CodeParts {
    /// The line before its own lines.
    pub(super) before: String,
    /// Its own lines, from the one that the report states.
    pub(super) own: String,
    /// The line after them.
    pub(super) after: String,
    /// The statement that contains it. A formatter that breaks its lines differently does not change it.
    pub(super) statement: String,
    /// The same lines with the white space that means something.
    pub(super) exact: String,
}

impl CodeParts {
    /// Splits a finding's excerpt into its own lines and one line on either side; nothing, if its own lines are blank
    /// or not in the excerpt.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        let code = finding.code.as_ref()?;
        let location = finding.location.as_ref();
        let first = location.and_then(|location| location.line).unwrap_or(code.first_line);
        let last = location.and_then(|location| location.end_line).unwrap_or(first).max(first);
        let numbered = || {
            let number = |at| code.first_line.checked_add(u32::try_from(at).ok()?);
            code.lines.iter().enumerate().filter_map(move |(at, line)| Some((number(at)?, line)))
        };
        let lines = |from: u32| {
            let lines = numbered().filter(move |(number, _)| (from..=last).contains(number));
            lines.map(|(_, line)| line.as_str()).take(SNIPPET_LINES_MAX)
        };
        let text = |from: u32| code_text(&lines(from).collect::<Vec<_>>().join("\n"));
        let own = text(first);
        if own.is_empty() {
            return None;
        }
        // A long statement is cut so that it includes the reported line.
        let begins = finding.statement_line.map(|line| line.max(first.saturating_sub(SNIPPET_LINES_MAX_BEFORE)));
        let begins = begins.filter(|begins| *begins < first);
        let statement = begins.map_or_else(|| own.clone(), text);
        let path = location.map(|location| normal_path(&location.path)).unwrap_or_default();
        let exact = exact_text(&path, lines(begins.unwrap_or(first)));
        let line_at = |number: Option<u32>| {
            numbered().find(|(at, _)| Some(*at) == number).map(|(_, line)| code_text(line)).unwrap_or_default()
        };
        Some(Self { before: line_at(first.checked_sub(1)), own, after: line_at(last.checked_add(1)), statement, exact })
    }
}

/// Returns the similarity of two pieces of code in percent: the share of common pairs of adjacent characters
/// (Sørensen-Dice).
pub fn similarity(a: &str, b: &str) -> u8 {
    let (a, b) = (pairs(a), pairs(b));
    percent(2 * common(&a, &b), a.len() + b.len())
}

/// Returns the percentage of the shorter piece of code that is in the longer one, by pairs of adjacent characters. A
/// line that was broken into several is contained in the original line.
pub fn containment(a: &str, b: &str) -> u8 {
    let (a, b) = (pairs(a), pairs(b));
    percent(common(&a, &b), a.len().min(b.len()))
}

/// Returns all pairs of adjacent characters, sorted. (The crates for this count bytes instead of characters.)
fn pairs(text: &str) -> Vec<(char, char)> {
    let mut pairs: Vec<_> = text.chars().zip(text.chars().skip(1)).collect();
    pairs.sort_unstable();
    pairs
}

/// Returns the number of common entries of two sorted lists.
fn common<T: Ord>(a: &[T], b: &[T]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut count = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                count += 1;
                a.next();
                b.next();
            }
        }
    }
    count
}

fn percent(part: usize, whole: usize) -> u8 {
    let percent = part.saturating_mul(100).saturating_add(whole / 2).checked_div(whole).unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_line_is_more_similar_than_another_line() {
        let old = r#"subprocess.run(command,shell=True)"#;
        let edited = similarity(old, r#"subprocess.run(command,shell=True,check=False)"#);
        let other = similarity(old, r#"yaml.load(request.body)"#);
        assert!(other < 40 && 80 < edited && edited < 100, "{other} {edited}");
        assert_eq!(containment(old, "subprocess.run("), 100);
        assert!(containment(old, "yaml.load(request.body)") < 40);
        assert_eq!((containment("", ""), containment("a", "a")), (0, 0), "nothing is in one character");
        assert_eq!((similarity(old, old), similarity("", old), similarity("ab", "cd")), (100, 0, 0));
        assert_eq!(similarity("数据库密码是秘密", "数据库密码是机密"), 71, "characters count, not bytes");
    }
}
