//! The operator's own listener: health and metrics, which no load and no client of the public one can starve.
//!
//! It has a thread and a runtime of its own, so it answers also when every worker of the server is busy, and it has its
//! own few connections, which last a few seconds.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::app::App;
use crate::error::Error;
use crate::server::ACCEPT_RETRY;

/// Connections open at a time; more wait.
const CONNECTIONS: usize = 32;

/// Time limit of a connection, which serves one request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The running listener. Stops when dropped.
pub(crate) struct Admin {
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Admin {
    pub(crate) fn start(listen: SocketAddr, app: Arc<App>) -> Result<Self, Error> {
        let failed = |source| Error::AdminListen { address: listen, source };
        let listener = StdListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // Its sender is dropped, never used.
                    _ = stopped => {}
                    () = accept(listener, app) => {}
                }
            });
        });
        Ok(Self { address, running: Some((stop, thread.map_err(failed)?)) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        let Some((stop, thread)) = self.running.take() else { return };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the thread that serves health and metrics ended with a panic");
        }
    }
}

async fn accept(listener: StdListener, app: Arc<App>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "health and metrics cannot be served"),
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection for health and metrics cannot be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request| {
                let response = answer(&request, &app);
                async { Ok::<_, Infallible>(response) }
            });
            let serving = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
            if !matches!(tokio::time::timeout(TIMEOUT, serving).await, Ok(Ok(()))) {
                tracing::debug!("a connection for health and metrics ended early");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, app: &App) -> Response<Full<Bytes>> {
    let (status, media_type, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/health") => (StatusCode::OK, "text/plain", "OK".to_owned()),
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, "text/plain; version=0.0.4", app.metrics.prometheus(&app.stores.stats()))
        }
        _ => (StatusCode::NOT_FOUND, "text/plain", "Here are GET /health and GET /metrics.\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
