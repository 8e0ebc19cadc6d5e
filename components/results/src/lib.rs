//! Read-only queries: scans, issues, occurrences, and why an occurrence is new or common.

pub mod explain;
pub mod job;
pub mod occurrences;

use api::page;
use api::problem::Problem;
use domain::ids::{IssueId, OccurrenceId, ScanId, ScannerId, TargetName, VariantName};
use domain::role::Right;
use finding::severity::Severity;
use guest::{Call, Reply, Session};
use job::{Context, IssueFilter, ScanFilter};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project, rest } = Session::open(&call).await?;
    who.require(&project, Right::Read)?;
    if call.method != "GET" {
        return Err(Problem::not_allowed(&call.method, "GET"));
    }
    let context = Context { kv: &kv, now, project, who, hold: guest::memory::hold };
    let rest: Vec<&str> = rest.iter().skip(1).map(String::as_str).collect();
    let query = &mut call.query;

    match rest.as_slice() {
        [] => {
            let filter = ScanFilter {
                target: query.optional::<TargetName>("target")?,
                variant: query.optional::<VariantName>("variant")?,
                scanner: query.optional::<ScannerId>("scanner")?,
            };
            let wanted = page::wanted(query, "scans")?;
            call.query.finish("`target`, `variant`, `scanner`, `limit`, `cursor`")?;
            Reply::json(200, &job::scans(&context, &filter, wanted).await?)
        }
        [scan] => {
            call.query.finish("none")?;
            Reply::json(200, &job::scan(&context, id(scan)?).await?)
        }
        [scan, "issues"] => {
            let filter = IssueFilter {
                bucket: query.optional::<String>("bucket")?.as_deref().map(job::bucket).transpose()?,
                severity: query.optional::<Severity>("severity")?,
                exempted: query.optional::<bool>("exempted")?,
                exemption: query.optional::<String>("exemption")?.as_deref().map(job::coverage).transpose()?,
            };
            let wanted = page::wanted(query, "issues")?;
            call.query.finish("`bucket`, `severity`, `exempted`, `exemption`, `limit`, `cursor`")?;
            Reply::json(200, &job::issues(&context, id(scan)?, &filter, wanted).await?)
        }
        [scan, "issues", issue, "occurrences"] => {
            let bucket = query.optional::<String>("bucket")?.as_deref().map(job::bucket).transpose()?;
            let wanted = page::wanted(query, "occurrences")?;
            call.query.finish("`bucket`, `limit`, `cursor`")?;
            let issue: IssueId = issue.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
            Reply::json(200, &occurrences::occurrences(&context, id(scan)?, Some(issue), bucket, wanted).await?)
        }
        [scan, "occurrences"] => {
            let bucket = query.optional::<String>("bucket")?.as_deref().map(job::bucket).transpose()?;
            let wanted = page::wanted(query, "occurrences")?;
            call.query.finish("`bucket`, `limit`, `cursor`")?;
            Reply::json(200, &occurrences::occurrences(&context, id(scan)?, None, bucket, wanted).await?)
        }
        [scan, "explain", occurrence] => {
            call.query.finish("none")?;
            let occurrence: OccurrenceId =
                occurrence.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
            Reply::json(200, &explain::explain(&context, id(scan)?, occurrence).await?)
        }
        _ => Err(Problem::not_found("no such path")),
    }
}

fn id(text: &str) -> Result<ScanId, Problem> {
    text.parse().map_err(|error| Problem::not_found(format!("{error}")))
}
