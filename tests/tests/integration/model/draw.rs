//! Draws calls at random.

use crate::model::book::{Book, Reach, Term};
use crate::model::calls::{Call, Choice, Deed, Verb, Wish};
use crate::model::order::Made;
use crate::model::world::{LEVELS, PEOPLE, PIPELINES, Person, ROOT, Scan, TARGETS, Weakness, World};
use std::collections::BTreeMap;
use tests::Random;

/// The maximum number of requests or decisions in one call.
const TOGETHER_MAX: usize = 3;

/// Draws calls about some exemptions.
pub(crate) struct Draw<'a> {
    pub(crate) world: &'a World,
    pub(crate) random: Random,
    /// The exemptions that are decided on.
    pub(crate) pool: Vec<String>,
    /// The versions of exemptions that this client saw last.
    pub(crate) seen: BTreeMap<String, u64>,
    /// True if exemptions for the whole installation are approved too.
    pub(crate) account: bool,
    /// Makes the keys of this draw unique.
    pub(crate) name: String,
    pub(crate) drawn: usize,
}

impl Draw<'_> {
    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.index(choices.len())]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    /// Remembers what an answer says: always which exemptions were requested, and, if this client `sees` it, their
    /// versions.
    pub(crate) fn remember(&mut self, made: &Made, sees: bool) {
        if sees {
            self.seen.extend(made.answer.ids.iter().cloned().zip(made.answer.versions.iter().copied()));
        }
        if matches!(made.call.deed, Deed::Ask(_) | Deed::AskMany(_)) {
            self.pool.extend(made.answer.ids.iter().cloned());
        }
    }

    /// A call.
    pub(crate) fn call(&mut self) -> Call {
        let roll = self.random.below(100);
        let deed = match roll {
            0..25 => self.asking(),
            25..70 if !self.pool.is_empty() => self.deciding(),
            70..88 => Deed::Upload(self.scan()),
            _ => Deed::Look,
        };
        self.drawn += 1;
        Call { caller: self.person(), deed, key: format!("{}-{}", self.name, self.drawn) }
    }

    fn person(&mut self) -> &'static Person {
        // People with more rights are drawn more often.
        match self.random.below(10) {
            0 => &ROOT,
            1..6 => &PEOPLE[2 + self.random.index(PEOPLE.len() - 2)],
            6..8 => &PEOPLE[PEOPLE.len() - 1],
            _ => &PEOPLE[self.random.index(PEOPLE.len())],
        }
    }

    fn asking(&mut self) -> Deed {
        if self.chance(70) {
            return Deed::Ask(self.wish());
        }
        let count = 1 + self.random.index(TOGETHER_MAX);
        Deed::AskMany((0..count).map(|_| self.wish()).collect())
    }

    fn wish(&mut self) -> Wish {
        let target = self.of(&TARGETS);
        let rule = self.random.index(self.world.issues.len());
        let reach = match self.random.below(4) {
            0 => {
                let both: Vec<_> = Weakness::all().filter(|one| one.rule == rule).collect();
                // One that is as severe as the issue: an approval for the whole issue is then for no less than it has.
                // `reference.rs` is about issues that become worse.
                let level = both.iter().map(|one| one.level()).max();
                let worst: Vec<_> = both.iter().copied().filter(|one| Some(one.level()) == level).collect();
                let chosen = if self.chance(60) { vec![self.of(&worst)] } else { both };
                let ids = chosen.iter().map(|one| self.world.occurrences[&(target, *one)].clone());
                Reach::Chosen(target.to_owned(), ids.collect())
            }
            1 => Reach::Target(target.to_owned()),
            2 => Reach::Pipeline(self.of(&PIPELINES).to_owned()),
            _ => Reach::Project,
        };
        let days = 24 * self.of(&[1, 2, 3, 5, 8]);
        let term = match self.random.below(6) {
            0 => Term::Unlimited,
            1 => Term::Until(self.world.now + days),
            _ => Term::For(days),
        };
        Wish { target, issue: self.world.issues[rule].clone(), reach, term }
    }

    fn deciding(&mut self) -> Deed {
        if self.chance(70) {
            let id = self.pool[self.random.index(self.pool.len())].clone();
            return Deed::Decide(self.choice(id));
        }
        let mut ids = self.pool.clone();
        let count = (1 + self.random.index(TOGETHER_MAX)).min(ids.len());
        let ids: Vec<_> = (0..count).map(|_| ids.swap_remove(self.random.index(ids.len()))).collect();
        Deed::DecideMany(ids.into_iter().map(|id| self.choice(id)).collect())
    }

    fn choice(&mut self, id: String) -> Choice {
        let verb = match self.random.below(20) {
            0..10 => Verb::Approve,
            10..14 => Verb::Reject,
            14..16 => Verb::Cancel,
            _ => Verb::Reopen,
        };
        let scopes = ["target", "pipeline", "project", "account"];
        let scopes = if self.account { &scopes[..] } else { &scopes[..3] };
        let scope = (verb == Verb::Approve && self.chance(30)).then(|| self.of(scopes));
        // Somebody else may have changed it since.
        let version = if self.chance(60) { self.seen.get(&id).copied() } else { None };
        Choice { id, verb, scope, version }
    }

    fn scan(&mut self) -> Scan {
        let present = Weakness::all().filter(|_| self.chance(75)).collect();
        Scan {
            target: self.of(&TARGETS),
            variant: self.of(&["main", "feature"]),
            pipeline: self.of(&[None, Some(PIPELINES[0]), Some(PIPELINES[1])]),
            fail_on: self.of(&[None, Some(0), Some(1), Some(LEVELS.len() - 1)]),
            present,
        }
    }
}

/// Some exemptions that many decide on at once: the latest requests, for they have the most possible decisions left.
pub(crate) fn contested(world: &World, book: &Book, random: &mut Random, count: usize) -> BTreeMap<String, u64> {
    // Exemptions for the account are left out: only the account admin may change them, and that check precedes the
    // ledger's ordering.
    let open = |(id, held): (&String, &crate::model::book::Held)| {
        (*held.reach() != Reach::Account && held.status(world.now) != domain::exemption::Status::Cancelled)
            .then(|| (id.clone(), held.version.1))
    };
    let mut ids: Vec<_> = book.0.iter().filter_map(open).collect();
    (0..count.min(ids.len())).map(|_| ids.swap_remove(random.index(ids.len()))).collect()
}
