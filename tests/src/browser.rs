//! A real browser, used as a person uses one: by what stands on links, buttons and labels.
//!
//! Every look-up waits until a deadline, so a test says what should happen and not how long it takes.

mod axe;
mod driver;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use driver::{Driver, Refusal};
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time limit for an element or a text to appear.
const PATIENCE: Duration = Duration::from_secs(20);
/// Interval between two looks.
const EVERY: Duration = Duration::from_millis(20);

const LINKS: &str = "a[href]";
const BUTTONS: &str = "button, input[type=submit], summary";
const FIELDS: &str = "input:not([type=hidden]), textarea, select";

/// The elements of this kind that can be seen in the part of the page that has this text, or on the whole page, and that
/// could be called so: names are made of texts and attributes, and what has them not is not asked for its name. A name's
/// words need not stand in one piece in the page.
const CANDIDATES: &str = r#"
  const [selector, name, near] = arguments;
  const flat = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const parts = "tr, li, article, section, fieldset, form, .card";
  const has = (part) => flat(part.innerText).includes(near);
  const around = near === null ? [document]
    : [...document.querySelectorAll(parts)].filter((part) => has(part) && ![...part.querySelectorAll(parts)].some(has));
  const named = (element) => [element.textContent, element.ariaLabel, element.title, element.value, element.alt,
    ...[...element.querySelectorAll("[aria-label], [alt], [title]")].flatMap((part) => [part.ariaLabel, part.alt, part.title]),
    ...[...(element.labels ?? [])].map((label) => label.textContent),
    ...(element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent),
  ].map(flat).join(" ");
  const first = name.split(" ")[0];
  return around.flatMap((part) => [...part.querySelectorAll(selector)])
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && named(element).includes(first));"#;

/// By how much the page is wider than what is seen of it, and the elements that stick out; of a part that scrolls in
/// itself nothing does.
const OVERFLOW: &str = r#"
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return "";
  const scrolls = (element) => element && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  const right = (element, box) => Math.max(box.right, scrolls(element) ? 0 : box.left + element.scrollWidth);
  const sticksOut = (element) => right(element, element.getBoundingClientRect()) > innerWidth;
  const out = [...document.querySelectorAll("body *")]
    .filter((element) => sticksOut(element) && !scrolls(element.parentElement));
  return `${over} pixels wider than the screen: ${out.map((element) => element.cloneNode().outerHTML).join(" ")}`;"#;

/// A browser with a profile of its own.
pub struct Browser {
    driver: Driver,
    url: String,
}

impl Browser {
    /// Starts one for the application at this address.
    pub fn start(url: &str) -> Self {
        let browser = Self { driver: Driver::start(), url: url.to_owned() };
        browser.resize(1440, 900);
        browser
    }

    /// Goes to a path of the application.
    #[track_caller]
    pub fn open(&self, path: &str) {
        self.driver.call("POST", "/url", &json!({"url": format!("{}{path}", self.url)}));
    }

    /// The path, with its query, that the browser is at.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.driver.call("GET", "/url", &Value::Null);
        let url = url.as_str().unwrap_or_default();
        url.strip_prefix(&self.url).unwrap_or(url).to_owned()
    }

    /// Goes to the page to sign in on, and signs in.
    #[track_caller]
    pub fn sign_in(&self, token: &str) {
        self.open("/sign-in");
        self.fill("Token", token);
        self.click_button("Sign in");
        wait("signing in leads to another page", || Ok((!self.path().starts_with("/sign-in")).then_some(())));
    }

    /// Types into the field with this label, in place of what was there.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        self.act("field", FIELDS, label, None, |field| {
            self.driver.try_call("POST", &format!("/element/{field}/clear"), &json!({}))?;
            self.driver.try_call("POST", &format!("/element/{field}/value"), &json!({"text": text}))
        });
    }

    /// Chooses what reads so in the field with this label.
    #[track_caller]
    pub fn choose(&self, label: &str, option: &str) {
        self.act("field", FIELDS, label, None, |field| {
            // A page's text inserts spaces where it has them; of an option only its words matter.
            let path = format!("/element/{field}/elements");
            let xpath = format!(".//option[normalize-space()={}]", quoted(option));
            let found = self.driver.try_call("POST", &path, &json!({"using": "xpath", "value": xpath}))?;
            let found = found[0].as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
            let Some(found) = found else { panic!("`{label}` has no option `{option}`") };
            self.driver.try_call("POST", &format!("/element/{found}/click"), &json!({}))
        });
    }

    /// Names a file of this machine in the field with this label.
    #[track_caller]
    pub fn upload_file(&self, label: &str, file: &Path) {
        self.act("field", FIELDS, label, None, |field| {
            self.driver.try_call("POST", &format!("/element/{field}/value"), &json!({"text": file}))
        });
    }

    /// Ticks the box, or chooses the choice, with this label.
    #[track_caller]
    pub fn tick(&self, label: &str) {
        self.click("box", FIELDS, label, None);
    }

    /// Clicks the button that is called so; what folds a part of the page in and out is one too.
    #[track_caller]
    pub fn click_button(&self, name: &str) {
        self.click("button", BUTTONS, name, None);
    }

    /// Clicks the button that is called so in the smallest part of the page (a row, an entry, a card, a form) with a text.
    #[track_caller]
    pub fn click_button_near(&self, near: &str, name: &str) {
        self.click("button", BUTTONS, name, Some(near));
    }

    /// Follows the link that is called so.
    #[track_caller]
    pub fn click_link(&self, name: &str) {
        self.click("link", LINKS, name, None);
    }

    /// Follows the link that is called so in the smallest part of the page with a text.
    #[track_caller]
    pub fn click_link_near(&self, near: &str, name: &str) {
        self.click("link", LINKS, name, Some(near));
    }

    /// True if the page has a button of this name now.
    #[track_caller]
    pub fn has_button(&self, name: &str) -> bool {
        self.find(BUTTONS, name, None).unwrap_or_default().is_some()
    }

    /// True if the page has a link of this name now.
    #[track_caller]
    pub fn has_link(&self, name: &str) -> bool {
        self.find(LINKS, name, None).unwrap_or_default().is_some()
    }

    /// True if the page has a field with this label now.
    #[track_caller]
    pub fn has_field(&self, label: &str) -> bool {
        self.find(FIELDS, label, None).unwrap_or_default().is_some()
    }

    /// The visible text of the page, with single spaces between words.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.run("return document.body?.innerText ?? ''");
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until this can be read on the page.
    #[track_caller]
    pub fn expect_text(&self, text: &str) {
        let last = std::cell::RefCell::new(String::new());
        let told = || format!("`{text}` is to be read at {}, where it says: {}", self.path(), last.borrow());
        wait_or(told, || {
            let read = self.text();
            let found = read.contains(text).then_some(());
            last.replace(read);
            Ok(found)
        });
    }

    /// Fails if this can be read on the page now. To be used after what belongs to the same page was waited for.
    #[track_caller]
    pub fn expect_no_text(&self, text: &str) {
        let read = self.text();
        assert!(!read.contains(text), "`{text}` is not to be read at {}, where it says: {read}", self.path());
    }

    /// Waits until the browser is at this path; `beginning` of it is enough.
    #[track_caller]
    pub fn expect_path(&self, beginning: &str) {
        let told = || format!("the browser is to be at {beginning}…, and is at {}", self.path());
        wait_or(told, || Ok(self.path().starts_with(beginning).then_some(())));
    }

    /// Makes what is seen of the page exactly so wide and high, in CSS pixels.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.driver.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Prefers dark pages from now on, or light ones.
    #[track_caller]
    pub fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.driver.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Runs the body of a function in the page.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.driver.run(script, &[])
    }

    /// The elements beyond the screen's right edge; empty if the page needs no scrolling sideways.
    #[track_caller]
    pub fn overflow(&self) -> String {
        self.run(OVERFLOW).as_str().unwrap().to_owned()
    }

    /// A picture of the whole page, as PNG.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) {
        let metrics = self.driver.devtools("Page.getLayoutMetrics", &json!({}));
        let mut clip = metrics["cssContentSize"].clone();
        clip["scale"] = json!(1);
        let shot = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.driver.devtools("Page.captureScreenshot", &shot);
        std::fs::write(path, STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// Returns the browser's errors and warnings since the last call: of scripts, of the content security policy, and of what
    /// could not be loaded.
    #[track_caller]
    pub fn console_errors(&self) -> Vec<String> {
        let log = self.driver.call("POST", "/se/log", &json!({"type": "browser"}));
        let complaints = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let told = complaints.map(|entry| entry["message"].as_str().unwrap_or_default().replace(&self.url, ""));
        told.map(|message| format!("console: {message}")).collect()
    }

    /// Expects no complaint of the browser.
    #[track_caller]
    pub fn expect_no_console_errors(&self) {
        assert_eq!(self.console_errors(), [] as [String; 0], "at {}", self.path());
    }

    /// The violations that axe-core finds on the page.
    #[track_caller]
    pub fn axe(&self) -> Vec<String> {
        if self.run("return typeof axe") == "undefined" {
            self.driver.run(&axe::source(), &[]);
        }
        axe::violations(&self.driver.run(axe::RUN, &[]))
    }

    #[track_caller]
    fn click(&self, kind: &str, selector: &str, name: &str, near: Option<&str>) {
        self.act(kind, selector, name, near, |element| {
            self.driver.try_call("POST", &format!("/element/{element}/click"), &json!({}))
        });
    }

    /// Does something with the element that is called so, as soon as it is there and lets itself be used.
    #[track_caller]
    fn act(
        &self,
        kind: &str,
        selector: &str,
        name: &str,
        near: Option<&str>,
        what: impl Fn(&str) -> Result<Value, Refusal>,
    ) {
        let told = || {
            let near = near.map_or_else(String::new, |near| format!(" near `{near}`"));
            format!("a {kind} called `{name}`{near} is to be used at {}, where it says: {}", self.path(), self.text())
        };
        wait_or(told, || {
            let Some(element) = self.find(selector, name, near)? else { return Ok(None) };
            what(&element).map(Some)
        });
    }

    /// The first element of this kind that is called so; else the first whose name begins with these words.
    fn find(&self, selector: &str, name: &str, near: Option<&str>) -> Result<Option<String>, Refusal> {
        let mut longer = None;
        for element in self.driver.elements(CANDIDATES, &[json!(selector), json!(name), json!(near)])? {
            let called = self.driver.name(&element)?;
            if called == name {
                return Ok(Some(element));
            }
            if longer.is_none()
                && called.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            {
                longer = Some(element);
            }
        }
        Ok(longer)
    }
}

/// Text as a literal of XPath, which has no escapes.
fn quoted(text: &str) -> String {
    let mark = if text.contains('\'') { '"' } else { '\'' };
    format!("{mark}{text}{mark}")
}

#[track_caller]
fn wait<T>(what: &str, ready: impl FnMut() -> Result<Option<T>, Refusal>) -> T {
    wait_or(|| what.to_owned(), ready)
}

/// Waits until something is there; what the browser refuses for now is tried again.
#[track_caller]
fn wait_or<T, D: Display>(what: impl Fn() -> D, mut ready: impl FnMut() -> Result<Option<T>, Refusal>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let refused = match ready() {
            Ok(Some(found)) => return found,
            Ok(None) => None,
            Err(refusal) if refusal.may_pass() => Some(refusal),
            Err(refusal) => panic!("{}: {refusal}", what()),
        };
        if deadline < Instant::now() {
            let refused = refused.map(|refusal| format!("; the browser says: {refusal}")).unwrap_or_default();
            panic!("not within {PATIENCE:?}: {}{refused}", what());
        }
        std::thread::sleep(EVERY);
    }
}
