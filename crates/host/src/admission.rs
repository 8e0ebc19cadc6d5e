//! Admits requests from outside, up to a limit, and shares the places out.
//!
//! Refuses at once what is over the limit: a queue would only add waiting to a server that cannot keep up. Only
//! requests without a credential wait, for one another.
//!
//! Each request counts with its parties: its client's network, its credential, its project. The last eighth of the
//! places is kept for parties that have less than half of all places. So one party may use nearly all of an idle
//! server, and never the places that others want. Requests without a credential have a limit of their own that nothing
//! lifts: they cost a client nothing, and nothing that is for them is urgent. For the same reason components work on
//! few of them at a time: a flood of them takes half of the cores at most.
//!
//! Large requests have few places of their own: each keeps a core busy for seconds. A request is large by the length
//! that it states, or else once so much of its body has arrived.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::client::ClientNetwork;
use crate::counts::Counts;
use crate::lifecycle::{Tracker, Working};
use crate::limits::{Limits, cores};
use crate::metrics::Metrics;
use crate::problem::Problem;

/// The part of the places that is kept for parties below their share.
const RESERVE: usize = 8;

/// The part of the places that is a party's share.
const SHARE: usize = 2;

/// The part of the places for requests without a credential that one client's network may have.
const ANONYMOUS_SHARE: usize = 4;

/// The part of the cores that work on requests without a credential, at least one core.
const ANONYMOUS_CORES: usize = 2;

/// Time after which a request without a credential lets the next one begin, even if it is not answered. Otherwise one
/// that waits for its client would stop all others.
const ANONYMOUS_HEAD_START: Duration = Duration::from_millis(20);

/// The parameter of a route that names whom a request is for, as in `/projects/:project/...`.
const PROJECT: &str = "project";

/// Whose places are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Share {
    /// All clients without a credential.
    Anonymous,
    /// The client's network, without a credential.
    AnonymousClient,
    /// The client's network.
    Client,
    /// The value of `Authorization` or `Cookie`.
    Credential,
    /// The project.
    Project,
}

/// The parties that a request counts with, as keyed hashes: a credential is not kept.
#[derive(Debug)]
pub(crate) struct Parties(Vec<(Share, u64)>);

/// Leave to work on a request. Lasts until every clone is dropped: the component's, the body's and the response's.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    state: Arc<Mutex<State>>,
    parties: Parties,
    /// The number of places for large requests.
    large_places: usize,
    /// True once the request has one of them.
    is_large: AtomicBool,
    _working: Working,
}

/// The requests in progress. A party is forgotten with its last request, so made-up ones take no memory.
#[derive(Debug, Default)]
struct State {
    requests: usize,
    by_party: Counts<(Share, u64)>,
    large: usize,
    large_by_party: Counts<(Share, u64)>,
}

/// Gives out admissions.
#[derive(Debug)]
pub(crate) struct Gate {
    places: usize,
    anonymous: usize,
    large: usize,
    memory_bytes: usize,
    metrics: Arc<Metrics>,
    state: Arc<Mutex<State>>,
    requests: Tracker,
    /// The places for work on requests without a credential.
    anonymous_work: Semaphore,
    /// The key of the hashes; random for each process.
    hashing: RandomState,
}

impl Gate {
    pub(crate) fn new(limits: &Limits, metrics: Arc<Metrics>, requests: Tracker) -> Self {
        Self {
            memory_bytes: limits.total_memory_bytes,
            metrics,
            places: limits.concurrent_requests,
            anonymous: limits.anonymous_requests,
            large: limits.large_requests,
            state: Arc::default(),
            requests,
            anonymous_work: Semaphore::new((cores() / ANONYMOUS_CORES).max(1)),
            hashing: RandomState::new(),
        }
    }

    /// The parties of a request from `client` on a route with these parameters.
    pub(crate) fn parties(&self, client: IpAddr, headers: &HeaderMap, params: &[(&str, &str)]) -> Parties {
        let network = self.hash(ClientNetwork::from(client));
        let mut parties = vec![(Share::Client, network)];
        match headers.get(AUTHORIZATION).or_else(|| headers.get(COOKIE)) {
            Some(credential) => {
                parties.push((Share::Credential, self.hash(token(credential.as_bytes()))));
                // Not without a credential: those requests are refused, and must not take a project's share first.
                let project = params.iter().find(|(name, _)| *name == PROJECT);
                parties.extend(project.map(|(_, value)| (Share::Project, self.hash(value))));
            }
            None => parties.extend([(Share::Anonymous, 0), (Share::AnonymousClient, network)]),
        }
        Parties(parties)
    }

    fn hash(&self, value: impl Hash) -> u64 {
        self.hashing.hash_one(value)
    }

    /// Admits a request, unless there are too many in progress.
    pub(crate) fn admit(&self, parties: Parties) -> Result<Admission, Problem> {
        let mut state = lock(&self.state);
        if self.places <= state.requests || self.memory_bytes <= self.metrics.guest_memory() {
            return Err(Problem::Busy);
        }
        let scarce = self.places - self.places / RESERVE <= state.requests;
        for party in &parties.0 {
            let limit = match party.0 {
                Share::Anonymous => self.anonymous,
                Share::AnonymousClient => (self.anonymous / ANONYMOUS_SHARE).max(1),
                Share::Client | Share::Credential | Share::Project if scarce => self.places / SHARE,
                Share::Client | Share::Credential | Share::Project => continue,
            };
            if limit <= state.by_party.of(party) {
                return Err(Problem::OverShare(party.0));
            }
        }
        state.requests += 1;
        for party in &parties.0 {
            state.by_party.add(*party);
        }
        drop(state);
        let held = Held {
            state: Arc::clone(&self.state),
            parties,
            large_places: self.large,
            is_large: AtomicBool::new(false),
            _working: self.requests.start(),
        };
        Ok(Admission { held: Arc::new(held) })
    }

    /// Waits until work on an admitted request may begin: at once for a request with a credential, and in order for
    /// others.
    pub(crate) async fn begin(&self, admission: &Admission) -> Begun<'_> {
        let anonymous = admission.held.parties.0.iter().any(|(share, _)| *share == Share::Anonymous);
        let place = if anonymous { self.anonymous_work.acquire().await.ok() } else { None };
        Begun { place }
    }
}

/// A place for work on a request, if it needs one.
#[derive(Debug)]
pub(crate) struct Begun<'a> {
    place: Option<SemaphorePermit<'a>>,
}

impl Begun<'_> {
    /// Gives the place to the next request after some time. Never returns; drop it when the request is answered.
    pub(crate) async fn give_way(self) -> Infallible {
        tokio::time::sleep(ANONYMOUS_HEAD_START).await;
        drop(self.place);
        std::future::pending().await
    }
}

impl Admission {
    /// Takes a place for a large request, unless the request has one. The last place is only for a project and a
    /// credential that have none.
    pub(crate) fn enlarge(&self) -> Result<(), Problem> {
        let held = &self.held;
        if held.is_large.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut state = lock(&held.state);
        let left = held.large_places.saturating_sub(state.large);
        let mut owners = held.parties.owners();
        if left == 0 || (left == 1 && owners.any(|party| 0 < state.large_by_party.of(party))) {
            return Err(Problem::BusyWithLarge);
        }
        state.large += 1;
        for party in held.parties.owners() {
            state.large_by_party.add(*party);
        }
        held.is_large.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Parties {
    /// The parties that a large request counts with. Everyone behind one address may have large reports.
    fn owners(&self) -> impl Iterator<Item = &(Share, u64)> {
        self.0.iter().filter(|(share, _)| matches!(share, Share::Credential | Share::Project))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.requests -= 1;
        if *self.is_large.get_mut() {
            state.large -= 1;
            for party in self.parties.owners() {
                state.large_by_party.remove(party);
            }
        }
        for party in &self.parties.0 {
            state.by_party.remove(party);
        }
    }
}

/// The token in a header `Authorization`, whatever its scheme, or else the header: one token must not count as several.
fn token(header: &[u8]) -> &[u8] {
    let after = header.iter().position(|byte| *byte == b' ').and_then(|space| header.get(space..));
    after.unwrap_or(header).trim_ascii()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::FutureExt as _;
    use http::HeaderValue;

    use super::*;

    fn gate(places: usize, anonymous: usize) -> (Gate, Tracker) {
        let requests = Tracker::default();
        let limits = Limits { concurrent_requests: places, anonymous_requests: anonymous, ..Limits::standard() };
        (Gate::new(&limits, Arc::new(Metrics::new(["a"])), requests.clone()), requests)
    }

    /// A request from 192.0.2.`client` with a token, if it is not empty, for a project.
    fn admit(gate: &Gate, client: u8, token: &str, project: &str) -> Result<Admission, Problem> {
        let mut headers = HeaderMap::new();
        if !token.is_empty() {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(token).unwrap());
        }
        let client = Ipv4Addr::new(192, 0, 2, client).into();
        gate.admit(gate.parties(client, &headers, &[("scan", "1"), ("project", project)]))
    }

    #[test]
    fn an_admission_lasts_as_long_as_its_clones() {
        let (gate, requests) = gate(1, 1);
        let first = admit(&gate, 1, "", "").unwrap();
        let clone = first.clone();
        drop(first);
        assert_eq!(admit(&gate, 2, "", "").err(), Some(Problem::Busy));
        assert_eq!(requests.count(), 1);
        drop(clone);
        assert_eq!(requests.count(), 0);
        assert!(admit(&gate, 2, "", "").is_ok());
    }

    #[test]
    fn one_party_leaves_the_last_places_to_others() {
        for share in [Share::Client, Share::Credential, Share::Project] {
            let (gate, _) = gate(16, 16);
            let greedy = |n: u8| {
                let name = n.to_string();
                match share {
                    Share::Client => admit(&gate, 1, &name, &name),
                    Share::Credential => admit(&gate, n, "one", &name),
                    Share::Anonymous | Share::AnonymousClient | Share::Project => admit(&gate, n, &name, "one"),
                }
            };
            let other = |n: u8| admit(&gate, n, &n.to_string(), &n.to_string());
            // An idle server is for whoever wants it, but for the last places.
            let mut taken: Vec<_> = (0..14).map(|n| greedy(n).unwrap()).collect();
            assert_eq!(greedy(99).err(), Some(Problem::OverShare(share)));
            let _others = [101, 102].map(|n| other(n).unwrap());
            assert_eq!(greedy(99).err(), Some(Problem::Busy));
            // What the greedy one gives back goes to others.
            taken.pop();
            assert_eq!(greedy(99).err(), Some(Problem::OverShare(share)));
            let _other = other(103).unwrap();
        }
    }

    #[test]
    fn a_token_is_one_party_however_its_header_is_written() {
        let written: [&[u8]; 3] = [b"Bearer gate_x", b"bearer   gate_x ", b"gate_x"];
        assert_eq!(written.map(token), [b"gate_x"; 3]);
        assert_ne!(token(b"Bearer gate_x"), token(b"Bearer gate_y"));
    }

    #[test]
    fn clients_without_a_credential_have_places_of_their_own() {
        let (gate, _) = gate(64, 8);
        let _first: Vec<_> = (0..2).map(|_| admit(&gate, 1, "", "shop").unwrap()).collect();
        assert_eq!(admit(&gate, 1, "", "shop").err(), Some(Problem::OverShare(Share::AnonymousClient)));
        let _others: Vec<_> = (2..8).map(|client| admit(&gate, client, "", "shop").unwrap()).collect();
        assert_eq!(admit(&gate, 9, "", "shop").err(), Some(Problem::OverShare(Share::Anonymous)));
        assert!(admit(&gate, 1, "token", "shop").is_ok());
    }

    #[tokio::test]
    async fn a_request_without_a_credential_waits_for_others_without_one_but_not_for_long() {
        let (gate, _) = gate(64, 64);
        let (one, with_token) = (admit(&gate, 1, "", "").unwrap(), admit(&gate, 1, "token", "shop").unwrap());
        let places = gate.anonymous_work.available_permits();
        let mut begun = Vec::new();
        for _ in 0..places {
            begun.push(gate.begin(&one).await);
        }
        assert!(gate.begin(&one).now_or_never().is_none());
        assert!(gate.begin(&with_token).now_or_never().is_some());
        drop(begun.pop());
        let slow = gate.begin(&one).await;
        let started = tokio::time::Instant::now();
        let next = tokio::select! {
            biased;
            never = slow.give_way() => match never {},
            next = gate.begin(&one) => next,
        };
        assert!(next.place.is_some());
        assert!(ANONYMOUS_HEAD_START <= started.elapsed());
    }

    #[test]
    fn large_requests_have_few_places_and_the_last_is_for_someone_else() {
        let limits = Limits { large_requests: 2, ..Limits::standard() };
        let gate = Gate::new(&limits, Arc::new(Metrics::new(["a"])), Tracker::default());
        let first = admit(&gate, 1, "ann", "shop").unwrap();
        assert_eq!((first.enlarge(), first.enlarge()), (Ok(()), Ok(())), "a request takes one place");
        for (client, token, project) in [(1, "ann", "other"), (2, "bob", "shop")] {
            let second = admit(&gate, client, token, project).unwrap();
            assert_eq!(second.enlarge(), Err(Problem::BusyWithLarge), "{token} {project}");
        }
        let other = admit(&gate, 1, "bob", "other").unwrap();
        assert_eq!(other.enlarge(), Ok(()));
        let third = admit(&gate, 3, "cat", "third").unwrap();
        assert_eq!(third.enlarge(), Err(Problem::BusyWithLarge));
        drop(first);
        assert_eq!(third.enlarge(), Ok(()));
        drop((other, third));
        assert_eq!(lock(&gate.state).large, 0);
        assert_eq!(lock(&gate.state).large_by_party.keys(), 0);
        // One place alone is for whoever comes.
        let limits = Limits { large_requests: 1, ..Limits::standard() };
        let gate = Gate::new(&limits, Arc::new(Metrics::new(["a"])), Tracker::default());
        assert_eq!(admit(&gate, 1, "ann", "shop").unwrap().enlarge(), Ok(()));
    }

    #[test]
    fn nothing_is_accepted_while_the_components_have_all_memory() {
        let (gate, _) = gate(4, 4);
        let memory = gate.metrics.memory("a");
        memory.grown(0, Limits::standard().total_memory_bytes);
        assert_eq!(admit(&gate, 1, "token", "shop").err(), Some(Problem::Busy));
        memory.given_back(1);
        assert!(admit(&gate, 1, "token", "shop").is_ok());
    }

    #[test]
    fn made_up_parties_take_no_memory_and_no_credential_is_kept() {
        let (gate, _) = gate(16, 16);
        for n in 0..1000_u32 {
            let admission = admit(&gate, 1, &format!("hunter{n}"), &n.to_string()).unwrap();
            assert!(!format!("{gate:?} {admission:?}").contains("hunter"));
        }
        assert_eq!(lock(&gate.state).by_party.keys(), 0);
        assert_eq!(lock(&gate.state).requests, 0);
    }
}
