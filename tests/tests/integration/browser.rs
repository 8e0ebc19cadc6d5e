//! The web pages in a real browser: accessible, on wide and narrow screens.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod decisions;
mod hostile;
mod pages;
mod signing_in;
mod tutorial;

use tests::{App, Client};

/// An application with a project and a client of each role.
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
