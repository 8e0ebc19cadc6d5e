//! The server: its socket, its connections, its end.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::kv::KvStats;
use crate::lifecycle::{Phase, Tracker, reached};
use crate::limits::Limits;
use crate::start::{Trackers, build};

/// Pause before the next attempt when the system refuses another connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops it at once; [`Server::shutdown`] lets it finish.
pub struct Server {
    app: Arc<App>,
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    trackers: Trackers,
    connections: Tracker,
    accepting: JoinHandle<()>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts a server. When this returns, connections are accepted.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the application or its configuration, and a socket or store that cannot be opened.
    pub async fn start(config: Config) -> Result<Self, Error> {
        if Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
            return Err(Error::Runtime);
        }
        let (phase, phases) = watch::channel(Phase::Serving);
        let trackers = Trackers::default();
        let app = build(&config, phases.clone(), &trackers).await?;
        let failed = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let connections = Tracker::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&app), phases, connections.clone()));
        tracing::info!(%address, application = app.application.name, "serving");
        Ok(Self { app, address, phase, trackers, connections, accepting })
    }

    /// The address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The operations of the key-value stores since the start.
    pub fn kv_stats(&self) -> KvStats {
        self.app.stores.stats()
    }

    /// The most bytes of memory any instance of each component has had, by component id.
    pub fn peak_guest_memory(&self) -> BTreeMap<String, usize> {
        self.app.metrics.peaks()
    }

    /// Stops accepting, finishes what was accepted, work after responses included, then closes the stores.
    ///
    /// # Errors
    ///
    /// [`Error::Unfinished`] if something was still at work after `grace`; it has been given up then, and the stores
    /// are closed all the same.
    pub async fn shutdown(self, grace: Duration) -> Result<(), Error> {
        let _ = self.phase.send_replace(Phase::Draining);
        let finished = tokio::time::timeout(grace, async {
            self.trackers.requests.none_left().await;
            self.connections.none_left().await;
            self.trackers.instances.none_left().await;
        });
        let finished = finished.await.is_ok();
        let unfinished = self.trackers.requests.count() + self.trackers.instances.count();
        let _ = self.phase.send_replace(Phase::Stopped);
        self.app.stores.close().await;
        tracing::info!(address = %self.address, unfinished, "stopped");
        if finished { Ok(()) } else { Err(Error::Unfinished { unfinished, grace }) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.phase.send_replace(Phase::Stopped);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, app: Arc<App>, phases: watch::Receiver<Phase>, connections: Tracker) {
    let slots = Arc::new(Semaphore::new(app.limits.connections.min(Semaphore::MAX_PERMITS)));
    let draining = reached(phases.clone(), Phase::Draining);
    tokio::pin!(draining);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            biased;
            () = &mut draining => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, client)) => {
                let connection = connection(stream, client, Arc::clone(&app), phases.clone());
                let working = connections.start();
                tokio::spawn(async move {
                    connection.await;
                    drop((slot, working));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, client: SocketAddr, app: Arc<App>, phases: watch::Receiver<Phase>) {
    // Head and body of a small response leave in two writes; waiting for the client's acknowledgement in between would
    // cost it 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it was served");
        return;
    }
    let Limits { header_timeout, .. } = app.limits;
    let service = service_fn(|request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.serve(request, client).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let draining = reached(phases.clone(), Phase::Draining);
    let stopped = reached(phases, Phase::Stopped);
    tokio::pin!(draining, stopped);
    let mut drained = false;
    let result = loop {
        tokio::select! {
            result = serving.as_mut() => break result,
            () = &mut draining, if !drained => {
                drained = true;
                serving.as_mut().graceful_shutdown();
            }
            () = &mut stopped => return,
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, %client, "a connection ended early");
    }
}
