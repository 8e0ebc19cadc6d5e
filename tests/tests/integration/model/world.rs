//! The world of the test: a running application with people of every role, and a few weaknesses that come and go.

use crate::model::book::{Book, Place};
use domain::exemption::{Coverage, Status};
use domain::time::Timestamp;
use domain::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::{App, Client, Upload, reports};

/// A person with a token: the token's name, its subject and its role.
pub(crate) struct Person {
    pub(crate) token: &'static str,
    pub(crate) subject: &'static str,
    role: &'static str,
}

/// The account admin, who may do everything in every project.
pub(crate) const ROOT: Person = Person { token: "root", subject: "admin", role: "admin" };
/// Everybody else. Two of them are one person with two tokens.
pub(crate) const PEOPLE: [Person; 7] = [
    Person { token: "ula", subject: "ula", role: "uploader" },
    Person { token: "vic", subject: "vic", role: "viewer" },
    Person { token: "dev", subject: "dev", role: "developer" },
    Person { token: "dora", subject: "dora", role: "developer" },
    Person { token: "dev-decides", subject: "Dev", role: "secops" },
    Person { token: "sec", subject: "sec", role: "secops" },
    Person { token: "sam", subject: "sam", role: "secops" },
];

/// An action that needs a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Upload,
    Read,
    Develop,
    Decide,
}

impl Person {
    pub(crate) fn may(&self, need: Need) -> bool {
        match need {
            Need::Upload => self.role != "viewer",
            Need::Read => self.role != "uploader",
            Need::Develop => !["uploader", "viewer"].contains(&self.role),
            Need::Decide => ["secops", "admin"].contains(&self.role),
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.token == ROOT.token
    }
}

pub(crate) const TARGETS: [&str; 2] = ["web", "api"];
pub(crate) const PIPELINES: [&str; 2] = ["nightly", "release"];
/// The pipeline of the scans whose issues exemptions are requested for.
pub(crate) const SEEN_IN: &str = "nightly";
/// The broken rules, with Bandit's word for the severity in each of the two files.
const RULES: [[&str; 2]; 4] = [["HIGH", "LOW"], ["MEDIUM", "MEDIUM"], ["HIGH", "HIGH"], ["LOW", "LOW"]];
const FILES: [&str; 2] = ["a.py", "b.py"];

/// The severities for Bandit's words, the lowest first; a threshold is one of them.
pub(crate) const LEVELS: [&str; 3] = ["low", "medium", "critical"];

fn level(word: &str) -> usize {
    ["LOW", "MEDIUM", "HIGH"].iter().position(|known| *known == word).unwrap()
}

/// A weakness: the numbers of a rule and of the file where it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Weakness {
    pub(crate) rule: usize,
    file: usize,
}

impl Weakness {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..RULES.len()).flat_map(|rule| (0..FILES.len()).map(move |file| Self { rule, file }))
    }

    pub(crate) fn level(self) -> usize {
        level(RULES[self.rule][self.file])
    }
}

/// A report of these weaknesses.
pub(crate) fn report(present: &BTreeSet<Weakness>) -> Vec<u8> {
    let result = |one: &Weakness| {
        let rule = u64::try_from(one.rule).unwrap();
        reports::result(rule, RULES[one.rule][one.file], FILES[one.file], 10 + 20 * rule)
    };
    reports::bandit(&present.iter().map(result).collect::<Vec<_>>())
}

/// The gate's answer for a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// Number of issues that are exempted as a whole.
    pub(crate) ignored: usize,
    /// Number of remaining issues.
    pub(crate) total: usize,
    /// Each issue's exemption state, and the number of its exempted occurrences.
    pub(crate) issues: BTreeMap<String, Option<(Coverage, usize)>>,
}

/// The people of a running application, if there is one, and its constant facts.
pub(crate) struct World {
    clients: BTreeMap<&'static str, Client>,
    /// The start of the model's time, since 1970.
    begun: Duration,
    /// The offset of the application's clock in hours: the model's time.
    pub(crate) now: i64,
    /// The issues' ids, by rule.
    pub(crate) issues: Vec<String>,
    /// The scan of each target that has every issue.
    pub(crate) scans: BTreeMap<&'static str, String>,
    /// The occurrences' ids in each target.
    pub(crate) occurrences: BTreeMap<(&'static str, Weakness), String>,
}

impl World {
    pub(crate) fn new(app: &App) -> Self {
        let admin = app.admin("model");
        admin.json("PUT", "", &serde_json::json!({"unlimited_exemptions": true})).expect(200);
        let mut clients = BTreeMap::from([(ROOT.token, admin.clone())]);
        for Person { token, subject, role } in &PEOPLE {
            clients.insert(*token, admin.issue_to(subject, token, role));
        }
        let (mut scans, mut occurrences, mut issues) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for target in TARGETS {
            let upload = Upload::with_query(
                &format!("scanner=bandit&target={target}&variant=main&pipeline={SEEN_IN}"),
                report(&Weakness::all().collect()),
            );
            let scan = admin.upload(&upload);
            let mut seen = admin.occurrences(&scan);
            seen.sort_by_key(|occurrence| occurrence.result);
            assert_eq!(seen.len(), Weakness::all().count());
            let places = Weakness::all().zip(&seen);
            occurrences.extend(places.map(|(one, seen)| ((target, one), seen.id.to_string())));
            issues = seen.iter().step_by(FILES.len()).map(|seen| seen.issue.to_string()).collect();
            scans.insert(target, scan.scan.id.to_string());
        }
        assert_eq!(issues.iter().collect::<BTreeSet<_>>().len(), RULES.len(), "a rule is an issue");
        Self {
            clients,
            begun: SystemTime::now().duration_since(UNIX_EPOCH).unwrap(),
            now: 0,
            issues,
            scans,
            occurrences,
        }
    }

    /// A world without an application, for tests of the model alone.
    pub(crate) fn alone() -> Self {
        let (scans, occurrences) = (BTreeMap::new(), BTreeMap::new());
        Self { clients: BTreeMap::new(), begun: Duration::ZERO, now: 0, issues: Vec::new(), scans, occurrences }
    }

    pub(crate) fn client(&self, person: &Person) -> &Client {
        &self.clients[person.token]
    }

    /// Restarts the application this many days and an hour later. The hour keeps the ends of exemptions away from the
    /// moments of the test's calls, which are never whole days apart. The model counts in hours.
    pub(crate) fn step(&mut self, app: &mut App, days: i64) {
        let hours = days * 24 + 1;
        app.restart_later(Duration::from_secs(u64::try_from(hours * 60 * 60).unwrap()));
        self.now += hours;
        for client in self.clients.values_mut() {
            *client = client.at(&app.url());
        }
    }

    /// A time of the model as the API reads it; always the same, for repeated calls.
    pub(crate) fn written(&self, hours: i64) -> String {
        let begun = i64::try_from(self.begun.as_millis()).unwrap();
        Timestamp::from_ms(begun + hours * 60 * 60 * 1000).to_string()
    }

    /// The gate's answer for a scan that the book expects.
    pub(crate) fn judge(&self, book: &Book, scan: &Scan) -> Judged {
        let place = Place { target: scan.target, pipeline: scan.pipeline };
        let (mut issues, mut ignored, mut worst) = (BTreeMap::new(), 0, None);
        for (rule, issue) in self.issues.iter().enumerate() {
            let here = scan.present.iter().copied().filter(|one| one.rule == rule);
            let exempts =
                |one: &Weakness| book.exempts(self.now, place, issue, &self.occurrences[&(scan.target, *one)]);
            let (exempted, left): (Vec<Weakness>, Vec<Weakness>) = here.partition(exempts);
            let has = |status| book.has(status, self.now, place, issue);
            let coverage = match (exempted.len(), left.len()) {
                (0, 0) => continue,
                (_, 0) => Some(Coverage::Exempted),
                (1.., _) => Some(Coverage::PartiallyExempted),
                (0, _) if has(Status::Pending) => Some(Coverage::Pending),
                (0, _) => has(Status::Rejected).then_some(Coverage::Rejected),
            };
            worst = worst.max(left.iter().map(|one| one.level()).max());
            ignored += usize::from(left.is_empty());
            issues.insert(issue.clone(), coverage.map(|coverage| (coverage, exempted.len())));
        }
        let fails = worst.zip(scan.fail_on).is_some_and(|(worst, from)| from <= worst);
        let verdict = if fails { Verdict::Fail } else { Verdict::Pass };
        Judged { verdict, ignored, total: issues.len() - ignored, issues }
    }
}

/// A scan to upload.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) target: &'static str,
    pub(crate) variant: &'static str,
    pub(crate) pipeline: Option<&'static str>,
    /// Index of the lowest of [`LEVELS`] at which it fails.
    pub(crate) fail_on: Option<usize>,
    pub(crate) present: BTreeSet<Weakness>,
}

impl Scan {
    pub(crate) fn upload(&self) -> Upload {
        let mut query = format!("scanner=bandit&target={}&variant={}", self.target, self.variant);
        if let Some(pipeline) = self.pipeline {
            query += &format!("&pipeline={pipeline}");
        }
        Upload::with_query(&query, report(&self.present)).fail_on(self.fail_on.map_or("none", |level| LEVELS[level]))
    }
}
