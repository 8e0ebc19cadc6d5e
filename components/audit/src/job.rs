//! The audit log of a project, made from its journals alone: nothing can change without an entry.
//!
//! The journals are the project's own, its exemptions' and the scans' of all its targets. Its outbox is none of them: what
//! stands there repeats the exemptions'.

use api::Problem;
use api::auth::{Identity, no_project};
use api::page::{Page, Wanted, encode};
use api::v1::AuditItem;
use domain::account::Account;
use domain::audit::{Filter, Known, Told};
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

/// The media type of entries as JSON lines.
pub const JSON_LINES: &str = "application/jsonl";
/// How many events are looked at for one page. A page may so be shorter than it could be, or empty, and not the last.
const EXAMINED_MAX: usize = 2_000;
/// How many events are looked up at once as to whether they were refused.
const OUTCOMES_AT_ONCE: usize = 32;
/// From how many bytes of entries on a page takes no more: one event may hold a hundred requests.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a query works with.
pub struct Context<'a, K> {
    /// The store.
    pub kv: &'a K,
    /// When the query began.
    pub now: Timestamp,
    /// The project.
    pub project: ProjectId,
}

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As a page like any other list's.
    Page,
    /// As JSON lines, an entry a line; the next page is in the header `Link`.
    Lines,
}

impl Format {
    /// The format that is asked for: by the parameter `format`, else by the header `Accept`.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn asked(format: Option<String>, accept: Option<&str>) -> Result<Self, Problem> {
        let mut types = accept.unwrap_or_default().split(',').filter_map(|range| range.split(';').next());
        match format.as_deref() {
            Some("json") => Ok(Self::Page),
            Some("jsonl") => Ok(Self::Lines),
            Some(other) => {
                let what = format_args!("`{}` is no format; use json or jsonl", other.escape_default()).to_string();
                Err(Problem::parameter("format", what))
            }
            None if types.any(|kind| kind.trim().eq_ignore_ascii_case(JSON_LINES)) => Ok(Self::Lines),
            None => Ok(Self::Page),
        }
    }
}

/// What is asked for, if it can be the name of something that happens.
///
/// # Errors
/// No event is called so.
pub fn what(name: String) -> Result<String, Problem> {
    if !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') {
        return Ok(name);
    }
    let what = format!("`{}` is no event's name; they are of a-z and `_`", name.escape_default());
    Err(Problem::parameter("what", what))
}

/// The journals that an audit is made from.
#[derive(Default)]
struct Journals {
    sources: Vec<AuditedJournal>,
    /// For each source the target that all of it is about, if it is about one.
    targets: Vec<Option<TargetName>>,
    /// The targets of exemptions, which decisions do not name.
    exemptions: BTreeMap<ExemptionId, TargetName>,
}

impl Journals {
    /// Loads a journal in which events may be refused, adds it if it may hold what is asked for, and gives its state.
    async fn load<F: Fold>(
        &mut self,
        kv: &impl Kv,
        filter: &Filter,
        journal: JournalId,
        now: Timestamp,
    ) -> Result<F, Problem> {
        let Loaded { state, last, outcomes, .. } = journal::load::<F>(kv, &journal, now).await?;
        if filter.reads(&journal, None) {
            self.add(AuditedJournal { journal, last, outcomes }, None);
        }
        Ok(state)
    }

    fn add(&mut self, source: AuditedJournal, target: Option<&TargetName>) {
        self.sources.push(source);
        self.targets.push(target.cloned());
    }
}

/// What happened in a project, the newest first.
///
/// # Errors
/// The caller may not decide on exemptions there, the project or the target does not exist, or the store failed.
pub async fn project<K: Kv>(
    context: &Context<'_, K>,
    who: &Identity,
    filter: &Filter,
    wanted: Wanted<Position>,
) -> Result<Page<AuditItem>, Problem> {
    who.require(&context.project, Right::Decide)?;
    who.require_all_targets()?;
    page(context.kv, &of_project(context, filter).await?, filter, wanted).await
}

/// What happened in the installation besides its projects, the newest first: tokens of account admins, and exemptions that
/// were granted for all projects.
///
/// # Errors
/// The caller is no account admin, or the store failed.
pub async fn account<K: Kv>(
    kv: &K,
    now: Timestamp,
    who: &Identity,
    filter: &Filter,
    wanted: Wanted<Position>,
) -> Result<Page<AuditItem>, Problem> {
    who.require_installation()?;
    let mut journals = Journals::default();
    let _: Account = journals.load(kv, filter, JournalId::Account, now).await?;
    let _: Promoted = journals.load(kv, filter, JournalId::Promoted, now).await?;
    page(kv, &journals, filter, wanted).await
}

/// The journals of a project that may hold what is asked for.
async fn of_project<K: Kv>(context: &Context<'_, K>, filter: &Filter) -> Result<Journals, Problem> {
    let (kv, now, project) = (context.kv, context.now, &context.project);
    let mut journals = Journals::default();
    let journal = JournalId::Project { project: project.clone() };
    let state: Project = journals.load(kv, filter, journal, now).await?;
    if state.created.is_none() {
        return Err(no_project(project));
    }
    if let Some(target) = filter.target.as_ref().filter(|target| !state.targets.contains_key(*target)) {
        return Err(Problem::parameter("target", format_args!("there is no target `{target}`")));
    }
    let exemptions: Exemptions =
        journals.load(kv, filter, JournalId::Exemptions { project: project.clone() }, now).await?;
    journals.exemptions.extend(exemptions.by_id.into_iter().map(|(id, held)| (id, held.seen.target)));
    let mut scans = Vec::new();
    for (name, target) in &state.targets {
        let journal = JournalId::Scans { project: project.clone(), target: target.id };
        if filter.reads(&journal, Some(name)) {
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
    kv: &impl Kv,
    journals: &Journals,
    filter: &Filter,
    wanted: Wanted<Position>,
) -> Result<Page<AuditItem>, Problem> {
    let part = Bounds { after: wanted.from, since: filter.since, until: filter.until };
    let mut list = List::open(kv, &journals.sources, &part).await?;
    let mut reading = Reading { journals, filter, examined: 0, bytes: 0, place: None };
    let mut items = Vec::new();
    while items.len() < wanted.limit && !reading.full() {
        let told = reading.tell(&mut list, (wanted.limit - items.len()).min(OUTCOMES_AT_ONCE)).await?;
        if told.is_empty() {
            break;
        }
        items.extend(reading.outcomes(kv, told).await?);
    }
    let next = reading.place.filter(|_| list.more()).map(|place| encode("audit", &place));
    Ok(Page { items, next })
}

/// A page while it is read.
struct Reading<'a> {
    journals: &'a Journals,
    filter: &'a Filter,
    /// How many events were looked at.
    examined: usize,
    /// How many bytes the entries have.
    bytes: usize,
    /// The last event that was looked at: where the next page goes on.
    place: Option<Position>,
}

impl Reading<'_> {
    fn full(&self) -> bool {
        EXAMINED_MAX <= self.examined || PAGE_BYTES_MAX <= self.bytes
    }

    /// The next events that are asked for, whatever became of them; at most so many.
    async fn tell(&mut self, list: &mut List<'_, impl Kv>, count: usize) -> Result<Vec<(Event, Told)>, Problem> {
        let mut told = Vec::new();
        while told.len() < count && !self.full() {
            let Some(mut event) = list.next().await? else { break };
            self.examined += 1;
            self.place = Some(event.position.clone());
            let Some(source) = self.journals.sources.get(event.journal) else { continue };
            let target = self.journals.targets.get(event.journal).and_then(Option::as_ref);
            let known = Known { target, exemptions: &self.journals.exemptions };
            let telling = Told::new(&source.journal, event.entry.event.take(), known);
            if self.filter.wants(event.entry.at, &event.entry.by, &telling) {
                self.bytes += telling.details.to_string().len();
                told.push((event, telling));
            }
        }
        Ok(told)
    }

    /// The entries of these events, with what became of them. One that was being written when its journal was loaded is
    /// left out: what becomes of it is not known yet, and whoever looks next sees it.
    async fn outcomes(&self, kv: &impl Kv, told: Vec<(Event, Told)>) -> Result<Vec<AuditItem>, Problem> {
        let outcome = |(event, told): (Event, Told)| async move {
            let Some(source) = self.journals.sources.get(event.journal) else { return Ok(None) };
            let outcome = source.outcomes.of(kv, &source.journal, event.position.n).await?;
            let asked_for =
                |outcome: &Result<_, _>| self.filter.refused.is_none_or(|refused| refused == outcome.is_err());
            // One that was refused and took effect when it was sent again is no repetition.
            let repeated = match event.copy_of {
                Some(n) => matches!(source.outcomes.of(kv, &source.journal, n).await?, Some(Ok(()))),
                None => false,
            };
            Ok::<_, Problem>(outcome.filter(asked_for).map(|outcome| {
                let refused = outcome.err().map(|refusal| refusal.reason);
                AuditItem::new(event, told, refused, repeated)
            }))
        };
        Ok(try_join_all(told.into_iter().map(outcome)).await?.into_iter().flatten().collect())
    }
}

/// Entries as JSON lines.
///
/// # Errors
/// One can't be written as JSON, which is our fault.
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
