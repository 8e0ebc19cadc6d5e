//! Signing in with a token, and signing out.

use crate::address;
use crate::client::{Api as _, ChainedApi};
use crate::form::Form;
use crate::kept::KeptForm;
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
    reply::html(200, layout::standalone("Sign in", &form(own_path(next), None, None)))
}

/// The page for a form that was sent without a session. `kept`: the form, unless it cannot be kept.
pub(crate) fn form_without_session(kept: Option<&KeptForm>, secure: bool) -> Reply {
    let rest = match kept {
        Some(_) => "Sign in, and the form is shown again as you filled it in.",
        None => "Sign in, and fill in the form again; it was too large to be kept.",
    };
    let error = format!("You are not signed in, or your session has ended, so nothing was saved. {rest}");
    ended("/", &error, kept, secure)
}

/// The page for a report that was sent without a session.
pub(crate) fn upload_without_session(path: &str, secure: bool) -> Reply {
    let error = "You are not signed in, or your session has ended, so the report was not uploaded. Sign in, and select it again.";
    ended(own_path(path), error, None, secure)
}

fn ended(next: &str, error: &str, kept: Option<&KeptForm>, secure: bool) -> Reply {
    let mut reply = reply::html(401, layout::standalone("Sign in", &form(next, Some(error), kept)));
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// Redirects to the page with the form, and from there to `next`.
pub(crate) fn redirect(next: &str) -> Reply {
    reply::redirect(&format!("/sign-in?next={}", api::path::segment(own_path(next))))
}

/// The page after the API refused the token of a session. `kept`: the form that was sent.
pub(crate) fn session_ended(problem: &Problem, kept: Option<&KeptForm>, secure: bool) -> Reply {
    let rest = kept.map_or("", |_| " Nothing was saved. Sign in, and the form is shown again as you filled it in.");
    ended("/", &format!("Your session has ended: {}.{rest}", problem.detail), kept, secure)
}

/// Removes the session from the browser.
pub(crate) fn signed_out(secure: bool) -> Reply {
    let mut reply = reply::redirect("/sign-in");
    reply.headers.push(("set-cookie", Session::no_cookie(secure)));
    reply
}

/// The result of signing in.
pub(crate) enum SignedIn {
    /// The token was refused: the page with the form.
    Refused(Reply),
    /// The new session, and the header `Set-Cookie` that stores it.
    Session(Session, String),
}

/// The page after signing in.
pub(crate) fn next(form: &Form) -> Reply {
    reply::redirect(own_path(form.text("next")))
}

/// Signs in with the token in the form. The token must have the right to read.
///
/// # Errors
/// The API failed.
pub(crate) async fn submit(sign_in: &SignIn<'_>, form: &Form, client: Option<&str>) -> Result<SignedIn, Problem> {
    let (token, next, kept) = (form.text("token"), own_path(form.text("next")), KeptForm::in_sign_in(form));
    let refuse = |status, error: &str| {
        let page = layout::standalone("Sign in", &self::form(next, Some(error), kept.as_ref()));
        Ok(SignedIn::Refused(reply::html(status, page)))
    };
    if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return refuse(400, "Enter a valid token. Tokens usually begin with “gate_”.");
    }
    let me: Me = match (ChainedApi { token, client, paused: None }).get(&address::api("/me")).await {
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
    let cookie = Session::cookie(&sealed, sign_in.secure);
    Ok(SignedIn::Session(session, cookie))
}

/// The path if it is on this site, otherwise the home page: a link must not redirect to another site.
fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if is_own { path } else { "/" }
}

fn form(next: &str, error: Option<&str>, kept: Option<&KeptForm>) -> Markup {
    html! {
        div class="narrow" {
            h1 { "Sign in" }
            @if let Some(error) = error { (notice::bad(error)) }
            form method="post" action="/sign-in" class="card stack" {
                input type="hidden" name="next" value=(next);
                @if let Some(kept) = kept { (kept.inputs()) }
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
    fn a_form_without_a_session_is_carried_along_and_the_page_says_why() {
        let sent = Form::parse(b"csrf=secret&text=<why>&term=30");
        let kept = KeptForm::new("/projects/shop/settings", &sent).unwrap();
        let reply = form_without_session(Some(&kept), true);
        let page = crate::testing::text(&reply);
        assert_eq!(reply.status, 401);
        assert!(reply.headers.iter().any(|(name, value)| *name == "set-cookie" && value.contains("Max-Age=0")));
        for part in [
            "your session has ended, so nothing was saved. Sign in, and the form is shown again",
            "name=\"kept_path\" value=\"/projects/shop/settings\"",
            "name=\"kept\" value=\"text=%3Cwhy%3E&amp;term=30\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("secret"), "{page}");
        let ended = Problem::new(api::problem::Code::TokenExpired, "the token has expired");
        let page = crate::testing::text(&session_ended(&ended, Some(&kept), true));
        assert!(page.contains("the token has expired. Nothing was saved.") && page.contains("name=\"kept\""), "{page}");
        let page = crate::testing::text(&session_ended(&ended, None, true));
        assert!(!page.contains("Nothing was saved") && !page.contains("name=\"kept\""), "{page}");
        let page = crate::testing::text(&form_without_session(None, true));
        assert!(page.contains("too large to be kept"), "{page}");
    }

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
