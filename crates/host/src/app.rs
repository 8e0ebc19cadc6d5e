//! The running application: from a request to the component that answers it.
//!
//! Knows nothing of connections ([`crate::server`]) or of how instances live ([`crate::instance`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::watch;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use crate::access::AccessRecord;
use crate::admission::{Admission, Gate};
use crate::body::{LimitedBody, ReplyBody, full};
use crate::client::Proxies;
use crate::connections::Busy;
use crate::headers::Arrival;
use crate::instance::Instances;
use crate::kv::Stores;
use crate::lifecycle::Phase;
use crate::limits::Limits;
use crate::manifest::{Application, StaticResponse, Target};
use crate::metrics::Metrics;
use crate::outbound::is_chaining_host;
use crate::problem::Problem;
use crate::routes::Router;

const HEALTH: &str = "/.well-known/spin/health";
const INFO: &str = "/.well-known/spin/info";

/// A running application.
pub(crate) struct App {
    pub(crate) application: Application,
    pub(crate) router: Router<Target>,
    /// The components that have a trigger, by id.
    pub(crate) instances: BTreeMap<String, Instances>,
    pub(crate) limits: Limits,
    pub(crate) gate: Gate,
    pub(crate) proxies: Proxies,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stores: Stores,
    pub(crate) phases: watch::Receiver<Phase>,
}

/// A response before it is wrapped for the connection.
struct Answer {
    response: Response<WasiBody>,
    admission: Option<Admission>,
}

impl From<Response<WasiBody>> for Answer {
    fn from(response: Response<WasiBody>) -> Self {
        Self { response, admission: None }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        problem.response().map(full).into()
    }
}

impl App {
    /// Answers a request from outside that came over a connection from `peer`.
    pub(crate) async fn serve(&self, request: Request<Incoming>, peer: SocketAddr, busy: Busy) -> Response<ReplyBody> {
        let client = self.proxies.client(peer, request.headers());
        let (method, path) = (request.method(), request.uri().path());
        let mut record = AccessRecord::start(method, path, client, self.metrics.request());
        let Answer { response, admission } =
            self.answer(request, client, &mut record).await.unwrap_or_else(Answer::from);
        let makes_room = busy.makes_room();
        self.metrics.answered(response.status());
        record.status(response.status());
        let mut response = response.map(|body| ReplyBody::new(body, record, admission, busy));
        if makes_room {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        record: &mut AccessRecord,
    ) -> Result<Answer, Problem> {
        if let Some(response) = self.well_known(request.uri().path()) {
            return Ok(response.into());
        }
        if *self.phases.borrow() != Phase::Serving {
            return Err(Problem::ShuttingDown);
        }
        let (mut parts, incoming) = request.into_parts();
        let (mut body, refused) = LimitedBody::new(incoming, &parts.headers, &self.limits);
        parts.uri = absolute(&parts.uri, &mut parts.headers)?;
        let uri = parts.uri.clone();
        let matched = self.router.find(uri.path()).ok_or(Problem::NoRoute)?;
        let instances = match &matched.route.target {
            Target::Static(response) => return Ok(fixed(response).into()),
            Target::Component(id) => self.instances.get(id).ok_or(Problem::NoRoute)?,
        };
        record.component(&instances.component().id);
        let parties = self.gate.parties(client.ip(), &parts.headers, &matched.params);
        let admission = self.gate.admit(parties)?;
        if self.limits.body_bytes < body.size_hint().lower() {
            return Err(Problem::PayloadTooLarge(self.limits.body_bytes));
        }
        body.admit(admission.clone())?;
        Arrival::by_route(&matched, &uri, client).apply(&mut parts.headers);
        let request = Request::from_parts(parts, body.boxed_unsync());
        let begun = self.gate.begin(&admission).await;
        let response = tokio::select! {
            biased;
            problem = refused.wait() => return Err(problem),
            handled = instances.handle(request, Some(admission.clone())) => handled?,
            never = begun.give_way() => match never {},
        };
        Ok(Answer { response, admission: Some(admission) })
    }

    /// Gives a request from one component to another. Counts against no limit: the request that caused it does.
    pub(crate) async fn chain(
        &self,
        target: &str,
        mut request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, HttpError> {
        let instances = self.instances.get(target).ok_or(HttpError::DestinationNotFound)?;
        request.headers_mut().remove(HOST);
        let uri = request.uri().clone();
        Arrival::chained(&uri).apply(request.headers_mut());
        let response = match instances.handle(request, None).await {
            Ok(response) => response,
            // What a caller from outside would get: it says more than an error code.
            Err(problem) => problem.response().map(full),
        };
        Ok(response)
    }

    /// Answers the host's own paths, even when the host is busy.
    fn well_known(&self, path: &str) -> Option<Response<WasiBody>> {
        match path {
            HEALTH => Some(text("text/plain", "OK".to_owned())),
            INFO => {
                let Application { name, version, .. } = &self.application;
                let info = serde_json::json!({ "name": name, "version": version });
                Some(text("application/json", info.to_string()))
            }
            _ => None,
        }
    }
}

fn text(content_type: &'static str, body: String) -> Response<WasiBody> {
    let mut response = Response::new(full(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn fixed(fixed: &StaticResponse) -> Response<WasiBody> {
    let mut response = Response::new(full(Bytes::from(fixed.body.clone())));
    *response.status_mut() = fixed.status_code;
    *response.headers_mut() = fixed.headers.clone();
    // The connection says how long the body is.
    response.headers_mut().remove(CONTENT_LENGTH);
    response
}

/// The URI with the authority that the `Host` header names. A name of the application's inside is not believed, nor
/// passed on.
fn absolute(uri: &Uri, headers: &mut HeaderMap) -> Result<Uri, Problem> {
    let localhost = || Authority::from_static("localhost");
    let authority = match headers.get(HOST) {
        None => localhost(),
        Some(host) => {
            let host = host.to_str().map_err(|_| Problem::BadRequest)?;
            let authority: Authority = host.parse().map_err(|_| Problem::BadRequest)?;
            if is_chaining_host(host) {
                headers.remove(HOST);
                localhost()
            } else {
                authority
            }
        }
    };
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(|_| Problem::BadRequest)
}
