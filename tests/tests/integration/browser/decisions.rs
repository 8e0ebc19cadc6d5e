//! Forms of decisions in a real browser: what is ticked and filled in is requested, what ends something asks once more,
//! an old tab changes nothing, and a form survives the end of its session.

use crate::browser::Bench;
use api::v1::ExemptionItem;
use domain::exemption::{Scope, Status};
use tests::{Browser, Upload, reports};

impl Bench {
    /// Uploads a report with one issue of two occurrences; returns the path of the issue's page.
    fn issue(&self) -> (String, String) {
        let results = ["src/a.py", "src/b.py"].map(|file| reports::result(1, "HIGH", file, 10));
        let scan = self.developer.upload(&Upload::new("web", "main", reports::bandit(&results)));
        let issue = self.developer.issues(&scan, "").remove(0);
        (format!("/projects/shop/scans/{}/issues/{}", scan.scan.id, issue.id), issue.title)
    }

    /// Requests an exemption of that issue in its target.
    fn requested(&self) -> (ExemptionItem, String) {
        let (path, title) = self.issue();
        let id = path.rsplit('/').next().unwrap();
        (self.developer.ask_exemption("web", id).expect(201).read(), title)
    }

    fn item(&self, id: &str) -> ExemptionItem {
        self.developer.find(&format!("exemptions/{id}"))
    }
}

#[test]
fn ticked_occurrences_and_a_date_are_what_is_requested() {
    let bench = Bench::new();
    let (path, title) = bench.issue();
    let browser = Browser::start(&bench.app.url());
    browser.sign_in(bench.developer.token());
    browser.open(&path);
    let window = browser.run("return document.title");
    assert!(window.as_str().unwrap().starts_with(&format!("{title} · bandit · web:main")), "{window}");
    browser.click_button("Request an exemption");
    browser.tick("src/b.py:10");
    assert_eq!(browser.run("return document.querySelector('#scope-occurrences').checked"), true);
    browser.run(
        "const date = document.querySelector('#until');
        date.value = new Date(Date.now() + 100 * 86400000).toISOString().slice(0, 10);
        date.dispatchEvent(new Event('input', { bubbles: true }))",
    );
    assert_eq!(browser.run("return document.querySelector('#term').value"), "until");
    browser.choose("Reason", "Acceptable risk");
    browser.fill("Explanation", "The risk is known.");
    browser.click_button("Request exemption");
    browser.expect_text(
        "Exemption requested. A reviewer will decide on it. It is for the 1 selected occurrence in the target web",
    );
    let item = bench.developer.exemptions().remove(0);
    assert_eq!((item.scope, item.occurrences.len()), (Scope::Occurrences, 1));
    assert!(item.until.is_some() && item.duration_days.is_none());

    // The reviewer sees the place and its code.
    let reviewer = Browser::start(&bench.app.url());
    reviewer.sign_in(bench.secops.token());
    reviewer.open(&format!("/projects/shop/exemptions/{}", item.id));
    reviewer.expect_text("src/b.py:10");
    reviewer.expect_text("call_1('src/b.py', 10)");
    reviewer.expect_no_text("src/a.py");
    for browser in [&browser, &reviewer] {
        browser.expect_no_console_errors();
    }
}

#[test]
fn an_old_tab_changes_nothing_and_shows_what_a_colleague_decided() {
    let bench = Bench::new();
    let (item, title) = bench.requested();
    let browser = Browser::start(&bench.app.url());
    browser.sign_in(bench.admin.token());
    browser.open("/projects/shop/exemptions");
    browser.expect_text(&title);
    bench.secops.decide(&item.id, "reject").expect(200);
    browser.click_button(&format!("Approve {title}"));
    browser.expect_text("the exemption was rejected by `sue` at ");
    browser.expect_text("it was pending when you decided");
    assert_eq!(bench.item(&item.id).status, Status::Rejected);
    // The browser reports the page with the status 412.
    assert!(browser.console_errors().iter().all(|fault| fault.contains("412")));
}

#[test]
fn a_request_is_withdrawn_by_its_requester_only_after_one_more_click() {
    let bench = Bench::new();
    let (item, title) = bench.requested();
    let developer = Browser::start(&bench.app.url());
    developer.sign_in(bench.developer.token());
    developer.open("/projects/shop/exemptions");
    developer.click_button(&format!("Withdraw request … {title}"));
    developer.expect_text("Nobody can approve the request any more.");
    assert_eq!(bench.item(&item.id).status, Status::Pending);
    let secops = Browser::start(&bench.app.url());
    secops.sign_in(bench.secops.token());
    secops.open("/projects/shop/exemptions");
    secops.expect_text(&title);
    assert!(!secops.has_button("Withdraw request") && secops.has_button("Reject"));
    secops.click_button(&format!("Approve {title}"));
    secops.expect_text("Request approved.");
    secops.open(&format!("/projects/shop/exemptions/{}", item.id));
    secops.click_button("Revoke approval …");
    secops.expect_text("can be reopened");
    secops.click_button(&format!("Revoke approval {title}"));
    secops.expect_text("Approval revoked.");
    assert_eq!(bench.item(&item.id).status, Status::Rejected);
    // The form of the requester is one of the pending request.
    developer.click_button(&format!("Withdraw request {title}"));
    developer.expect_text("the exemption's approval was revoked by `sue` at ");
    assert_eq!(bench.item(&item.id).status, Status::Rejected);
}

#[test]
fn a_form_survives_the_end_of_its_session() {
    let bench = Bench::new();
    let (path, _) = bench.issue();
    let browser = Browser::start(&bench.app.url());
    browser.sign_in(bench.developer.token());
    browser.open(&path);
    browser.click_button("Request an exemption");
    browser.choose("Reason", "False positive");
    browser.choose("Duration", "90 days");
    browser.fill("Explanation", "Written at length, and not twice.");
    // The browser forgets the session, as it does after twelve hours.
    browser.forget_cookies();
    browser.click_button("Request exemption");
    browser.expect_text("your session has ended, so nothing was saved");
    browser.fill("Token", "gate_no-such-token");
    browser.click_button("Sign in");
    browser.expect_text("Sign-in failed");
    browser.fill("Token", bench.developer.token());
    browser.click_button("Sign in");
    browser.expect_text("Your session had ended, so nothing was saved; check the form and send it again");
    assert_eq!(bench.developer.exemptions().len(), 0);
    assert_eq!(browser.run("return document.querySelector('#explanation').value"), "Written at length, and not twice.");
    browser.click_button("Request exemption");
    browser.expect_text("Exemption requested.");
    let item = bench.developer.exemptions().remove(0);
    assert_eq!((item.duration_days, item.text.as_str()), (Some(90), "Written at length, and not twice."));
}

#[test]
fn a_click_without_a_connection_says_so_and_an_issue_leaves_the_title_of_its_list() {
    let bench = Bench::new();
    let (path, title) = bench.issue();
    let list = path.split("/issues/").next().unwrap();
    let browser = Browser::start(&bench.app.url());
    browser.resize(1440, 900);
    browser.sign_in(bench.viewer.token());
    browser.open(list);
    let window = browser.run("return document.title");
    assert_eq!(window, "web:main · bandit · Gatehouse");
    browser.click_link(&title);
    browser.expect_text("Latest scans of web");
    assert_eq!(browser.run("return document.title"), window);
    browser.expect_no_console_errors();
    browser.offline(true);
    browser.click_link(&title);
    browser.expect_text("Gatehouse cannot be reached. Check your connection and try again.");
    browser.offline(false);
    browser.click_link(&title);
    browser.expect_text("Latest scans of web");
    browser.expect_no_text("cannot be reached");
}
