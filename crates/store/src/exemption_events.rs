//! The texts that people wrote about exemptions. They are in the events of the exemptions' journal only; its state
//! knows the number of each event.

use crate::kv::{Kv, KvError};
use crate::{document, keys};
use domain::event::Entry;
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest};
use domain::ids::ExemptionId;
use domain::journal::JournalId;
use std::collections::BTreeMap;

/// The maximum number of events in memory.
const EVENTS_MAX: usize = 32;

/// Reads events of an exemptions' journal. The last ones stay in memory: one event may request many exemptions.
pub struct ExemptionEvents<'a, K> {
    kv: &'a K,
    journal: JournalId,
    read: BTreeMap<u64, ExemptionEvent>,
}

impl<'a, K: Kv> ExemptionEvents<'a, K> {
    /// Reads from this journal.
    pub fn new(kv: &'a K, journal: JournalId) -> Self {
        Self { kv, journal, read: BTreeMap::new() }
    }

    /// The request for an exemption.
    ///
    /// # Errors
    /// The store failed, or the event does not request the exemption.
    pub async fn request(&mut self, id: ExemptionId, exemption: &Exemption) -> Result<ExemptionRequest, KvError> {
        let n = exemption.requested.n;
        let request = self.event(n).await?.request_for(id).cloned();
        request.ok_or_else(|| self.unreadable(n, format!("it does not request exemption {id}")))
    }

    /// The comment of the last decision on an exemption; empty if there is none.
    ///
    /// # Errors
    /// The store failed.
    pub async fn comment(&mut self, id: ExemptionId, exemption: &Exemption) -> Result<String, KvError> {
        let Some(decision) = &exemption.decision else { return Ok(String::new()) };
        Ok(self.event(decision.stamp.n).await?.comment_on(id).unwrap_or_default().to_owned())
    }

    async fn event(&mut self, n: u64) -> Result<&ExemptionEvent, KvError> {
        if !self.read.contains_key(&n) {
            if self.read.len() >= EVENTS_MAX {
                self.read.pop_first();
            }
            let key = keys::journal_event(&self.journal, n);
            let entry: Entry<ExemptionEvent> = document::get(self.kv, &key).await?;
            self.read.insert(n, entry.event);
        }
        self.read.get(&n).ok_or_else(|| self.unreadable(n, "it was read and is missing".to_owned()))
    }

    fn unreadable(&self, n: u64, reason: String) -> KvError {
        KvError::Unreadable { key: keys::journal_event(&self.journal, n), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryKv;
    use domain::event::Actor;
    use domain::exemption::{Exemptions, Reach, Reason, SourceScan, Term};
    use domain::ids::{EventId, IssueId, ScanId};
    use domain::journal::Fold as _;
    use domain::role::Role;
    use domain::time::Timestamp;
    use finding::severity::Severity;
    use futures::executor::block_on;

    fn id(n: u8) -> ExemptionId {
        ExemptionId::from_bits([n; 16])
    }

    fn requested(n: u8) -> ExemptionEvent {
        let request = ExemptionRequest {
            id: id(n),
            issue: IssueId::from_bits([n; 16]),
            title: format!("issue {n}"),
            scanner: "bandit".parse().unwrap(),
            severity: Severity::High,
            seen: SourceScan { scan: ScanId::from_bits([9; 16]), target: "web".parse().unwrap(), pipeline: None },
            reach: Reach::Project,
            term: Term::Days(7),
            reason: Reason::AcceptableRisk,
            text: format!("text {n}"),
            link: None,
            returned_from: None,
            marks: None,
            returned_because: None,
        };
        ExemptionEvent::Requested { request: Box::new(request) }
    }

    /// A store with these events from number 1 on, and their state.
    fn journal(events: Vec<ExemptionEvent>) -> (MemoryKv, JournalId, Exemptions) {
        let (kv, mut state) = (MemoryKv::default(), Exemptions::default());
        let journal = JournalId::Exemptions { project: "shop".parse().unwrap() };
        for (n, event) in (1_u64..).zip(events) {
            let by = Actor { subject: format!("p{n}").parse().unwrap(), role: Role::Admin, token: None, address: None };
            let at = Timestamp::from_ms(0);
            let entry = Entry { v: 1, id: EventId::derived("test", &[&n.to_be_bytes()]), at, by, event };
            block_on(document::put(&kv, &keys::journal_event(&journal, n), &entry)).unwrap();
            state.apply(n, &entry).unwrap();
        }
        (kv, journal, state)
    }

    #[test]
    fn a_request_and_the_comment_of_the_last_decision_are_found() {
        let both = ExemptionEvent::Many { events: vec![requested(1), requested(2)] };
        let comment = "agreed".to_owned();
        let approved = ExemptionEvent::Approved {
            exemption: id(2),
            comment,
            reach: None,
            own: false,
            version: None,
            judged: None,
        };
        let (kv, journal, state) = journal(vec![both, approved]);
        let mut events = ExemptionEvents::new(&kv, journal);
        let texts = [1, 2].map(|n| {
            let exemption = &state.by_id[&id(n)];
            let request = block_on(events.request(id(n), exemption)).unwrap();
            (request.text, block_on(events.comment(id(n), exemption)).unwrap())
        });
        assert_eq!(texts, [("text 1".to_owned(), String::new()), ("text 2".to_owned(), "agreed".to_owned())]);
    }

    #[test]
    fn an_event_that_does_not_request_the_exemption_is_unreadable() {
        let (kv, journal, state) = journal(vec![requested(1)]);
        let error = block_on(ExemptionEvents::new(&kv, journal).request(id(3), &state.by_id[&id(1)])).unwrap_err();
        assert!(matches!(error, KvError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn only_the_last_events_stay_in_memory() {
        let count = u8::try_from(EVENTS_MAX).unwrap() + 5;
        let (kv, journal, state) = journal((1..=count).map(requested).collect());
        let mut events = ExemptionEvents::new(&kv, journal);
        for n in (1..=count).chain([1]) {
            let request = block_on(events.request(id(n), &state.by_id[&id(n)])).unwrap();
            assert_eq!(request.text, format!("text {n}"));
        }
        assert_eq!(events.read.len(), EVENTS_MAX);
    }
}
