//! The code of a finding: its own lines and one on either side.

use super::text::code_text;
use finding::Finding;

/// The most lines of a finding's own code that are compared.
const SNIPPET_LINES_MAX: usize = 10;
/// The most of them that stand before the line that the report gives.
const SNIPPET_LINES_MAX_BEFORE: u32 = 5;

/// A finding's code as it is compared.
pub(super) struct CodeParts {
    /// The line before its own.
    pub(super) before: String,
    /// Its own lines: from the one that the report gives.
    pub(super) own: String,
    /// The line after them.
    pub(super) after: String,
    /// The statement that it is in: what is still the same when a formatter has broken the lines in another way.
    pub(super) statement: String,
}

impl CodeParts {
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
    let (a, b) = (pairs(a), pairs(b));
    percent(2 * common(&a, &b), a.len() + b.len())
}

/// How much of the shorter of two pieces of code is in the longer, in percent of its pairs of neighbouring characters: a
/// line that was broken into several is contained in what it was.
pub fn containment(a: &str, b: &str) -> u8 {
    let (a, b) = (pairs(a), pairs(b));
    percent(common(&a, &b), a.len().min(b.len()))
}

/// All pairs of neighbouring characters, sorted. (The crates for this count bytes where they should count characters.)
fn pairs(text: &str) -> Vec<(char, char)> {
    let mut pairs: Vec<_> = text.chars().zip(text.chars().skip(1)).collect();
    pairs.sort_unstable();
    pairs
}

/// How many entries two sorted lists have in common.
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
    fn an_edited_line_is_more_alike_than_another() {
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
