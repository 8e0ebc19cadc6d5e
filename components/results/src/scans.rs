//! Lists of the scans of a project or target.

use crate::job::ResultsJob;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::project_context::project_state;
use api::v1::{ScanAnswer, ScanItem};
use domain::ids::{ScanId, ScannerId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::scan_event::ScanEvent;
use domain::scan_log::ScanLog;
use std::collections::BTreeMap;
use store::kv::Kv;
use store::scans::Answered;
use store::{document, journal, keys};

/// The most targets of one list of scans: its cursor has a number for each, and is part of a URL.
const TARGETS_LISTED_MAX: usize = 200;
/// The number of events of a target that are read together.
const EVENTS_AT_ONCE: usize = 8;

/// Selects scans. A field that is `None` selects all.
#[derive(Debug, Clone, Default)]
pub struct ScanFilter {
    /// Those of this target.
    pub target: Option<TargetName>,
    /// Those of variants with this name.
    pub variant: Option<VariantName>,
    /// Those by this scanner.
    pub scanner: Option<ScannerId>,
}

/// The start of the next page: for each target that has more scans, by its short id, the number of its next event.
pub type ScanCursor = BTreeMap<String, u64>;

impl<K: Kv> ResultsJob<'_, K> {
    /// The scans of a project or target, the newest first.
    ///
    /// # Errors
    /// The project or target does not exist, the project has too many targets for one list, or the store failed.
    pub async fn scans(&self, filter: &ScanFilter, wanted: Wanted<ScanCursor>) -> Result<Page<ScanItem>, Problem> {
        let mut targets = self.open_targets(filter.target.as_ref(), wanted.from).await?;
        for target in targets.values_mut() {
            target.next = self.next_scan(&target.journal, filter, target.start).await?;
        }
        let mut items = Vec::new();
        while items.len() < wanted.limit {
            // The newest of all targets' next scans is the next of the page.
            let open = targets.values_mut().filter(|target| target.next.is_some());
            let Some(target) = open.max_by(|a, b| a.rank().cmp(&b.rank())) else { break };
            let Some((n, item)) = target.next.take() else { break };
            items.push(item);
            target.next = self.next_scan(&target.journal, filter, n - 1).await?;
        }
        let rest = targets.into_iter().filter_map(|(short, target)| target.next.map(|(n, _)| (short, n)));
        let rest: ScanCursor = rest.collect();
        Ok(Page { items, next: (!rest.is_empty()).then(|| encode("scans", &rest)) })
    }

    /// The selected targets by short id: the first half of the id.
    async fn open_targets(
        &self,
        only: Option<&TargetName>,
        cursor: Option<ScanCursor>,
    ) -> Result<BTreeMap<String, TargetScans>, Problem> {
        let state = project_state(self.kv, &self.project, self.now).await?;
        let visible: Vec<_> = state.targets.iter().filter(|(name, _)| self.caller.covers(name)).collect();
        if let Some(only) = only.filter(|only| !visible.iter().any(|(name, _)| name == only)) {
            return Err(Problem::parameter("target", format_args!("target `{only}` does not exist")));
        }
        if only.is_none() && visible.len() > TARGETS_LISTED_MAX {
            let detail = format!(
                "it is missing; the project has {} targets, and a list without it has at most {TARGETS_LISTED_MAX}",
                visible.len()
            );
            return Err(Problem::parameter("target", detail));
        }
        let mut targets = BTreeMap::new();
        for (_, target) in visible.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            let journal = JournalId::Scans { project: self.project.clone(), target: target.id };
            let short: String = target.id.to_string().chars().take(16).collect();
            let last = journal::load::<ScanLog>(self.kv, &journal, self.now).await?.last;
            // A cursor comes from a client: it may name an event that does not exist.
            let start = match &cursor {
                Some(cursor) => cursor.get(&short).copied().unwrap_or(0).min(last),
                None => last,
            };
            targets.insert(short, TargetScans { journal, start, next: None });
        }
        Ok(targets)
    }

    /// The newest selected scan of a target, with the number of its event, from event `start` on backwards.
    async fn next_scan(
        &self,
        journal: &JournalId,
        filter: &ScanFilter,
        start: u64,
    ) -> Result<Option<(u64, ScanItem)>, Problem> {
        let mut start = start;
        while start > 0 {
            let entries = journal::read_back::<ScanEvent>(self.kv, journal, start, EVENTS_AT_ONCE).await?;
            let Some((oldest, _)) = entries.last() else { return Ok(None) };
            start = oldest - 1;
            for (n, entry) in entries {
                let event = entry.event;
                let selected = filter.variant.as_ref().is_none_or(|variant| *variant == event.variant)
                    && filter.scanner.as_ref().is_none_or(|scanner| *scanner == event.scanner);
                if !selected {
                    continue;
                }
                let answered: Option<Answered<ScanAnswer>> = document::find(self.kv, &keys::answer(event.scan)).await?;
                // The scan is answered with another event, or not at all, if the upload died after this event.
                if let Some(answered) = answered.filter(|answered| answered.position == n) {
                    return Ok(Some((n, ScanItem { id: event.scan, answer: answered.answer })));
                }
            }
        }
        Ok(None)
    }
}

/// The scans of a target while they are listed.
struct TargetScans {
    journal: JournalId,
    /// The number of the event at which the list starts.
    start: u64,
    /// The next scan, with the number of its event.
    next: Option<(u64, ScanItem)>,
}

impl TargetScans {
    fn rank(&self) -> Option<(&str, ScanId)> {
        self.next.as_ref().map(|(_, item)| (item.answer.scan.received_at.as_str(), item.id))
    }
}
