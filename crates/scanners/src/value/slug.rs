//! Names of tools from reports in the form for issue keys.

use crate::reader::text::Filled;

/// Longest name, in characters.
const CHARS_MAX: usize = 60;

/// A name in lower case with `a-z`, `0-9`, `-` and `_` only; other characters in a row become one `-`. Absent if
/// nothing is left.
pub(crate) fn of(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.trim().chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug: String = slug.chars().take(CHARS_MAX).collect();
    slug.trim_matches('-').to_owned().filled()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_slug_keeps_letters_and_digits_and_is_short() {
        for (name, slug) in [
            ("My Tool", Some("my-tool")),
            ("  OWASP_zap (v2)!", Some("owasp_zap-v2")),
            ("a--b", Some("a-b")),
            ("Prüfer", Some("pr-fer")),
            ("検査", None),
            (" - ", None),
            ("", None),
        ] {
            assert_eq!(super::of(name).as_deref(), slug, "{name}");
        }
        assert_eq!(super::of(&"x".repeat(61)).map(|slug| slug.len()), Some(60));
        assert_eq!(super::of(&format!("{} y", "x".repeat(59))), Some("x".repeat(59)));
    }
}
