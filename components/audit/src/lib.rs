//! The audit log: who did what, when, from where and why.

pub mod job;

use api::page;
use api::problem::Problem;
use domain::audit::Filter;
use domain::ids::{Subject, TargetName};
use domain::time::Timestamp;
use guest::{Call, Reply, Session};
use job::{Context, Format};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project, rest } = Session::open(&call).await?;
    if rest != ["audit"] {
        return Err(Problem::not_found("no such path"));
    }
    if call.method != "GET" {
        return Err(Problem::not_allowed(&call.method, "GET"));
    }
    let asked = call.query.clone();
    let format = Format::asked(call.query.optional("format")?, call.header("accept")?)?;
    let query = &mut call.query;
    let filter = Filter {
        by: query.optional::<Subject>("by")?,
        what: query.optional("what")?,
        target: query.optional::<TargetName>("target")?,
        refused: query.optional("refused")?,
        since: query.optional::<Timestamp>("since")?,
        until: query.optional::<Timestamp>("until")?,
    };
    let wanted = page::wanted(query, "audit")?;
    call.query.finish("`by`, `what`, `target`, `refused`, `since`, `until`, `format`, `limit`, `cursor`")?;
    let page = job::project(&Context { kv: &kv, now, project }, &who, &filter, wanted).await?;
    match format {
        Format::Page => Reply::json(200, &page),
        Format::Lines => {
            let body = job::lines(&page.items)?;
            let link = page.next.map(|cursor| ("link", format!("<?{}>; rel=\"next\"", asked.with("cursor", &cursor))));
            Ok(Reply { status: 200, media_type: job::JSON_LINES.to_owned(), headers: Vec::from_iter(link), body })
        }
    }
}
