//! Numbers of the Common Weakness Enumeration in the forms that scanners write. Never read from free text.

/// The number in `79`, `CWE-79`, `cwe-079`, `CWE-79: Improper …`, `external/cwe/cwe-079`. 0 counts as absent.
pub(crate) fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let rest = match text.rfind(['/', '\\']) {
        Some(slash) if text.get(..slash).is_some_and(|before| before.to_ascii_lowercase().contains("cwe")) => {
            text.get(slash + 1..)?
        }
        Some(_) | None => text,
    };
    let lower = rest.to_ascii_lowercase();
    let digits = match lower.strip_prefix("cwe") {
        Some(after) => after.trim_start_matches(['-', '_', ':', '.', ' ']),
        None => &lower,
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, after) = digits.split_at_checked(end)?;
    let continues = after.chars().next().is_some_and(char::is_alphanumeric);
    number.parse().ok().filter(|number| !continues && *number != 0)
}

/// The numbers in several texts, each once, in order.
pub(crate) fn numbers<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<u32> {
    let mut found = Vec::new();
    for number in texts.into_iter().filter_map(number) {
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_all_forms_that_scanners_write() {
        let cases = [
            ("79", Some(79)),
            ("CWE-79", Some(79)),
            ("cwe-079", Some(79)),
            ("CWE 79", Some(79)),
            ("CWE-79: Improper Neutralization", Some(79)),
            ("external/cwe/cwe-079", Some(79)),
            ("https://cwe.mitre.org/data/definitions/79", Some(79)),
            ("-1", None),
            ("CWE-0", None),
            ("CWE-noinfo", None),
            ("NVD-CWE-Other", None),
            ("79abc", None),
            ("", None),
            ("99999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(numbers(["CWE-79", "79", "CWE-80"]), [79, 80]);
    }
}
