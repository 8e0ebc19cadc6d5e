//! Normalisation of paths, code and messages.

use unicode_normalization::UnicodeNormalization as _;

/// Normalises a path: `/` between its parts, no leading `./`, composed characters (Unicode's form C).
pub fn normal_path(path: &str) -> String {
    let slashes: String = path.nfc().map(|c| if c == '\\' { '/' } else { c }).collect();
    let mut rest = slashes.as_str();
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    rest.to_owned()
}

/// Normalises code: without white space, with one kind of quote, without a comma before a closing bracket. A
/// formatter's changes make no difference.
pub(super) fn code_text(code: &str) -> String {
    let mut normal = String::with_capacity(code.len());
    for c in code.chars().filter(|c| !c.is_whitespace()) {
        if matches!(c, ')' | ']' | '}') && normal.ends_with(',') {
            normal.pop();
        }
        normal.push(if c == '\'' { '"' } else { c });
    }
    normal
}

/// Words after which a number is that of a line or column.
const BEFORE_NUMBERS: [&str; 6] = ["line", "lines", "column", "columns", "col", "ln"];

/// Normalises a message: replaces the numbers of lines and columns (`line 12`, `columns 3`, `a.py:12:5`) by `#`. Other
/// numbers stay.
pub(super) fn masked(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        masked.push_str(before);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        masked.push_str(if is_place(&masked) { "#" } else { digits });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// True if a number after this text is that of a line or column.
fn is_place(before: &str) -> bool {
    if let Some(before) = before.strip_suffix(':') {
        // `a.py:12`, or `a.py:#:5`.
        return before.ends_with('#') || before.chars().next_back().is_some_and(char::is_alphanumeric);
    }
    let word = before.trim_end_matches([' ', ':']);
    let start = word.rfind(|c: char| !c.is_alphabetic()).map_or(0, |at| at + 1);
    let word = word.get(start..).unwrap_or_default();
    // A multi-byte character before the word leaves no word.
    before.ends_with([' ', ':']) && BEFORE_NUMBERS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for path in ["src/a.py", "./src/a.py", ".//src\\a.py", "././src/a.py"] {
            assert_eq!(normal_path(path), "src/a.py");
        }
        assert_eq!(normal_path("cafe\u{301}.py"), normal_path("caf\u{e9}.py"));
        assert_eq!(normal_path("../a.py"), "../a.py");
    }

    #[test]
    fn reformatting_does_not_change_code() {
        assert_eq!(code_text("  f('x',\n    y,\n )"), code_text("f(\"x\", y)"));
        assert_ne!(code_text("f(x)"), code_text("f(y)"));
    }

    #[test]
    fn numbers_of_lines_and_columns_are_masked_and_others_stay() {
        let cases = [
            ("unused since line 12", "unused since line #"),
            ("see Lines 3 and a.py:12:5", "see Lines # and a.py:#:#"),
            ("port 8080 is open", "port 8080 is open"),
            ("line: 7, column: 9", "line: #, column: #"),
            ("MD5 and line12", "MD5 and line12"),
            ("ä12 ünline 4", "ä12 ünline 4"),
            ("", ""),
        ];
        for (message, expected) in cases {
            assert_eq!(masked(message), expected);
        }
    }
}
