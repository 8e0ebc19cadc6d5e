//! Read-only queries: scans, issues and occurrences; explanations of why an occurrence is new or common; runs of
//! pipelines, and the overview of a project.

pub mod affected;
pub mod compare;
pub mod execution;
pub mod explain;
mod first_seen;
pub mod issues;
pub mod job;
pub mod occurrences;
pub mod overview;
mod scan_issues;
pub mod scans;

use api::calls::PathParams;
use api::calls::results::ResultsCall;
use api::page;
use api::problem::Problem;
use api::query::Query;
use domain::comparison::Bucket;
use domain::exemption::Coverage;
use domain::ids::{ScanId, ScannerId, TargetName, VariantName};
use domain::listing::{CountedAs, IssueFilter, SearchText, Sort};
use execution::{ExecutionFilter, Run};
use finding::Kind;
use finding::severity::Severity;
use guest::{Reply, Session};
use job::ResultsJob;
use scans::ScanFilter;
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. A native build compiles it, but nothing calls it.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::HttpRequest) -> Result<Reply, Problem> {
    let session = Session::<ResultsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, caller, call, params } = session;
    let job = ResultsJob { kv: &kv, now, project, caller, hold: guest::memory::hold };
    let query = &mut request.query;

    match call {
        ResultsCall::Scans => {
            let filter = ScanFilter {
                target: query.optional::<TargetName>("target")?,
                variant: query.optional::<VariantName>("variant")?,
                scanner: query.optional::<ScannerId>("scanner")?,
            };
            let wanted = page::wanted(query, "scans")?;
            Reply::json(200, &job.scans(&filter, wanted).await?)
        }
        ResultsCall::Scan => Reply::json(200, &job.scan(params.read("scan")?).await?),
        ResultsCall::Issues => {
            let filter = issue_filter(query)?;
            let sort = query.optional::<Sort>("sort")?.unwrap_or_default();
            let wanted = page::wanted(query, sort.list())?;
            Reply::json(200, &job.issues(params.read("scan")?, &filter, sort, wanted).await?)
        }
        ResultsCall::Issue => Reply::json(200, &job.issue(params.read("scan")?, params.read("issue")?).await?),
        ResultsCall::Compare => {
            let (bucket, wanted) = (query.optional::<Bucket>("bucket")?, page::wanted(query, "compared")?);
            Reply::json(200, &job.compare(params.read("scan")?, params.read("other")?, bucket, wanted).await?)
        }
        ResultsCall::AffectedTargets => {
            let (scan, wanted) = (query.required::<ScanId>("scan")?, page::wanted(query, "affected")?);
            Reply::json(200, &job.affected(params.read("issue")?, scan, wanted).await?)
        }
        ResultsCall::IssueOccurrences => {
            let (bucket, wanted) = (query.optional::<Bucket>("bucket")?, page::wanted(query, "occurrences")?);
            let (scan, issue) = (params.read("scan")?, params.read("issue")?);
            Reply::json(200, &job.occurrences(scan, Some(issue), bucket, wanted).await?)
        }
        ResultsCall::Occurrences => {
            let (bucket, wanted) = (query.optional::<Bucket>("bucket")?, page::wanted(query, "occurrences")?);
            Reply::json(200, &job.occurrences(params.read("scan")?, None, bucket, wanted).await?)
        }
        ResultsCall::Explain => Reply::json(200, &job.explain(params.read("scan")?, params.read("occurrence")?).await?),
        ResultsCall::Overview => {
            let days = overview::days(query.optional("days")?)?;
            Reply::json(200, &job.overview(days).await?)
        }
        ResultsCall::Execution => Reply::json(200, &job.execution(&run(&params)?).await?),
        ResultsCall::ExecutionIssues => {
            let filter = ExecutionFilter {
                issues: issue_filter(query)?,
                target: query.optional::<TargetName>("target")?,
                scanner: query.optional::<ScannerId>("scanner")?,
            };
            let wanted = page::wanted(query, "execution-issues")?;
            Reply::json(200, &job.execution_issues(&run(&params)?, &filter, wanted).await?)
        }
    }
}

fn issue_filter(query: &mut Query) -> Result<IssueFilter, Problem> {
    Ok(IssueFilter {
        bucket: query.optional::<Bucket>("bucket")?,
        severity: query.optional::<Severity>("severity")?,
        exempted: query.optional::<bool>("exempted")?,
        exemption: query.optional::<Coverage>("exemption")?,
        counted_as: query.optional::<CountedAs>("counted_as")?,
        kind: query.optional::<Kind>("kind")?,
        text: query.optional::<SearchText>("text")?,
    })
}

fn run(params: &PathParams) -> Result<Run, Problem> {
    Ok(Run { pipeline: params.read("pipeline")?, execution: params.read("execution")? })
}
