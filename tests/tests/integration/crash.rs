//! The power fails at any moment: what was acknowledged is there, and what was not ends as if nothing had happened.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use api::v1::ScanAnswer;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::{App, Client, Options, Random, Store, Upload, each_store, reports};

const THREADS: usize = 4;
const KILLS: usize = 18;
/// Number of retries after the restart before an upload counts as stuck.
const RETRIES: usize = 5;

/// The time from which a retry is stuck, beyond that of the same upload undisturbed. `pipeline::deaths` tests the limit
/// of two seconds by a clock that does not depend on the machine.
const STUCK: Duration = Duration::from_secs(10);

/// The n-th upload of a thread, which has a target of its own; the same in every run.
fn upload(thread: usize, n: usize) -> Upload {
    let mut random = Random::seeded(u64::try_from(thread * 10_000 + n).unwrap());
    let variant = ["main", "main", "feature/a", "feature/b"][random.index(4)];
    let report = reports::generated([3, 30, 120, 3000][random.index(4)], random.below(6));
    let level = ["none", "critical", "medium"][random.index(3)];
    Upload::new(&format!("target-{thread}"), variant, report).fail_on(level).key(&format!("{thread}-{n}"))
}

/// An answer without its time, which differs from run to run.
fn timeless(answer: &ScanAnswer) -> ScanAnswer {
    let mut answer = answer.clone();
    answer.scan.received_at.clear();
    answer.judged_at = None;
    answer
}

/// The moment of a power cut.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many acknowledged uploads.
    Answers(usize),
    /// After so long.
    Time(Duration),
}

impl Moment {
    fn choose(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::Answers(random.index(6)),
            _ => Self::Time(Duration::from_micros(random.below(120_000))),
        }
    }

    fn wait(self, answers: &AtomicUsize) {
        match self {
            Self::Time(time) => std::thread::sleep(time),
            Self::Answers(count) => {
                let deadline = Instant::now() + Duration::from_secs(60);
                while answers.load(Ordering::Relaxed) < count {
                    assert!(Instant::now() < deadline, "there were no {count} answers in a minute");
                    std::thread::yield_now();
                }
            }
        }
    }
}

/// Uploads until the power fails.
fn upload_until_cut(client: &Client, thread: usize, done: &mut Vec<ScanAnswer>, answers: &AtomicUsize) {
    loop {
        match client.try_upload(&upload(thread, done.len())) {
            Ok(reply) if reply.status == 201 => done.push(reply.read()),
            Ok(reply) => panic!("{}: {} {}", reply.request, reply.status, reply.text()),
            Err(_) => return,
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

fn project(app: &App) -> Client {
    let client = app.admin("phoenix");
    client.create_project();
    client
}

/// Everything a scan's readers can see, without times.
fn seen(client: &Client, answer: &ScanAnswer) -> (ScanAnswer, String) {
    let now: ScanAnswer = client.find(&format!("scans/{}", answer.scan.id));
    let (mut issues, mut occurrences) = (client.issues(answer, ""), client.occurrences(answer));
    let issues_seen = issues.iter_mut().map(|issue| &mut issue.first_seen);
    let seen = issues_seen.chain(occurrences.iter_mut().map(|occurrence| &mut occurrence.first_seen));
    seen.for_each(|first| first.at.clear());
    let details = format!("{issues:#?}\n{occurrences:#?}");
    (timeless(&now), details)
}

fn power_cuts(store: Store, seed: u64) {
    let mut app = App::start(Options::on(store));
    let client = project(&app);
    let mut done: Vec<Vec<ScanAnswer>> = vec![Vec::new(); THREADS];
    let mut retries = Vec::new();
    let mut random = Random::seeded(seed);
    for kill in 0..KILLS {
        let moment = Moment::choose(&mut random);
        let client = client.at(&app.url());
        let answers = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for (thread, done) in done.iter_mut().enumerate() {
                let (client, answers) = (&client, &answers);
                scope.spawn(move || upload_until_cut(client, thread, done, answers));
            }
            moment.wait(&answers);
            app.kill();
        });
        app.restart();
        let client = client.at(&app.url());
        let acknowledged: Vec<_> = done.iter().flatten().collect();
        let listed = client.scans();
        for answer in acknowledged {
            let found = listed.iter().find(|item| item.id == answer.scan.id).map(|item| &item.answer);
            assert_eq!(found, Some(answer), "kill {kill} at {moment:?}: an acknowledged scan is lost or changed");
        }
        // Who was cut off sends the same again, as a pipeline does.
        for (thread, done) in done.iter_mut().enumerate() {
            let again = upload(thread, done.len());
            let begun = Instant::now();
            let replies: Vec<_> = (0..RETRIES)
                .map_while(|_| {
                    let reply = client.send_upload(&again);
                    let taken = reply.status == 201;
                    if taken {
                        done.push(reply.read());
                    }
                    (!taken).then(|| format!("{} {}", reply.status, reply.text()))
                })
                .collect();
            assert!(
                replies.len() < RETRIES,
                "kill {kill} at {moment:?}: thread {thread} gets no further: {replies:#?}"
            );
            retries.push((kill, thread, done.len() - 1, begun.elapsed()));
        }
    }

    let client = client.at(&app.url());
    let listed: Vec<_> = client.scans().into_iter().map(|item| item.id).collect();
    let acknowledged: BTreeSet<_> = done.iter().flatten().map(|answer| answer.scan.id).collect();
    assert_eq!(listed.len(), acknowledged.len(), "{store:?}: a scan is listed twice, or one nobody knows of");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), acknowledged);
    println!("{store:?}: {} uploads, {KILLS} kills", acknowledged.len());

    let twin = App::start(Options::on(store));
    let undisturbed = project(&twin);
    let mut times = BTreeMap::new();
    for (thread, answers) in done.iter().enumerate() {
        for (n, answer) in answers.iter().enumerate() {
            let begun = Instant::now();
            let expected = undisturbed.upload(&upload(thread, n));
            times.insert((thread, n), begun.elapsed());
            assert_eq!(timeless(answer), timeless(&expected), "thread {thread}, upload {n}");
            assert_eq!(seen(&client, answer), seen(&undisturbed, &expected), "thread {thread}, upload {n}");
        }
    }
    let over = |(_, thread, n, took): &(usize, usize, usize, Duration)| took.saturating_sub(times[&(*thread, *n)]);
    let (kill, thread, n, took) = retries.iter().max_by_key(|retry| over(retry)).unwrap();
    let usual = times[&(*thread, *n)];
    let what = format!("{store:?}: the longest retry took {took:?}, and {usual:?} undisturbed (kill {kill})");
    println!("{what}");
    assert!(took.saturating_sub(usual) <= STUCK, "{what}");
}

/// Kills an upload after more and more time, until it is answered before: so in each of its steps, between claim and
/// freeze too. Its retry is timed, and so is the next upload of the variant under another key.
fn retries_after_a_kill_at_each_step(store: Store) {
    const STEP: Duration = Duration::from_millis(2);
    const KILLS_MAX: u32 = 30;
    let mut app = App::start(Options::on(store));
    project(&app);
    let asked = |key: String| Upload::new("web", "main", reports::generated(300, 1)).key(&key);
    let timed = |client: &Client, key: String| {
        let begun = Instant::now();
        (client.upload(&asked(key)), begun.elapsed())
    };
    timed(&app.admin("phoenix"), "first".to_owned());
    app.restart();
    // What the first upload after a start takes, as every retry here is one.
    let (_, usual) = timed(&app.admin("phoenix"), "usual".to_owned());
    let mut longest = (Duration::ZERO, 0);
    for kill in 0..KILLS_MAX {
        let client = app.admin("phoenix");
        let (key, next) = (format!("kill-{kill}"), format!("next-{kill}"));
        let answered = std::thread::scope(|scope| {
            let sent = scope.spawn(|| client.try_upload(&asked(key.clone())).is_ok());
            std::thread::sleep(STEP * kill);
            app.kill();
            sent.join().unwrap()
        });
        app.restart();
        let client = app.admin("phoenix");
        let (retried, next) = std::thread::scope(|scope| {
            let next = scope.spawn(|| timed(&client, next));
            (timed(&client, key), next.join().unwrap())
        });
        assert_ne!(retried.0.scan.id, next.0.scan.id);
        longest = longest.max((retried.1, kill)).max((next.1, kill));
        if answered {
            break;
        }
    }
    let (longest, kill) = longest;
    let what = format!(
        "{store:?}: the longest wait was {longest:?}, after kill {kill}; undisturbed an upload takes {usual:?}"
    );
    println!("{what}");
    // Two uploads at once take turns.
    assert!(longest <= STUCK + usual * 2, "{what}");
}

#[test]
fn a_retry_after_a_kill_at_any_step_is_not_stuck() {
    each_store(retries_after_a_kill_at_each_step);
}

#[test]
fn a_power_cut_at_any_moment_loses_and_doubles_nothing_on_sqlite() {
    power_cuts(Store::Sqlite, 1);
}

#[test]
fn a_power_cut_at_any_moment_loses_and_doubles_nothing_on_redis() {
    power_cuts(Store::Redis, 2);
}

fn a_dead_crowd(store: Store) {
    const CROWD: usize = 24;
    const ROUNDS: u64 = 12;
    let mut app = App::start(Options::on(store));
    project(&app).upload(&Upload::new("web", "main", reports::generated(3, 1)));
    let mut random = Random::seeded(7);
    for round in 0..ROUNDS {
        let client = app.admin("phoenix");
        let moment = Duration::from_micros(10_000 + random.below(90_000));
        std::thread::scope(|scope| {
            for n in 0..CROWD {
                let client = &client;
                let variant = format!("variant-{n}");
                // Nobody comes back for these: their writers are dead for good.
                scope.spawn(move || {
                    while client.try_upload(&Upload::new("web", &variant, reports::generated(3, 1))).is_ok() {}
                });
            }
            std::thread::sleep(moment);
            app.kill();
        });
        app.restart();
        let client = app.admin("phoenix");
        let begun = Instant::now();
        let reply = client.send_upload(&Upload::new("web", "main", reports::generated(3, 1)));
        let what = format!("{store:?}, round {round}, killed after {moment:?}: after {:?}", begun.elapsed());
        assert_eq!(reply.status, 201, "{what}: {}", reply.text());
        let answer: ScanAnswer = reply.read();
        assert_eq!(client.scans().first().map(|item| item.id), Some(answer.scan.id), "{what}");
    }
}

#[test]
fn a_crowd_that_died_while_writing_blocks_nobody_after_it() {
    each_store(a_dead_crowd);
}

#[test]
fn an_exemption_and_a_baseline_that_were_acknowledged_survive_a_power_cut() {
    each_store(|store| {
        let mut app = App::start(Options::on(store));
        let admin = project(&app);
        let scan = admin.upload(&Upload::new("web", "main", reports::generated(20, 1)));
        let (developer, secops) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
        for issue in admin.issues(&scan, "").iter().take(6) {
            let asked = developer.at(&app.url()).request_exemption("web", issue);
            secops.at(&app.url()).decide(&asked.id, "approve").expect(200);
            secops.at(&app.url()).set_baseline("web", &format!("variant-{}", asked.id));
            let before = admin.at(&app.url()).exemptions();
            app.kill();
            app.restart();
            let now = admin.at(&app.url());
            assert_eq!(now.exemptions(), before);
            assert_eq!(now.targets()[0].baseline.as_ref().unwrap().variant, Some(format!("variant-{}", asked.id)));
        }
    });
}
