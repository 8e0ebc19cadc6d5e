//! Uploading a report by hand. The form's fields come first; the file behind them goes on to the API as it arrives, and is
//! never held.

mod fields;
mod form;
mod incoming;
mod relay;

use crate::address;
use crate::answer;
use crate::client::{self, Api, Chained};
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::session::Session;
use crate::visit::Visit;
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

/// The form, with what the query says of the target.
///
/// # Errors
/// They may not upload, or the API's.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str) -> Result<Reply, Problem> {
    allowed(visit.session)?;
    let fields = Fields::of_query(visit.query);
    let body = form::body(visit, project, &fields, None).await?;
    Ok(shown(visit, Page::of(project, Section::Upload, "Upload a report", body)))
}

/// Takes the form, and leads to the scan that came of it. What the API refuses is told on the form.
///
/// # Errors
/// They may not upload, the form is not this session's, or the API failed.
pub(crate) async fn submit(
    call: HttpRequest,
    session: &Session,
    project: &str,
    client: Option<&str>,
    now: Timestamp,
    origin: &str,
) -> Result<Reply, Problem> {
    let secure = crate::is_over_tls(&call);
    let content_type = call.header("content-type")?.unwrap_or_default().to_owned();
    let incoming = Incoming::new(stream_of(call.body));
    let opened = allowed(session).and_then(|()| Multipart::open(&content_type, incoming.reader()));
    let mut fields = Fields::default();
    let sent = match opened {
        Ok(form) => send(form, session, project, client, &mut fields).await,
        Err(problem) => Err(problem),
    };
    let refused = match sent {
        Ok(answer) => {
            return Ok(answer::redirect(&address::scan(project, answer.scan.id)));
        }
        Err(problem) => problem,
    };
    incoming.leave().await;
    if refused.code.status() == 401 {
        return Ok(crate::pages::sign_in::ended(&refused, secure));
    }
    let here = address::upload(project);
    let api = Chained { token: &session.token, client };
    let visit = Visit { api, session, now, here: &here, query: &Query::default(), origin, from_here: true };
    if refused.code == Code::Forbidden || 500 <= refused.code.status() {
        return Ok(crate::pages::problem::framed(&refused, &visit));
    }
    let body = form::body(&visit, project, &fields, Some(&refused)).await?;
    let page = Page::of(project, Section::Upload, "Upload a report", body);
    Ok(answer::page(refused.code.status(), page.framed(&visit)))
}

/// Reads what is sent to somebody who is answered without it.
pub(crate) async fn let_go(body: Body) {
    Incoming::new(stream_of(body)).leave().await;
}

fn allowed(session: &Session) -> Result<(), Problem> {
    if session.role.has(Right::Upload) {
        return Ok(());
    }
    let detail = format!("a {} does not upload reports; ask an admin of the project for another role", session.role);
    Err(Problem::new(Code::Forbidden, detail))
}

/// Reads the fields, and sends the file on.
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
    let refusal = relay.refusal();
    let reply = onward.send(relay.body()).await;
    // What was wrong with the form says more than that the API got a report which was cut off.
    if let Some(problem) = refusal.take() {
        return Err(problem);
    }
    parse_reply(client::API, &reply?)
}
