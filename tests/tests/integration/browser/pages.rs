//! Every page, on every screen: it is accessible, and small.

use std::time::{Duration, Instant};
use tests::sample::{PROJECT, Sample};
use tests::{ADMIN, App, Browser, Visitor, embedded_only};

/// The maximum number of bytes of a first visit.
const WEIGHT_MAX: usize = 60 * 1024;
/// Time limit for a fault to be reported.
const PATIENCE: Duration = Duration::from_secs(20);
/// The screens: width and height.
const SCREENS: [(u32, u32); 2] = [(1440, 900), (360, 800)];

/// The width from which no word in a table's cell may be broken.
const WIDE: u32 = 1440;

/// Number of days that the sample covers.
fn days() -> u64 {
    if embedded_only("pages are tested with scans of several days") { 2 } else { 0 }
}

/// The faults of the current page, apart from those that axe-core finds.
fn faults(browser: &Browser, is_problem: bool) -> Vec<String> {
    let mut faults = browser.console_errors();
    // The browser reports every page with such a status.
    faults.retain(|fault| !(is_problem && fault.contains("404")));
    let overflow = browser.overflow();
    if !overflow.is_empty() {
        faults.push(overflow);
    }
    let headings = browser.run("return document.querySelectorAll('h1').length");
    if headings != 1 {
        faults.push(format!("{headings} headings of the first level"));
    }
    if !is_problem && browser.text().contains("Page not found") {
        faults.push("the page is not found".to_owned());
    }
    faults
}

#[test]
fn every_page_is_accessible_on_every_screen() {
    let mut app = App::new();
    let sample = Sample::fill(&mut app, days());
    let mut pages = vec![("sign-in", "/sign-in".to_owned())];
    pages.extend(sample.pages());
    // A browser for each screen, at the same time.
    let found: Vec<String> = std::thread::scope(|scope| {
        let look = |screen| {
            let (url, pages) = (app.url(), &pages);
            scope.spawn(move || look_at(&url, pages, screen))
        };
        let screens = SCREENS.map(look);
        screens.into_iter().flat_map(|found| found.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Opens every page on a screen of this width and height, light and dark, and returns the faults.
fn look_at(url: &str, pages: &[(&str, String)], (width, height): (u32, u32)) -> Vec<String> {
    let browser = Browser::start(url);
    browser.resize(width, height);
    let mut found = Vec::new();
    for (name, path) in pages {
        if *name == "overview" {
            browser.sign_in(ADMIN);
        }
        browser.open(path);
        for dark in [false, true] {
            browser.dark(dark);
            let mut faults = faults(&browser, *name == "problem");
            faults.extend(browser.axe());
            if width >= WIDE {
                faults.extend(browser.broken_words());
            }
            let scheme = if dark { "dark" } else { "light" };
            found.extend(faults.into_iter().map(|fault| format!("{name} at {width}, {scheme}: {fault}")));
        }
    }
    found
}

#[test]
fn faults_of_a_page_are_found() {
    let app = App::new();
    let browser = Browser::start(&app.url());
    browser.open("/sign-in");
    assert_eq!((faults(&browser, false), browser.axe()), (Vec::new(), Vec::new()));
    let spoil = "document.querySelector('main').insertAdjacentHTML('beforeend', `<h1>Again</h1><img src=/assets/none>
        <p style='color: red'>x</p><pre>${'wide'.repeat(999)}</pre><button onclick='window.owned = 1'>x</button>`);
        document.querySelector('button:last-of-type').click()";
    browser.run(spoil);
    let reported = |beginning: &str| faults(&browser, false).iter().any(|fault| fault.contains(beginning));
    let parts =
        ["pixels wider than the screen: <main id=", "2 headings", "404", "style-src 'self'", "script-src 'self'"];
    let mut found = faults(&browser, false);
    let has = |found: &[String], part: &str| found.iter().any(|fault| fault.contains(part));
    // The browser reports a missing image when its answer is there.
    let deadline = Instant::now() + PATIENCE;
    while !parts.iter().all(|part| has(&found, part)) && Instant::now() < deadline {
        found.extend(faults(&browser, false));
    }
    for part in parts {
        assert!(has(&found, part), "{part}: {found:?}");
    }
    assert!(!reported("404"), "a reported fault is not reported again");
    assert_eq!(browser.run("return window.owned === undefined"), true);
    let axe = browser.axe();
    assert!(axe.iter().any(|fault| fault.starts_with("axe image-alt: ")), "{axe:?}");
}

#[test]
fn a_broken_word_in_a_cell_is_found() {
    let app = App::new();
    let browser = Browser::start(&app.url());
    browser.resize(WIDE, 900);
    browser.open("/sign-in");
    let table = |width, words: &str| {
        let script = format!(
            "const main = document.querySelector('main');
             main.insertAdjacentHTML('beforeend', `<table aria-label=Scans><tr><td>{words}</td></tr></table>`);
             const cell = main.lastElementChild.querySelector('td');
             Object.assign(cell.style, {{ display: 'block', width: '{width}', overflowWrap: 'anywhere' }});"
        );
        browser.run(&script);
        let broken = browser.broken_words();
        browser.run("document.querySelector('main > table').remove()");
        broken
    };
    assert_eq!(table("3ch", "semgrep"), ["broken word: semgrep in Scans"]);
    assert_eq!(table("12ch", "semgrep and bandit"), Vec::<String>::new(), "a line ends between two words");
    assert_eq!(table("12ch", &"0123456789abcdef".repeat(2)), Vec::<String>::new(), "a hash may break");
    assert_eq!(table("3ch", "<span class=unseen>becomes</span>"), Vec::<String>::new());
}

#[test]
fn every_page_is_small() {
    let mut app = App::new();
    let sample = Sample::fill(&mut app, 0);
    let visitor = Visitor::new(&app.url()).signed_in(ADMIN);
    let weights = sample.pages().into_iter().map(|(name, path)| (visitor.weight(&path), name, path));
    let mut weights: Vec<_> = weights.collect();
    weights.sort();
    eprintln!("bytes of a first visit: {weights:?}");
    assert!(weights.iter().all(|(bytes, ..)| *bytes <= WEIGHT_MAX), "{weights:?}");
}

/// Links and buttons of a page, with the lowest role that may use them.
const OFFERED: [(&str, Offer, &str, usize); 9] = [
    ("overview", Offer::Link, "Upload", 1),
    ("overview", Offer::Link, "Audit log", 2),
    ("overview", Offer::Link, "Tokens", 3),
    ("issue", Offer::Button, "Request an exemption", 1),
    ("target", Offer::Button, "Save baseline", 1),
    ("exemptions", Offer::Button, "Approve", 2),
    ("overview", Offer::Link, "Show the request", 0),
    ("settings", Offer::Button, "Save settings", 3),
    ("projects", Offer::Button, "Create project", 4),
];
/// The reading roles, the lowest first; an account admin is above all of them.
const ROLES: [&str; 4] = ["viewer", "developer", "secops", "admin"];

#[derive(Debug, Clone, Copy)]
enum Offer {
    Link,
    Button,
}

#[test]
fn a_page_offers_only_what_the_role_permits() {
    let mut app = App::new();
    let sample = Sample::fill(&mut app, 0);
    let pages = sample.pages();
    let tokens = ROLES.into_iter().map(|role| (role, sample.token(role))).chain([("account admin", ADMIN)]);
    let mut faults = Vec::new();
    for (rank, (role, token)) in tokens.enumerate() {
        let browser = Browser::start(&app.url());
        browser.sign_in(token);
        for (page, offer, name, least) in OFFERED {
            let (_, path) = pages.iter().find(|(known, _)| *known == page).unwrap();
            browser.open(path);
            let is_offered = match offer {
                Offer::Link => browser.has_link(name),
                Offer::Button => browser.has_button(name),
            };
            if is_offered != (least <= rank) {
                faults.push(format!("{page}: `{name}` is{} offered to {role}", if is_offered { "" } else { " not" }));
            }
        }
        browser.open("/");
        let home = if rank == ROLES.len() { "/projects".to_owned() } else { format!("/projects/{PROJECT}") };
        assert_eq!(browser.path(), home, "{role}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
