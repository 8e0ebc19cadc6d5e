//! A real browser, used as a person uses it: by the text of links, buttons and labels.
//!
//! Every look-up waits until a deadline, so tests need no sleeps.

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
/// Interval between two attempts.
const EVERY: Duration = Duration::from_millis(20);

const LINKS: &str = "a[href]";
const BUTTONS: &str = "button, input[type=submit], summary";
const FIELDS: &str = "input:not([type=hidden]), textarea, select";

/// The visible elements of this kind, near the given text or anywhere, that may have this accessible name: names
/// consist of texts and attributes, so only elements with these words are asked for their name. The words of a name may
/// be spread over several elements.
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

/// The number of pixels by which the page is wider than the screen, and the elements that stick out, except those
/// inside scrolling parts.
const OVERFLOW: &str = r#"
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return "";
  const scrolls = (element) => element && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  const right = (element, box) => Math.max(box.right, scrolls(element) ? 0 : box.left + element.scrollWidth);
  const sticksOut = (element) => right(element, element.getBoundingClientRect()) > innerWidth;
  const out = [...document.querySelectorAll("body *")]
    .filter((element) => sticksOut(element) && !scrolls(element.parentElement));
  return `${over} pixels wider than the screen: ${out.map((element) => element.cloneNode().outerHTML).join(" ")}`;"#;

/// The words in cells of tables that are broken inside, each with its table. A long token, such as a path or a hash,
/// may break anywhere; a word may be parted from the next one by a hyphen.
const BROKEN_WORDS: &str = r#"
  const longest = 20;
  const isBroken = (text, start, length) => {
    const range = document.createRange();
    range.setStart(text, start);
    range.setEnd(text, start + length);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
    return boxes.some((box) => Math.abs(box.top - boxes[0].top) > box.height / 2);
  };
  const broken = new Set();
  for (const cell of document.querySelectorAll("td, th")) {
    if (!cell.checkVisibility({ visibilityProperty: true })) continue;
    const table = cell.closest("table");
    const title = (table.ariaLabel ?? table.caption?.textContent ?? "a table").trim();
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      if (text.parentElement.closest(".unseen, pre")) continue;
      for (const token of text.data.matchAll(/\S+/g)) {
        if (token[0].length > longest) continue;
        for (const word of token[0].matchAll(/[\p{L}\p{N}]+/gu)) {
          if (isBroken(text, token.index + word.index, word[0].length)) broken.add(`${word[0]} in ${title}`);
        }
      }
    }
  }
  return [...broken];"#;

/// A browser with its own profile.
pub struct Browser {
    driver: Driver,
    url: String,
}

impl Browser {
    /// Starts a browser for the application at this address.
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

    /// The path and query of the current page.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.driver.call("GET", "/url", &Value::Null);
        let url = url.as_str().unwrap_or_default();
        url.strip_prefix(&self.url).unwrap_or(url).to_owned()
    }

    /// Signs in.
    #[track_caller]
    pub fn sign_in(&self, token: &str) {
        self.open("/sign-in");
        self.fill("Token", token);
        self.click_button("Sign in");
        wait("signing in leads to another page", || Ok((!self.path().starts_with("/sign-in")).then_some(())));
    }

    /// Replaces the text of the field with this label.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        self.act("field", FIELDS, label, None, |field| {
            self.driver.try_call("POST", &format!("/element/{field}/clear"), &json!({}))?;
            self.driver.try_call("POST", &format!("/element/{field}/value"), &json!({"text": text}))
        });
    }

    /// Chooses the option with this text in the field with this label.
    #[track_caller]
    pub fn choose(&self, label: &str, option: &str) {
        self.act("field", FIELDS, label, None, |field| {
            // Spaces may differ; only the words of an option matter.
            let path = format!("/element/{field}/elements");
            let xpath = format!(".//option[normalize-space()={}]", quoted(option));
            let found = self.driver.try_call("POST", &path, &json!({"using": "xpath", "value": xpath}))?;
            let found = found[0].as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
            let Some(found) = found else { panic!("`{label}` has no option `{option}`") };
            self.driver.try_call("POST", &format!("/element/{found}/click"), &json!({}))
        });
    }

    /// Selects a file of this machine in the field with this label.
    #[track_caller]
    pub fn upload_file(&self, label: &str, file: &Path) {
        self.act("field", FIELDS, label, None, |field| {
            self.driver.try_call("POST", &format!("/element/{field}/value"), &json!({"text": file}))
        });
    }

    /// Ticks the checkbox or radio button with this label.
    #[track_caller]
    pub fn tick(&self, label: &str) {
        self.click("box", FIELDS, label, None);
    }

    /// Clicks the button with this name, or the summary of a part that folds in and out.
    #[track_caller]
    pub fn click_button(&self, name: &str) {
        self.click("button", BUTTONS, name, None);
    }

    /// Clicks the button with this name in the smallest part of the page (a row, an entry, a card, a form) that
    /// contains a text.
    #[track_caller]
    pub fn click_button_near(&self, near: &str, name: &str) {
        self.click("button", BUTTONS, name, Some(near));
    }

    /// Follows the link with this name.
    #[track_caller]
    pub fn click_link(&self, name: &str) {
        self.click("link", LINKS, name, None);
    }

    /// Follows the link with this name in the smallest part of the page that contains a text.
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

    /// Waits until the page contains this text.
    #[track_caller]
    pub fn expect_text(&self, text: &str) {
        let last = std::cell::RefCell::new(String::new());
        let message = || format!("expected `{text}` at {}, which contains: {}", self.path(), last.borrow());
        wait_or(message, || {
            let read = self.text();
            let found = read.contains(text).then_some(());
            last.replace(read);
            Ok(found)
        });
    }

    /// Fails if the page contains this text now. Wait for another text of the same page first.
    #[track_caller]
    pub fn expect_no_text(&self, text: &str) {
        let read = self.text();
        assert!(!read.contains(text), "unexpected `{text}` at {}, which contains: {read}", self.path());
    }

    /// Waits until the browser is at this path; `beginning` of it is enough.
    #[track_caller]
    pub fn expect_path(&self, beginning: &str) {
        let message = || format!("expected the browser at {beginning}…, but it is at {}", self.path());
        wait_or(message, || Ok(self.path().starts_with(beginning).then_some(())));
    }

    /// Sets the visible size of the page, in CSS pixels.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.driver.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Switches to dark pages, or to light ones.
    #[track_caller]
    pub fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.driver.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Cuts the connection, or restores it.
    #[track_caller]
    pub fn offline(&self, offline: bool) {
        self.driver.devtools("Network.enable", &json!({}));
        let conditions = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.driver.devtools("Network.emulateNetworkConditions", &conditions);
    }

    /// Removes all cookies, so that the session has ended.
    #[track_caller]
    pub fn forget_cookies(&self) {
        self.driver.devtools("Network.clearBrowserCookies", &json!({}));
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

    /// The words in cells of tables that are broken inside, each with its table.
    #[track_caller]
    pub fn broken_words(&self) -> Vec<String> {
        let words = self.run(BROKEN_WORDS);
        words.as_array().unwrap().iter().map(|word| format!("broken word: {}", word.as_str().unwrap())).collect()
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

    /// Returns the browser's errors and warnings since the last call: of scripts, of the content security policy, and
    /// of failed loads.
    #[track_caller]
    pub fn console_errors(&self) -> Vec<String> {
        let log = self.driver.call("POST", "/se/log", &json!({"type": "browser"}));
        let complaints = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let message = complaints.map(|entry| entry["message"].as_str().unwrap_or_default().replace(&self.url, ""));
        message.map(|message| format!("console: {message}")).collect()
    }

    /// Expects no errors or warnings of the browser.
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

    /// Acts on the element with this name as soon as it is ready.
    #[track_caller]
    fn act(
        &self,
        kind: &str,
        selector: &str,
        name: &str,
        near: Option<&str>,
        what: impl Fn(&str) -> Result<Value, Refusal>,
    ) {
        let message = || {
            let near = near.map_or_else(String::new, |near| format!(" near `{near}`"));
            format!("expected a {kind} named `{name}`{near} at {}, which contains: {}", self.path(), self.text())
        };
        wait_or(message, || {
            let Some(element) = self.find(selector, name, near)? else { return Ok(None) };
            what(&element).map(Some)
        });
    }

    /// The first element of this kind with this name; otherwise the first whose name begins with these words.
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

/// Waits until `ready` returns something; calls that the browser refuses for now are retried.
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
