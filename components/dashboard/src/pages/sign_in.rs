//! Signing in with a token, and signing out.

use crate::address;
use crate::client::{Api as _, ChainedApi};
use crate::form::Form;
use crate::layout;
use crate::reply;
use crate::session::Session;
use crate::view::notice;
use api::Problem;
use api::query::Query;
use api::v1::Me;
use domain::digest::hex;
use domain::role::Right;
use domain::time::Timestamp;
use guest::Reply;
use maud::{Markup, html};

/// The inputs of signing in, besides the form.
pub(crate) struct SignIn<'a> {
    /// The key of all sessions.
    pub(crate) key: &'a [u8; 32],
    pub(crate) now: Timestamp,
    /// True if the browser's connection uses TLS.
    pub(crate) secure: bool,
}

/// The page with the form.
pub(crate) fn page(session: Option<&Session>, query: &Query) -> Reply {
    let next = query.text("next");
    if session.is_some() {
        return reply::redirect(own_path(next));
    }
    reply::html(200, layout::standalone("Sign in", &form(own_path(next), None)))
}

/// Redirects to the page with the form, and from there to `next`.
pub(crate) fn redirect(next: &str) -> Reply {
    reply::redirect(&format!("/sign-in?next={}", api::path::segment(own_path(next))))
}

/// The page after the API refused the token of a session.
pub(crate) fn session_ended(problem: &Problem, secure: bool) -> Reply {
    let error = format!("Your session has ended: {}.", problem.detail);
    let mut reply = reply::html(401, layout::standalone("Sign in", &form("/", Some(&error))));
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// Removes the session from the browser.
pub(crate) fn signed_out(secure: bool) -> Reply {
    let mut reply = reply::redirect("/sign-in");
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// Signs in with the token in the form. The token must have the right to read.
///
/// # Errors
/// The API failed.
pub(crate) async fn submit(sign_in: &SignIn<'_>, form: &Form, client: Option<&str>) -> Result<Reply, Problem> {
    let (token, next) = (form.text("token"), own_path(form.text("next")));
    let refuse =
        |status, error: &str| Ok(reply::html(status, layout::standalone("Sign in", &self::form(next, Some(error)))));
    if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return refuse(400, "Enter a valid token. Tokens usually begin with “gate_”.");
    }
    let me: Me = match (ChainedApi { token, client }).get(&address::api("/me")).await {
        Ok(me) => me,
        Err(problem) if problem.code.status() < 500 => {
            return refuse(problem.code.status(), &format!("Sign-in failed: {}.", problem.detail));
        }
        Err(problem) => return Err(problem),
    };
    if !me.has_right(Right::Read) {
        return refuse(403, "This token can only upload reports. Use a token that can read results.");
    }
    let session = Session {
        token: token.to_owned(),
        csrf: hex(&guest::random_bits::<16>()?),
        subject: me.subject,
        role: me.role,
        project: me.project,
        some_targets: me.targets.is_some(),
        since: sign_in.now,
    };
    let sealed = session.seal(sign_in.key, guest::random_bits()?)?;
    let mut reply = reply::redirect(next);
    reply.headers.push(("set-cookie", Session::cookie(&sealed, sign_in.secure)));
    Ok(reply)
}

/// The path if it is on this site, otherwise the home page: a link must not redirect to another site.
fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if is_own { path } else { "/" }
}

fn form(next: &str, error: Option<&str>) -> Markup {
    html! {
        div class="narrow" {
            h1 { "Sign in" }
            @if let Some(error) = error { (notice::bad(error)) }
            form method="post" action="/sign-in" class="card stack" {
                input type="hidden" name="next" value=(next);
                div class="field" {
                    label for="token" { "Token" }
                    input id="token" name="token" type="password" required autocomplete="current-password"
                        spellcheck="false" aria-describedby="token-hint";
                    p class="hint" id="token-hint" {
                        "Ask an admin of your project for a token. You stay signed in for 12 hours."
                    }
                }
                button { "Sign in" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_this_site() {
        for own in ["/", "/projects/shop?a=b"] {
            assert_eq!(own_path(own), own);
        }
        for other in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nset-cookie: x"] {
            assert_eq!(own_path(other), "/", "{other}");
        }
    }
}
