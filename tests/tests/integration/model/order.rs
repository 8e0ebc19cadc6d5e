//! Linearizability: finds an order of concurrent calls in which each answer is correct, and in which each call comes
//! after those that were answered before it began.

use crate::model::book::{Act, Book, Reach, Term};
use crate::model::calls::{Answer, Call, Choice, Deed, Verb};
use crate::model::world::{PEOPLE, World};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A call that was made.
pub(crate) struct Made {
    pub(crate) call: Call,
    pub(crate) answer: Answer,
    pub(crate) begun: Instant,
    pub(crate) answered: Instant,
}

struct Search<'a> {
    world: &'a World,
    made: &'a [Made],
    /// The states tried so far: the calls done, and the book after them.
    tried: BTreeSet<(BTreeSet<usize>, Book)>,
    /// The maximum number of explained calls, with the faults of each call that could come next.
    furthest: (usize, Vec<String>),
}

impl Search<'_> {
    fn go_on(&mut self, done: &BTreeSet<usize>, book: Book) -> Option<Book> {
        if done.len() == self.made.len() {
            return Some(book);
        }
        if !self.tried.insert((done.clone(), book.clone())) {
            return None;
        }
        let left: Vec<_> = self.made.iter().enumerate().filter(|(at, _)| !done.contains(at)).collect();
        let first_answer = left.iter().map(|(_, made)| made.answered).min()?;
        let mut faults = Vec::new();
        for (at, made) in left.into_iter().filter(|(_, made)| made.begun <= first_answer) {
            let mut after = book.clone();
            match made.call.explain(self.world, &mut after, &made.answer) {
                Err(fault) => faults.push(format!("{} {:?}: {fault}", made.call.caller.token, made.call.deed)),
                Ok(()) => {
                    let mut done = done.clone();
                    done.insert(at);
                    if let Some(book) = self.go_on(&done, after) {
                        return Some(book);
                    }
                }
            }
        }
        if self.furthest.0 < done.len() {
            self.furthest = (done.len(), faults);
        }
        None
    }
}

/// Finds an order that explains all answers, starting with this book; returns the book at the end.
///
/// # Errors
/// There is no such order; the error has the longest order found and the faults of each next call.
pub(crate) fn explain(world: &World, book: &Book, made: &[Made]) -> Result<Book, String> {
    let mut search = Search { world, made, tried: BTreeSet::new(), furthest: (0, Vec::new()) };
    search.go_on(&BTreeSet::new(), book.clone()).ok_or_else(|| {
        let (explained, faults) = &search.furthest;
        format!("no order of {} calls explains more than {explained} answers; then:\n{}", made.len(), faults.join("\n"))
    })
}

/// A call by a secops person that began and was answered this many seconds after the test's start.
fn decided(caller: usize, verb: Verb, status: u16, begun: u64, answered: u64) -> impl FnOnce(Instant) -> Made {
    move |start| {
        let choice = Choice { id: "e".to_owned(), verb, scope: None, version: None };
        let ids = if status == 200 { vec!["e".to_owned()] } else { vec![] };
        Made {
            call: Call { caller: &PEOPLE[caller], deed: Deed::Decide(choice), key: String::new() },
            answer: Answer::plain(status, ids),
            begun: start + Duration::from_secs(begun),
            answered: start + Duration::from_secs(answered),
        }
    }
}

#[test]
fn only_a_possible_history_is_explained() {
    let (world, start, mut book) = (World::alone(), Instant::now(), Book::default());
    let request = Act::Ask { issue: "i".to_owned(), reach: Reach::Project, term: Term::Unlimited };
    assert!(book.act("dev", 0, &[("e".to_owned(), request)]));
    let (sec, sam, own) = (5, 6, 4);
    let can_be = |made: [Made; 2]| explain(&world, &book, &made).is_ok();
    let approve = |caller, status, begun, answered| decided(caller, Verb::Approve, status, begun, answered)(start);
    let reject = |status, begun, answered| decided(sec, Verb::Reject, status, begun, answered)(start);
    assert!(can_be([approve(sec, 200, 0, 2), approve(sam, 409, 1, 3)]), "one of two that race wins");
    assert!(can_be([approve(sec, 409, 0, 2), approve(sam, 200, 1, 3)]), "whichever");
    assert!(!can_be([approve(sec, 200, 0, 2), approve(sam, 200, 1, 3)]), "not both");
    assert!(!can_be([approve(sec, 409, 0, 2), approve(sam, 409, 1, 3)]), "one of them must win");
    assert!(
        !can_be([approve(sec, 409, 0, 1), approve(sam, 200, 2, 3)]),
        "the first was answered before the other began"
    );
    assert!(can_be([approve(sam, 200, 1, 3), reject(200, 0, 2)]), "rejected before or after");
    assert!(!can_be([approve(own, 200, 0, 1), reject(200, 2, 3)]), "requesters cannot approve their own");
}
