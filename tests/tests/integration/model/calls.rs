//! Calls, and the answers that the model expects.

use crate::model::book::{Act, Book, Reach, Term};
use crate::model::world::{Judged, Need, Person, SEEN_IN, Scan, World};
use api::v1::{ExemptionBody, ExemptionItem, IssueItem, ScanAnswer};
use domain::comparison::Bucket;
use domain::exemption::Status;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Page, Reply};

/// The statuses of success.
const DONE: [u16; 2] = [200, 201];

/// An exemption to request.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) target: &'static str,
    pub(crate) issue: String,
    pub(crate) reach: Reach,
    pub(crate) term: Term,
}

/// The decisions on an exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Approve,
    Reject,
    Cancel,
    Reopen,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Reopen => "reopen",
        }
    }

    fn need(self) -> Need {
        match self {
            Self::Approve | Self::Reject => Need::Decide,
            Self::Cancel | Self::Reopen => Need::Develop,
        }
    }
}

/// A decision on an exemption; an approval may name a scope.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) verb: Verb,
    pub(crate) scope: Option<&'static str>,
    /// The version that it is made on; absent for any.
    pub(crate) version: Option<u64>,
}

/// A client's action.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Ask(Wish),
    AskMany(Vec<Wish>),
    Decide(Choice),
    DecideMany(Vec<Choice>),
    Upload(Scan),
    /// Lists all exemptions.
    Look,
}

/// A call to make.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) caller: &'static Person,
    pub(crate) deed: Deed,
    /// The `Idempotency-Key`.
    pub(crate) key: String,
}

/// The API's view of an exemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    issue: String,
    status: Status,
    scope: &'static str,
    pipeline: Option<String>,
    decided_by: Option<String>,
    has_end: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The exemptions that were requested or decided on.
    pub(crate) ids: Vec<String>,
    /// Their versions.
    pub(crate) versions: Vec<u64>,
    /// The gate's answer.
    judged: Option<Judged>,
    /// All exemptions.
    listed: Option<BTreeMap<String, Shown>>,
}

fn scope(reach: &Reach) -> &'static str {
    match reach {
        Reach::Chosen(..) => "occurrences",
        Reach::Target(_) => "target",
        Reach::Pipeline(_) => "pipeline",
        Reach::Project => "project",
        Reach::Account => "account",
    }
}

impl Call {
    /// Makes the call.
    pub(crate) fn make(&self, world: &World) -> Answer {
        let client = world.client(self.caller);
        let post = |path: &str, body: &Value| {
            let headers = [("content-type", "application/json".to_owned()), ("idempotency-key", self.key.clone())];
            client.send("POST", path, &headers, body.to_string().as_bytes())
        };
        let one = |reply: Reply| Answer::of(&reply, |reply| vec![reply.read::<ExemptionItem>()]);
        let many = |reply: Reply| Answer::of(&reply, |reply| reply.read::<Page<ExemptionItem>>().items);
        match &self.deed {
            Deed::Ask(wish) => one(post("exemptions", &wish.body(world))),
            Deed::AskMany(wishes) => {
                let requests: Vec<_> = wishes.iter().map(|wish| wish.body(world)).collect();
                many(post("exemptions/requests", &json!({"requests": requests})))
            }
            Deed::Decide(Choice { id, verb, scope, version }) => {
                one(post(&format!("exemptions/{id}/{}", verb.name()), &json!({"scope": scope, "version": version})))
            }
            Deed::DecideMany(choices) => {
                let decisions = choices.iter().map(|Choice { id, verb, scope, version }| {
                    json!({"id": id, "decision": verb.name(), "scope": scope, "version": version})
                });
                many(post("exemptions/decisions", &json!({"decisions": decisions.collect::<Vec<_>>()})))
            }
            Deed::Upload(scan) => {
                let reply = client.send_upload(&scan.upload().key(&self.key));
                let mut answer = Answer::of(&reply, |_| vec![]);
                answer.judged = answer.is_done().then(|| judged(world, &reply.read()));
                answer
            }
            Deed::Look => {
                let reply = client.get("exemptions?limit=1000");
                let mut answer = Answer::of(&reply, |reply| reply.read::<Page<ExemptionItem>>().items);
                answer.listed = answer.is_done().then(|| shown(&reply.read()));
                answer
            }
        }
    }

    /// Applies the call to the book. The error says how the answer differs from the rules.
    pub(crate) fn explain(&self, world: &World, book: &mut Book, answer: &Answer) -> Result<(), String> {
        let expect = |status: u16| match answer.status == status {
            true => Ok(()),
            false => Err(format!("answered with {}, but must be with {status}", answer.status)),
        };
        if !self.needs().iter().all(|need| self.caller.may(*need)) {
            return expect(403);
        }
        match &self.deed {
            Deed::Ask(wish) => self.explain_asking(world, book, answer, std::slice::from_ref(wish)),
            Deed::AskMany(wishes) => self.explain_asking(world, book, answer, wishes),
            Deed::Decide(choice) => self.explain_deciding(world, book, answer, std::slice::from_ref(choice)),
            Deed::DecideMany(choices) => self.explain_deciding(world, book, answer, choices),
            Deed::Upload(scan) => {
                expect(201)?;
                let expected = Some(world.judge(book, scan));
                same(&answer.judged, &expected)
            }
            Deed::Look => {
                expect(200)?;
                let rows = book.0.iter().map(|(id, held)| {
                    let pipeline = match held.reach() {
                        Reach::Pipeline(pipeline) => Some(pipeline.clone()),
                        Reach::Chosen(..) | Reach::Target(_) | Reach::Project | Reach::Account => None,
                    };
                    let shown = Shown {
                        issue: held.issue.clone(),
                        status: held.status(world.now),
                        scope: scope(held.reach()),
                        pipeline,
                        decided_by: held.decided_by.clone(),
                        has_end: held.end().is_some(),
                    };
                    (id.clone(), shown)
                });
                same(&answer.listed, &Some(rows.collect()))?;
                self.explain_versions(book, answer)
            }
        }
    }

    fn needs(&self) -> Vec<Need> {
        match &self.deed {
            Deed::Ask(_) | Deed::AskMany(_) => vec![Need::Develop],
            Deed::Decide(choice) => vec![choice.verb.need()],
            // The rights for each decision are checked in `objection`.
            Deed::DecideMany(_) => vec![Need::Develop],
            Deed::Upload(_) => vec![Need::Upload],
            Deed::Look => vec![Need::Read],
        }
    }

    fn explain_asking(&self, world: &World, book: &mut Book, answer: &Answer, all: &[Wish]) -> Result<(), String> {
        // A refused request has no known id.
        let id = |at: usize| answer.ids.get(at).cloned().unwrap_or_else(|| format!("refused {at}"));
        let acts = all.iter().enumerate().map(|(at, wish)| {
            let Wish { issue, reach, term, .. } = wish.clone();
            (id(at), Act::Ask { issue, reach, term })
        });
        self.explain_acts(world, book, answer, &acts.collect::<Vec<_>>(), 201)
    }

    fn explain_deciding(&self, world: &World, book: &mut Book, answer: &Answer, all: &[Choice]) -> Result<(), String> {
        // The application looks at one choice after the other, before it appends the decisions.
        let objection = all.iter().position(|choice| self.objection(world, book, choice).is_some());
        let stale = all.iter().position(|choice| choice.may_be_stale(book));
        if answer.status == 412 && stale.is_some_and(|stale| objection.is_none_or(|objection| stale <= objection)) {
            return Ok(());
        }
        if let Some(status) = objection.and_then(|at| self.objection(world, book, &all[at])) {
            return match answer.status == status {
                true => Ok(()),
                false => Err(format!("answered with {}, but must be with {status}", answer.status)),
            };
        }
        let acts = all.iter().map(|choice| {
            let act = match choice.verb {
                Verb::Approve => Act::Approve { wider: choice.wider(book), own_allowed: false },
                Verb::Reject => Act::Reject,
                Verb::Cancel => Act::Cancel,
                Verb::Reopen => Act::Reopen,
            };
            (choice.id.clone(), act)
        });
        self.explain_acts(world, book, answer, &acts.collect::<Vec<_>>(), 200)
    }

    /// The status of a decision that is forbidden whatever the exemption's state.
    fn objection(&self, world: &World, book: &Book, choice: &Choice) -> Option<u16> {
        if !self.caller.may(choice.verb.need()) {
            return Some(403);
        }
        let held = &book.0[&choice.id];
        let everywhere = held.status(world.now) == Status::Approved && *held.reach() == Reach::Account;
        if everywhere && !self.caller.is_root() {
            return Some(403);
        }
        // A developer ends only what is their own.
        let own = self.caller.may(Need::Decide) || held.is_requested_by(self.caller.subject);
        if choice.verb == Verb::Cancel && !own {
            return Some(403);
        }
        let wanted = choice.wanted(book)?;
        if wanted.width() < held.requested.width() {
            return Some(400);
        }
        (wanted == Reach::Account && !self.caller.is_root()).then_some(403)
    }

    fn explain_acts(
        &self,
        world: &World,
        book: &mut Book,
        answer: &Answer,
        acts: &[(String, Act)],
        done: u16,
    ) -> Result<(), String> {
        // A stale choice behind an illegal one: when the application looked at it, it was not stale yet.
        let stale = self.choices().iter().position(|choice| choice.must_be_stale(book));
        let legal = match stale {
            Some(stale) => {
                let legal_before = book.clone().act(self.caller.subject, world.now, &acts[..stale]);
                if legal_before {
                    return Err(format!("answered with {}, but must be with 412", answer.status));
                }
                false
            }
            None => book.act(self.caller.subject, world.now, acts),
        };
        let expected = if legal { done } else { 409 };
        let ids: Vec<_> = acts.iter().map(|(id, _)| id.clone()).collect();
        if answer.status != expected {
            Err(format!("answered with {}, but must be with {expected}", answer.status))
        } else if legal && answer.ids != ids {
            Err(format!("answered with {:?}, but was about {ids:?}", answer.ids))
        } else {
            for (id, shown) in answer.ids.iter().zip(&answer.versions) {
                let chosen = self.choices().iter().find(|choice| choice.id == *id).and_then(|choice| choice.version);
                let held = book.0.get_mut(id).ok_or_else(|| format!("{id} is not in the book"))?;
                let before = chosen.unwrap_or(held.version.0);
                if *shown <= before {
                    return Err(format!("{id} has version {shown} after version {before}"));
                }
                held.version = (before + 1, *shown);
            }
            Ok(())
        }
    }

    /// Notes the versions of an answer that shows the present state.
    pub(crate) fn explain_versions(&self, book: &mut Book, answer: &Answer) -> Result<(), String> {
        for (id, version) in answer.ids.iter().zip(&answer.versions) {
            let held = book.0.get_mut(id).ok_or_else(|| format!("{id} is not in the book"))?;
            let (least, most) = held.version;
            if *version < least || most < *version {
                return Err(format!("{id} has version {version}, but must have one from {least} to {most}"));
            }
            held.version = (*version, *version);
        }
        Ok(())
    }

    fn choices(&self) -> &[Choice] {
        match &self.deed {
            Deed::Decide(choice) => std::slice::from_ref(choice),
            Deed::DecideMany(choices) => choices,
            Deed::Ask(_) | Deed::AskMany(_) | Deed::Upload(_) | Deed::Look => &[],
        }
    }
}

impl Choice {
    /// True if it is made on another version than the present one.
    fn must_be_stale(&self, book: &Book) -> bool {
        let (least, most) = book.0[&self.id].version;
        self.version.is_some_and(|version| version < least || most < version)
    }

    /// True if it is not certain that it is made on the present version.
    fn may_be_stale(&self, book: &Book) -> bool {
        self.version.is_some_and(|version| book.0[&self.id].version != (version, version))
    }

    /// The exemption's reach at the chosen scope.
    fn wanted(&self, book: &Book) -> Option<Reach> {
        let requested = &book.0[&self.id].requested;
        let target = || match requested {
            Reach::Chosen(target, _) | Reach::Target(target) => target.clone(),
            // It is requested at a wider scope, so the target does not matter.
            Reach::Pipeline(_) | Reach::Project | Reach::Account => String::new(),
        };
        self.scope.map(|scope| match scope {
            "target" => Reach::Target(target()),
            "pipeline" => Reach::Pipeline(SEEN_IN.to_owned()),
            "project" => Reach::Project,
            _ => Reach::Account,
        })
    }

    fn wider(&self, book: &Book) -> Option<Reach> {
        self.wanted(book).filter(|wanted| book.0[&self.id].requested.width() < wanted.width())
    }
}

impl Wish {
    fn body(&self, world: &World) -> Value {
        let body = ExemptionBody {
            issue: self.issue.clone(),
            scope: scope(&self.reach).to_owned(),
            scan: Some(world.scans[self.target].clone()),
            reason: "acceptable_risk".to_owned(),
            text: "The risk is known.".to_owned(),
            ..ExemptionBody::default()
        };
        let body = match &self.reach {
            Reach::Chosen(_, chosen) => ExemptionBody { occurrences: chosen.iter().cloned().collect(), ..body },
            Reach::Pipeline(pipeline) => ExemptionBody { pipeline: Some(pipeline.clone()), ..body },
            Reach::Target(_) | Reach::Project | Reach::Account => body,
        };
        let body = match self.term {
            Term::For(hours) => ExemptionBody { duration_days: u32::try_from(hours / 24).ok(), ..body },
            Term::Until(end) => ExemptionBody { until: Some(world.written(end)), ..body },
            Term::Unlimited => ExemptionBody { unlimited: true, ..body },
        };
        serde_json::to_value(body).unwrap()
    }
}

impl Answer {
    fn of(reply: &Reply, items: impl FnOnce(&Reply) -> Vec<ExemptionItem>) -> Self {
        let items = if DONE.contains(&reply.status) { items(reply) } else { vec![] };
        let versions = items.iter().map(|item| item.version).collect();
        Self { versions, ..Self::plain(reply.status, items.into_iter().map(|item| item.id).collect()) }
    }

    /// An answer with nothing more.
    pub(crate) fn plain(status: u16, ids: Vec<String>) -> Self {
        Self { status, ids, versions: Vec::new(), judged: None, listed: None }
    }

    pub(crate) fn is_done(&self) -> bool {
        DONE.contains(&self.status)
    }
}

fn judged(world: &World, answer: &ScanAnswer) -> Judged {
    let issues: Vec<IssueItem> = world.client(&crate::model::world::ROOT).issues(answer, "");
    let number = |name: &str| answer.variables[name].parse().unwrap();
    let here = issues.into_iter().filter(|issue| issue.bucket != Bucket::Remediated);
    let issues = here.map(|issue| {
        let exemption = issue.exemption.map(|is| (is.state, usize::try_from(is.occurrences).unwrap()));
        (issue.id.to_string(), exemption)
    });
    Judged { verdict: answer.verdict, ignored: number("IGNORED"), total: number("TOTAL"), issues: issues.collect() }
}

fn shown(page: &Page<ExemptionItem>) -> BTreeMap<String, Shown> {
    assert!(page.next.is_none(), "the test makes more exemptions than fit on a page");
    let row = |item: &ExemptionItem| Shown {
        issue: item.issue.clone(),
        status: item.status,
        scope: item.scope.as_str(),
        pipeline: item.pipeline.clone(),
        decided_by: item.decided_by.clone(),
        has_end: item.ends_at.is_some(),
    };
    page.items.iter().map(|item| (item.id.clone(), row(item))).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(answered: &T, expected: &T) -> Result<(), String> {
    match answered == expected {
        true => Ok(()),
        false => Err(format!("answered with\n  {answered:?}\nbut must be with\n  {expected:?}")),
    }
}
