//! Load: many clients at once, stores that stop, and clients that misbehave. Nothing hangs, what is refused is refused
//! within seconds, what was acknowledged is kept, and all goes on when the load ends.
//!
//! The tests here are short. `cargo xtask test --load` runs the long ones too, one at a time, and prints the figures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crowds;
mod hostile;
mod neighbours;
mod soak;
mod stopped_store;
mod too_large;

use api::v1::ScanAnswer;
use domain::ids::ScanId;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::{Duration, Instant};
use tests::{App, Client, Figures, Store, Upload, reports};

/// The number of results of an upload, as in the tutorial's report.
const RESULTS: u64 = 9;
/// The longest time that a client waits before it repeats a refused request, whatever `Retry-After` says.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// The end of a load.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// Each client has made so many uploads that were accepted.
    Uploads(usize),
    /// So much time is over.
    Time(Duration),
}

/// The time after which an uploader whose uploads are refused gives up.
const GIVE_UP: Duration = Duration::from_secs(120);

/// One client's uploads, to a variant of its own. A refused upload is repeated under the same key.
struct Uploader {
    client: Client,
    name: String,
    figures: Figures,
    acknowledged: Vec<ScanId>,
}

impl Uploader {
    fn new(url: &str, client: &Client, name: impl Into<String>) -> Self {
        // A connection of its own.
        let client = client.at(url);
        Self { client, name: name.into(), figures: Figures::default(), acknowledged: Vec::new() }
    }

    /// Makes one upload; returns true if it was accepted.
    fn upload(&mut self) -> bool {
        let n = self.acknowledged.len();
        let seed = u64::try_from(n % 4).unwrap();
        let upload =
            Upload::new("web", &self.name, reports::generated(RESULTS, seed)).key(&format!("{}-{n}", self.name));
        let start = Instant::now();
        let reply = self.client.try_upload(&upload);
        let time = start.elapsed();
        match reply {
            Ok(reply) if reply.status == 201 => {
                self.figures.accept(time);
                self.acknowledged.push(reply.read::<ScanAnswer>().scan.id);
                return true;
            }
            Ok(reply) if matches!(reply.status, 429 | 503) => match retry_after(&reply) {
                Some(pause) => {
                    self.figures.refuse(time);
                    std::thread::sleep(pause.min(RETRY_MAX));
                }
                None => self.figures.failed.push(format!("{} without Retry-After: {}", reply.status, reply.text())),
            },
            Ok(reply) => self.figures.failed.push(format!("{}: {}", reply.status, reply.text())),
            Err(error) => self.figures.failed.push(format!("after {time:?}: {error}")),
        }
        false
    }

    /// Uploads until the end. Gives up, as a failure, when five uploads failed or nothing was accepted for too long.
    fn run(&mut self, until: Until) {
        let start = Instant::now();
        let at_end = |uploader: &Self| match until {
            Until::Uploads(count) => uploader.acknowledged.len() >= count,
            Until::Time(time) => start.elapsed() >= time,
        };
        let mut accepted = start;
        while !at_end(self) && self.figures.failed.len() < 5 {
            if self.upload() {
                accepted = Instant::now();
            } else if GIVE_UP < accepted.elapsed() {
                self.figures.failed.push(format!("nothing was accepted for {GIVE_UP:?}"));
                return;
            }
        }
    }
}

fn retry_after(reply: &tests::Reply) -> Option<Duration> {
    let seconds = reply.headers.get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Runs so many uploaders, all beginning at once. Returns what they measured together, and the acknowledged scans.
/// `name` is the beginning of their variants.
fn uploads_at_once(url: &str, client: &Client, (name, clients): (&str, usize), until: Until) -> (Figures, Vec<ScanId>) {
    let barrier = Barrier::new(clients);
    let uploaders: Vec<Uploader> = std::thread::scope(|scope| {
        let threads = (0..clients).map(|n| {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut uploader = Uploader::new(url, client, format!("{name}-{n}"));
                barrier.wait();
                uploader.run(until);
                uploader
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (mut figures, mut acknowledged) = (Figures::default(), Vec::new());
    for uploader in uploaders {
        figures.add(uploader.figures);
        acknowledged.extend(uploader.acknowledged);
    }
    (figures, acknowledged)
}

/// Checks that everything acknowledged is listed once, and that an upload is accepted now.
fn check_goes_on(app: &App, client: &Client, acknowledged: &[ScanId]) {
    let listed: Vec<_> = client.scans().into_iter().map(|item| item.id).collect();
    let unique: BTreeSet<_> = listed.iter().copied().collect();
    assert_eq!(unique.len(), listed.len(), "a scan is listed twice");
    let lost: Vec<_> = acknowledged.iter().filter(|scan| !unique.contains(scan)).collect();
    assert!(lost.is_empty(), "{} acknowledged scans are lost: {lost:?}", lost.len());
    let mut after = Uploader::new(&app.url(), client, "after");
    assert!(after.upload(), "after the load an upload is not accepted: {:?}", after.figures);
}

/// Runs a check on both stores at once: half the time, and each has a neighbour that is as busy.
fn both_stores(check: impl Fn(Store) + Sync) {
    std::thread::scope(|scope| {
        for store in [Store::Sqlite, Store::Redis] {
            let check = &check;
            scope.spawn(move || check(store));
        }
    });
}

/// The project of a load, and a client that may upload.
fn project(app: &App) -> Client {
    let admin = app.admin("load");
    admin.create_project();
    admin.issue("ci", "uploader")
}
