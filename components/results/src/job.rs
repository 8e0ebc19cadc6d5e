//! What can be asked of scans. Reads the stages' stored results; changes nothing.

use crate::listed::goes_by;
use api::Problem;
use api::auth::Identity;
use api::internal::Hold;
use api::page::{Page, Wanted, encode};
use api::project_context::project_state;
use api::v1::{FirstSeen, ScanAnswer, ScanItem};
use domain::comparison::{Bucket, Identified, Origin};
use domain::exemption::{Coverage, InForce};
use domain::grouping::Span;
use domain::ids::{IssueId, ProjectId, ScanId, ScannerId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::scan::{ScanEvent, ScanLog};
use domain::time::Timestamp;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use store::judging;
use store::kv::{Kv, KvError};
use store::scans::{Answered, Compared, Frozen, Grouped};
use store::{document, journal, keys};

/// What a query holds for each issue of its scan, in bytes: where its occurrences are, and how it compares.
const BYTES_PER_ISSUE: usize = 150;

/// What a query works with.
pub struct Context<'a, K> {
    /// The store.
    pub kv: &'a K,
    /// When the query began.
    pub now: Timestamp,
    /// The project.
    pub project: ProjectId,
    /// Who asks.
    pub who: Identity,
    /// Waits for a share of memory.
    pub hold: Hold,
}

impl<K: Kv> Context<'_, K> {
    /// A share of memory for what a query holds of each of a scan's issues.
    pub(crate) async fn hold_issues(&self, grouped: &Grouped) -> Box<dyn Any> {
        let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
        (self.hold)(records.saturating_mul(BYTES_PER_ISSUE)).await
    }
}

/// Which scans are asked for.
#[derive(Debug, Clone, Default)]
pub struct ScanFilter {
    /// Of this target only.
    pub target: Option<TargetName>,
    /// Of variants of this name only.
    pub variant: Option<VariantName>,
    /// By this scanner only.
    pub scanner: Option<ScannerId>,
}

/// The bucket of this name.
///
/// # Errors
/// There is none.
pub fn bucket(name: &str) -> Result<Bucket, Problem> {
    Bucket::ALL.into_iter().find(|bucket| bucket.as_str() == name).ok_or_else(|| {
        let what = format_args!("`{}` is no bucket; use new, common or remediated", name.escape_default()).to_string();
        Problem::parameter("bucket", what)
    })
}

/// The state to exemptions of this name.
///
/// # Errors
/// There is none.
pub fn coverage(name: &str) -> Result<Coverage, Problem> {
    Coverage::ALL.into_iter().find(|(_, known)| *known == name).map(|(coverage, _)| coverage).ok_or_else(|| {
        let known: Vec<_> = Coverage::ALL.iter().map(|(_, known)| *known).collect();
        let what = format!("`{}` is none of {}", name.escape_default(), known.join(", "));
        Problem::parameter("exemption", what)
    })
}

/// The answer that the upload of a scan got.
///
/// # Errors
/// There is no such scan in this project, it is not finished, or it is of a target that the caller may not see.
pub async fn scan(context: &Context<'_, impl Kv>, scan: ScanId) -> Result<ScanAnswer, Problem> {
    let answered: Option<Answered<ScanAnswer>> = document::find(context.kv, &keys::answer(scan)).await?;
    answered
        .map(|answered| answered.answer)
        .filter(|answer| answer.scan.is_visible_to(&context.who, &context.project))
        .ok_or_else(|| Problem::not_found(format!("there is no finished scan {scan} in project `{}`", context.project)))
}

/// Where a list of scans goes on: for each target that has more, by its short name, the number of its next event.
pub type ScanCursor = BTreeMap<String, u64>;

/// How many targets a list of scans may span: its cursor holds a number for each, and stands in a URL.
const TARGETS_LISTED_MAX: usize = 200;

/// The scans of a project or target, the newest first.
///
/// # Errors
/// The project or target does not exist, the project has too many targets to list them together, or the store failed.
pub async fn scans(
    context: &Context<'_, impl Kv>,
    filter: &ScanFilter,
    wanted: Wanted<ScanCursor>,
) -> Result<Page<ScanItem>, Problem> {
    let mut logs = logs(context, filter.target.as_ref(), wanted.from).await?;
    for log in logs.values_mut() {
        log.next = next_scan(context, &log.journal, filter, log.place).await?;
    }
    let mut items = Vec::new();
    while items.len() < wanted.limit {
        // The newest of all targets' next scans is the next of the page.
        let newest = logs.values_mut().filter(|log| log.next.is_some()).max_by(|a, b| a.rank().cmp(&b.rank()));
        let Some(log) = newest else { break };
        let Some((n, item)) = log.next.take() else { break };
        items.push(item);
        log.next = next_scan(context, &log.journal, filter, n - 1).await?;
    }
    let rest: ScanCursor = logs.into_iter().filter_map(|(short, log)| log.next.map(|(n, _)| (short, n))).collect();
    Ok(Page { items, next: (!rest.is_empty()).then(|| encode("scans", &rest)) })
}

/// A target's scans while they are listed.
struct Log {
    journal: JournalId,
    /// The event at which its list goes on.
    place: u64,
    /// Its next scan, with the number of its event.
    next: Option<(u64, ScanItem)>,
}

impl Log {
    fn rank(&self) -> Option<(&str, ScanId)> {
        self.next.as_ref().map(|(_, item)| (item.answer.scan.received_at.as_str(), item.id))
    }
}

/// The logs that are asked for, by the target's short name: half of its id.
async fn logs(
    context: &Context<'_, impl Kv>,
    only: Option<&TargetName>,
    cursor: Option<ScanCursor>,
) -> Result<BTreeMap<String, Log>, Problem> {
    let state = project_state(context.kv, &context.project, context.now).await?;
    let seen: Vec<_> = state.targets.iter().filter(|(name, _)| context.who.covers(name)).collect();
    if let Some(only) = only.filter(|only| !seen.iter().any(|(name, _)| name == only)) {
        return Err(Problem::parameter("target", format_args!("there is no target `{only}`")));
    }
    if only.is_none() && seen.len() > TARGETS_LISTED_MAX {
        let what = format!(
            "it is needed: the project has {} targets, and a list of scans spans at most {TARGETS_LISTED_MAX}",
            seen.len()
        );
        return Err(Problem::parameter("target", what));
    }
    let mut logs = BTreeMap::new();
    for (_, target) in seen.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let journal = JournalId::Scans { project: context.project.clone(), target: target.id };
        let short: String = target.id.to_string().chars().take(16).collect();
        let last = journal::load::<ScanLog>(context.kv, &journal, context.now).await?.last;
        // A cursor comes from outside: it may name no event that is not there.
        let place = match &cursor {
            Some(cursor) => cursor.get(&short).copied().unwrap_or(0).min(last),
            None => last,
        };
        logs.insert(short, Log { journal, place, next: None });
    }
    Ok(logs)
}

/// The next scan of a target that counts and is asked for, from event `place` backwards.
async fn next_scan(
    context: &Context<'_, impl Kv>,
    journal: &JournalId,
    filter: &ScanFilter,
    place: u64,
) -> Result<Option<(u64, ScanItem)>, Problem> {
    const EVENTS_AT_ONCE: usize = 8;
    let mut place = place;
    while place > 0 {
        let entries = journal::read_back::<ScanEvent>(context.kv, journal, place, EVENTS_AT_ONCE).await?;
        let Some((oldest, _)) = entries.last() else { return Ok(None) };
        place = oldest - 1;
        for (n, entry) in entries {
            let event = entry.event;
            let other = filter.variant.as_ref().is_some_and(|variant| *variant != event.variant)
                || filter.scanner.as_ref().is_some_and(|scanner| *scanner != event.scanner);
            if other {
                continue;
            }
            let answered: Option<Answered<ScanAnswer>> = document::find(context.kv, &keys::answer(event.scan)).await?;
            // An event whose scan was answered elsewhere is one of an upload that died before it could answer.
            if let Some(answered) = answered.filter(|answered| answered.position == n) {
                return Ok(Some((n, ScanItem { id: event.scan, answer: answered.answer })));
            }
        }
    }
    Ok(None)
}

/// What holds now for a scan that was judged. `names` gives all ids of those of its issues that are looked at.
pub(crate) async fn in_force(
    context: &Context<'_, impl Kv>,
    frozen: &Frozen,
    names: impl AsyncFnOnce() -> Result<BTreeSet<IssueId>, KvError>,
) -> Result<InForce, Problem> {
    let (kv, request) = (context.kv, &frozen.record.request);
    let own = judging::exemptions(kv, &request.project, context.now).await?;
    Ok(judging::effective_exemptions(kv, request, &own, names, context.now).await?)
}

/// The scans that saw a scan's issues and occurrences first.
pub(crate) struct Seen {
    origins: Vec<Origin>,
    received: Timestamp,
}

impl Seen {
    pub(crate) async fn of(kv: &impl Kv, frozen: &Frozen, compared: &Compared) -> Result<Self, Problem> {
        let origins = compared.origins(kv, frozen.record.id).await?;
        Ok(Self { origins, received: frozen.record.received })
    }

    pub(crate) fn first(&self, place: u32) -> Result<FirstSeen, Problem> {
        let origin = usize::try_from(place).ok().and_then(|at| self.origins.get(at));
        let origin =
            origin.ok_or_else(|| Problem::internal(format!("no scan is known as the first, number {place}")))?;
        Ok(FirstSeen::new(origin, self.received))
    }
}

/// A scan's issues with the ids that they go by; that of its key is among the others that each has.
pub(crate) async fn spans(
    kv: &impl Kv,
    id: ScanId,
    grouped: &Grouped,
    compared: &Compared,
) -> Result<Vec<Span>, Problem> {
    let issues = grouped.issues_as::<Span>(kv, id).await?;
    let identities = compared.issues_as::<Identified<IssueId>>(kv, id).await?;
    Ok(issues.into_iter().zip(identities).map(|(span, identity)| goes_by(span, identity.id)).collect())
}

/// The issue to which the occurrence at this place belongs.
pub(crate) fn issue_at(issues: &[Span], at: u32) -> Option<&Span> {
    let after = issues.partition_point(|issue| issue.first <= at);
    issues.get(after.checked_sub(1)?)
}
