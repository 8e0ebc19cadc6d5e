//! The hosts differ only where the table of `tests::hosts` says so.

use tests::App;
use tests::hosts::DIFFERENCES;

#[test]
fn the_host_answers_as_the_table_of_differences_says() {
    let app = App::new();
    let wrong: Vec<String> = DIFFERENCES
        .iter()
        .map(|difference| (difference, difference.status(&app)))
        .filter(|(difference, status)| !difference.allows(status))
        .map(|(difference, status)| format!("{}: `{status}`", difference.what))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
