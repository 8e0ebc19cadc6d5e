//! A headless Chromium behind ChromeDriver: a dozen calls of the WebDriver protocol, and through it the DevTools
//! protocol for the rest. <https://www.w3.org/TR/webdriver2/>

use crate::process::{Process, scrubbed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Time limit for ChromeDriver's start.
const START: Duration = Duration::from_secs(20);
/// Time limit for a page or a script, in milliseconds.
const PATIENCE_MS: u64 = 30_000;
/// Time limit for a call; longer than the limits for a page or a script.
const CALL: Duration = Duration::from_secs(60);
/// The JSON member with an element's id (WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The text that ChromeDriver prints before its port.
const READY: &str = "ChromeDriver was started successfully on port ";
/// The text in ChromeDriver's log if another program has its port.
const PORT_TAKEN: &str = "Address already in use";
/// The number of times that ChromeDriver is started until it finds a free port.
const STARTS: usize = 10;
/// The browser's arguments, apart from its profile: no window, no calls to its vendor.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    // As on phones, and so that a page is as wide as the screen.
    "--hide-scrollbars",
];

/// The reason why a call failed.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The error's name (WebDriver, section 6.6).
    error: String,
    message: String,
}

impl Refusal {
    /// True if the page may not be ready yet.
    pub(crate) fn may_pass(&self) -> bool {
        let passing = ["element click intercepted", "element not interactable", "no such element"];
        passing.contains(&self.error.as_str()) || self.error == "stale element reference"
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.error, self.message.lines().next().unwrap_or_default())
    }
}

/// A running browser. Dropping it ends the browser and removes its profile.
pub(crate) struct Driver {
    agent: ureq::Agent,
    /// The address of its session.
    session: String,
    process: Process,
    _profile: tempfile::TempDir,
}

impl Driver {
    /// Starts a browser with an empty profile.
    pub(crate) fn start() -> Self {
        let (browser, driver) = (program("chromium", "chromium"), program("chromedriver", "chromium-driver"));
        let profile = tempfile::tempdir().unwrap();
        let (process, port) = listening(&driver, profile.path());
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(CALL)).build();
        let mut driver = Self {
            agent: config.into(),
            session: format!("http://127.0.0.1:{port}/session"),
            process,
            _profile: profile,
        };
        let id = driver.call("POST", "", &capabilities(&browser, driver._profile.path()))["sessionId"].clone();
        driver.session = format!("{}/{}", driver.session, id.as_str().unwrap());
        driver
    }

    /// A call below the session.
    ///
    /// # Errors
    /// The browser's.
    pub(crate) fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Refusal> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.session));
        let answered = match method {
            "POST" => self.agent.run(request.body(body.to_string()).unwrap()),
            _ => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = answered
            .unwrap_or_else(|error| panic!("{method} {path}: ChromeDriver: {error};{}", self.process.log_text()));
        let text = response.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {text}"));
        let value = answer["value"].clone();
        match value["error"].as_str() {
            Some(error) if !response.status().is_success() => {
                let message = value["message"].as_str().unwrap_or_default().to_owned();
                Err(Refusal { error: error.to_owned(), message })
            }
            _ => Ok(value),
        }
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|refusal| panic!("{method} {path}: {refusal}"))
    }

    /// Runs the body of a function in the page and returns its result, or that of its promise. The page's content
    /// security policy does not apply to it.
    #[track_caller]
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// The elements that a script returns.
    ///
    /// # Errors
    /// The browser's.
    pub(crate) fn elements(&self, script: &str, arguments: &[Value]) -> Result<Vec<String>, Refusal> {
        let found = self.try_call("POST", "/execute/sync", &json!({"script": script, "args": arguments}))?;
        let ids = found.as_array().into_iter().flatten().filter_map(|element| element[ELEMENT].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// The accessible name of an element.
    ///
    /// # Errors
    /// The browser's.
    pub(crate) fn name(&self, element: &str) -> Result<String, Refusal> {
        let name = self.try_call("GET", &format!("/element/{element}/computedlabel"), &Value::Null)?;
        Ok(name.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Only ChromeDriver knows the browser's processes, which are not in its process group.
        let _ = self.agent.delete(&self.session).call();
        self.process.kill();
    }
}

fn capabilities(browser: &Path, profile: &Path) -> Value {
    let folder = format!("--user-data-dir={}", profile.join("profile").display());
    let flags: Vec<&str> = FLAGS.into_iter().chain([folder.as_str()]).collect();
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": browser, "args": flags},
        "goog:loggingPrefs": {"browser": "ALL"},
        "timeouts": {"pageLoad": PATIENCE_MS, "script": PATIENCE_MS},
    }}})
}

/// Starts ChromeDriver and returns it with its port.
///
/// ChromeDriver takes a port that is free at 127.0.0.1 and then needs the same port at `::1`. Another program may have
/// it, and then ChromeDriver ends; so it is started again, a few times.
fn listening(driver: &Path, folder: &Path) -> (Process, u16) {
    for attempt in 1..=STARTS {
        let mut command = scrubbed(driver);
        command.arg("--port=0").env("HOME", folder);
        let process = Process::start(&mut command, &folder.join(format!("driver-{attempt}.log")));
        loop {
            match process.try_line(START) {
                Ok(line) => {
                    if let Some(port) = line.strip_prefix(READY) {
                        let port = port.trim_end_matches('.');
                        return (process, port.parse().unwrap_or_else(|_| panic!("`{line}` has no port")));
                    }
                }
                Err(RecvTimeoutError::Disconnected) if process.log_text().contains(PORT_TAKEN) => break,
                Err(reason) => panic!("ChromeDriver printed no port: {reason};{}", process.log_text()),
            }
        }
    }
    panic!("ChromeDriver was started {STARTS} times and found no free port");
}

fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: install the package {package}, or run `cargo xtask test`"))
}
