//! The tutorial's steps in the browser; the suite `tutorial` does the same over HTTP, with the same numbers.

use crate::browser::Bench;
use std::path::Path;
use tests::Browser;
use tests::reports::Program;

fn upload(browser: &Browser, program: &Program, report: &Path, variant: &str, level: &str) {
    browser.click_link("Upload");
    browser.fill("Target", program.target);
    browser.fill("Variant", variant);
    browser.choose("Scanner", "Bandit (bandit)");
    browser.click_button("More thresholds and pipeline");
    browser.choose("Fail on severity", level);
    browser.upload_file("Report", report);
    browser.click_button("Upload report");
    browser.expect_path("/projects/shop/scans/");
    browser.expect_text(&format!("{}:{variant}", program.target));
}

fn ask_for_the_critical_issues(browser: &Browser, scan: &str, titles: &[&str]) {
    for title in titles {
        browser.open(scan);
        browser.click_link(title);
        browser.click_button("Request an exemption");
        browser.choose("Reason", "Acceptable risk");
        browser.choose("Duration", "30 days");
        browser.fill("Explanation", "The risk is known.");
        browser.click_button("Request exemption");
        browser.expect_text("Exemption requested. A reviewer will decide on it.");
    }
}

#[test]
fn the_tutorial_works_in_a_browser() {
    let bench = Bench::new();
    let program = Program::demo();
    let developer = Browser::start(&bench.app.url());
    developer.sign_in(bench.developer.token());
    upload(&developer, &program, &program.main_report, program.main, "Never");
    developer.expect_text("No threshold set");
    developer.expect_text("Nothing: this is the first scan");

    developer.click_link("Targets");
    developer.click_link(program.target);
    developer.tick("Fixed variant");
    developer.fill("Variant name", program.main);
    developer.click_button("Save baseline");
    developer.expect_text("Baseline saved");

    upload(&developer, &program, &program.branch_report, program.branch, "Critical");
    developer.expect_text("Fail");
    developer.expect_text("fail_on_severity is set to critical and that threshold was reached");
    developer.expect_text("Only in notes:feature (3)");
    developer.expect_text("Common to notes:main (2)");
    let scan = developer.path();
    let issues = bench.developer.issues(&bench.developer.scans()[0].answer, "?severity=critical");
    let titles: Vec<&str> = issues.iter().map(|issue| issue.title.as_str()).collect();
    assert_eq!(titles.len(), 2);
    ask_for_the_critical_issues(&developer, &scan, &titles);
    upload(&developer, &program, &program.branch_report, program.branch, "Critical");
    developer.expect_text("that threshold was reached");

    developer.click_link("Exemptions");
    developer.expect_text(titles[0]);
    assert!(!developer.has_button("Approve"), "a developer cannot approve");
    let secops = Browser::start(&bench.app.url());
    secops.sign_in(bench.secops.token());
    for title in &titles {
        secops.click_link("Exemptions");
        secops.click_button(&format!("Approve {title}"));
        secops.expect_text("Request approved. The exemption applies from the next scan.");
    }

    upload(&developer, &program, &program.branch_report, program.branch, "Critical");
    developer.expect_text("Pass");
    developer.expect_no_text("threshold was reached");
    for title in &titles {
        assert!(!developer.has_link(title), "{title} is exempted");
    }
    developer.click_button("2 Exempted");
    for title in &titles {
        developer.expect_text(title);
        assert!(developer.has_link(title));
    }
    developer.expect_no_console_errors();

    for title in &titles {
        developer.click_link("Exemptions");
        developer.click_link("Approved");
        developer.click_button(&format!("Withdraw exemption … {title}"));
        developer.expect_text("This is final");
        developer.click_button(&format!("Withdraw exemption {title}"));
        developer.expect_text("Exemption withdrawn");
    }
    upload(&developer, &program, &program.branch_report, program.branch, "Critical");
    developer.expect_text("that threshold was reached");
    for browser in [&developer, &secops] {
        browser.expect_no_console_errors();
    }
}
