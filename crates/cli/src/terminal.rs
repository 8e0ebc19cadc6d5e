//! Text for a terminal: escapes foreign text, and defines a few styles. anstream decides about colour, from the stream
//! and `NO_COLOR`.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

/// The word `error`, a failing verdict.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word `warning`, an undecided verdict.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The word `hint`.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// A passing verdict, something done.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A heading.
pub(crate) const HEADING: Style = Style::new().bold();

/// The most characters of a text in a table.
const CELL_CHARACTERS_MAX: usize = 100;

/// A text that can't control the terminal or the CI service that reads the log: on one line, with control characters
/// and those that change the direction of writing escaped, and without the CI services' commands.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            _ if is_steering(character) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    // `##vso[...]` and `##[...]` are commands to CI services anywhere in a line, `::name::` at its start.
    let out = out.replace("##[", "#\\#[").replace("##vso[", "#\\#vso[");
    if out.trim_start().starts_with("::") { format!("\\{}", out.trim_start()) } else { out }
}

/// [`plain`], cut to fit into a table, with a mark where it was cut.
pub(crate) fn cell(text: &str) -> String {
    // Cut first: a title of a megabyte need not be read as a whole.
    let mut cut: String = text.chars().take(CELL_CHARACTERS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    plain(&cut)
}

/// Controls of the C0 and C1 sets, and invisible characters that change visible ones.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Prints a warning.
pub(crate) fn warn(text: &str) {
    let style = WARNING;
    anstream::eprintln!("{style}warning{style:#}: {}", plain(text));
}

/// `n thing` or `n things`.
pub(crate) fn count(n: u64, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped() {
        let cases = [
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\u{1b}[2J\\u{1b}]0;x\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\r\nb\tc", "a  b c"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            ("\n::set-output name=x::y", "\\::set-output name=x::y"),
            ("x ##vso[task.complete] ##[error]", "x #\\#vso[task.complete] #\\#[error]"),
            ("Größe 大きさ", "Größe 大きさ"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        assert_eq!(cell(&"ü".repeat(CELL_CHARACTERS_MAX)), "ü".repeat(CELL_CHARACTERS_MAX));
        assert_eq!(cell(&"ü".repeat(CELL_CHARACTERS_MAX + 1)), format!("{}…", "ü".repeat(CELL_CHARACTERS_MAX)));
    }

    #[test]
    fn only_one_thing_has_no_plural() {
        assert_eq!([count(0, "issue"), count(1, "issue"), count(2, "issue")], ["0 issues", "1 issue", "2 issues"]);
    }
}
