//! The differences between two pieces of code, line by line.

use crate::view::text::cut;
use maud::{Markup, html};
use similar::{Algorithm, ChangeTag, capture_diff_slices};

/// The most lines of each side that are compared; the API has the rest.
const LINES_MAX: usize = 60;
/// The longest line, in characters.
const LINE_CHARS_MAX: usize = 160;

/// The lines of both sides in order, each with its kind. Of all ways to align them, one with the most equal lines.
fn lines<'a>(before: &'a [String], after: &'a [String]) -> Vec<(ChangeTag, &'a String)> {
    let (before, after) = (before.get(..LINES_MAX).unwrap_or(before), after.get(..LINES_MAX).unwrap_or(after));
    let ops = capture_diff_slices(Algorithm::Lcs, before, after);
    let runs = ops.iter().flat_map(|op| op.iter_slices(before, after));
    runs.flat_map(|(tag, lines)| lines.iter().map(move |line| (tag, line))).collect()
}

/// The comparison. Removed and added lines are marked with a sign and by name, not by colour alone.
pub(crate) fn code(before: &[String], after: &[String]) -> Markup {
    html! {
        pre class="code" tabindex="0" role="group" aria-label="Changes of the code" {
            @for (tag, text) in lines(before, after) {
                @match tag {
                    ChangeTag::Equal => span class="line" { span class="at" aria-hidden="true" { " " } (cut(text, LINE_CHARS_MAX)) },
                    ChangeTag::Delete => span class="line removed" { span class="at" aria-hidden="true" { "−" } del { (cut(text, LINE_CHARS_MAX)) } },
                    ChangeTag::Insert => span class="line added" { span class="at" aria-hidden="true" { "+" } ins { (cut(text, LINE_CHARS_MAX)) } },
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
        let sign = |(tag, text): &(ChangeTag, &String)| match tag {
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
}
