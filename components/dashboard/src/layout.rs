//! The frame around every page: head, navigation, and who is signed in.

use crate::address;
use crate::assets::{HTMX, ICON, SCRIPT, STYLE};
use crate::session::Session;
use crate::view::notice;
use crate::view::text::plain;
use crate::visit::Visit;
use domain::role::Right;
use maud::{DOCTYPE, Markup, html};

/// What htmx does not do: write a style into the page, evaluate text, or ask other servers. Errors are shown in place.
const HTMX_CONFIG: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"...","swap":true}]}"#;

/// A part of the dashboard, as the navigation has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The list of projects, and what belongs to none.
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
    /// What it is, for the window's title and the first heading.
    pub(crate) title: String,
    /// The project that it is about.
    pub(crate) project: Option<&'a str>,
    /// Where in the navigation it is.
    pub(crate) section: Section,
    /// What stands below the heading. The heading itself is the frame's.
    pub(crate) body: Markup,
    /// What stands beside the heading: what can be done on the page.
    pub(crate) actions: Option<Markup>,
    /// The pages above it, by path and name.
    pub(crate) above: Vec<(String, String)>,
}

impl<'a> Page<'a> {
    /// A page of a project.
    pub(crate) fn of(project: &'a str, section: Section, title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), project: Some(project), section, body, actions: None, above: Vec::new() }
    }

    /// A page of no project.
    pub(crate) fn of_account(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), project: None, section: Section::Account, body, actions: None, above: Vec::new() }
    }

    /// With what can be done, beside the heading.
    pub(crate) fn actions(self, actions: Markup) -> Self {
        Self { actions: Some(actions), ..self }
    }

    /// Below another page.
    pub(crate) fn below(mut self, path: impl Into<String>, name: impl Into<String>) -> Self {
        self.above.push((path.into(), name.into()));
        self
    }

    /// The page in its frame.
    pub(crate) fn framed<A>(self, visit: &Visit<'_, A>) -> Markup {
        let title = plain(&self.title);
        let main = html! {
            @if !self.above.is_empty() {
                nav class="crumbs" aria-label="Above this page" {
                    ol { @for (path, name) in &self.above { li { a href=(path) { bdi { (plain(name)) } } } } }
                }
            }
            div class="heading" {
                h1 { bdi { (title) } }
                @if let Some(actions) = &self.actions { div class="actions" { (actions) } }
            }
            (notice::of_visit(visit))
            (self.body)
        };
        let aside = navigation(visit, self.project, self.section);
        document(&title, &aside, &main)
    }
}

/// A page for somebody who is not signed in.
pub(crate) fn alone(title: &str, body: &Markup) -> Markup {
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

/// The entries of the navigation, in groups: what comes later has its place in one of them.
fn navigation<A>(visit: &Visit<'_, A>, project: Option<&str>, section: Section) -> Markup {
    let may = |right| visit.may(right);
    let link = |to: Section, path: &str, name: &str| {
        let current = (to == section).then_some("page");
        html! { li { a href=(path) aria-current=[current] { (name) } } }
    };
    html! {
        header class="side" {
            (brand())
            (switcher(visit.session, project))
            @if let Some(project) = project {
                @let base = address::project(project);
                nav aria-label="Project" {
                    ul {
                        (link(Section::Overview, &base, "Overview"))
                        (link(Section::Tests, &format!("{base}/scans"), "Security tests"))
                        (link(Section::Targets, &format!("{base}/targets"), "Targets"))
                        (link(Section::Exemptions, &format!("{base}/exemptions"), "Exemptions"))
                        @if may(Right::Upload) { (link(Section::Upload, &format!("{base}/upload"), "Upload")) }
                    }
                    ul {
                        (link(Section::Settings, &format!("{base}/settings"), "Settings"))
                        @if may(Right::Administer) { (link(Section::Tokens, &format!("{base}/tokens"), "Tokens")) }
                        @if may(Right::Decide) && !visit.session.some_targets {
                            (link(Section::Audit, &format!("{base}/audit"), "Audit log"))
                        }
                    }
                }
            } @else if visit.is_account_admin() {
                nav aria-label="Account" {
                    ul {
                        (link(Section::Account, "/projects", "Projects"))
                        (link(Section::Tokens, "/account/tokens", "Account tokens"))
                        (link(Section::Audit, "/account/audit", "Account audit log"))
                    }
                }
            }
            (who(visit.session))
        }
    }
}

fn switcher(session: &Session, project: Option<&str>) -> Markup {
    html! {
        @if let Some(project) = project {
            @match session.project {
                None => a class="switcher" href="/projects" title="Choose another project" {
                    span class="label" { "Project" } bdi { (project) } span class="hint" aria-hidden="true" { "switch" }
                },
                Some(_) => p class="switcher" { span class="label" { "Project" } bdi { (project) } },
            }
        }
    }
}

fn who(session: &Session) -> Markup {
    html! {
        details class="who" {
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

/// The field that every form of a session carries.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}
