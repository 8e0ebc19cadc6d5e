//! The audit logs of a project and of the account. They are made from journals alone: no change is without an entry.
//!
//! The journals of a project are its own, that of its exemptions, and those of its targets' scans. Its outbox is left
//! out: it repeats what the exemptions' journal contains.

use api::Problem;
use api::auth::{Identity, no_project};
use api::page::{Page, Wanted, encode};
use api::v1::AuditItem;
use domain::account::Account;
use domain::audit::{AuditFilter, DescribedEvent, ImplicitTargets};
use domain::exemption::{Exemptions, Promoted};
use domain::ids::{ExemptionId, ProjectId, TargetName};
use domain::journal::{Fold, JournalId};
use domain::project::Project;
use domain::role::Right;
use domain::time::Timestamp;
use futures::future::try_join_all;
use std::collections::BTreeMap;
use store::audit::{AuditedJournal, Bounds, Event, List, Position, open_journals};
use store::journal::{self, Loaded};
use store::kv::Kv;

/// The media type of JSON lines.
pub const JSON_LINES: &str = "application/jsonl";
/// The most events that are read for one page. So a page may be short or empty and still have a next one.
const EXAMINED_MAX: usize = 2_000;
/// The number of events whose outcomes are looked up together.
const OUTCOMES_AT_ONCE: usize = 32;
/// The size in bytes from which on a page gets no more entries: one event may contain a hundred requests.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A call to an audit log.
pub struct AuditJob<'a, K> {
    /// The store.
    pub kv: &'a K,
    /// The time at which the call began.
    pub now: Timestamp,
    /// The caller.
    pub caller: Identity,
}

/// The form in which entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// A page, as of other lists.
    Page,
    /// JSON lines, one for each entry. The header `Link` has the next page.
    Lines,
}

impl AuditFormat {
    /// Reads the format from the parameter `format`, or else from the header `Accept`.
    ///
    /// # Errors
    /// The parameter is not the name of a format.
    pub fn read(format: Option<String>, accept: Option<&str>) -> Result<Self, Problem> {
        let mut types = accept.unwrap_or_default().split(',').filter_map(|range| range.split(';').next());
        match format.as_deref() {
            Some("json") => Ok(Self::Page),
            Some("jsonl") => Ok(Self::Lines),
            Some(other) => {
                let detail = format!("`{}` is not a format; expected `json` or `jsonl`", other.escape_default());
                Err(Problem::parameter("format", detail))
            }
            None if types.any(|kind| kind.trim().eq_ignore_ascii_case(JSON_LINES)) => Ok(Self::Lines),
            None => Ok(Self::Page),
        }
    }
}

/// Checks that the text can be the name of an event.
///
/// # Errors
/// It has other characters than names of events.
pub fn event_name(text: String) -> Result<String, Problem> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') {
        return Ok(text);
    }
    let detail = format!("`{}` is not the name of an event; names consist of a-z and `_`", text.escape_default());
    Err(Problem::parameter("what", detail))
}

/// The journals that an audit log is made from.
#[derive(Default)]
struct Journals {
    sources: Vec<AuditedJournal>,
    /// The target of each source, if all of its events are about one.
    targets: Vec<Option<TargetName>>,
    /// The targets of exemptions: events of decisions do not name them.
    exemptions: BTreeMap<ExemptionId, TargetName>,
}

impl Journals {
    /// Loads a journal in which events may be refused, and returns its state. Adds the journal if the filter may select
    /// events of it.
    async fn load<F: Fold>(
        &mut self,
        kv: &impl Kv,
        filter: &AuditFilter,
        journal: JournalId,
        now: Timestamp,
    ) -> Result<F, Problem> {
        let Loaded { state, last, outcomes, .. } = journal::load::<F>(kv, &journal, now).await?;
        if filter.may_match(&journal, None) {
            self.add(AuditedJournal { journal, last, outcomes }, None);
        }
        Ok(state)
    }

    fn add(&mut self, source: AuditedJournal, target: Option<&TargetName>) {
        self.sources.push(source);
        self.targets.push(target.cloned());
    }
}

impl<K: Kv> AuditJob<'_, K> {
    /// The events of a project, the newest first.
    ///
    /// # Errors
    /// The caller may not decide on exemptions there, the project or the target does not exist, or the store failed.
    pub async fn project(
        &self,
        project: &ProjectId,
        filter: &AuditFilter,
        wanted: Wanted<Position>,
    ) -> Result<Page<AuditItem>, Problem> {
        self.caller.require(project, Right::Decide)?;
        self.caller.require_all_targets()?;
        self.page(&self.project_journals(project, filter).await?, filter, wanted).await
    }

    /// The events of the installation outside its projects, the newest first: those of account admins' tokens, and of
    /// exemptions that were approved for all projects.
    ///
    /// # Errors
    /// The caller is not an account admin, or the store failed.
    pub async fn account(&self, filter: &AuditFilter, wanted: Wanted<Position>) -> Result<Page<AuditItem>, Problem> {
        self.caller.require_installation()?;
        let mut journals = Journals::default();
        let _: Account = journals.load(self.kv, filter, JournalId::Account, self.now).await?;
        let _: Promoted = journals.load(self.kv, filter, JournalId::Promoted, self.now).await?;
        self.page(&journals, filter, wanted).await
    }

    /// The journals of a project of which the filter may select events.
    async fn project_journals(&self, project: &ProjectId, filter: &AuditFilter) -> Result<Journals, Problem> {
        let (kv, now) = (self.kv, self.now);
        let mut journals = Journals::default();
        let journal = JournalId::Project { project: project.clone() };
        let state: Project = journals.load(kv, filter, journal, now).await?;
        if state.created.is_none() {
            return Err(no_project(project));
        }
        if let Some(target) = filter.target.as_ref().filter(|target| !state.targets.contains_key(*target)) {
            return Err(Problem::parameter("target", format_args!("target `{target}` does not exist")));
        }
        let journal = JournalId::Exemptions { project: project.clone() };
        let exemptions: Exemptions = journals.load(kv, filter, journal, now).await?;
        journals.exemptions.extend(exemptions.by_id.into_iter().map(|(id, exemption)| (id, exemption.seen.target)));
        let mut scans = Vec::new();
        for (name, target) in &state.targets {
            let journal = JournalId::Scans { project: project.clone(), target: target.id };
            if filter.may_match(&journal, Some(name)) {
                scans.push((journal, name));
            }
        }
        let (scans, names): (Vec<_>, Vec<_>) = scans.into_iter().unzip();
        for (source, name) in open_journals(kv, scans).await?.into_iter().zip(names) {
            journals.add(source, Some(name));
        }
        Ok(journals)
    }

    async fn page(
        &self,
        journals: &Journals,
        filter: &AuditFilter,
        wanted: Wanted<Position>,
    ) -> Result<Page<AuditItem>, Problem> {
        let part = Bounds { after: wanted.from, since: filter.since, until: filter.until };
        let mut list = List::open(self.kv, &journals.sources, &part).await?;
        let mut reader = PageReader { journals, filter, examined: 0, bytes: 0, last: None };
        let mut items = Vec::new();
        while items.len() < wanted.limit && !reader.is_full() {
            let count = (wanted.limit - items.len()).min(OUTCOMES_AT_ONCE);
            let events = reader.select(&mut list, count).await?;
            if events.is_empty() {
                break;
            }
            items.extend(reader.entries(self.kv, events).await?);
        }
        let next = reader.last.filter(|_| list.more()).map(|place| encode("audit", &place));
        Ok(Page { items, next })
    }
}

/// Reads the events of one page.
struct PageReader<'a> {
    journals: &'a Journals,
    filter: &'a AuditFilter,
    /// The number of events that were read.
    examined: usize,
    /// The size of the selected entries in bytes.
    bytes: usize,
    /// The place of the last event that was read: the next page starts after it.
    last: Option<Position>,
}

impl PageReader<'_> {
    fn is_full(&self) -> bool {
        EXAMINED_MAX <= self.examined || PAGE_BYTES_MAX <= self.bytes
    }

    /// Reads events until this number of them is selected, whatever their outcomes are, or the page is full.
    async fn select(
        &mut self,
        list: &mut List<'_, impl Kv>,
        count: usize,
    ) -> Result<Vec<(Event, DescribedEvent)>, Problem> {
        let mut selected = Vec::new();
        while selected.len() < count && !self.is_full() {
            let Some(mut event) = list.next().await? else { break };
            self.examined += 1;
            self.last = Some(event.position.clone());
            let Some(source) = self.journals.sources.get(event.journal) else { continue };
            let target = self.journals.targets.get(event.journal).and_then(Option::as_ref);
            let known = ImplicitTargets { target, exemptions: &self.journals.exemptions };
            let entry = DescribedEvent::new(&source.journal, event.entry.event.take(), known);
            if self.filter.matches(event.entry.at, &event.entry.by, &entry) {
                self.bytes += entry.details.to_string().len();
                selected.push((event, entry));
            }
        }
        Ok(selected)
    }

    /// The entries of these events, with their outcomes. An event that was being written when its journal was loaded is
    /// left out: its outcome is not known yet, and a later call lists it.
    async fn entries(&self, kv: &impl Kv, events: Vec<(Event, DescribedEvent)>) -> Result<Vec<AuditItem>, Problem> {
        let entry = |(event, entry): (Event, DescribedEvent)| async move {
            let Some(source) = self.journals.sources.get(event.journal) else { return Ok(None) };
            let outcome = source.outcomes.of(kv, &source.journal, event.position.n).await?;
            let is_selected =
                |outcome: &Result<_, _>| self.filter.refused.is_none_or(|refused| refused == outcome.is_err());
            // An event whose first copy was refused is not a repetition.
            let repeated = match event.copy_of {
                Some(n) => matches!(source.outcomes.of(kv, &source.journal, n).await?, Some(Ok(()))),
                None => false,
            };
            Ok::<_, Problem>(outcome.filter(is_selected).map(|outcome| {
                let refused = outcome.err().map(|refusal| refusal.reason);
                AuditItem::new(event, entry, refused, repeated)
            }))
        };
        Ok(try_join_all(events.into_iter().map(entry)).await?.into_iter().flatten().collect())
    }
}

/// Writes entries as JSON lines.
///
/// # Errors
/// An entry cannot be written as JSON, which is an error of the program.
pub fn lines(items: &[AuditItem]) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    for item in items {
        serde_json::to_writer(&mut body, item).map_err(|error| Problem::internal(error.to_string()))?;
        body.push(b'\n');
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
