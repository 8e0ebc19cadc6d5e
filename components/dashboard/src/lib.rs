//! The web pages: a client of the API that answers with HTML. Every page works without scripts.
//!
//! A page calls the API with the user's token (`client`), makes markup of the answers (`pages`, `view`), and puts it
//! into a frame (`layout`).

mod address;
mod assets;
mod client;
mod decision;
mod form;
mod kept;
mod layout;
mod origin;
mod pages;
mod person;
mod reply;
mod request;
mod session;
#[cfg(test)]
mod testing;
mod view;

use api::Problem;
use api::problem::Code;
use api::query::Query;
use client::ChainedApi;
use domain::time::Timestamp;
use form::Form;
use guest::{HttpRequest, Reply, SpinKv};
use kept::KeptForm;
use pages::sign_in::SignedIn;
use request::{Method, PageRequest};
use session::Session;
use spin_sdk::http::{IntoResponse, Request};

/// Answers an HTTP request. In a native build, no host calls it.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    let url = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    // WASI moves the header `Host` into the URI.
    let host = request.uri().authority().map(ToString::to_string);
    guest::serve_with(
        request,
        async move |call| route(call, &url, host.as_deref()).await,
        |problem, _| pages::problem::standalone(problem),
    )
    .await
}

async fn route(mut call: HttpRequest, url: &str, host: Option<&str>) -> Result<Reply, Problem> {
    let path = std::mem::take(&mut call.path);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let gzip = reply::accepts_gzip(call.header("accept-encoding")?.unwrap_or_default());
    if let ["assets", ..] = path.as_slice() {
        return assets::find(&path, gzip).ok_or_else(|| Problem::not_found("this version has no such file"));
    }
    let reply = page(call, &path, url, host).await?;
    if gzip { reply::compressed(reply) } else { Ok(reply) }
}

async fn page(mut call: HttpRequest, path: &[&str], url: &str, host: Option<&str>) -> Result<Reply, Problem> {
    if call.method != "GET" && call.method != "POST" {
        return Err(Problem::not_allowed(&call.method, pages::problem::METHODS));
    }
    let is_post = call.method == "POST";
    if is_post && origin::is_cross_site(&call, host)? {
        pages::upload::discard(call.body).await;
        let detail = "the form was sent from another site; open the page in Gatehouse and try again";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let (kv, now) = (SpinKv::open().await?, guest::now());
    let key = session::key(&kv, guest::random_bits).await?;
    let session = match cookies(&call).find_map(|value| Session::open(&key, value, now)) {
        Some(session) if !session::is_signed_out(&kv, &session).await? => Some(session),
        Some(_) | None => None,
    };
    let secure = origin::is_over_tls(&call);
    let origin = origin::of_host(host, secure);
    let from_own_page = origin::is_own_page(&call, &origin);
    let client = call.client_address().map(str::to_owned);
    let frame = Frame { client: client.as_deref(), now, secure, origin: &origin, from_own_page };
    if path == ["sign-in"] {
        let sign_in = pages::sign_in::SignIn { key: &key, now, secure };
        if !is_post {
            return Ok(pages::sign_in::page(session.as_ref(), &call.query));
        }
        let form = Form::read(&mut call.body).await?;
        let (session, cookie) = match pages::sign_in::submit(&sign_in, &form, frame.client).await? {
            SignedIn::Refused(reply) => return Ok(reply),
            SignedIn::Session(session, cookie) => (session, cookie),
        };
        let mut reply = match KeptForm::in_sign_in(&form) {
            Some(kept) => frame.not_saved(&session, kept.path(), &kept.form(), WITHOUT_SESSION).await?,
            None => pages::sign_in::next(&form),
        };
        reply.headers.push(("set-cookie", cookie));
        return Ok(reply);
    }
    let is_upload = is_post && matches!(path, ["projects", _, "upload"]);
    let Some(session) = session else {
        if is_upload {
            pages::upload::discard(call.body).await;
            return Ok(pages::sign_in::upload_without_session(url, secure));
        }
        let content_type = call.header("content-type")?.unwrap_or_default();
        if is_post && kept::is_page(url) && content_type.starts_with("application/x-www-form-urlencoded") {
            // Who has no session must not hold a place among the requests by sending slowly.
            let read = guest::within(pages::upload::STRANGER_MAX, Form::read(&mut call.body)).await;
            let kept = read.transpose()?.and_then(|form| KeptForm::new(url, &form));
            return Ok(pages::sign_in::form_without_session(kept.as_ref(), secure));
        }
        pages::upload::discard(call.body).await;
        return Ok(pages::sign_in::redirect(if is_post { "/" } else { url }));
    };
    if let (true, ["projects", project, ..]) = (is_upload, path) {
        return pages::upload::submit(call, &session, project, client.as_deref(), now, &origin).await;
    }
    let form = if is_post { Form::read(&mut call.body).await? } else { Form::default() };
    if is_post && !session.has_csrf(form.text("csrf")) {
        let mut reply = frame.not_saved(&session, url, &form, FOREIGN_FORM).await?;
        reply.status = 403;
        return Ok(reply);
    }
    match (is_post, path) {
        (true, ["sign-out"]) => return Ok(pages::sign_in::signed_out(secure)),
        (true, ["sign-out-everywhere"]) => {
            session::sign_out_everywhere(&kv, &session, now).await?;
            return Ok(pages::sign_in::signed_out(secure));
        }
        _ => {}
    }
    let method = if is_post { Method::Post(&form) } else { Method::Get };
    frame.page(&session, (url, path), method, &call.query).await
}

/// The parts of a call that its page needs, besides session, path and form.
struct Frame<'a> {
    client: Option<&'a str>,
    now: Timestamp,
    secure: bool,
    origin: &'a str,
    from_own_page: bool,
}

impl Frame<'_> {
    /// The page of a path.
    async fn page(
        &self,
        session: &Session,
        (url, path): (&str, &[&str]),
        method: Method<'_>,
        query: &Query,
    ) -> Result<Reply, Problem> {
        let request = self.request(session, url, method, query, None);
        match pages::route(&request, path).await {
            Ok(reply) => Ok(reply),
            // The token was revoked or has expired.
            Err(problem) if problem.code.status() == 401 => {
                let kept = match method {
                    Method::Post(form) => KeptForm::new(url, form),
                    Method::Get => None,
                };
                Ok(pages::sign_in::session_ended(&problem, kept.as_ref(), self.secure))
            }
            Err(problem) => {
                if problem.code.status() >= 500 {
                    eprintln!("{problem}");
                }
                Ok(pages::problem::framed(&problem, &request))
            }
        }
    }

    /// The page of a form, as if the API had refused it for this reason: the form is there with its contents, and
    /// nothing is saved.
    async fn not_saved(
        &self,
        session: &Session,
        url: &str,
        form: &Form,
        (title, reason): (&str, &'static str),
    ) -> Result<Reply, Problem> {
        let (bare, query) = url.split_once('?').unwrap_or((url, ""));
        let (segments, query) = (api::path::segments(bare)?, Query::parse(query)?);
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let request = self.request(session, url, Method::Post(form), &query, Some(reason));
        match pages::route(&request, &path).await {
            Ok(reply) => Ok(reply),
            Err(problem) if problem.code.status() == 401 => {
                let kept = KeptForm::new(url, form);
                Ok(pages::sign_in::session_ended(&problem, kept.as_ref(), self.secure))
            }
            // The page has no form that it could show again, such as a single button.
            Err(problem) if problem.code.status() < 500 => {
                Ok(pages::problem::titled(title, &Problem::new(Code::Conflict, reason), &request))
            }
            Err(problem) => Err(problem),
        }
    }

    fn request<'r>(
        &'r self,
        session: &'r Session,
        url: &'r str,
        method: Method<'r>,
        query: &'r Query,
        paused: Option<&'static str>,
    ) -> PageRequest<'r, ChainedApi<'r>> {
        PageRequest {
            api: ChainedApi { token: &session.token, client: self.client, paused },
            session,
            now: self.now,
            method,
            url,
            query,
            origin: self.origin,
            from_own_page: self.from_own_page,
        }
    }
}

/// The title and the reason for a form that was sent without a session.
const WITHOUT_SESSION: (&str, &str) =
    ("You are signed in again", "your session had ended, so nothing was saved; check the form and send it again");
/// The title and the reason for a form without the CSRF token of the session.
const FOREIGN_FORM: (&str, &str) = ("The form is from another session", session::FOREIGN_FORM);

/// The values of the session cookie in all headers `Cookie`.
fn cookies(call: &HttpRequest) -> impl Iterator<Item = &str> {
    let headers = call.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    headers.filter_map(session::cookie_in)
}
