//! What a decision would change: the newest scans judged with what is in force now, and as they would be after it.

use crate::job::{Decision, Known, widened};
use api::Problem;
use api::auth::Identity;
use api::internal::{Hold, Services};
use api::page::{Page, Wanted, encode};
use api::problem::Code;
use api::project_context::ProjectContext;
use api::v1::{PreviewItem, Scan, ScanAnswer};
use domain::exemption::{Exemption, Exemptions, Reach};
use domain::ids::{ExemptionId, ScanId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::scan::{ScanEvent, ScanLog};
use std::collections::BTreeSet;
use store::judging::{self, Issues};
use store::kv::Kv;
use store::scans::{Answered, Compared, Frozen, Grouped};
use store::{document, journal, keys};

/// How many of a target's newest scans are looked at for the newest of each variant.
const SCANS_SEARCHED: usize = 50;
/// How many scans are judged for one page at most, whether they have the issue or not: a page may be short, or empty, and
/// still have a next.
const SCANS_JUDGED: usize = 50;
/// How many targets are looked at for one page at most.
const TARGETS_SEARCHED: usize = 100;
/// What judging holds for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 300;

/// Where a preview goes on: after this many scans of this target.
pub type Cursor = (String, usize);

/// Which decision is previewed.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Which; an approval if absent.
    pub decision: Option<String>,
    /// The scope of an approval.
    pub scope: Option<String>,
    /// The pipeline of an approval at that scope.
    pub pipeline: Option<String>,
}

/// The project before and after a decision.
struct Supposed {
    held: Exemption,
    now: Exemptions,
    then: Exemptions,
    /// The one target that it concerns, if it is one.
    only: Option<TargetName>,
}

/// The newest scans that have the issue, of all variants and targets of the project that the exemption reaches or would
/// reach, with how they would be judged. Other projects are left out: the caller may not know of them.
///
/// # Errors
/// There is no such exemption, the decision makes no sense for it, or the store failed.
pub async fn preview<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    id: ExemptionId,
    asked: &Asked,
    wanted: Wanted<Cursor>,
    hold: Hold,
) -> Result<Page<PreviewItem>, Problem> {
    let known = Known::load(context).await?;
    let supposed = suppose(context, who, &known, id, asked)?;
    let (from, mut skip) = wanted.from.unwrap_or_default();
    let (mut items, mut judged, mut searched) = (Vec::new(), 0, 0);
    for (name, target) in &known.project.targets {
        let concerned = supposed.only.as_ref().is_none_or(|only| only == name) && who.covers(name);
        if !concerned || name.as_str() < from.as_str() {
            continue;
        }
        if searched >= TARGETS_SEARCHED {
            return Ok(Page { items, next: Some(encode("preview", &(name.as_str(), 0_usize))) });
        }
        searched += 1;
        let begin = if name.as_str() == from { std::mem::take(&mut skip) } else { 0 };
        let journal = JournalId::Scans { project: context.project.clone(), target: target.id };
        let scans = newest(context, &journal, &supposed.held).await?;
        for (at, scan) in scans.into_iter().enumerate().skip(begin) {
            if items.len() >= wanted.limit || judged >= SCANS_JUDGED {
                let next = Some(encode("preview", &(name.as_str(), at)));
                return Ok(Page { items, next });
            }
            judged += 1;
            items.extend(judge(context, &supposed, scan, hold).await?);
        }
    }
    Ok(Page { items, next: None })
}

fn suppose<K, V>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    id: ExemptionId,
    asked: &Asked,
) -> Result<Supposed, Problem> {
    let held = known.find(who, id)?.clone();
    let word = asked.decision.as_deref().unwrap_or("approve");
    let reach: Option<Reach> = match Decision::named(word) {
        Some(Decision::Approve) => {
            // What the account's admin would grant for all can be looked at by those who propose it.
            let scope = asked.scope.as_deref().map(|scope| if scope == "account" { "project" } else { scope });
            let wider = widened(who, &held, scope, asked.pipeline.as_deref()).map_err(of_query)?;
            Some(wider.unwrap_or_else(|| held.asked.clone()))
        }
        Some(Decision::Reject | Decision::Cancel) => None,
        Some(Decision::Reopen) | None => {
            let what = format_args!("`{}` is none of approve, reject, cancel", word.escape_default()).to_string();
            return Err(Problem::parameter("decision", what));
        }
    };
    if reach.is_none() && (asked.scope.is_some() || asked.pipeline.is_some()) {
        return Err(Problem::parameter("scope", "only an approval has a scope"));
    }
    let only = match &reach {
        Some(reach) => reach.target().cloned(),
        None => held.reach().target().cloned(),
    };
    let then = known.exemptions.supposing(id, reach.as_ref(), context.now);
    Ok(Supposed { held, now: known.exemptions.clone(), then, only })
}

/// What is wrong with a decision's scope, where it stands in the query and not in a body.
fn of_query(problem: Problem) -> Problem {
    let code = if problem.code == Code::InvalidBody { Code::InvalidParameter } else { problem.code };
    Problem::new(code, problem.detail)
}

/// The newest scan of each variant by the exemption's scanner.
async fn newest<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    journal: &JournalId,
    held: &Exemption,
) -> Result<Vec<ScanId>, Problem> {
    let last = journal::load::<ScanLog>(context.kv, journal, context.now).await?.last;
    let events = journal::read_back::<ScanEvent>(context.kv, journal, last, SCANS_SEARCHED).await?;
    let mut seen: BTreeSet<(VariantName, Option<_>)> = BTreeSet::new();
    let events = events.into_iter().map(|(_, entry)| entry.event).filter(|event| event.scanner == held.scanner);
    Ok(events.filter(|event| seen.insert((event.variant.clone(), event.series))).map(|event| event.scan).collect())
}

/// What would change in a scan; nothing if it does not have the issue.
async fn judge<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    supposed: &Supposed,
    scan: ScanId,
    hold: Hold,
) -> Result<Option<PreviewItem>, Problem> {
    let kv = context.kv;
    let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(scan)).await?;
    let Some(Answered { answer, .. }) = answered else { return Ok(None) };
    let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
    let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
    let _held = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
    let compared = Compared::get(kv, scan).await?;
    let issues = Issues::of(kv, scan, &grouped, &compared).await?;
    let named = |(rated, row): &(&domain::grouping::Rated, &domain::comparison::ComparedIssue)| {
        rated.names(row.id).contains(&supposed.held.issue)
    };
    let Some(issue) = issues.rated.iter().zip(&issues.rows).find(named).map(|(_, row)| row.id) else {
        return Ok(None);
    };
    let request = &frozen.record.request;
    let now =
        judging::effective_exemptions(kv, request, &supposed.now, async || Ok(issues.names()), context.now).await?;
    let then =
        judging::effective_exemptions(kv, request, &supposed.then, async || Ok(issues.names()), context.now).await?;
    let now = judging::judge(kv, &frozen, &compared, &issues, &now).await?.judgement;
    let then = judging::judge(kv, &frozen, &compared, &issues, &then).await?.judgement;
    let scan: &Scan = &answer.scan;
    Ok(Some(PreviewItem::new(scan, issue, answer.verdict, &now, &then)))
}
