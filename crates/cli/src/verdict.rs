//! A verdict as exit code and last line of the log. The server decides the verdict.

use api::v1::ScanAnswer;
use domain::verdict::Verdict;

use crate::terminal::plain;

/// 0 pass, 1 fail, 2 undecided.
pub(crate) fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Undecided => 2,
    }
}

/// A verdict in a table. A pass without a threshold says so: nothing could fail.
pub(crate) fn word(verdict: Verdict, no_threshold: bool) -> String {
    let unset = if verdict == Verdict::Pass && no_threshold { ", no threshold set" } else { "" };
    format!("{verdict}{unset}")
}

/// The last line of the log.
pub(crate) fn message(answer: &ScanAnswer) -> String {
    let text = match (answer.verdict, &answer.message, answer.reasons.first()) {
        (Verdict::Pass, _, _) => passed(answer),
        (Verdict::Fail | Verdict::Undecided, Some(message), _) => message.clone(),
        (Verdict::Fail | Verdict::Undecided, None, Some(reason)) => format!("Exited with message: {reason}"),
        (verdict @ (Verdict::Fail | Verdict::Undecided), None, None) => {
            format!("Exited with message: the verdict is {verdict}.")
        }
    };
    plain(&text)
}

/// The thresholds that a pass did not reach.
fn passed(answer: &ScanAnswer) -> String {
    let scan = &answer.scan;
    // A server of an earlier version does not state which thresholds it applied.
    let [severity, new, occurrences] = match &answer.thresholds {
        Some(applied) => [&applied.fail_on_severity, &applied.fail_on_new, &applied.fail_on_new_occurrences],
        None => [&scan.fail_on_severity, &scan.fail_on_new, &scan.fail_on_new_occurrences],
    };
    let set: Vec<_> = [("fail_on_severity", severity), ("fail_on_new", new), ("fail_on_new_occurrences", occurrences)]
        .into_iter()
        .filter(|(_, level)| !level.eq_ignore_ascii_case("none"))
        .map(|(name, level)| format!("{name} is set to {level}"))
        .collect();
    match set.as_slice() {
        [] => "Passed, but no threshold is set, so nothing could fail.".to_owned(),
        [one] => format!("Passed: {one} and that threshold was not reached."),
        several => format!("Passed: {}, and no threshold was reached.", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::tests::answer;

    #[test]
    fn each_verdict_has_its_own_exit_code() {
        assert_eq!([Verdict::Pass, Verdict::Fail, Verdict::Undecided].map(exit_code), [0, 1, 2]);
    }

    #[test]
    fn a_failure_ends_with_the_servers_message() {
        let mut answer = answer();
        let reached = "fail_on_severity is set to critical and that threshold was reached.";
        answer.verdict = Verdict::Fail;
        answer.reasons = vec![reached.to_owned()];
        answer.message = Some(format!("Exited with message: {reached}"));
        assert_eq!(message(&answer), format!("Exited with message: {reached}"));
        answer.message = None;
        assert_eq!(message(&answer), format!("Exited with message: {reached}"));
        answer.reasons = vec![];
        answer.verdict = Verdict::Undecided;
        assert_eq!(message(&answer), "Exited with message: the verdict is undecided.");
        answer.message = Some("a\u{1b}[1A\nb".to_owned());
        assert_eq!(message(&answer), "a\\u{1b}[1A b");
    }

    #[test]
    fn a_pass_names_the_thresholds_that_were_not_reached() {
        let mut answer = answer();
        assert_eq!(message(&answer), "Passed: fail_on_severity is set to critical and that threshold was not reached.");
        answer.scan.fail_on_severity = "None".to_owned();
        assert_eq!(message(&answer), "Passed, but no threshold is set, so nothing could fail.");
        answer.scan.fail_on_new = "high".to_owned();
        assert_eq!(message(&answer), "Passed: fail_on_new is set to high and that threshold was not reached.");
        answer.scan.fail_on_new_occurrences = "LOW".to_owned();
        assert_eq!(
            message(&answer),
            "Passed: fail_on_new is set to high, fail_on_new_occurrences is set to LOW, and no threshold was reached."
        );
    }
}
