//! The code in reports.

use crate::value::secret;
use finding::{Excerpt, Finding};

/// Most lines of an excerpt.
const LINES_MAX: usize = 50;

/// An excerpt of code without line numbers; absent if its first line is unknown or all lines are blank.
pub(crate) fn plain(code: &str, first_line: Option<u32>) -> Option<Excerpt> {
    let lines: Vec<String> = code.lines().take(LINES_MAX).map(str::to_owned).collect();
    Some(Excerpt { first_line: first_line?, lines })
        .filter(|code| code.lines.iter().any(|line| !line.trim().is_empty()))
}

/// An excerpt of code with a number and a separator before each line: `41: return x`. Absent if the code has another
/// form or missing lines.
pub(crate) fn numbered(code: &str, separator: &str) -> Option<Excerpt> {
    let mut excerpt: Option<Excerpt> = None;
    for (at, line) in (0..).zip(code.lines().take(LINES_MAX)) {
        let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
        let (number, rest) = line.split_at_checked(digits)?;
        let number: u32 = number.parse().ok()?;
        // The separator of a blank line can be without its space.
        let rest = rest.strip_prefix(separator).or((rest.trim() == separator.trim()).then_some(""))?;
        let excerpt = excerpt.get_or_insert(Excerpt { first_line: number, lines: vec![] });
        if excerpt.first_line.checked_add(at) != Some(number) {
            return None;
        }
        excerpt.lines.push(rest.to_owned());
    }
    excerpt
}

/// The strings in quotes, without the names of fields (`"password": …`).
pub(crate) fn literals(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((quote, after)) = next_quote(rest) {
        let mut escaped = false;
        let end = after.find(|c: char| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some((literal, behind)) = end.and_then(|end| after.split_at_checked(end)) else {
            // Without a closing quote it is an apostrophe.
            rest = after;
            continue;
        };
        rest = behind.get(1..).unwrap_or_default();
        let names_a_field = [":", "=>", "]"].iter().any(|sign| rest.trim_start().starts_with(sign));
        if !literal.trim().is_empty() && !names_a_field {
            found.push(literal);
        }
    }
    found
}

fn next_quote(text: &str) -> Option<(char, &str)> {
    let at = text.find(['"', '\'', '`'])?;
    let mut behind = text.get(at..)?.chars();
    Some((behind.next()?, behind.as_str()))
}

/// Attaches the secrets in this code to a finding: its string literals, or the whole code if it has none.
pub(crate) fn attach_secrets(finding: &mut Finding, code: &str) {
    let literals = literals(code);
    let secret = if literals.is_empty() { code.trim().to_owned() } else { literals.join("\n") };
    if !secret.is_empty() {
        secret::attach(finding, &secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::Kind;

    type Numbered<'c> = (&'c str, &'c str, Option<(u32, &'c [&'c str])>);

    #[test]
    fn line_numbers_are_removed_and_other_text_is_not_code() {
        let cases: [Numbered<'_>; 7] = [
            ("41: a\n42: \tb\n43:\n44: c\n", ": ", Some((41, &["a", "\tb", "", "c"]))),
            ("9 if x:\n10     y()", " ", Some((9, &["if x:", "    y()"]))),
            ("9 a\n11 b", " ", None),
            ("a\n1 b", " ", None),
            ("db.Query(1)", ": ", None),
            ("4294967295: a\n0: b", ": ", None),
            ("", ": ", None),
        ];
        for (code, separator, expected) in cases {
            let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
            let expected = expected.map(|(first_line, code)| Excerpt { first_line, lines: lines(code) });
            assert_eq!(numbered(code, separator), expected, "{code}");
        }
        assert_eq!(plain("a\nb", Some(3)).map(|code| code.lines.len()), Some(2));
        assert_eq!([plain("a", None), plain(" \n", Some(1))], [None, None]);
    }

    #[test]
    fn names_of_fields_are_not_literals() {
        let cases: [(&str, &[&str]); 8] = [
            (r#"password := "hunter2""#, &["hunter2"]),
            (r#"{"password": "hunter2", 'b' => 'c\'d'}"#, &["hunter2", r"c\'d"]),
            (r#"m["password"] = `a"b`"#, &[r#"a"b"#]),
            (r#"don't = "x""#, &["x"]),
            (r#"a = """#, &[]),
            ("'", &[]),
            ("no literal", &[]),
            ("\"é\"", &["é"]),
        ];
        for (code, expected) in cases {
            assert_eq!(literals(code), expected, "{code}");
        }
    }

    #[test]
    fn the_secrets_in_code_are_masked() {
        let mut finding = Finding::new(Kind::Code, "G101", "t", "m");
        finding.code = plain("user, password = \"annabel\", \"hunter2hunter2\"", Some(3));
        let code = finding.code.as_ref().map(|code| code.lines.concat()).unwrap_or_default();
        attach_secrets(&mut finding, &code);
        assert_eq!(finding.code.unwrap().lines, ["user, password = \"a****\", \"hun****\""]);
        assert!(finding.secret.is_some());
    }
}
