//! Read-only queries: scans, issues, occurrences, and why an occurrence is new or common; the run of a pipeline, and a
//! project at a glance.

pub mod affected;
pub mod compare;
pub mod execution;
pub mod explain;
pub mod issues;
pub mod job;
mod listed;
pub mod occurrences;
pub mod overview;

use api::calls::PathParams;
use api::calls::results::ResultsCall;
use api::page;
use api::problem::Problem;
use api::query::Query;
use domain::comparison::Bucket;
use domain::ids::{ScanId, ScannerId, TargetName, VariantName};
use domain::listing::{CountedAs, Filter, Sort, Text};
use execution::Run;
use finding::Kind;
use finding::severity::Severity;
use guest::{Reply, Session};
use job::{Context, ScanFilter};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::Call) -> Result<Reply, Problem> {
    let session = Session::<ResultsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, who, call, params } = session;
    let context = Context { kv: &kv, now, project, who, hold: guest::memory::hold };
    let query = &mut request.query;

    match call {
        ResultsCall::Scans => {
            let filter = ScanFilter {
                target: query.optional::<TargetName>("target")?,
                variant: query.optional::<VariantName>("variant")?,
                scanner: query.optional::<ScannerId>("scanner")?,
            };
            let wanted = page::wanted(query, "scans")?;
            Reply::json(200, &job::scans(&context, &filter, wanted).await?)
        }
        ResultsCall::Scan => Reply::json(200, &job::scan(&context, params.read("scan")?).await?),
        ResultsCall::Issues => {
            let filter = issue_filter(query)?;
            let sort = query.optional::<Sort>("sort")?.unwrap_or_default();
            let wanted = page::wanted(query, sort.list())?;
            Reply::json(200, &issues::issues(&context, params.read("scan")?, &filter, sort, wanted).await?)
        }
        ResultsCall::Issue => {
            Reply::json(200, &issues::issue(&context, params.read("scan")?, params.read("issue")?).await?)
        }
        ResultsCall::Compare => {
            let (bucket, wanted) = (bucket(query)?, page::wanted(query, "compared")?);
            let (scan, other) = (params.read("scan")?, params.read("other")?);
            Reply::json(200, &compare::compare(&context, scan, other, bucket, wanted).await?)
        }
        ResultsCall::AffectedTargets => {
            let (scan, wanted) = (query.required::<ScanId>("scan")?, page::wanted(query, "affected")?);
            Reply::json(200, &affected::affected(&context, params.read("issue")?, scan, wanted).await?)
        }
        ResultsCall::IssueOccurrences => {
            let (bucket, wanted) = (bucket(query)?, page::wanted(query, "occurrences")?);
            let (scan, issue) = (params.read("scan")?, params.read("issue")?);
            Reply::json(200, &occurrences::occurrences(&context, scan, Some(issue), bucket, wanted).await?)
        }
        ResultsCall::Occurrences => {
            let (bucket, wanted) = (bucket(query)?, page::wanted(query, "occurrences")?);
            Reply::json(200, &occurrences::occurrences(&context, params.read("scan")?, None, bucket, wanted).await?)
        }
        ResultsCall::Explain => {
            let (scan, occurrence) = (params.read("scan")?, params.read("occurrence")?);
            Reply::json(200, &explain::explain(&context, scan, occurrence).await?)
        }
        ResultsCall::Overview => {
            let days = overview::days(query.optional("days")?)?;
            Reply::json(200, &overview::overview(&context, days).await?)
        }
        ResultsCall::Execution => Reply::json(200, &execution::execution(&context, &run(&params)?).await?),
        ResultsCall::ExecutionIssues => {
            let filter = execution::Filter {
                issues: issue_filter(query)?,
                target: query.optional::<TargetName>("target")?,
                scanner: query.optional::<ScannerId>("scanner")?,
            };
            let wanted = page::wanted(query, "execution-issues")?;
            Reply::json(200, &execution::issues(&context, &run(&params)?, &filter, wanted).await?)
        }
    }
}

fn bucket(query: &mut Query) -> Result<Option<Bucket>, Problem> {
    query.optional::<String>("bucket")?.as_deref().map(job::bucket).transpose()
}

fn issue_filter(query: &mut Query) -> Result<Filter, Problem> {
    Ok(Filter {
        bucket: bucket(query)?,
        severity: query.optional::<Severity>("severity")?,
        exempted: query.optional::<bool>("exempted")?,
        exemption: query.optional::<String>("exemption")?.as_deref().map(job::coverage).transpose()?,
        counted_as: query.optional::<CountedAs>("counted_as")?,
        kind: query.optional::<Kind>("kind")?,
        text: query.optional::<Text>("text")?,
    })
}

fn run(params: &PathParams) -> Result<Run, Problem> {
    Ok(Run { pipeline: params.read("pipeline")?, execution: params.read("execution")? })
}
