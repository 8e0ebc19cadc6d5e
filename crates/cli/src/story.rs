//! The demo's expected numbers: the answer to each upload, and how an answer differs from it.

use api::v1::ScanAnswer;
use domain::verdict::Verdict;

/// The message of a gate that fails on critical issues.
const REACHED: &str = "Exited with message: fail_on_severity is set to critical and that threshold was reached.";

/// The expected answer to an upload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    verdict: Verdict,
    message: Option<&'static str>,
    compared_with: &'static str,
    /// Only here, common, remediated, exempted.
    issues: [u64; 4],
    occurrences: [u64; 4],
    variables: &'static [(&'static str, &'static str)],
}

/// The first upload of `main`: there is no earlier scan.
pub(crate) const MAIN: Expected = Expected {
    verdict: Verdict::Pass,
    message: None,
    compared_with: "none",
    issues: [2, 0, 0, 0],
    occurrences: [2, 0, 0, 0],
    variables: &[("CRITICAL", "1"), ("MEDIUM", "1"), ("TOTAL", "2"), ("NEW_TOTAL", "2"), ("IGNORED", "0")],
};

/// The branch, with nothing exempted.
pub(crate) const FEATURE: Expected = Expected {
    verdict: Verdict::Fail,
    message: Some(REACHED),
    compared_with: "baseline",
    issues: [3, 2, 0, 0],
    occurrences: [7, 2, 0, 0],
    variables: &[
        ("CRITICAL", "2"),
        ("MEDIUM", "2"),
        ("LOW", "1"),
        ("TOTAL", "5"),
        ("NEW_CRITICAL", "1"),
        ("NEW_TOTAL", "3"),
        ("NEW_OCCURRENCES", "7"),
        ("IGNORED", "0"),
    ],
};

/// The branch, with both critical issues exempted.
pub(crate) const EXEMPTED: Expected = Expected {
    verdict: Verdict::Pass,
    message: None,
    compared_with: "baseline",
    issues: [2, 1, 0, 2],
    occurrences: [4, 1, 0, 4],
    variables: &[("CRITICAL", "0"), ("MEDIUM", "2"), ("LOW", "1"), ("TOTAL", "3"), ("IGNORED", "2")],
};

impl Expected {
    /// The differences from the expectation, one per line.
    pub(crate) fn differences(&self, answer: &ScanAnswer) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(format!("{what}: expected {expected}, found {found}"));
            }
        };
        let message = |message: Option<&str>| message.unwrap_or("no message").to_owned();
        compare("verdict", self.verdict.to_string(), answer.verdict.to_string());
        compare("message", message(self.message), message(answer.message.as_deref()));
        compare("compared with", self.compared_with.to_owned(), answer.comparison.with.clone());
        for (what, expected, found) in
            [("issues", self.issues, answer.issues), ("occurrences", self.occurrences, answer.occurrences)]
        {
            let found = [found.new, found.common, found.remediated, found.exempted];
            compare(
                &format!("{what} (only here, common, remediated, exempted)"),
                format!("{expected:?}"),
                format!("{found:?}"),
            );
        }
        for (name, expected) in self.variables {
            let found = answer.variables.get(*name).map_or("nothing", String::as_str);
            compare(name, (*expected).to_owned(), found.to_owned());
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::tests::answer;
    use api::v1::Tally;

    /// An answer as expected.
    fn as_expected(expected: &Expected) -> ScanAnswer {
        let tally = |[new, common, remediated, exempted]: [u64; 4]| Tally {
            new,
            common,
            remediated,
            exempted,
            ..Tally::default()
        };
        let mut answer = answer();
        answer.verdict = expected.verdict;
        answer.message = expected.message.map(str::to_owned);
        answer.comparison.with = expected.compared_with.to_owned();
        (answer.issues, answer.occurrences) = (tally(expected.issues), tally(expected.occurrences));
        answer.variables = expected.variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        answer
    }

    #[test]
    fn an_expected_answer_has_no_differences() {
        for expected in [MAIN, FEATURE, EXEMPTED] {
            assert_eq!(expected.differences(&as_expected(&expected)), Vec::<String>::new());
        }
    }

    type Change = fn(&mut ScanAnswer);

    #[test]
    fn each_wrong_number_is_a_difference() {
        let changes: &[(&str, Change)] = &[
            ("verdict: expected fail, found pass", |answer| answer.verdict = Verdict::Pass),
            ("message: ", |answer| answer.message = None),
            ("compared with: expected baseline, found none", |answer| answer.comparison.with = "none".to_owned()),
            ("issues ", |answer| answer.issues.exempted = 1),
            ("occurrences ", |answer| answer.occurrences.common = 3),
            ("IGNORED: expected 0, found nothing", |answer| drop(answer.variables.remove("IGNORED"))),
        ];
        for (expected, change) in changes {
            let mut answer = as_expected(&FEATURE);
            change(&mut answer);
            let differences = FEATURE.differences(&answer);
            assert!(differences.len() == 1 && differences[0].starts_with(expected), "{expected}: {differences:?}");
        }
    }

    #[test]
    fn the_expected_numbers_are_consistent() {
        for expected in [MAIN, FEATURE, EXEMPTED] {
            let value =
                |name| expected.variables.iter().find(|(known, _)| *known == name).unwrap().1.parse::<u64>().unwrap();
            let [new, common, _, exempted] = expected.issues;
            assert_eq!(value("TOTAL"), new + common);
            assert_eq!(value("IGNORED"), exempted);
        }
    }
}
