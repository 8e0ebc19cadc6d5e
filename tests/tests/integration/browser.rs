//! The web pages in a real browser, for people with good eyes and without, on wide screens and narrow ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod hostile;
mod pages;
mod signing_in;
mod tutorial;

use tests::{App, Client};

/// An application with a project, and clients of somebody of each role there.
struct Bench {
    app: App,
    admin: Client,
    viewer: Client,
    developer: Client,
    secops: Client,
    uploader: Client,
}

impl Bench {
    fn new() -> Self {
        Self::on(App::new())
    }

    fn on(app: App) -> Self {
        let admin = app.admin("shop");
        admin.create_project();
        let issue = |person: &str, role| admin.issue_to(person, &format!("{person}-token"), role);
        let (viewer, developer) = (issue("vera", "viewer"), issue("dave", "developer"));
        let (secops, uploader) = (issue("sue", "secops"), issue("ci", "uploader"));
        Self { app, admin, viewer, developer, secops, uploader }
    }
}
