//! Random sequences of requests, decisions, uploads and steps of the clock, by one client and by several at once,
//! compared with a simple model: it predicts every answer, and everything acknowledged exists.
//!
//! A failure names the seed of its sequence; `GATEHOUSE_MODEL_SEED=<seed>` runs only that one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot continue has failed")]

mod book;
mod calls;
mod draw;
mod order;
mod reference;
mod world;

use book::Book;
use calls::{Call, Deed};
use draw::Draw;
use order::Made;
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::Instant;
use tests::{App, Options, Random, Store, each_store, embedded_only};
use world::{ROOT, World};

/// The default number of sequences.
const SEEDS: [u64; 2] = [1, 2];
/// Number of rounds: calls by one client, calls by a crowd, a step of the clock.
const ROUNDS: usize = 4;
/// Calls of the single client in a round.
const CALLS_ALONE: usize = 30;
/// Clients in the crowd.
const CROWD: usize = 6;
/// Calls of each of them in a round.
const CALLS_EACH: usize = 6;
/// Exemptions that all of them decide on.
const CONTESTED: usize = 4;
/// Percentage of calls that are sent twice at the same time under one key.
const TWICE_PERCENT: u64 = 20;
/// Percentage of changes that a client sees.
const SEEN_PERCENT: u64 = 80;
/// Percentage of calls that are repeated under their key after the answer.
const AGAIN_PERCENT: u64 = 10;

fn seeds() -> Vec<u64> {
    match std::env::var("GATEHOUSE_MODEL_SEED") {
        Ok(seed) => vec![seed.parse().unwrap_or_else(|_| panic!("GATEHOUSE_MODEL_SEED is not a number: {seed}"))],
        Err(_) => SEEDS.to_vec(),
    }
}

/// Makes a call; if `twice`, sends it twice at the same time, as an impatient client does: both answers must be equal.
fn make(world: &World, call: Call, twice: bool) -> Made {
    let begun = Instant::now();
    let answer = if twice {
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| call.make(world));
            (call.make(world), other.join().unwrap())
        });
        assert_eq!(one, other, "sent twice under one key: {:?}", call.deed);
        one
    } else {
        call.make(world)
    };
    Made { call, answer, begun, answered: Instant::now() }
}

/// The versions of all exemptions; of some an earlier one.
fn stale_sometimes(book: &Book, random: &mut Random) -> BTreeMap<String, u64> {
    let version = |held: &book::Held, random: &mut Random| match random.below(100) < SEEN_PERCENT {
        true => held.version.1,
        false => held.version.1.saturating_sub(1),
    };
    book.0.iter().map(|(id, held)| (id.clone(), version(held, random))).collect()
}

/// One client after the other: the model predicts each answer.
fn alone(world: &World, book: &mut Book, random: &mut Random, name: String) {
    let pool = book.0.keys().cloned().collect();
    // Some of what the client knows is what somebody else changed meanwhile.
    let seen = stale_sometimes(book, random);
    let random = Random::seeded(random.below(u64::MAX));
    let mut draw = Draw { world, random, pool, seen, account: true, name, drawn: 0 };
    for n in 0..CALLS_ALONE {
        let call = draw.call();
        let twice = draw.random.below(100) < TWICE_PERCENT;
        let made = make(world, call, twice);
        if let Err(fault) = made.call.explain(world, book, &made.answer) {
            panic!("call {n} of {}, {:?} by {}: {fault}", draw.name, made.call.deed, made.call.caller.token);
        }
        made.call
            .explain_versions(book, &made.answer)
            .unwrap_or_else(|fault| panic!("call {n} of {}: {fault}", draw.name));
        if draw.random.below(100) < AGAIN_PERCENT {
            assert_eq!(made.call.make(world), made.answer, "repeated under its key: {:?}", made.call.deed);
        }
        // The people of a single client do not all see each other's changes.
        let sees = draw.random.below(100) < SEEN_PERCENT;
        draw.remember(&made, sees);
    }
}

/// Runs one client of a crowd: it decides on the shared exemptions and on its own requests.
fn one_of_a_crowd(world: &World, contested: &BTreeMap<String, u64>, seed: u64, name: String) -> Vec<Made> {
    let (pool, seen) = (contested.keys().cloned().collect(), contested.clone());
    let mut draw = Draw { world, random: Random::seeded(seed), pool, seen, account: false, name, drawn: 0 };
    let mut all = Vec::new();
    for _ in 0..CALLS_EACH {
        let call = draw.call();
        // A refused decision may be legal at its retry, after decisions of others; a request or an upload gets the same
        // answer.
        let own = matches!(call.deed, Deed::Upload(_));
        let twice = own && draw.random.below(100) < TWICE_PERCENT;
        let made = make(world, call, twice);
        draw.remember(&made, true);
        all.push(made);
    }
    all
}

/// Many concurrent clients: an order of their calls must explain every answer and the final state.
fn crowd(world: &World, book: &mut Book, random: &mut Random, name: &str) {
    let contested = draw::contested(world, book, random, CONTESTED);
    let (barrier, seeds) = (Barrier::new(CROWD), [(); CROWD].map(|()| random.below(u64::MAX)));
    let mut made: Vec<Made> = std::thread::scope(|scope| {
        let start = |(n, seed)| {
            let (barrier, contested) = (&barrier, &contested);
            scope.spawn(move || {
                barrier.wait();
                one_of_a_crowd(world, contested, seed, format!("{name}-{n}"))
            })
        };
        let threads: Vec<_> = seeds.into_iter().enumerate().map(start).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    made.push(make(world, Call { caller: &ROOT, deed: Deed::Look, key: String::new() }, false));
    *book = order::explain(world, book, &made).unwrap_or_else(|fault| panic!("{name}: {fault}"));
}

fn sequence(store: Store, seed: u64, steps: bool) {
    eprintln!("seed {seed}");
    let mut app = App::start(Options::on(store));
    let (mut world, mut book, mut random) = (World::new(&app), Book::default(), Random::seeded(seed));
    for round in 0..ROUNDS {
        alone(&world, &mut book, &mut random, format!("{seed}-{round}"));
        crowd(&world, &mut book, &mut random, &format!("{seed}-{round}-crowd"));
        if steps {
            world.step(&mut app, 1 + i64::try_from(random.below(4)).unwrap());
        }
        let made = make(&world, Call { caller: &ROOT, deed: Deed::Look, key: String::new() }, false);
        if let Err(fault) = made.call.explain(&world, &mut book, &made.answer) {
            panic!("after round {round} of seed {seed}: {fault}");
        }
    }
}

#[test]
fn the_application_behaves_like_the_model() {
    let steps = embedded_only("its clock can be stepped");
    each_store(|store| seeds().into_iter().for_each(|seed| sequence(store, seed, steps)));
}
