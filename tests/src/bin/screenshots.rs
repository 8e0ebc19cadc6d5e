//! Takes a picture of every page, light and dark, on a wide and on a narrow screen, for people to look at:
//! `<page>-<light|dark>-<wide|narrow>.png` in the given folder.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes, wait and read files")]
#![expect(clippy::unwrap_used, reason = "a failure says why the pictures are missing")]

use std::path::PathBuf;
use tests::sample::Sample;
use tests::{ADMIN, App, Browser};

const SCREENS: [(&str, u32, u32); 2] = [("wide", 1440, 900), ("narrow", 360, 800)];
/// Number of days that the scans cover.
const DAYS: u64 = 12;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "target/screenshots".into()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut app = App::new();
    let sample = Sample::fill(&mut app, DAYS);
    let browser = Browser::start(&app.url());
    let take = |name: &str, path: &str| {
        for (screen, width, height) in SCREENS {
            browser.resize(width, height);
            for scheme in ["light", "dark"] {
                browser.dark(scheme == "dark");
                browser.open(path);
                browser.screenshot(&folder.join(format!("{name}-{scheme}-{screen}.png")));
            }
        }
    };
    take("sign-in", "/sign-in");
    browser.sign_in(ADMIN);
    let pages = sample.pages();
    for (name, path) in &pages {
        take(name, path);
    }
    println!("{} pages in {}", pages.len() + 1, folder.display());
}
