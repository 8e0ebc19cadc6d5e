//! Text from reports and people, made safe to read. maud escapes markup. This module makes control characters, terminal
//! escapes and marks of text direction visible (Unicode Technical Report 36, section 2.2.8), and checks addresses.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes everything in a text visible: control characters as pictures, marks of direction as code points. Line breaks
/// and tabs stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match (is_hidden(c), u32::from(c)) {
            (false, _) => shown.push(c),
            (true, code @ 0..0x20) => shown.extend(char::from_u32(0x2400 + code)),
            (true, 0x7F) => shown.push('\u{2421}'),
            // Writing into a string cannot fail.
            (true, code) => {
                let _ = write!(shown, "[U+{code:04X}]");
            }
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{061C}'
        | '\u{E0000}'..='\u{E007F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' => true,
        _ => c.is_control(),
    }
}

/// Makes a text visible, and shortens it to this number of characters; a shortened text ends with an ellipsis.
pub(crate) fn cut(text: &str, chars: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(chars).map(|(at, _)| at);
    let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
    match (end, plain(kept)) {
        (None, shown) => shown,
        (Some(_), shown) => Cow::Owned(format!("{}\u{2026}", shown.trim_end())),
    }
}

/// The address if it may become a link: `http` or `https`, without spaces. Others, such as `javascript:`, stay text.
pub(crate) fn web_address(text: &str) -> Option<&str> {
    let is_web = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (is_web("http://") || is_web("https://")).then_some(text).filter(|text| !text.chars().any(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_visible() {
        assert_eq!(plain("a\nb\tc ü 漢"), "a\nb\tc ü 漢");
        assert_eq!(plain("\u{1b}[31mred\0\u{7f}"), "\u{241b}[31mred\u{2400}\u{2421}");
        assert_eq!(plain("a\u{202e}b\u{2066}c\u{200f}\u{85}"), "a[U+202E]b[U+2066]c[U+200F][U+0085]");
        assert!(matches!(plain("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü ß", 4), "äöü\u{2026}");
        assert_eq!(cut("", 0), "");
        assert_eq!(cut(&"x".repeat(1_000_000), 3), "xxx\u{2026}");
    }

    #[test]
    fn only_web_addresses_become_links() {
        for good in ["http://a", "HTTPS://b/c?d=e#f"] {
            assert_eq!(web_address(good), Some(good));
        }
        for bad in ["javascript:alert(1)", "data:text/html,x", "//a", " http://a", "http://a b", "", "ftp://a", "https"]
        {
            assert_eq!(web_address(bad), None, "{bad}");
        }
    }
}
