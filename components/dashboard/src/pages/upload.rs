//! The upload of a report with a form. The file is the last field. It is streamed to the API and never held in memory.

mod fields;
mod form;
mod incoming;
mod relay;

use crate::address;
use crate::client::{self, Api, ChainedApi};
use crate::layout::{Page, Section};
use crate::origin;
use crate::reply;
use crate::request::{Method, PageRequest};
use crate::session::Session;
use api::problem::{Code, Problem};
use api::query::Query;
use api::v1::ScanAnswer;
use domain::role::Right;
use domain::time::Timestamp;
use fields::Fields;
use guest::chain::parse_reply;
use guest::form::{Multipart, stream_of};
use guest::{Body, HttpRequest, Reply};
use incoming::Incoming;
use relay::Relay;
use std::time::Duration;

const TITLE: &str = "Upload report";

/// The page with the form; the query can fill in fields.
///
/// # Errors
/// The user lacks the right to upload, or the API answered with a problem.
pub(crate) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<Reply, Problem> {
    check_right(request.session)?;
    let fields = Fields::of_query(request.query);
    let body = form::body(request, project, &fields, None).await?;
    Ok(Page::of(project, Section::Upload, TITLE, body).reply(request))
}

/// Uploads the report, and redirects to its scan. A problem of the API is shown above the form.
///
/// # Errors
/// The API failed.
pub(crate) async fn submit(
    call: HttpRequest,
    session: &Session,
    project: &str,
    client: Option<&str>,
    now: Timestamp,
    origin: &str,
) -> Result<Reply, Problem> {
    let secure = origin::is_over_tls(&call);
    let content_type = call.header("content-type")?.unwrap_or_default().to_owned();
    let incoming = Incoming::new(stream_of(call.body));
    let opened = check_right(session).and_then(|()| Multipart::open(&content_type, incoming.reader()));
    let mut fields = Fields::default();
    let answer = match opened {
        Ok(form) => send(form, session, project, client, &mut fields).await,
        Err(problem) => Err(problem),
    };
    let problem = match answer {
        Ok(answer) => return Ok(reply::redirect(&address::scan(project, answer.scan.id))),
        Err(problem) => problem,
    };
    incoming.discard().await;
    if problem.code.status() == 401 {
        return Ok(crate::pages::sign_in::session_ended(&problem, None, secure));
    }
    let request = PageRequest {
        api: ChainedApi { token: &session.token, client, paused: None },
        session,
        now,
        method: Method::Get,
        url: &address::upload(project),
        query: &Query::default(),
        origin,
        from_own_page: true,
    };
    if problem.code == Code::Forbidden || 500 <= problem.code.status() {
        return Ok(crate::pages::problem::framed(&problem, &request));
    }
    let body = form::body(&request, project, &fields, Some(&problem)).await?;
    Ok(Page::of(project, Section::Upload, TITLE, body).reply_with(problem.code.status(), &request))
}

/// The longest that the body of a request without a session is read, so that a browser can show the answer.
pub(crate) const STRANGER_MAX: Duration = Duration::from_secs(5);

/// Reads and discards the body of a request that is refused, for a short time: who has no session must not hold a place
/// among the requests by sending slowly.
pub(crate) async fn discard(body: Body) {
    // What is left after that time shows as a broken connection.
    guest::within(STRANGER_MAX, Incoming::new(stream_of(body)).discard()).await;
}

fn check_right(session: &Session) -> Result<(), Problem> {
    if session.role.has(Right::Upload) {
        return Ok(());
    }
    let detail =
        format!("the role {} cannot upload reports; ask an admin of the project for another role", session.role);
    Err(Problem::new(Code::Forbidden, detail))
}

/// Reads the fields, and streams the file to the API.
async fn send(
    mut form: Multipart,
    session: &Session,
    project: &str,
    client: Option<&str>,
    fields: &mut Fields,
) -> Result<ScanAnswer, Problem> {
    let file = fields::read(&mut form, fields, session).await?;
    let path = format!("{}?{}", address::api(&address::scans(project)), fields.query());
    let relay = Relay::begin(form, file).await?;
    let authorization = format!("Bearer {}", session.token);
    let onward = client::onward("POST", &path, &authorization, client, Some("application/octet-stream"))?;
    let relay_error = relay.error();
    let reply = onward.send(relay.body()).await;
    // A problem with the form explains more than the API's problem with an incomplete report.
    if let Some(problem) = relay_error.take() {
        return Err(problem);
    }
    parse_reply(client::API, &reply?)
}
