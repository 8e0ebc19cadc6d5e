//! Uploads and replays: receives reports, has them parsed, runs the stages and answers with the verdict.
//!
//! Spin routes by path only, and uploads have the same path as the list of scans, so a request for the list is
//! forwarded to `results`. The list of formats is answered here too: it is public, and the component `parser` is not.

mod accept;
mod accept_request;
mod attempt;
mod body;
mod encoding;
mod encryption;
mod freeze;
mod inflate;
mod ingest;
mod keyed;
mod life;
mod raw_segments;
mod receive;
mod reference;
mod replay;
mod return_to_review;
mod take_over;
mod turns;
mod upload;
mod upload_request;

pub use body::{ByteSource, UploadPart, UploadParts};
pub use encoding::Encoding;
pub use ingest::Ingest;
pub use replay::ReplayRequest;
pub use upload::Uploaded;
pub use upload_request::UploadRequest;

use api::calls::ingest::IngestCall;
use api::calls::public::SCANNERS;
use api::calls::{self, RoutedCall, results};
use api::page::Page;
use api::problem::Problem;
use api::v1::{AcceptBody, AcceptDecisionBody, AcceptRequestBody, NoBody, ScannerItem};
use domain::change_decision::ChangeDecision;
use domain::version::Versions;
use guest::chain::{self, Chain};
use guest::{HttpRequest, Reply, Session, SpinKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. In native builds this is compiled but not called.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().to_string();
    guest::serve(request, async move |request| route(request, &path).await).await
}

async fn route(request: HttpRequest, uri: &str) -> Result<Reply, Problem> {
    if guest::is_public(&request, &SCANNERS)? {
        return Reply::json(200, &Page { items: ScannerItem::all(), next: None });
    }
    // `results` authenticates the caller.
    if let Ok(RoutedCall { call: results::ResultsCall::Scans, .. }) =
        calls::route::<results::ResultsCall>(&request.method, &request.path)
    {
        let path = uri.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap_or_default();
        return chain::forward("results", &path, &request.headers).await;
    }
    let session = Session::open(&request).await?;
    match session.call {
        IngestCall::Upload => upload(request, session).await,
        IngestCall::Replay => replay(request, session).await,
        IngestCall::Accept => accept(request, session).await,
        IngestCall::RequestAccept => request_accept(request, session).await,
        IngestCall::RejectAccept => decide_accept_request(request, session, ChangeDecision::Reject).await,
        IngestCall::WithdrawAccept => decide_accept_request(request, session, ChangeDecision::Withdraw).await,
    }
}

async fn upload(mut request: HttpRequest, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let upload = UploadRequest::read(&mut request, session.project()?)?;
    let mut body = body::of_headers(&request.headers, request.body)?;
    let Uploaded { answer, is_repeated } =
        environment(&session).await?.upload(&session.caller, upload, &mut body).await?;
    let location = format!("/api/v1/projects/{}/scans/{}", answer.scan.project, answer.scan.id);
    let mut reply = Reply::json(201, &answer)?;
    reply.headers.push(("location", location));
    Ok(reply.repeated(is_repeated))
}

async fn replay(mut request: HttpRequest, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let (project, scan) = (session.project()?, session.params.read("scan")?);
    let replay = ReplayRequest { project, scan, versions: Versions::CURRENT };
    let NoBody {} = guest::json_body(&mut request.body).await?;
    let ingest = environment(&session).await?;
    Reply::json(200, &ingest.replay(&session.caller, replay, guest::memory::hold).await?)
}

async fn accept(mut request: HttpRequest, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let (project, scan) = (session.project()?, session.params.read("scan")?);
    let body: AcceptBody = guest::json_body(&mut request.body).await?;
    Reply::json(200, &environment(&session).await?.accept(&session.caller, &project, scan, body).await?)
}

async fn request_accept(mut request: HttpRequest, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let (project, scan) = (session.project()?, session.params.read("scan")?);
    let body: AcceptRequestBody = guest::json_body(&mut request.body).await?;
    Reply::json(201, &environment(&session).await?.request_accept(&session.caller, &project, scan, body).await?)
}

async fn decide_accept_request(
    mut request: HttpRequest,
    session: Session<IngestCall>,
    decision: ChangeDecision,
) -> Result<Reply, Problem> {
    let (project, scan) = (session.project()?, session.params.read("scan")?);
    let body: AcceptDecisionBody = guest::json_body(&mut request.body).await?;
    let ingest = environment(&session).await?;
    Reply::json(200, &ingest.decide_accept_request(&session.caller, &project, scan, decision, body).await?)
}

async fn environment(session: &Session<IngestCall>) -> Result<Ingest<'_, SpinKv, Chain>, Problem> {
    Ok(Ingest {
        kv: &session.kv,
        services: &Chain,
        storage_key: guest::variable("storage_key").await?,
        now: session.now,
        random: guest::random_bits()?,
        raw_key: guest::random_bits()?,
    })
}
