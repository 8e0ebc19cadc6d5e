//! Signing in with a token, and signing out.

use crate::address;
use crate::answer;
use crate::client::{Api as _, Chained};
use crate::form::Form;
use crate::layout;
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

/// What signing in needs besides the form.
pub(crate) struct Signing<'a> {
    /// The key that sessions are sealed under.
    pub(crate) key: &'a [u8; 32],
    /// When it is.
    pub(crate) now: Timestamp,
    /// Whether the browser's connection is over TLS.
    pub(crate) secure: bool,
}

/// The page to sign in on.
pub(crate) fn page(session: Option<&Session>, query: &Query) -> Reply {
    let next = query.text("next");
    if session.is_some() {
        return answer::redirect(own_path(next));
    }
    answer::page(200, layout::alone("Sign in", &form(own_path(next), None)))
}

/// Sends somebody who is not signed in to sign in, and then to where they wanted to go.
pub(crate) fn needed(wanted: &str) -> Reply {
    answer::redirect(&format!("/sign-in?next={}", api::path::segment(own_path(wanted))))
}

/// Tells somebody whose token opens nothing any more.
pub(crate) fn ended(problem: &Problem, secure: bool) -> Reply {
    let told = format!("Your session is over: {}.", problem.detail);
    let mut reply = answer::page(401, layout::alone("Sign in", &form("/", Some(&told))));
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// Ends this browser's session.
pub(crate) fn signed_out(secure: bool) -> Reply {
    let mut reply = answer::redirect("/sign-in");
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// Signs in with the form's token, if it is good for reading anything.
///
/// # Errors
/// The API failed.
pub(crate) async fn submit(signing: &Signing<'_>, form: &Form, client: Option<&str>) -> Result<Reply, Problem> {
    let (token, next) = (form.text("token"), own_path(form.text("next")));
    let again = |status, told: &str| Ok(answer::page(status, layout::alone("Sign in", &self::form(next, Some(told)))));
    if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return again(400, "Enter a token: letters and digits, usually behind gate_.");
    }
    let me: Me = match (Chained { token, client }).get(&address::api("/me")).await {
        Ok(me) => me,
        Err(problem) if problem.code.status() < 500 => {
            return again(problem.code.status(), &format!("That did not work: {}.", problem.detail));
        }
        Err(problem) => return Err(problem),
    };
    if !me.has_right(Right::Read) {
        return again(403, "This token only uploads reports: it reads nothing, so there is nothing to see with it.");
    }
    let session = Session {
        token: token.to_owned(),
        csrf: hex(&guest::random_bits::<16>()?),
        subject: me.subject,
        role: me.role,
        project: me.project,
        some_targets: me.targets.is_some(),
        since: signing.now,
    };
    let sealed = session.seal(signing.key, guest::random_bits()?)?;
    let mut reply = answer::redirect(next);
    reply.headers.push(("set-cookie", Session::cookie(&sealed, signing.secure)));
    Ok(reply)
}

/// The path if it is one of ours, else the first page: a link must not lead elsewhere through us.
fn own_path(path: &str) -> &str {
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if ours { path } else { "/" }
}

fn form(next: &str, told: Option<&str>) -> Markup {
    html! {
        div class="narrow" {
            h1 { "Sign in" }
            @if let Some(told) = told { (notice::bad(told)) }
            form method="post" action="/sign-in" class="card stack" {
                input type="hidden" name="next" value=(next);
                div class="field" {
                    label for="token" { "Token" }
                    input id="token" name="token" type="password" required autocomplete="current-password"
                        spellcheck="false" aria-describedby="token-hint";
                    p class="hint" id="token-hint" {
                        "The one that an admin of your project issued to you. You stay signed in for 12 hours."
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
    fn nobody_is_led_elsewhere() {
        for own in ["/", "/projects/shop?a=b"] {
            assert_eq!(own_path(own), own);
        }
        for other in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nset-cookie: x"] {
            assert_eq!(own_path(other), "/", "{other}");
        }
    }
}
