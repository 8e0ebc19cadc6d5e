//! The server: its socket, its connections, its end.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::admin::Admin;
use crate::app::App;
use crate::client::ClientNetwork;
use crate::config::Config;
use crate::connections::{Connections, OverShare, Place};
use crate::error::Error;
use crate::kv::KvStats;
use crate::lifecycle::{Phase, Tracker, reached};
use crate::limits::{Limits, cores};
use crate::pace::Pace;
use crate::problem::Problem;
use crate::progress::ImpatientStream;
use crate::start::{Trackers, build};

/// Time in which a new connection need not make room for others: its request is on the way.
const GRACE: Duration = Duration::from_millis(100);

/// Pause before the next attempt when the system refuses another connection.
pub(crate) const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Connections that the system completes before they are accepted.
const BACKLOG: u32 = 1024;

/// Connections per second and core that are served or answered, and how many may be at once. Opening and closing one
/// costs the server a hundredth of a millisecond; a flood of them leaves it the rest of its time. More wait until they
/// are accepted.
const CONNECTIONS_PER_CORE: u32 = 1000;
const CONNECTIONS_AT_ONCE: u32 = 1024;

/// Bytes of a response that the system takes for a client. Few enough that a slow client's progress is seen, and that a
/// thousand clients that read nothing take little memory; enough for a fast line.
const SEND_BUFFER_BYTES: u32 = 256 << 10;

/// Bytes of a request's head. hyper itself takes at most 100 headers, and a URI of at most 65,534 bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Connections over their client's share that are answered within a time. Enough for a crowd behind one address; others
/// are reset, which a client cannot tell from a network fault. It costs less, so that a flood does not keep the server
/// busy.
const REFUSALS: usize = 512;
const REFUSAL: Duration = Duration::from_secs(1);

/// A running server. Dropping it stops it at once; [`Server::shutdown`] lets it finish.
pub struct Server {
    app: Arc<App>,
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    trackers: Trackers,
    connections: Tracker,
    accepting: JoinHandle<()>,
    admin: Option<Admin>,
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
        let listener = listen(config.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let admin = config.admin_listen.map(|admin| Admin::start(admin, Arc::clone(&app))).transpose()?;
        let working = Tracker::default();
        let Limits { connections, connections_per_client, .. } = app.limits;
        let connections = Connections::new(connections, connections_per_client, GRACE, Arc::clone(&app.metrics));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&app), phases, connections, working.clone()));
        tracing::info!(%address, application = app.application.name, "serving");
        if let Some(admin) = &admin {
            tracing::info!(address = %admin.address(), "serving health and metrics");
        }
        Ok(Self { app, address, phase, trackers, connections: working, accepting, admin })
    }

    /// The address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The address of health and metrics; none if the configuration names none.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Admin::address)
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

/// Listens with a send buffer of a known size.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    phases: watch::Receiver<Phase>,
    connections: Connections,
    working: Tracker,
) {
    let draining = reached(phases.clone(), Phase::Draining);
    tokio::pin!(draining);
    let per_second = u32::try_from(cores()).unwrap_or(u32::MAX).saturating_mul(CONNECTIONS_PER_CORE);
    let mut pace = Pace::new(per_second, CONNECTIONS_AT_ONCE, Instant::now());
    loop {
        let next = async {
            tokio::time::sleep_until(pace.ready()).await;
            let (stream, peer) = listener.accept().await?;
            let client = (!app.proxies.trust(peer.ip())).then(|| ClientNetwork::from(peer.ip()));
            Ok::<_, std::io::Error>((stream, peer, connections.open(client).await))
        };
        let accepted = tokio::select! {
            biased;
            () = &mut draining => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer, Ok(place))) => {
                pace.count(Instant::now());
                let connection = connection(stream, peer, place, Arc::clone(&app), phases.clone());
                let working = working.start();
                tokio::spawn(async move {
                    connection.await;
                    drop(working);
                });
            }
            Ok((stream, _, Err(OverShare))) => {
                if refuse(stream) {
                    pace.count(Instant::now());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Answers a connection that its client has too many of, without reading a request. Only so many are answered within a
/// time; the rest are closed at once. Returns false if this is one of them.
fn refuse(mut stream: TcpStream) -> bool {
    static PLACES: Semaphore = Semaphore::const_new(REFUSALS);
    let Ok(place) = PLACES.try_acquire() else { return false };
    let response = Problem::TooManyConnections.response();
    let mut message = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        message.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    message.extend(b"\r\n");
    message.extend(response.body());
    tokio::spawn(async move {
        let over = tokio::time::sleep(REFUSAL);
        let refusing = tokio::time::timeout(REFUSAL, async {
            stream.write_all(&message).await?;
            stream.shutdown().await?;
            // A connection that is closed with unread data is reset, which can destroy the response.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        });
        if !matches!(refusing.await, Ok(Ok(_))) {
            tracing::debug!("a connection over its client's share ended before the refusal was read");
        }
        over.await;
        drop(place);
    });
    true
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    place: Arc<Place>,
    app: Arc<App>,
    phases: watch::Receiver<Phase>,
) {
    // Head and body of a small response leave in two writes; waiting for the client's acknowledgement in between would
    // cost it 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it was served");
        return;
    }
    let Limits { header_timeout, idle_timeout, connection_age, stall_timeout, .. } = app.limits;
    let service = service_fn(|request| {
        let (app, busy) = (Arc::clone(&app), place.busy());
        async move { Ok::<_, Infallible>(app.serve(request, peer, busy).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(ImpatientStream::new(stream, stall_timeout)), service);
    let draining = reached(phases.clone(), Phase::Draining);
    let stopped = reached(phases, Phase::Stopped);
    let (aged, idle) = (tokio::time::sleep(connection_age), tokio::time::sleep(idle_timeout));
    tokio::pin!(serving, draining, stopped, aged, idle);
    let mut ending = false;
    let result = loop {
        tokio::select! {
            // First of all what the client has sent: a connection with a request need not make room.
            biased;
            result = serving.as_mut() => break result,
            () = &mut draining, if !ending => ending = true,
            () = &mut aged, if !ending => ending = true,
            () = &mut idle, if !ending => match place.idle_since() {
                Some(since) if idle_timeout <= since.elapsed() => ending = true,
                since => {
                    idle.as_mut().reset(since.unwrap_or_else(Instant::now) + idle_timeout);
                    continue;
                }
            },
            () = place.evicted() => match place.idle_since() {
                Some(_) => return,
                None => continue,
            },
            () = &mut stopped => return,
        }
        serving.as_mut().graceful_shutdown();
    };
    if let Err(error) = result {
        tracing::debug!(%error, client = %peer, "a connection ended early");
    }
}
