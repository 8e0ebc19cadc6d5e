//! A model of exemptions in the simplest form: a list that is searched from end to end. The
//! application as a whole is compared with it here, and the fold of the journal in `crates/domain/tests/exemptions.rs`.
//!
//! It is written from the rules (who may do what in which state, what is exempted where and until when) and shares no
//! code with the application. Times are numbers in a unit that the test chooses.

use domain::exemption::Status;
use std::collections::{BTreeMap, BTreeSet};

/// The reach of an exemption.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Chosen occurrences in a target.
    Chosen(String, BTreeSet<String>),
    /// The issue in a target.
    Target(String),
    /// The issue in a pipeline.
    Pipeline(String),
    /// The issue in the project.
    Project,
    /// The issue everywhere.
    Account,
}

impl Reach {
    /// Its rank, from narrow to wide.
    pub(crate) fn width(&self) -> u8 {
        match self {
            Self::Chosen(..) => 0,
            Self::Target(_) => 1,
            Self::Pipeline(_) => 2,
            Self::Project => 3,
            Self::Account => 4,
        }
    }

    fn is_whole(&self) -> bool {
        self.width() > 0
    }

    fn covers(&self, place: Place<'_>) -> bool {
        match self {
            Self::Chosen(target, _) | Self::Target(target) => target == place.target,
            Self::Pipeline(pipeline) => Some(pipeline.as_str()) == place.pipeline,
            Self::Project | Self::Account => true,
        }
    }
}

/// The target and pipeline of a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) target: &'a str,
    pub(crate) pipeline: Option<&'a str>,
}

/// The duration of an exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// This long from the approval.
    For(i64),
    /// Until this time.
    Until(i64),
    /// Without an end.
    Unlimited,
}

/// An action on an exemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is requested.
    Ask { issue: String, reach: Reach, term: Term },
    /// It is approved, for a wider reach if one is given.
    Approve { wider: Option<Reach>, own_allowed: bool },
    /// It is rejected or revoked.
    Reject,
    /// It is withdrawn.
    Cancel,
    /// It is requested again.
    Reopen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Pending,
    Approved { at: i64 },
    Rejected,
    Cancelled,
}

/// An exemption.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) issue: String,
    pub(crate) decided_by: Option<String>,
    pub(crate) requested: Reach,
    wider: Option<Reach>,
    term: Term,
    requesters: BTreeSet<String>,
    state: State,
    /// The numbers between which its version is. An answer may show a later change by somebody else already.
    pub(crate) version: (u64, u64),
}

impl Held {
    /// Its end; `None` if it is not effective or has no end.
    pub(crate) fn end(&self) -> Option<i64> {
        match (self.state, self.term) {
            (State::Approved { at }, Term::For(time)) => Some(at + time),
            (State::Approved { .. }, Term::Until(end)) => Some(end),
            (State::Approved { .. }, Term::Unlimited) | (State::Pending | State::Rejected | State::Cancelled, _) => {
                None
            }
        }
    }

    /// Its state at a time.
    pub(crate) fn status(&self, now: i64) -> Status {
        match self.state {
            State::Approved { .. } if self.end().is_some_and(|end| end <= now) => Status::Expired,
            State::Approved { .. } => Status::Approved,
            State::Pending => Status::Pending,
            State::Rejected => Status::Rejected,
            State::Cancelled => Status::Cancelled,
        }
    }

    /// True if this person requested or reopened it.
    pub(crate) fn is_requested_by(&self, subject: &str) -> bool {
        self.requesters.contains(&subject.trim().to_lowercase())
    }

    /// The approved reach, or the requested one.
    pub(crate) fn reach(&self) -> &Reach {
        self.wider.as_ref().unwrap_or(&self.requested)
    }
}

/// All exemptions of a project, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Book(pub(crate) BTreeMap<String, Held>);

impl Book {
    /// Does all acts of a person or, if one is illegal, none; true if all are legal.
    pub(crate) fn act(&mut self, subject: &str, now: i64, acts: &[(String, Act)]) -> bool {
        let mut after = self.clone();
        let legal = acts.iter().all(|(id, act)| after.act_once(subject, now, id, act));
        if legal {
            *self = after;
        }
        legal
    }

    fn act_once(&mut self, subject: &str, now: i64, id: &str, act: &Act) -> bool {
        let person = subject.trim().to_lowercase();
        if let Act::Ask { issue, reach, term } = act {
            let same = |held: &Held| held.state == State::Pending && held.issue == *issue && held.requested == *reach;
            if *reach == Reach::Account || self.0.contains_key(id) || self.0.values().any(same) {
                return false;
            }
            let held = Held {
                issue: issue.clone(),
                decided_by: None,
                requested: reach.clone(),
                wider: None,
                term: *term,
                requesters: BTreeSet::from([person]),
                state: State::Pending,
                version: (0, 0),
            };
            self.0.insert(id.to_owned(), held);
            return true;
        }
        let Some(held) = self.0.get_mut(id) else { return false };
        let (status, old) = (held.status(now), held.clone());
        let legal = match act {
            Act::Ask { .. } => false,
            Act::Approve { wider, own_allowed } => {
                (held.wider, held.state) = (wider.clone(), State::Approved { at: now });
                matches!(status, Status::Pending | Status::Rejected | Status::Expired)
                    && wider.as_ref().is_none_or(|wider| held.requested.width() < wider.width())
                    && (*own_allowed || !held.is_requested_by(subject))
                    && held.end().is_none_or(|end| now < end)
            }
            Act::Reject => {
                (held.wider, held.state) = (None, State::Rejected);
                matches!(status, Status::Pending | Status::Approved)
            }
            Act::Cancel => {
                (held.wider, held.state) = (None, State::Cancelled);
                status != Status::Cancelled
            }
            Act::Reopen => {
                (held.wider, held.state) = (None, State::Pending);
                held.requesters.insert(person);
                // An exemption whose fixed end has passed can never be approved.
                let over = matches!(held.term, Term::Until(end) if end <= now);
                matches!(status, Status::Rejected | Status::Expired) && !over
            }
        };
        held.decided_by = (*act != Act::Reopen).then(|| subject.to_owned());
        if !legal {
            *held = old;
        }
        legal
    }

    /// The exemptions of this issue that reach this scan.
    fn of<'a>(&'a self, place: Place<'_>, issue: &str) -> impl Iterator<Item = (&'a String, &'a Held)> {
        self.0.iter().filter(move |(_, held)| held.issue == issue && held.reach().covers(place))
    }

    /// True if an exemption of this issue with this reach was requested and is in this state.
    pub(crate) fn has(&self, status: Status, now: i64, place: Place<'_>, issue: &str) -> bool {
        self.of(place, issue).any(|(_, held)| held.status(now) == status)
    }

    /// The effective exemptions of the whole issue.
    pub(crate) fn whole<'a>(&'a self, now: i64, place: Place<'_>, issue: &str) -> Vec<(&'a String, &'a Held)> {
        let holds = |held: &Held| held.status(now) == Status::Approved && held.reach().is_whole();
        self.of(place, issue).filter(|(_, held)| holds(held)).collect()
    }

    /// True if an occurrence of an issue is exempted.
    pub(crate) fn exempts(&self, now: i64, place: Place<'_>, issue: &str, occurrence: &str) -> bool {
        let chosen = |held: &Held| match held.reach() {
            Reach::Chosen(_, chosen) => held.status(now) == Status::Approved && chosen.contains(occurrence),
            Reach::Target(_) | Reach::Pipeline(_) | Reach::Project | Reach::Account => false,
        };
        !self.whole(now, place, issue).is_empty() || self.of(place, issue).any(|(_, held)| chosen(held))
    }
}
