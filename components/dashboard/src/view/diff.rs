//! The differences between two pieces of code, line by line.
//!
//! Long lines and long pieces are cut around their first difference, which is always shown. A mark shows each cut.

use crate::view::list;
use crate::view::text::plain;
use maud::{Markup, html};
use similar::{Algorithm, ChangeTag, capture_diff_slices};

/// The most lines of each side that are compared; the API has the rest.
const LINES_MAX: usize = 60;
/// The longest line, in characters.
const LINE_CHARS_MAX: usize = 160;
/// The equal lines, and the equal characters of a line, that are left before the first difference where the beginning
/// is cut.
const BEFORE: usize = 20;

/// The number of equal items at the beginning of both sides.
fn equal<T: PartialEq>(before: impl IntoIterator<Item = T>, after: impl IntoIterator<Item = T>) -> usize {
    before.into_iter().zip(after).take_while(|(before, after)| before == after).count()
}

/// The beginning of the part that is shown, of at most `max` items: the first difference, if there is one, is in it.
fn begin(difference: usize, longest: usize, max: usize) -> usize {
    if longest <= max || difference < max || longest <= difference { 0 } else { difference.saturating_sub(BEFORE) }
}

/// The lines that are compared: at most [`LINES_MAX`] of each side.
struct Window<'a> {
    before: &'a [String],
    after: &'a [String],
    /// The number of equal lines above them.
    above: usize,
    /// True if a side has lines below them.
    more: bool,
}

impl<'a> Window<'a> {
    fn of(before: &'a [String], after: &'a [String]) -> Self {
        let longest = before.len().max(after.len());
        let above = begin(equal(before, after), longest, LINES_MAX);
        let part = |side: &'a [String]| {
            let rest = side.get(above..).unwrap_or_default();
            rest.get(..LINES_MAX).unwrap_or(rest)
        };
        Self { before: part(before), after: part(after), above, more: above.saturating_add(LINES_MAX) < longest }
    }
}

/// A line to show, and the index of the character where it differs from the line that replaced it or that it replaced;
/// 0 for all others.
type Line<'a> = (ChangeTag, &'a str, usize);

/// The lines of both sides in order. Of all ways to align them, one with the most equal lines.
fn lines<'a>(before: &'a [String], after: &'a [String]) -> Vec<Line<'a>> {
    let ops = capture_diff_slices(Algorithm::Lcs, before, after);
    let mut lines = Vec::new();
    for op in &ops {
        let (_, old, new) = op.as_tag_tuple();
        let (old, new) = (before.get(old).unwrap_or_default(), after.get(new).unwrap_or_default());
        for (tag, side) in op.iter_slices(before, after) {
            let others = if tag == ChangeTag::Delete { new } else { old };
            lines.extend(side.iter().enumerate().map(|(at, line)| {
                let difference = match (tag, others.get(at)) {
                    (ChangeTag::Delete | ChangeTag::Insert, Some(other)) => equal(line.chars(), other.chars()),
                    (_, _) => 0,
                };
                (tag, line.as_str(), difference)
            }));
        }
    }
    lines
}

/// A line, cut so that the difference is in it, with a mark where it is cut.
fn shown(line: &str, difference: usize) -> String {
    let length = line.chars().count();
    let begin = begin(difference, length, LINE_CHARS_MAX);
    let part: String = line.chars().skip(begin).take(LINE_CHARS_MAX).collect();
    let is_cut = begin.saturating_add(LINE_CHARS_MAX) < length;
    format!("{}{}{}", if begin > 0 { "\u{2026}" } else { "" }, plain(&part), if is_cut { "\u{2026}" } else { "" })
}

/// True if a line is cut.
fn is_cut(line: &str) -> bool {
    line.chars().nth(LINE_CHARS_MAX).is_some()
}

/// The comparison. Removed and added lines are marked with a sign and by name, not by colour alone.
pub(crate) fn code(before: &[String], after: &[String]) -> Markup {
    let window = Window::of(before, after);
    let lines = lines(window.before, window.after);
    html! {
        pre class="code" tabindex="0" role="group" aria-label="Changes of the code" {
            @if window.above > 0 { span class="line soft" { (count(window.above)) " above, equal on both sides." } }
            @for (tag, text, difference) in &lines {
                @let text = shown(text, *difference);
                @match tag {
                    ChangeTag::Equal => span class="line" { span class="at" aria-hidden="true" { " " } (text) },
                    ChangeTag::Delete => span class="line removed" { span class="at" aria-hidden="true" { "−" } del { (text) } },
                    ChangeTag::Insert => span class="line added" { span class="at" aria-hidden="true" { "+" } ins { (text) } },
                }
            }
            @if window.more { span class="line soft" { "More lines follow." } }
        }
        @if lines.iter().any(|(_, text, _)| is_cut(text)) {
            p class="hint" { "Lines of more than " (LINE_CHARS_MAX) " characters are cut around their first difference, at “…”." }
        }
    }
}

fn count(lines: usize) -> String {
    list::count(u64::try_from(lines).unwrap_or(u64::MAX), "line")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn compared(before: &str, after: &str) -> String {
        let (before, after) = (owned(before), owned(after));
        let sign = |(tag, text, _): &Line<'_>| match tag {
            ChangeTag::Equal => format!(" {text}"),
            ChangeTag::Delete => format!("-{text}"),
            ChangeTag::Insert => format!("+{text}"),
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

    #[test]
    fn a_difference_beyond_the_end_of_a_long_line_is_shown() {
        let line = |end: &str| vec![format!("{}{end}{}", "x".repeat(400), "y".repeat(400))];
        let page = code(&line("verify=True"), &line("verify=False")).into_string();
        assert!(page.contains("verify=True") && page.contains("verify=False"), "{page}");
        assert!(page.contains("are cut around their first difference") && page.contains("<del>\u{2026}xxx"), "{page}");
        assert!(page.contains("yyy\u{2026}</del>"), "{page}");
        let short = code(&owned("a"), &owned("b")).into_string();
        assert!(!short.contains('\u{2026}') && !short.contains("are cut"), "{short}");
        let (longer, shorter) = (vec!["é".repeat(161)], vec!["é".repeat(160)]);
        let page = code(&longer, &shorter).into_string();
        assert!(page.contains(&format!("<del>\u{2026}{}</del>", "é".repeat(BEFORE + 1))), "{page}");
    }

    #[test]
    fn each_replaced_line_is_cut_around_its_own_difference() {
        let side = |word: &str| vec![format!("{word} first"), format!("{}{word}", "x".repeat(300))];
        let page = code(&side("old"), &side("new")).into_string();
        let removed = format!("\u{2026}{}old</del>", "x".repeat(BEFORE));
        assert!(page.contains("<del>old first</del>") && page.contains(&removed), "{page}");
    }

    #[test]
    fn a_difference_below_many_equal_lines_is_shown() {
        let side = |last: &str| (0..200).map(|n| format!("line {n}")).chain([last.to_owned()]).collect::<Vec<_>>();
        let page = code(&side("old"), &side("new")).into_string();
        assert!(page.contains("<del>old</del>") && page.contains("<ins>new</ins>"), "{page}");
        assert!(
            page.contains("180 lines above, equal on both sides.") && !page.contains("More lines follow"),
            "{page}"
        );
    }
}
