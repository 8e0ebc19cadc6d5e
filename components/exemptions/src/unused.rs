//! Exemptions that exempted nothing in the newest scans: they could be revoked.

use crate::job::ExemptionJob;
use api::Problem;
use api::internal::Services;
use api::page::{Page, Wanted, encode};
use api::v1::{ScanAnswer, Unused};
use domain::exemption::{Coverage, Exemption, Scope, Status};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScannerId, TargetId, TargetName};
use domain::journal::JournalId;
use domain::scan_event::ScanEvent;
use domain::scan_log::ScanLog;
use domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv;
use store::scans::{Answered, Frozen, GateResult};
use store::{document, journal, keys};

/// The number of scans if the caller gives none.
const SCANS_DEFAULT: usize = 10;
/// The largest number of scans that a caller can give.
const SCANS_MAX: usize = 100;
/// The number of a target's events that are read for each scan: some are of other scanners.
const EVENTS_PER_SCAN: usize = 10;
/// The most events that are read for a page. An exemption that needs more is left out. So a page may be empty and still
/// have a next one.
const EVENTS_READ: usize = 5_000;

/// The exemptions that a scan used, and what they could have exempted.
struct ScanUse {
    at: Timestamp,
    scanner: ScannerId,
    pipeline: Option<PipelineName>,
    exemptions: BTreeSet<ExemptionId>,
    issues: BTreeSet<IssueId>,
    occurrences: BTreeSet<OccurrenceId>,
}

impl ScanUse {
    /// True if the exemption reaches the scan, given that it reaches the target.
    fn is_reached_by(&self, exemption: &Exemption) -> bool {
        self.scanner == exemption.scanner
            && exemption.reach().pipeline().is_none_or(|pipeline| Some(pipeline) == self.pipeline.as_ref())
    }

    /// True if the exemption exempted anything in the scan, or would have if no other exemption had.
    fn uses(&self, id: ExemptionId, exemption: &Exemption) -> bool {
        let chosen = exemption.reach().occurrences();
        self.exemptions.contains(&id)
            || (chosen.is_empty() && self.issues.contains(&exemption.issue))
            || chosen.iter().any(|occurrence| self.occurrences.contains(&occurrence.id))
    }
}

/// Checks the number of scans that the caller gave; without one, the default counts.
///
/// # Errors
/// The number is not from 1 to 100.
pub fn scans(given: Option<usize>) -> Result<usize, Problem> {
    let scans = given.unwrap_or(SCANS_DEFAULT);
    if (1..=SCANS_MAX).contains(&scans) {
        return Ok(scans);
    }
    Err(Problem::parameter("scans", format_args!("expected 1 to {SCANS_MAX}, found {scans}")))
}

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// The approved exemptions that exempted nothing in the last `scans` scans, by the issue's scanner, of each target
    /// that they reach. Left out are those with fewer scans since their approval, and those for the whole installation:
    /// not all scans that they reach are read.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn unused(&self, scans: usize, wanted: Wanted<String>) -> Result<Page<Unused>, Problem> {
        let state = self.load().await?;
        let candidates = state.exemptions.by_id.iter().filter(|(id, exemption)| {
            exemption.status(self.context.now) == Status::Approved
                && exemption.reach().scope() != Scope::Account
                && self.caller.sees_exemption(exemption)
                // An exemption that reaches targets which the caller cannot see may be used there.
                && (exemption.reach().target().is_some() || self.caller.require_all_targets().is_ok())
                && wanted.from.as_ref().is_none_or(|from| *from < id.to_string())
        });
        let mut targets = Targets { scans, read: 0, uses: BTreeMap::new() };
        let (mut events, mut items) = (self.events(), Vec::new());
        let mut before: Option<ExemptionId> = None;
        for (id, exemption) in candidates {
            if items.len() >= wanted.limit || targets.is_spent() {
                return Ok(Page { items, next: before.map(|id| encode("unused", &id.to_string())) });
            }
            before = Some(*id);
            let only = exemption.reach().target();
            let reached = state.project.targets.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
            let reached = reached.map(|(name, target)| (name, target.id));
            if let Some(unused) = targets.scans_without(self, *id, exemption, reached).await?
                && scans <= unused
            {
                let exemption = self.item(&mut events, *id, exemption).await?;
                items.push(Unused { exemption, scans: unused });
            }
        }
        Ok(Page { items, next: None })
    }
}

/// The newest scans of targets, read once.
struct Targets {
    /// The number of scans of each target that count.
    scans: usize,
    /// The number of events that were read so far.
    read: usize,
    uses: BTreeMap<TargetName, Vec<ScanUse>>,
}

impl Targets {
    fn is_spent(&self) -> bool {
        EVENTS_READ <= self.read
    }

    /// The number of scans since its approval in which the exemption exempted nothing. `None` if it exempted something
    /// in one of them, or if there are too many to read.
    async fn scans_without<K: Kv, V: Services>(
        &mut self,
        job: &ExemptionJob<'_, K, V>,
        id: ExemptionId,
        exemption: &Exemption,
        targets: impl Iterator<Item = (&TargetName, TargetId)>,
    ) -> Result<Option<usize>, Problem> {
        let approved = exemption.changed();
        let mut unused = 0;
        for (name, target) in targets {
            if !self.uses.contains_key(name) {
                if self.is_spent() {
                    return Ok(None);
                }
                let (events, uses) = job.scan_uses(target, self.scans).await?;
                self.read += 1 + events;
                self.uses.insert(name.clone(), uses);
            }
            let uses = self.uses.get(name).map(Vec::as_slice).unwrap_or_default();
            let since = uses.iter().filter(|scan| approved < scan.at && scan.is_reached_by(exemption)).take(self.scans);
            for scan in since {
                if scan.uses(id, exemption) {
                    return Ok(None);
                }
                unused += 1;
            }
        }
        Ok(Some(unused))
    }
}

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// The newest scans of a target, with the number of events that were read for them.
    async fn scan_uses(&self, target: TargetId, scans: usize) -> Result<(usize, Vec<ScanUse>), Problem> {
        let (kv, now) = (self.context.kv, self.context.now);
        let journal = JournalId::Scans { project: self.context.project.clone(), target };
        let last = journal::load::<ScanLog>(kv, &journal, now).await?.last;
        let count = scans.saturating_mul(EVENTS_PER_SCAN);
        let mut uses: Vec<ScanUse> = Vec::new();
        let events = journal::read_back::<ScanEvent>(kv, &journal, last, count).await?;
        let read = events.len();
        for (n, entry) in events {
            let (scan, scanner) = (entry.event.scan, entry.event.scanner);
            // The scan is answered with another event, or not at all, if the upload died after this event.
            let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(scan)).await?;
            if answered.is_none_or(|answered| answered.position != n) {
                continue;
            }
            let judged = GateResult::get(kv, scan).await?;
            let standings = judged.standings(kv, scan).await?;
            let occurrences = judged.exempted(kv, scan).await?;
            let is_exempted = |coverage| matches!(coverage, Coverage::Exempted | Coverage::PartiallyExempted);
            let standings = standings.into_iter().filter(|standing| is_exempted(standing.coverage));
            let (mut exemptions, issues): (BTreeSet<_>, BTreeSet<_>) =
                standings.map(|standing| (standing.exemption, standing.issue)).unzip();
            exemptions.extend(occurrences.iter().map(|one| one.exemption));
            uses.push(ScanUse {
                at: entry.at,
                scanner,
                pipeline: Frozen::get(kv, scan).await?.record.proven_pipeline().cloned(),
                exemptions,
                issues,
                occurrences: occurrences.iter().map(|one| one.occurrence).collect(),
            });
        }
        Ok((read, uses))
    }
}
