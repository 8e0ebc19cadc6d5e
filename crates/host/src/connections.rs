//! The open connections: how many there may be, of whom, and which is closed to make room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client::ClientNetwork;
use crate::counts::Counts;
use crate::metrics::Metrics;

/// Time for which a connection need not make room for a refused one of its network.
const KEPT: Duration = Duration::from_secs(5);

/// The open connections of a server.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    limit_per_client: usize,
    grace: Duration,
    state: Mutex<State>,
    /// A connection has ended, has become idle, or cannot make room as it should.
    changed: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// The connections of each client network that has some.
    by_client: Counts<ClientNetwork>,
    /// The refused connections of each client network that no other one has made room for.
    refused: Counts<ClientNetwork>,
    /// The connections without a request, in the order in which they became idle.
    idle: BTreeMap<u64, Idle>,
    next: u64,
}

/// A connection without a request.
#[derive(Debug)]
struct Idle {
    since: Instant,
    /// Tells it to make room.
    evicted: Arc<Notify>,
}

/// An attempt to take a place.
#[derive(Debug)]
enum Taken {
    Yes(Arc<Place>),
    OverShare,
    /// There is none. The next attempt is due when something changes, or at this time.
    No {
        again: Option<Instant>,
    },
}

/// A client that has all the connections it may have.
#[derive(Debug)]
pub(crate) struct OverShare;

/// An open connection, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    /// The network it counts with; none for a trusted proxy, which has many clients.
    client: Option<ClientNetwork>,
    opened: Instant,
    phase: Mutex<Phase>,
    evicted: Arc<Notify>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Waits for a request, or for the rest of its head.
    Idle { since: Instant, number: u64 },
    /// Has a request.
    Busy,
}

/// A request on a connection, until dropped with the last of its response.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Place>);

impl Connections {
    /// `grace` is the time in which a connection need not make room after it was opened or has answered.
    pub(crate) fn new(limit: usize, limit_per_client: usize, grace: Duration, metrics: Arc<Metrics>) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { limit, limit_per_client, grace, state, changed, metrics }))
    }

    /// Waits for a place, for which the connection that has been idle for longest is closed.
    pub(crate) async fn open(&self, client: Option<ClientNetwork>) -> Result<Arc<Place>, OverShare> {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.0.take(client) {
                Taken::Yes(place) => return Ok(place),
                Taken::OverShare => return Err(OverShare),
                Taken::No { again: None } => changed.await,
                Taken::No { again: Some(again) } => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(again) => {}
                    }
                }
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, or has one made if that is possible.
    fn take(self: &Arc<Self>, client: Option<ClientNetwork>) -> Taken {
        let mut state = self.state();
        if let Some(client) = client
            && self.limit_per_client <= state.by_client.of(&client)
        {
            if state.refused.of(&client) < self.limit_per_client {
                state.refused.add(client);
            }
            return Taken::OverShare;
        }
        if self.limit <= state.open {
            let Some(oldest) = state.idle.first_entry() else { return Taken::No { again: None } };
            let again = oldest.get().since + self.grace;
            if Instant::now() < again {
                return Taken::No { again: Some(again) };
            }
            oldest.remove().evicted.notify_one();
            return Taken::No { again: None };
        }
        state.open += 1;
        self.metrics.connections(state.open);
        if let Some(client) = client {
            state.by_client.add(client);
        }
        let evicted = Arc::new(Notify::new());
        let phase = Mutex::new(state.idle(&evicted));
        Taken::Yes(Arc::new(Place { shared: Arc::clone(self), client, opened: Instant::now(), phase, evicted }))
    }
}

impl State {
    fn idle(&mut self, evicted: &Arc<Notify>) -> Phase {
        let number = self.next;
        self.next += 1;
        let since = Instant::now();
        self.idle.insert(number, Idle { since, evicted: Arc::clone(evicted) });
        Phase::Idle { since, number }
    }
}

impl Place {
    /// A request has come. If the connection was to make room, another one has to.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        let before = std::mem::replace(&mut *self.phase(), Phase::Busy);
        if let Phase::Idle { number, .. } = before
            && self.shared.state().idle.remove(&number).is_none()
        {
            self.shared.changed.notify_waiters();
        }
        Busy(Arc::clone(self))
    }

    /// The time since which there has been no request; none while there is one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Idle { since, .. } => Some(since),
            Phase::Busy => None,
        }
    }

    /// Resolves when the connection has to make room, if it is idle.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Busy {
    /// True if the connection should end with this response, to make room for a refused one of its network. Otherwise
    /// the clients of a large network that came first would keep its connections, and the others would never have one.
    pub(crate) fn makes_room(&self) -> bool {
        let Place { shared, client, opened, .. } = &*self.0;
        let Some(client) = client.as_ref().filter(|_| KEPT <= opened.elapsed()) else { return false };
        let mut state = shared.state();
        let wanted = 0 < state.refused.of(client);
        if wanted {
            state.refused.remove(client);
        }
        wanted
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let place = &self.0;
        let mut phase = place.phase();
        *phase = place.shared.state().idle(&place.evicted);
        drop(phase);
        place.shared.changed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let phase = *self.phase();
        let mut state = self.shared.state();
        if let Phase::Idle { number, .. } = phase {
            state.idle.remove(&number);
        }
        state.open -= 1;
        self.shared.metrics.connections(state.open);
        if let Some(client) = &self.client {
            state.by_client.remove(client);
            if state.by_client.of(client) == 0 {
                state.refused.forget(client);
            }
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures::FutureExt as _;

    use super::*;

    fn client(last: u8) -> Option<ClientNetwork> {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into())
    }

    fn connections(limit: usize, limit_per_client: usize) -> Connections {
        Connections::new(limit, limit_per_client, Duration::ZERO, Arc::new(Metrics::new([])))
    }

    /// The place, if there is one at once.
    fn open(connections: &Connections, client: Option<ClientNetwork>) -> Option<Arc<Place>> {
        connections.open(client).now_or_never()?.ok()
    }

    #[tokio::test]
    async fn a_client_has_its_share_and_others_have_theirs() {
        let connections = connections(4, 2);
        let first = open(&connections, client(1)).unwrap();
        let _second = open(&connections, client(1)).unwrap();
        assert!(connections.open(client(1)).await.is_err());
        let _other = open(&connections, client(2)).unwrap();
        drop(first);
        assert!(open(&connections, client(1)).is_some());
        assert_eq!(connections.0.state().by_client.keys(), 2);
    }

    #[tokio::test]
    async fn a_connection_that_has_had_its_time_makes_room_for_a_refused_one_of_its_network() {
        let connections = connections(4, 1);
        let mut place = open(&connections, client(1)).unwrap();
        let busy = |place: &Arc<Place>| place.busy().makes_room();
        assert!(connections.open(client(1)).await.is_err());
        assert!(!busy(&place), "it was opened just now");
        Arc::get_mut(&mut place).unwrap().opened -= KEPT;
        assert!(busy(&place));
        assert!(!busy(&place), "one refused connection needs the room of one");
        assert!(connections.open(client(1)).await.is_err());
        drop(place);
        assert_eq!(connections.0.state().refused.keys(), 0);
    }

    #[tokio::test]
    async fn a_trusted_proxy_has_many_clients() {
        let connections = connections(4, 1);
        let places: Vec<_> = (0..4).map(|_| open(&connections, None).unwrap()).collect();
        assert_eq!(connections.0.state().by_client.keys(), 0);
        drop(places);
        assert_eq!(connections.0.state().open, 0);
        assert!(connections.0.state().idle.is_empty());
    }

    #[tokio::test]
    async fn the_longest_idle_connection_makes_room() {
        let connections = connections(2, 2);
        let old = open(&connections, client(1)).unwrap();
        let new = open(&connections, client(2)).unwrap();
        // A request makes the old one the newer of the two.
        drop(old.busy());
        let next = connections.open(client(3));
        tokio::pin!(next);
        assert!(next.as_mut().now_or_never().is_none());
        new.evicted().await;
        assert!(old.evicted().now_or_never().is_none());
        drop(new);
        assert!(next.await.is_ok());
        assert!(old.idle_since().is_some());
    }

    #[tokio::test]
    async fn a_connection_whose_request_came_in_time_is_served_and_another_makes_room() {
        let connections = connections(2, 2);
        let (first, second) = (open(&connections, client(1)).unwrap(), open(&connections, client(2)).unwrap());
        let next = connections.open(client(3));
        tokio::pin!(next);
        assert!(next.as_mut().now_or_never().is_none());
        first.evicted().await;
        let busy = first.busy();
        assert!(first.idle_since().is_none());
        assert!(next.as_mut().now_or_never().is_none());
        second.evicted().await;
        drop(second);
        assert!(next.await.is_ok());
        drop(busy);
        assert!(first.idle_since().is_some());
    }

    #[tokio::test]
    async fn a_connection_has_some_time_for_its_first_request() {
        let grace = Duration::from_millis(20);
        let connections = Connections::new(1, 1, grace, Arc::new(Metrics::new([])));
        let opened = Instant::now();
        let place = open(&connections, client(1)).unwrap();
        let next = connections.open(client(2));
        let made_room = async {
            place.evicted().await;
            assert!(grace <= opened.elapsed(), "{:?}", opened.elapsed());
            drop(place);
        };
        assert!(futures::join!(next, made_room).0.is_ok());
    }

    #[tokio::test]
    async fn nothing_at_work_is_closed_to_make_room() {
        let connections = connections(1, 1);
        let place = open(&connections, client(1)).unwrap();
        let busy = place.busy();
        assert!(place.idle_since().is_none());
        let next = connections.open(client(2));
        tokio::pin!(next);
        assert!(next.as_mut().now_or_never().is_none());
        assert!(place.evicted().now_or_never().is_none());
        drop(busy);
        assert!(next.as_mut().now_or_never().is_none());
        place.evicted().await;
        drop(place);
        assert!(next.await.is_ok());
    }
}
