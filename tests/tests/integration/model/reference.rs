//! A model of what the gate counts: what is new since the newest accepted scan, and which exemptions were approved for
//! an issue that was as severe. Random sequences of uploads, acceptances, requests and decisions, one after the other,
//! are compared with it.

use crate::model::seeds;
use api::v1::{AcceptedAnswer, ExemptionItem, IssueItem, ScanAnswer};
use domain::exemption::Status;
use domain::ids::ScanId;
use domain::verdict::Verdict;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tests::{App, Client, Options, Random, Store, Upload, each_store, reports};

/// Number of steps of a sequence.
const STEPS: usize = 80;
/// Number of rules that a report may break, each in one place.
const RULES: usize = 4;
/// The severities, the lowest first, with Bandit's words for them.
const LEVELS: [(&str, &str); 3] = [("low", "LOW"), ("medium", "MEDIUM"), ("critical", "HIGH")];

/// A scan: the level of each rule that is broken.
#[derive(Debug, Clone)]
struct Scan {
    id: ScanId,
    found: BTreeMap<usize, usize>,
}

/// An exemption of an issue in the whole project.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    rule: usize,
    /// The level that was judged.
    level: usize,
    status: Status,
    returned_from: Option<String>,
}

/// Everything that counts.
#[derive(Debug, Default)]
struct Model {
    /// The scans of `main`, the baseline.
    main: Vec<Scan>,
    /// The newest accepted one.
    accepted: usize,
    /// The thresholds of the scans after the last one that was accepted without a reviewer that failed, the strictest
    /// of each. A decision about the newest scan forgets those before it.
    failed: Thresholds,
    /// The one that a reviewer accepted last.
    decided: Option<usize>,
    /// The exemptions by id.
    held: BTreeMap<String, Held>,
    /// The ids of the issues by rule.
    issues: BTreeMap<usize, String>,
    /// The situations that the sequence has tried: comparisons, and whether exemptions returned to review.
    tried: BTreeSet<String>,
}

/// The thresholds of an upload, as levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Thresholds {
    on_severity: Option<usize>,
    on_new: Option<usize>,
}

impl Thresholds {
    fn and(self, other: Self) -> Self {
        let stricter = |one: Option<usize>, other: Option<usize>| one.into_iter().chain(other).min();
        Self { on_severity: stricter(self.on_severity, other.on_severity), on_new: stricter(self.on_new, other.on_new) }
    }
}

impl Model {
    fn exempts(&self, rule: usize, level: usize) -> bool {
        self.held.values().any(|held| held.rule == rule && held.status == Status::Approved && level <= held.level)
    }

    /// The expected answer to a scan that is compared with the given one: the numbers of exempted, of other and of
    /// other new issues, and the verdict.
    fn judge(&self, scan: &Scan, reference: Option<&Scan>, limits: Thresholds) -> (usize, usize, usize, Verdict) {
        let counted: Vec<_> = scan.found.iter().filter(|(rule, level)| !self.exempts(**rule, **level)).collect();
        let is_new = |rule: &usize| reference.is_none_or(|reference| !reference.found.contains_key(rule));
        let new: Vec<_> = counted.iter().filter(|(rule, _)| is_new(rule)).collect();
        let reached =
            |worst: Option<usize>, from: Option<usize>| worst.zip(from).is_some_and(|(worst, from)| from <= worst);
        let fails = reached(counted.iter().map(|(_, level)| **level).max(), limits.on_severity)
            || reached(new.iter().map(|(_, level)| **level).max(), limits.on_new);
        let verdict = if fails { Verdict::Fail } else { Verdict::Pass };
        (scan.found.len() - counted.len(), counted.len(), new.len(), verdict)
    }
}

/// A running application with the people of the test.
struct World {
    developer: Client,
    reviewer: Client,
    random: Random,
    model: Model,
}

impl World {
    fn level(&mut self) -> Option<usize> {
        let drawn = self.random.index(LEVELS.len() + 1);
        (drawn < LEVELS.len()).then_some(drawn)
    }

    fn upload(&mut self, main: bool) {
        let found: BTreeMap<_, _> =
            (0..RULES).filter_map(|rule| Some(rule).zip(self.level().filter(|_| rule > 0 || main))).collect();
        let limits = Thresholds { on_severity: self.level(), on_new: self.level() };
        let results = found.iter().map(|(rule, level)| {
            let rule = u64::try_from(*rule).unwrap();
            reports::result(rule, LEVELS[*level].1, "a.py", 10 + 20 * rule)
        });
        let mut query = format!("scanner=bandit&target=web&variant={}", if main { "main" } else { "feature" });
        for (name, level) in [("fail_on_severity", limits.on_severity), ("fail_on_new", limits.on_new)] {
            query += &level.map(|level| format!("&{name}={}", LEVELS[level].0)).unwrap_or_default();
        }
        let answer = self.developer.upload(&Upload::with_query(&query, reports::bandit(&results.collect::<Vec<_>>())));
        let scan = Scan { id: answer.scan.id, found };
        self.check(&scan, &answer, main, limits);
        self.check_returned(&scan);
        if main {
            self.accept_judged(scan, answer.verdict, limits);
        }
    }

    /// Adds a scan of `main`. It is accepted if it is the first one, or if it passed and either the scan before it is
    /// accepted, or its thresholds are as strict as those of what failed.
    fn accept_judged(&mut self, scan: Scan, verdict: Verdict, limits: Thresholds) {
        let model = &mut self.model;
        let follows_accepted = model.main.len() == model.accepted + 1;
        let passed = verdict == Verdict::Pass;
        let is_strict = limits.and(model.failed) == limits;
        model.main.push(scan);
        if model.main.len() == 1 || passed && (follows_accepted || is_strict) {
            model.accepted = model.main.len() - 1;
            model.failed = Thresholds::default();
        } else if !passed {
            model.failed = if follows_accepted { limits } else { model.failed.and(limits) };
        } else {
            model.tried.insert("looser".to_owned());
        }
    }

    fn check(&mut self, scan: &Scan, answer: &ScanAnswer, main: bool, limits: Thresholds) {
        let (newest, accepted) = (self.model.main.last(), self.model.main.get(self.model.accepted));
        let (with, reference) = match newest.zip(accepted) {
            None => ("none", None),
            Some((newest, _)) if !main => ("baseline", Some(newest)),
            Some((newest, accepted)) if newest.id == accepted.id => ("previous", Some(newest)),
            Some((_, accepted)) => ("accepted", Some(accepted)),
        };
        assert_eq!((answer.comparison.with.as_str(), answer.comparison.scan), (with, reference.map(|scan| scan.id)));
        self.model.tried.insert(with.to_owned());
        let number = |name: &str| answer.variables[name].parse::<usize>().unwrap();
        let counts = (number("IGNORED"), number("TOTAL"), number("NEW_TOTAL"), answer.verdict);
        assert_eq!(counts, self.model.judge(scan, reference, limits), "{scan:?} {limits:?} {:#?}", self.model);
        for issue in self.developer.issues(answer, "") {
            if let Some(rule) = rule_of(&issue) {
                let known = self.model.issues.entry(rule).or_insert_with(|| issue.id.to_string());
                assert_eq!(*known, issue.id.to_string(), "an issue keeps its id");
            }
        }
    }

    /// Checks what a scan returned to review: each issue that is worse than what was approved, once.
    fn check_returned(&mut self, scan: &Scan) {
        let mut new: BTreeMap<usize, usize> = BTreeMap::new();
        for item in self.developer.exemptions() {
            if self.model.held.contains_key(&item.id) {
                continue;
            }
            let held = held(&self.model, &item);
            let from = held.returned_from.as_ref().and_then(|from| self.model.held.get(from));
            let from = from.unwrap_or_else(|| panic!("nobody requested {item:#?}"));
            assert_eq!((from.rule, from.status), (held.rule, Status::Approved), "{item:#?}");
            assert_eq!((scan.found.get(&held.rule), held.status), (Some(&held.level), Status::Pending), "{item:#?}");
            assert!(from.level < held.level, "{item:#?}");
            *new.entry(held.rule).or_default() += 1;
            self.model.tried.insert("returned".to_owned());
            self.model.held.insert(item.id, held);
        }
        for (rule, level) in &scan.found {
            let of_rule = || self.model.held.values().filter(|held| held.rule == *rule);
            let outgrown = of_rule().any(|held| held.status == Status::Approved) && !self.model.exempts(*rule, *level);
            let returned = new.get(rule).copied().unwrap_or(0);
            assert!(returned <= usize::from(outgrown), "{returned} requests for rule {rule}: {:#?}", self.model);
            let known = || of_rule().any(|held| held.level == *level || held.status == Status::Pending);
            assert!(!outgrown || known(), "nobody is asked about rule {rule}: {:#?}", self.model);
        }
    }

    fn accept(&mut self) {
        let at = self.random.index(self.model.main.len());
        let path = format!("scans/{}/accept", self.model.main[at].id);
        let reply = self.reviewer.json("POST", &path, &json!({"comment": "known"}));
        if self.model.decided == Some(at) || self.model.accepted < at {
            assert_eq!(reply.expect(200).read::<AcceptedAnswer>().scan, self.model.main[at].id);
            self.model.decided = Some(at);
            self.model.accepted = self.model.accepted.max(at);
        } else {
            reply.expect_problem(409, "conflict");
        }
    }

    fn request(&mut self) {
        let scan = self.model.main[self.random.index(self.model.main.len())].clone();
        let Some((rule, level)) = scan.found.iter().nth(self.random.index(scan.found.len().max(1))) else { return };
        let body = json!({"issue": self.model.issues[rule], "scope": "project", "scan": scan.id.to_string(),
            "duration_days": 30, "reason": "other", "text": "why"});
        let reply = self.developer.json("POST", "exemptions", &body);
        let is_pending = |held: &Held| held.rule == *rule && held.status == Status::Pending;
        if self.model.held.values().any(is_pending) {
            reply.expect_problem(409, "conflict");
            return;
        }
        let item: ExemptionItem = reply.expect(201).read();
        let held = held(&self.model, &item);
        let expected = Held { rule: *rule, level: *level, status: Status::Pending, returned_from: None };
        assert_eq!(held, expected);
        self.model.held.insert(item.id, held);
    }

    fn decide(&mut self) {
        let pending = self.model.held.iter().filter(|(_, held)| held.status == Status::Pending);
        let Some(id) = pending.map(|(id, _)| id.clone()).next() else { return };
        let (verb, status) = match self.random.below(3) {
            0 => ("reject", Status::Rejected),
            _ => ("approve", Status::Approved),
        };
        self.reviewer.decide(&id, verb).expect(200);
        if let Some(held) = self.model.held.get_mut(&id) {
            held.status = status;
        }
    }
}

/// The number of an issue's rule.
fn rule_of(issue: &IssueItem) -> Option<usize> {
    (0..RULES).find(|rule| issue.title == format!("rule_{rule}"))
}

fn held(model: &Model, item: &ExemptionItem) -> Held {
    let rule = model.issues.iter().find(|(_, id)| **id == item.issue).map(|(rule, _)| *rule).unwrap();
    let level = LEVELS.iter().position(|(level, _)| *level == item.severity).unwrap();
    Held { rule, level, status: item.status, returned_from: item.returned_from.as_ref().map(|from| from.to_string()) }
}

fn sequence(store: Store, seed: u64) {
    eprintln!("seed {seed}");
    let app = App::start(Options::on(store));
    let admin = app.admin("reference");
    admin.create_project();
    let (developer, reviewer) = (admin.issue("dev", "developer"), admin.issue("sec", "secops"));
    let mut world = World { developer, reviewer, random: Random::seeded(seed), model: Model::default() };
    world.upload(true);
    for _ in 0..STEPS {
        match world.random.below(10) {
            0..4 => world.upload(true),
            4 => world.upload(false),
            5 => world.accept(),
            6 | 7 => world.request(),
            _ => world.decide(),
        }
    }
    let all = ["accepted", "baseline", "looser", "none", "previous", "returned"];
    assert_eq!(world.model.tried, BTreeSet::from(all.map(str::to_owned)), "the sequence is too short");
}

#[test]
fn the_gate_counts_what_is_new_and_worse_than_what_was_accepted() {
    each_store(|store| seeds().into_iter().for_each(|seed| sequence(store, seed)));
}
