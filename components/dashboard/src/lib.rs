//! The web pages: a client of the API that answers with HTML. Every page works without scripts.
//!
//! A page calls the API with the user's token (`client`), makes markup of the answers (`pages`, `view`), and puts it
//! into a frame (`layout`).

mod address;
mod assets;
mod client;
mod form;
mod layout;
mod origin;
mod pages;
mod reply;
mod request;
mod session;
#[cfg(test)]
mod testing;
mod view;

use api::Problem;
use api::problem::Code;
use client::ChainedApi;
use form::Form;
use guest::{HttpRequest, Reply, SpinKv};
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
    if path == ["sign-in"] {
        let sign_in = pages::sign_in::SignIn { key: &key, now, secure };
        return match is_post {
            false => Ok(pages::sign_in::page(session.as_ref(), &call.query)),
            true => {
                let form = Form::read(&mut call.body).await?;
                pages::sign_in::submit(&sign_in, &form, call.client_address()).await
            }
        };
    }
    let Some(session) = session else {
        pages::upload::discard(call.body).await;
        return Ok(pages::sign_in::redirect(if is_post { "/" } else { url }));
    };
    let client = call.client_address().map(str::to_owned);
    let origin = origin::of_host(host, secure);
    let from_own_page = origin::is_own_page(&call, &origin);
    if let (true, ["projects", project, "upload"]) = (is_post, path) {
        return pages::upload::submit(call, &session, project, client.as_deref(), now, &origin).await;
    }
    let form = if is_post { Form::read(&mut call.body).await? } else { Form::default() };
    if is_post && !session.has_csrf(form.text("csrf")) {
        return Err(session::foreign_form());
    }
    match (is_post, path) {
        (true, ["sign-out"]) => return Ok(pages::sign_in::signed_out(secure)),
        (true, ["sign-out-everywhere"]) => {
            session::sign_out_everywhere(&kv, &session, now).await?;
            return Ok(pages::sign_in::signed_out(secure));
        }
        _ => {}
    }
    let request = PageRequest {
        api: ChainedApi { token: &session.token, client: client.as_deref() },
        session: &session,
        now,
        method: if is_post { Method::Post(&form) } else { Method::Get },
        url,
        query: &call.query,
        origin: &origin,
        from_own_page,
    };
    match pages::route(&request, path).await {
        Ok(reply) => Ok(reply),
        // The token was revoked or has expired.
        Err(problem) if problem.code.status() == 401 => Ok(pages::sign_in::session_ended(&problem, secure)),
        Err(problem) => {
            if problem.code.status() >= 500 {
                eprintln!("{problem}");
            }
            Ok(pages::problem::framed(&problem, &request))
        }
    }
}

/// The values of the session cookie in all headers `Cookie`.
fn cookies(call: &HttpRequest) -> impl Iterator<Item = &str> {
    let headers = call.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    headers.filter_map(session::cookie_in)
}
