//! Exemptions that exempt nothing: candidates for being taken back.

use crate::job::Known;
use crate::list::item;
use crate::words::Events;
use api::Problem;
use api::auth::Identity;
use api::internal::Services;
use api::page::{Page, Wanted, encode};
use api::project_context::ProjectContext;
use api::v1::{ScanAnswer, Unused};
use domain::exemption::{Coverage, Exemption, Scope, Status};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScannerId, TargetId, TargetName};
use domain::journal::JournalId;
use domain::scan::{ScanEvent, ScanLog};
use domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv;
use store::scans::{Answered, Frozen, GateResult};
use store::{document, journal, keys};

/// How many scans are asked for if the caller does not say.
const SCANS_DEFAULT: usize = 10;
/// How many may be asked for.
const SCANS_MAX: usize = 100;
/// How many events of a target are read for each scan that is asked for: others may be by other scanners.
const EVENTS_PER_SCAN: usize = 10;
/// How many events a page looks at. An exemption that needs more is left out: nothing is said of it. A page may so be empty
/// and have a next.
const EVENTS_READ: usize = 5_000;

/// A scan, as far as exemptions are concerned.
struct Use {
    at: Timestamp,
    scanner: ScannerId,
    pipeline: Option<PipelineName>,
    exemptions: BTreeSet<ExemptionId>,
    issues: BTreeSet<IssueId>,
    occurrences: BTreeSet<OccurrenceId>,
}

impl Use {
    fn is_of(&self, held: &Exemption) -> bool {
        self.scanner == held.scanner
            && held.reach().pipeline().is_none_or(|pipeline| Some(pipeline) == self.pipeline.as_ref())
    }

    /// Whether the exemption exempted anything there, or would have if no other had.
    fn has(&self, id: ExemptionId, held: &Exemption) -> bool {
        let chosen = held.reach().occurrences();
        self.exemptions.contains(&id)
            || (chosen.is_empty() && self.issues.contains(&held.issue))
            || chosen.iter().any(|occurrence| self.occurrences.contains(&occurrence.id))
    }
}

/// How many scans are asked for.
///
/// # Errors
/// The number is not from 1 to 100.
pub fn scans(asked: Option<usize>) -> Result<usize, Problem> {
    let scans = asked.unwrap_or(SCANS_DEFAULT);
    if (1..=SCANS_MAX).contains(&scans) {
        return Ok(scans);
    }
    Err(Problem::parameter("scans", format_args!("{scans} is not from 1 to {SCANS_MAX}")))
}

/// The approved exemptions that matched nothing in the last `scans` scans, by the issue's scanner, of each target that they
/// reach. One that had less than so many scans since its approval is not among them, nor is one for the whole installation:
/// not all that it reaches is looked at.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn unused<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    scans: usize,
    wanted: Wanted<String>,
) -> Result<Page<Unused>, Problem> {
    let known = Known::load(context).await?;
    let in_force = known.exemptions.by_id.iter().filter(|(id, held)| {
        held.status(context.now) == Status::Approved
            && held.reach().scope() != Scope::Account
            && who.sees_exemption(held)
            // Of what reaches further than the caller sees it can't be said.
            && (held.reach().target().is_some() || who.require_all_targets().is_ok())
            && wanted.from.as_ref().is_none_or(|from| *from < id.to_string())
    });
    let mut targets = Targets { scans, read: 0, uses: BTreeMap::new() };
    let (mut events, mut items) = (Events::default(), Vec::new());
    let mut before: Option<ExemptionId> = None;
    for (id, held) in in_force {
        if items.len() >= wanted.limit || targets.is_spent() {
            return Ok(Page { items, next: before.map(|id| encode("unused", &id.to_string())) });
        }
        before = Some(*id);
        let reached = known.project.targets.iter();
        let reached = reached.filter(|(name, _)| held.reach().target().is_none_or(|target| target == *name));
        if let Some(looked_at) =
            targets.without(context, *id, held, reached.map(|(name, target)| (name, target.id))).await?
            && scans <= looked_at
        {
            let exemption = item(context, &mut events, *id, held).await?;
            items.push(Unused { exemption, scans: looked_at });
        }
    }
    Ok(Page { items, next: None })
}

/// The newest scans of targets, read once.
struct Targets {
    /// How many of each are looked at.
    scans: usize,
    /// How many were read so far.
    read: usize,
    uses: BTreeMap<TargetName, Vec<Use>>,
}

impl Targets {
    fn is_spent(&self) -> bool {
        EVENTS_READ <= self.read
    }

    /// In how many scans since its approval the exemption matched nothing; nothing if it matched in one, or there are too
    /// many to look at.
    async fn without<K: Kv, V: Services>(
        &mut self,
        context: &ProjectContext<'_, K, V>,
        id: ExemptionId,
        held: &Exemption,
        targets: impl Iterator<Item = (&TargetName, TargetId)>,
    ) -> Result<Option<usize>, Problem> {
        let approved = held.changed();
        let mut looked_at = 0;
        for (name, target) in targets {
            if !self.uses.contains_key(name) {
                if self.is_spent() {
                    return Ok(None);
                }
                let (events, uses) = self.read(context, target).await?;
                self.read += 1 + events;
                self.uses.insert(name.clone(), uses);
            }
            let uses = self.uses.get(name).map(Vec::as_slice).unwrap_or_default();
            let since = uses.iter().filter(|one| approved < one.at && one.is_of(held)).take(self.scans);
            for one in since {
                if one.has(id, held) {
                    return Ok(None);
                }
                looked_at += 1;
            }
        }
        Ok(Some(looked_at))
    }

    async fn read<K: Kv, V: Services>(
        &self,
        context: &ProjectContext<'_, K, V>,
        target: TargetId,
    ) -> Result<(usize, Vec<Use>), Problem> {
        let kv = context.kv;
        let journal = JournalId::Scans { project: context.project.clone(), target };
        let last = journal::load::<ScanLog>(kv, &journal, context.now).await?.last;
        let count = self.scans.saturating_mul(EVENTS_PER_SCAN);
        let mut uses: Vec<Use> = Vec::new();
        let events = journal::read_back::<ScanEvent>(kv, &journal, last, count).await?;
        let read = events.len();
        for (n, entry) in events {
            let (scan, scanner) = (entry.event.scan, entry.event.scanner);
            // An event whose scan was answered elsewhere, or not at all, is one of an upload that died.
            let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(scan)).await?;
            if answered.is_none_or(|answered| answered.position != n) {
                continue;
            }
            let judged = GateResult::get(kv, scan).await?;
            let standings = judged.standings(kv, scan).await?;
            let occurrences = judged.exempted(kv, scan).await?;
            let in_force = |coverage| matches!(coverage, Coverage::Exempted | Coverage::PartiallyExempted);
            let standings = standings.into_iter().filter(|standing| in_force(standing.coverage));
            let (mut exemptions, issues): (BTreeSet<_>, BTreeSet<_>) =
                standings.map(|standing| (standing.exemption, standing.issue)).unzip();
            exemptions.extend(occurrences.iter().map(|one| one.exemption));
            uses.push(Use {
                at: entry.at,
                scanner,
                pipeline: Frozen::get(kv, scan).await?.record.request.pipeline,
                exemptions,
                issues,
                occurrences: occurrences.iter().map(|one| one.occurrence).collect(),
            });
        }
        Ok((read, uses))
    }
}
