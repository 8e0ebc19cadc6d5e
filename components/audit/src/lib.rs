//! The audit log: each event with its actor, time, network address and reason.

pub mod job;

use api::calls::audit::AuditCall;
use api::page;
use api::problem::Problem;
use domain::audit::AuditFilter;
use domain::ids::{Subject, TargetName};
use domain::time::Timestamp;
use guest::{Reply, Session};
use job::{AuditFormat, AuditJob};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. A native build compiles it, but nothing calls it.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::HttpRequest) -> Result<Reply, Problem> {
    let session = Session::<AuditCall>::open(&request).await?;
    let all_parameters = request.query.clone();
    let format = AuditFormat::read(request.query.optional("format")?, request.header("accept")?)?;
    let query = &mut request.query;
    let filter = AuditFilter {
        by: query.optional::<Subject>("by")?,
        what: query.optional::<String>("what")?.map(job::event_name).transpose()?,
        target: query.optional::<TargetName>("target")?,
        refused: query.optional("refused")?,
        since: query.optional::<Timestamp>("since")?,
        until: query.optional::<Timestamp>("until")?,
    };
    let wanted = page::wanted(query, "audit")?;
    let project = match session.call {
        AuditCall::Project => Some(session.project()?),
        AuditCall::Account => None,
    };
    let job = AuditJob { kv: &session.kv, now: session.now, caller: session.caller };
    let page = match &project {
        Some(project) => job.project(project, &filter, wanted).await?,
        None => job.account(&filter, wanted).await?,
    };
    match format {
        AuditFormat::Page => Reply::json(200, &page),
        AuditFormat::Lines => {
            let body = job::lines(&page.items)?;
            let address = |cursor: String| format!("<?{}>; rel=\"next\"", all_parameters.with("cursor", &cursor));
            let link = page.next.map(|cursor| ("link", address(cursor)));
            Ok(Reply { status: 200, media_type: job::JSON_LINES.to_owned(), headers: Vec::from_iter(link), body })
        }
    }
}
