//! The audit log: who did what, when, from where and why.

pub mod job;

use api::calls::audit::AuditCall;
use api::page;
use api::problem::Problem;
use domain::audit::Filter;
use domain::ids::{Subject, TargetName};
use domain::time::Timestamp;
use guest::{Reply, Session};
use job::{Context, Format};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::Call) -> Result<Reply, Problem> {
    let session = Session::<AuditCall>::open(&request).await?;
    let asked = request.query.clone();
    let format = Format::asked(request.query.optional("format")?, request.header("accept")?)?;
    let query = &mut request.query;
    let filter = Filter {
        by: query.optional::<Subject>("by")?,
        what: query.optional::<String>("what")?.map(job::what).transpose()?,
        target: query.optional::<TargetName>("target")?,
        refused: query.optional("refused")?,
        since: query.optional::<Timestamp>("since")?,
        until: query.optional::<Timestamp>("until")?,
    };
    let wanted = page::wanted(query, "audit")?;
    let (kv, now, who) = (&session.kv, session.now, &session.who);
    let page = match session.call {
        AuditCall::Project => {
            let context = Context { kv, now, project: session.project()? };
            job::project(&context, who, &filter, wanted).await?
        }
        AuditCall::Account => job::account(kv, now, who, &filter, wanted).await?,
    };
    match format {
        Format::Page => Reply::json(200, &page),
        Format::Lines => {
            let body = job::lines(&page.items)?;
            let link = page.next.map(|cursor| ("link", format!("<?{}>; rel=\"next\"", asked.with("cursor", &cursor))));
            Ok(Reply { status: 200, media_type: job::JSON_LINES.to_owned(), headers: Vec::from_iter(link), body })
        }
    }
}
