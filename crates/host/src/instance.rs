//! The life of component instances: made on demand, reused, expired.
//!
//! Builds on the queue of `wasmtime_wasi_http::handler`, which Spin uses too. That queue has no limit of its own: the
//! caller admits requests before they come here.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    ExpirationError, HandlerState, Instance, InstantiationError, Proxy, ProxyHandler, ProxyPre, Request, Response,
    ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::admission::Admission;
use crate::guest::{Component, Guest, Health};
use crate::lifecycle::{Phase, Tracker, reached};
use crate::limits::Reuse;
use crate::problem::Problem;

/// A component that requests can be given to.
#[derive(Clone)]
pub(crate) struct Instances(ProxyHandler<Factory>);

/// Ticks of the engine's clock that an instance computes before others get their turn.
const EPOCH_TICKS_PER_YIELD: u64 = 1;

/// Makes instances of one component.
pub(crate) struct Factory {
    pub(crate) engine: Engine,
    pub(crate) pre: ProxyPre<Guest>,
    pub(crate) component: Arc<Component>,
    pub(crate) reuse: Reuse,
    pub(crate) request_timeout: Duration,
    pub(crate) phases: watch::Receiver<Phase>,
    pub(crate) instances: Tracker,
}

/// Data that accompany a request into its instance.
pub(crate) struct Ticket {
    deadline: tokio::time::Instant,
    /// The instance that got it.
    health: OnceLock<Arc<Health>>,
    /// Held while the component works on the response, also when the client has gone; none for a chained call.
    _admission: Option<Admission>,
}

impl Instances {
    pub(crate) fn new(factory: Factory) -> Self {
        Self(ProxyHandler::new(factory))
    }

    pub(crate) fn component(&self) -> &Component {
        &self.0.state().component
    }

    /// Gives a request to an instance; answers with the head of its response.
    pub(crate) async fn handle(&self, request: Request, admission: Option<Admission>) -> Result<Response, Problem> {
        let request_timeout = self.0.state().request_timeout;
        let deadline = tokio::time::Instant::now() + request_timeout;
        let ticket = Arc::new(Ticket { deadline, health: OnceLock::new(), _admission: admission });
        let handled = tokio::time::timeout_at(deadline, self.0.handle(Arc::clone(&ticket), request)).await;
        let problem = match handled {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => self.classify(&error, &ticket),
            Err(_elapsed) => Problem::RequestTimeout(request_timeout),
        };
        tracing::warn!(component = &*self.component().id, problem = problem.code(), "a request failed");
        Err(problem)
    }

    fn classify(&self, error: &wasmtime::Error, ticket: &Ticket) -> Problem {
        let component = &*self.component().id;
        let late = ticket.deadline <= tokio::time::Instant::now();
        if late || error.is::<ExpirationError>() {
            return Problem::RequestTimeout(self.0.state().request_timeout);
        }
        if let Some(failure) = error.downcast_ref::<InstantiationError<Arc<Ticket>>>() {
            if failure.error.is::<PoolConcurrencyLimitError>() {
                return Problem::Busy;
            }
            tracing::error!(component, error = ?failure.error, "a component cannot be instantiated");
            return Problem::ComponentFailed;
        }
        if ticket.health.get().is_some_and(|health| health.refused_memory()) {
            return Problem::ComponentOutOfMemory(self.component().memory_bytes_max);
        }
        tracing::error!(component, ?error, "a component failed");
        Problem::ComponentFailed
    }
}

impl HandlerState for Factory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Worker>> {
        let guest = Guest::new(Arc::clone(&self.component), self.instances.start());
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.memory);
        // A busy instance yields at every tick, so that its expiration is polled and others run.
        store.epoch_deadline_async_yield_and_update(EPOCH_TICKS_PER_YIELD);
        store.set_epoch_deadline(EPOCH_TICKS_PER_YIELD);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let reuse = match &proxy {
            Proxy::P3(_) => self.reuse.clone(),
            // The 0.2 interface knows no concurrency, and its guests expect to be alone.
            Proxy::P2(_) => Reuse { requests: 1, concurrent: 1, idle: Duration::ZERO },
        };
        let expiration = Expiration::new(self.request_timeout, reuse.idle, &self.phases);
        Ok(Instance { store, proxy, view: WasiHttpView::http, expiration, state: Worker { reuse } })
    }
}

/// Decides when an instance has to go, whatever it is doing.
pub(crate) struct Expiration {
    request_timeout: Duration,
    idle: Duration,
    sleep: Pin<Box<Sleep>>,
    draining: PhaseReached,
    stopped: PhaseReached,
}

/// A phase to come; none once it has come. The mutex only makes the future `Sync` and is never locked.
struct PhaseReached(Option<std::sync::Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl PhaseReached {
    fn new(phases: &watch::Receiver<Phase>, phase: Phase) -> Self {
        Self(Some(std::sync::Mutex::new(Box::pin(reached(phases.clone(), phase)))))
    }

    fn poll(&mut self, ctx: &mut Context<'_>) -> Poll<()> {
        let Some(waiting) = &mut self.0 else { return Poll::Ready(()) };
        let future = waiting.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let poll = future.as_mut().poll(ctx);
        if poll.is_ready() {
            self.0 = None;
        }
        poll
    }
}

impl Expiration {
    fn new(request_timeout: Duration, idle: Duration, phases: &watch::Receiver<Phase>) -> Self {
        Self {
            request_timeout,
            idle,
            sleep: Box::pin(tokio::time::sleep(request_timeout)),
            draining: PhaseReached::new(phases, Phase::Draining),
            stopped: PhaseReached::new(phases, Phase::Stopped),
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let draining = self.draining.poll(ctx).is_ready();
        if self.stopped.poll(ctx).is_ready() {
            return Poll::Ready(());
        }
        let allowed = match status {
            WorkerStatus::Idle if draining => return Poll::Ready(()),
            WorkerStatus::Idle => self.idle,
            // The second line of defence for requests (the first is `on_request_start`), the only one for work after
            // the response.
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request_timeout,
        };
        let deadline = (start + allowed).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(ctx)
    }
}

/// Decides which requests an instance takes.
pub(crate) struct Worker {
    reuse: Reuse,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Arc<Ticket>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if self.reuse.requests <= total {
            ShouldAccept::Never
        } else if self.reuse.concurrent <= concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        store: StoreContextMut<'_, Guest>,
        ticket: Arc<Ticket>,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Each ticket comes here once.
        let _ = ticket.health.set(Arc::clone(&store.data().memory.health));
        Box::pin(async move {
            tokio::time::sleep_until(ticket.deadline).await;
            drop(ticket);
        })
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let guest = store.data();
            let out_of_memory = guest.memory.health.refused_memory();
            tracing::warn!(component = &*guest.component.id, ?error, out_of_memory, "an instance was ended");
        }
    }
}
