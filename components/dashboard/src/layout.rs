//! The frame of every page: document head, navigation, and the user menu.

use crate::address;
use crate::assets::{HTMX, ICON, SCRIPT, STYLE};
use crate::reply;
use crate::request::PageRequest;
use crate::session::Session;
use crate::view::notice;
use crate::view::text::plain;
use domain::role::Right;
use guest::Reply;
use maud::{DOCTYPE, Markup, html};

/// htmx adds no style to the page, evaluates no text, calls no other server, and leaves the title of the window.
/// Replies with an error are shown in place. A reply that takes longer than the longest call of the API does not come.
const HTMX_CONFIG: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"ignoreTitle":true,"timeout":60000,"responseHandling":[{"code":"204","swap":false},{"code":"...","swap":true}]}"#;

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The list of projects, and pages outside of projects.
    Account,
    Overview,
    Tests,
    Targets,
    Exemptions,
    Upload,
    Settings,
    Tokens,
    Audit,
}

/// A page before it is framed.
pub(crate) struct Page<'a> {
    /// The first heading, and the title of the window unless that is set.
    pub(crate) title: String,
    /// Absent for a page outside of projects.
    pub(crate) project: Option<&'a str>,
    /// The current entry of the navigation.
    pub(crate) section: Section,
    /// The content below the heading, without the heading.
    pub(crate) body: Markup,
    /// Buttons and links beside the heading.
    pub(crate) actions: Option<Markup>,
    /// The breadcrumbs: path and name of each parent page.
    pub(crate) parents: Vec<(String, String)>,
    /// The title of the window, if it says more than the first heading: it tells tabs apart.
    pub(crate) window: Option<String>,
}

impl<'a> Page<'a> {
    /// A page of a project.
    pub(crate) fn of(project: &'a str, section: Section, title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            project: Some(project),
            section,
            body,
            actions: None,
            parents: Vec::new(),
            window: None,
        }
    }

    /// A page outside of projects.
    pub(crate) fn of_account(title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            project: None,
            section: Section::Account,
            body,
            actions: None,
            parents: Vec::new(),
            window: None,
        }
    }

    /// Adds buttons and links beside the heading.
    pub(crate) fn actions(self, actions: Markup) -> Self {
        Self { actions: Some(actions), ..self }
    }

    /// Sets the title of the window.
    pub(crate) fn window(self, title: impl Into<String>) -> Self {
        Self { window: Some(title.into()), ..self }
    }

    /// Adds a breadcrumb, below those that were added before.
    pub(crate) fn below(mut self, path: impl Into<String>, name: impl Into<String>) -> Self {
        self.parents.push((path.into(), name.into()));
        self
    }

    /// The reply with this page.
    pub(crate) fn reply<A>(self, request: &PageRequest<'_, A>) -> Reply {
        self.reply_with(200, request)
    }

    /// The reply with this page and this status.
    pub(crate) fn reply_with<A>(self, status: u16, request: &PageRequest<'_, A>) -> Reply {
        reply::html(status, self.framed(request))
    }

    fn framed<A>(self, request: &PageRequest<'_, A>) -> Markup {
        let title = plain(&self.title);
        let main = html! {
            @if !self.parents.is_empty() {
                nav class="crumbs" aria-label="Breadcrumb" {
                    ol { @for (path, name) in &self.parents { li { a href=(path) { bdi { (plain(name)) } } } } }
                }
            }
            div class="heading" {
                h1 { bdi { (title) } }
                @if let Some(actions) = &self.actions { div class="actions" { (actions) } }
            }
            (notice::of_request(request))
            (self.body)
        };
        let aside = navigation(request, self.project, self.section);
        let window = self.window.as_deref().map_or(title.clone(), plain);
        document(&window, &aside, &main)
    }
}

/// A page for a client that is not signed in.
pub(crate) fn standalone(title: &str, body: &Markup) -> Markup {
    document(title, &html! { header class="side" { (brand()) } }, body)
}

fn document(title: &str, aside: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " · Gatehouse" }
                link rel="icon" href=(ICON.path) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path);
                script src=(HTMX.path) defer {}
                script src=(SCRIPT.path) defer {}
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                (aside)
                main id="main" tabindex="-1" { (main) }
            }
        }
    }
}

fn brand() -> Markup {
    html! {
        a class="brand" href="/" {
            img src=(ICON.path) alt="" width="24" height="24";
            "Gatehouse"
        }
    }
}

/// The navigation. Entries of a project are in two groups: results and administration.
fn navigation<A>(request: &PageRequest<'_, A>, project: Option<&str>, section: Section) -> Markup {
    let link = |to: Section, path: &str, name: &str| {
        let current = (to == section).then_some("page");
        html! { li { a href=(path) aria-current=[current] { (name) } } }
    };
    html! {
        header class="side" {
            (brand())
            (project_switcher(request.session, project))
            @if let Some(project) = project {
                @let base = address::project(project);
                nav aria-label="Project" {
                    ul {
                        (link(Section::Overview, &base, "Overview"))
                        (link(Section::Tests, &format!("{base}/scans"), "Security tests"))
                        (link(Section::Targets, &format!("{base}/targets"), "Targets"))
                        (link(Section::Exemptions, &format!("{base}/exemptions"), "Exemptions"))
                        @if request.has_right(Right::Upload) { (link(Section::Upload, &format!("{base}/upload"), "Upload")) }
                    }
                    ul {
                        (link(Section::Settings, &format!("{base}/settings"), "Settings"))
                        @if request.has_right(Right::Administer) { (link(Section::Tokens, &format!("{base}/tokens"), "Tokens")) }
                        @if request.has_right(Right::Decide) && !request.session.some_targets {
                            (link(Section::Audit, &format!("{base}/audit"), "Audit log"))
                        }
                    }
                }
            } @else if request.is_account_admin() {
                nav aria-label="Account" {
                    ul {
                        (link(Section::Account, "/projects", "Projects"))
                        (link(Section::Tokens, "/account/tokens", "Account tokens"))
                        (link(Section::Audit, "/account/audit", "Account audit log"))
                    }
                }
            }
            (user_menu(request.session))
        }
    }
}

fn project_switcher(session: &Session, project: Option<&str>) -> Markup {
    html! {
        @if let Some(project) = project {
            @match session.project {
                None => a class="switcher" href="/projects" title="Switch project" {
                    span class="label" { "Project" } bdi { (project) } span class="hint" aria-hidden="true" { "switch" }
                },
                Some(_) => p class="switcher" { span class="label" { "Project" } bdi { (project) } },
            }
        }
    }
}

fn user_menu(session: &Session) -> Markup {
    html! {
        details class="user" {
            summary { bdi { (plain(&session.subject)) } " " span class="role" { (session.role) } }
            form method="post" action="/sign-out" {
                (csrf(session))
                button class="plain" { "Sign out" }
            }
            form method="post" action="/sign-out-everywhere" {
                (csrf(session))
                button class="plain" { "Sign out everywhere" }
            }
        }
    }
}

/// The hidden field with the session's CSRF token; every form has it.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}
