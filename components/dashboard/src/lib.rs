//! The web pages, for people: what the API tells, and what it can be asked to do, as HTML that needs no script.
//!
//! A page asks the API with the token of its reader (`client`), makes markup of the answers (`pages`, `view`) and stands in
//! a frame (`layout`). Scripts add comfort and nothing else.

mod address;
mod answer;
mod assets;
mod client;
mod form;
mod layout;
mod pages;
mod session;
#[cfg(test)]
mod testing;
mod view;
mod visit;

use api::Problem;
use api::problem::Code;
use client::Chained;
use form::Form;
use guest::{HttpRequest, Reply, SpinKv};
use pages::Asked;
use session::Session;
use spin_sdk::http::{IntoResponse, Request};
use visit::Visit;

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    let here = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    // WASI takes the header `Host` out of the headers and into the address.
    let host = request.uri().authority().map(ToString::to_string);
    guest::serve_with(
        request,
        async move |call| route(call, &here, host.as_deref()).await,
        |problem, _| pages::problem::alone(problem),
    )
    .await
}

async fn route(mut call: HttpRequest, here: &str, host: Option<&str>) -> Result<Reply, Problem> {
    let path = std::mem::take(&mut call.path);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let gzip = answer::takes_gzip(call.header("accept-encoding")?.unwrap_or_default());
    if let ["assets", ..] = path.as_slice() {
        return assets::find(&path, gzip).ok_or_else(|| Problem::not_found("there is no such file in this version"));
    }
    let reply = page(call, &path, here, host).await?;
    if gzip { answer::packed(reply) } else { Ok(reply) }
}

async fn page(mut call: HttpRequest, path: &[&str], here: &str, host: Option<&str>) -> Result<Reply, Problem> {
    if call.method != "GET" && call.method != "POST" {
        return Err(Problem::not_allowed(&call.method, pages::problem::METHODS));
    }
    let is_post = call.method == "POST";
    if is_post && is_from_elsewhere(&call, host)? {
        pages::upload::let_go(call.body).await;
        return Err(Problem::new(
            Code::Forbidden,
            "the form was sent from another site; open the page here and try again",
        ));
    }
    let (kv, now) = (SpinKv::open().await?, guest::now());
    let key = session::key(&kv, guest::random_bits).await?;
    let session = cookies(&call).find_map(|value| Session::open(&key, value, now));
    let session = match session {
        Some(session) if session::holds(&kv, &session).await? => Some(session),
        Some(_) | None => None,
    };
    let secure = is_over_tls(&call);
    if path == ["sign-in"] {
        let signing = pages::sign_in::Signing { key: &key, now, secure };
        return match is_post {
            false => Ok(pages::sign_in::page(session.as_ref(), &call.query)),
            true => {
                let form = Form::read(&mut call.body).await?;
                pages::sign_in::submit(&signing, &form, call.client_address()).await
            }
        };
    }
    let Some(session) = session else {
        pages::upload::let_go(call.body).await;
        return Ok(pages::sign_in::needed(if is_post { "/" } else { here }));
    };
    let client = call.client_address().map(str::to_owned);
    let origin = visit::origin(host, secure);
    let from_here = is_from_here(&call, &origin);
    if let (true, ["projects", project, "upload"]) = (is_post, path) {
        return pages::upload::submit(call, &session, project, client.as_deref(), now, &origin).await;
    }
    let form = if is_post { Form::read(&mut call.body).await? } else { Form::default() };
    if is_post && !session.made(form.text("csrf")) {
        let detail = "the form is another session's, or was left open for too long; open the page anew and try again";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    match (is_post, path) {
        (true, ["sign-out"]) => return Ok(pages::sign_in::signed_out(secure)),
        (true, ["sign-out-everywhere"]) => {
            session::end_all(&kv, &session, now).await?;
            return Ok(pages::sign_in::signed_out(secure));
        }
        _ => {}
    }
    let api = Chained { token: &session.token, client: client.as_deref() };
    let visit = Visit { api, session: &session, now, here, query: &call.query, origin: &origin, from_here };
    let asked = if is_post { Asked::Post(&form) } else { Asked::Get };
    match pages::route(&visit, asked, path).await {
        Ok(reply) => Ok(reply),
        // The token was revoked or has ended: there is nothing to see without another.
        Err(problem) if problem.code.status() == 401 => Ok(pages::sign_in::ended(&problem, secure)),
        Err(problem) => {
            if problem.code.status() >= 500 {
                eprintln!("{problem}");
            }
            Ok(pages::problem::framed(&problem, &visit))
        }
    }
}

/// Whether a browser says that a form was sent from another site's page. Browsers that say nothing of that say at least
/// from where (Fetch Metadata Request Headers; RFC 6454, section 7).
fn is_from_elsewhere(call: &HttpRequest, host: Option<&str>) -> Result<bool, Problem> {
    if let Some(site) = call.header("sec-fetch-site")? {
        return Ok(!matches!(site, "same-origin" | "none"));
    }
    let origin = call.header("origin")?;
    Ok(origin.is_some_and(|origin| origin.split_once("://").map(|(_, of)| of) != host))
}

/// Whether a browser says that somebody comes from a page of ours: only such a visit is told what was just done.
fn is_from_here(call: &HttpRequest, origin: &str) -> bool {
    match (call.header("sec-fetch-site"), call.header("referer")) {
        (Ok(Some(site)), _) => site == "same-origin",
        (Ok(None), Ok(Some(from))) => from.strip_prefix(origin).is_some_and(|path| path.starts_with('/')),
        (_, _) => false,
    }
}

/// Our cookies, in however many headers and among whatever else a browser sends.
fn cookies(call: &HttpRequest) -> impl Iterator<Item = &str> {
    let headers = call.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    headers.filter_map(session::cookie_in)
}

/// Whether the browser's connection is said to be over TLS, which whoever stands before us ends. A lie about it only
/// changes who may be sent the cookie of the liar.
fn is_over_tls(call: &HttpRequest) -> bool {
    // Of several who stood before us, the first saw the browser.
    let first = |protocols: &str| protocols.split(',').next().unwrap_or_default().trim().eq_ignore_ascii_case("https");
    matches!(call.header("x-forwarded-proto"), Ok(Some(protocols)) if first(protocols))
}
