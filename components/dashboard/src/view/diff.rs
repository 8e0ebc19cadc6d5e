//! The differences between two pieces of code, line by line.

use crate::view::text::cut;
use maud::{Markup, html};

/// The most lines of each side that are compared; the API has the rest.
const LINES_MAX: usize = 60;
/// The longest line, in characters.
const LINE_CHARS_MAX: usize = 160;

/// A line of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    /// A line that both sides have.
    Same(&'a str),
    /// A line that only the earlier side has.
    Removed(&'a str),
    /// A line that only the later side has.
    Added(&'a str),
}

/// The lines of both sides in order. Of all ways to align them, one with the most equal lines.
fn lines<'a>(before: &'a [String], after: &'a [String]) -> Vec<Line<'a>> {
    let (before, after) = (before.get(..LINES_MAX).unwrap_or(before), after.get(..LINES_MAX).unwrap_or(after));
    // The row for each suffix of `before`: the number of equal lines with each suffix of `after`.
    let mut rows = vec![vec![0_usize; after.len() + 1]];
    for old in before.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; after.len() + 1];
        for (at, new) in after.iter().enumerate().rev() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or_default();
            let best = if old == new { get(&below, at + 1) + 1 } else { get(&below, at).max(get(&row, at + 1)) };
            if let Some(cell) = row.get_mut(at) {
                *cell = best;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    let equal = |old: usize, new: usize| rows.get(old).and_then(|row| row.get(new)).copied().unwrap_or_default();
    let (mut old, mut new, mut found) = (0, 0, Vec::new());
    loop {
        match (before.get(old), after.get(new)) {
            (Some(one), Some(other)) if one == other => {
                found.push(Line::Same(one));
                (old, new) = (old + 1, new + 1);
            }
            (Some(one), other) if other.is_none() || equal(old + 1, new) >= equal(old, new + 1) => {
                found.push(Line::Removed(one));
                old += 1;
            }
            (_, Some(other)) => {
                found.push(Line::Added(other));
                new += 1;
            }
            (_, None) => return found,
        }
    }
}

/// The comparison. Removed and added lines are marked with a sign and by name, not by colour alone.
pub(crate) fn code(before: &[String], after: &[String]) -> Markup {
    html! {
        pre class="code" tabindex="0" role="group" aria-label="Changes of the code" {
            @for line in lines(before, after) {
                @match line {
                    Line::Same(text) => span class="line" { span class="at" aria-hidden="true" { " " } (cut(text, LINE_CHARS_MAX)) },
                    Line::Removed(text) => span class="line removed" { span class="at" aria-hidden="true" { "−" } del { (cut(text, LINE_CHARS_MAX)) } },
                    Line::Added(text) => span class="line added" { span class="at" aria-hidden="true" { "+" } ins { (cut(text, LINE_CHARS_MAX)) } },
                }
            }
            @if before.len().max(after.len()) > LINES_MAX { span class="line soft" { "More lines follow." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn compared(before: &str, after: &str) -> String {
        let (before, after) = (owned(before), owned(after));
        let sign = |line: &Line<'_>| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Removed(text) => format!("-{text}"),
            Line::Added(text) => format!("+{text}"),
        };
        lines(&before, &after).iter().map(sign).collect()
    }

    #[test]
    fn equal_lines_stay_and_others_are_removed_and_added() {
        assert_eq!(compared("a b c", "a b c"), " a b c");
        assert_eq!(compared("a b c", "a x c"), " a-b+x c");
        assert_eq!(compared("a b", "b c"), "-a b+c");
        assert_eq!(compared("", "a"), "+a");
        assert_eq!(compared("a", ""), "-a");
        assert_eq!(compared("", ""), "");
        assert_eq!(compared("a b c d", "c d a b"), "-a-b c d+a+b");
    }

    #[test]
    fn code_is_shown_as_text() {
        let page = code(&owned("<b>"), &owned("</pre>")).into_string();
        assert!(page.contains("<del>&lt;b&gt;</del>") && page.contains("<ins>&lt;/pre&gt;</ins>"), "{page}");
        let long = vec!["x".to_owned(); LINES_MAX + 1];
        assert!(code(&long, &long).into_string().contains("More lines follow."));
    }
}
