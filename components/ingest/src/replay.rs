//! A replay: a scan's raw report read again by the parsers of today, judged as the original was, beside the original.
//!
//! It counts nowhere: it is in no journal, no later scan is compared with it, and the original is not touched.

use crate::asked::scanner;
use crate::body::Part;
use crate::parse::{Report, parse};
use crate::raw::{Keep, Stored};
use crate::sealing::Sealer;
use crate::sidecar::Sidecar;
use crate::sync_kv::SyncKv;
use crate::upload::{Context, freeze, judge};
use api::auth::Identity;
use api::internal::{Hold, Services};
use api::problem::{Code, Problem};
use api::v1::{ReplayAnswer, ScanAnswer};
use domain::digest::hex;
use domain::ids::{ProjectId, ScanId};
use domain::replay::{Origin, Outcome, Replayed, differences};
use domain::scan::{ParsedReport, ScanRecord};
use domain::version::Versions;
use scanners::{Input, Source as _};
use std::collections::BTreeMap;
use store::kv::Kv;
use store::replay_rows::{fill_titles, read_rows, row_counts};
use store::scans::{Answered, Frozen, RawReport, Written, discard};
use store::{document, keys};

/// What comparing holds for each issue of either result, in bytes.
const BYTES_PER_ISSUE: usize = 80;
/// What comparing holds for each occurrence of either result, in bytes.
const BYTES_PER_OCCURRENCE: usize = 32;

/// What a replay asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The project.
    pub project: ProjectId,
    /// The scan to replay.
    pub scan: ScanId,
}

/// Replays a scan by parsers and matcher of these versions, and compares the result with the original's. Replayed again
/// by the same versions, the first replay stands. `hold` waits for a share of memory of so many bytes.
///
/// # Errors
/// A problem for the caller. What was done of a replay that ended in one is not done again.
pub async fn run<K: Kv, S: SyncKv, V: Services>(
    context: &Context<'_, K, S, V>,
    who: &Identity,
    asked: Asked,
    versions: Versions,
    hold: Hold,
) -> Result<ReplayAnswer, Problem> {
    let kv = context.kv;
    let answer = finished(kv, &asked, who).await?;
    let original = Frozen::get(kv, asked.scan).await?;
    if let Some(first) = original.record.replay_of {
        let detail = format!("scan {} is a replay itself; replay its original, scan {first}", asked.scan);
        return Err(Problem::new(Code::NotReplayable, detail));
    }

    let (sealer, origin, versions) = match Sealer::reopen(&original.raw, &context.storage_key) {
        Ok(sealer) => (Some(sealer), Origin::Report, versions),
        // The findings are what the parsers of that time made: no other version had a part in them.
        Err(reason) => {
            let parsers = original.record.versions.parsers;
            (None, Origin::Findings { reason }, Versions { parsers, ..versions })
        }
    };
    let id = ScanId::of_replay(original.record.id, versions);
    let replay = match Frozen::find(kv, id).await? {
        Some(frozen) => frozen,
        None => {
            let replayed = Replayed { at: context.now, by: who.actor.clone(), origin };
            let record = ScanRecord {
                id,
                versions,
                replay_of: Some(original.record.id),
                replayed: Some(replayed),
                ..original.record.clone()
            };
            match &sealer {
                Some((sealer, segments)) => reread(context, &original, record, sealer, *segments).await?,
                None => freeze(context, from_findings(&original, record), true, async |mine| Ok(mine)).await?,
            }
        }
    };
    let replayed = complete(context, &replay).await?;
    compared(kv, (&original, answer), (&replay, replayed), hold).await
}

/// The original's answer, if the caller may see its target.
async fn finished(kv: &impl Kv, asked: &Asked, who: &Identity) -> Result<ScanAnswer, Problem> {
    let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(asked.scan)).await?;
    let Asked { project, scan, .. } = asked;
    answered
        .map(|answered| answered.answer)
        .filter(|answer| answer.scan.is_visible_to(who, project))
        .ok_or_else(|| Problem::not_found(format!("there is no finished scan {scan} in project `{project}`")))
}

/// Reads the raw report again and freezes what it says now; leaves nothing behind if that fails.
async fn reread<K: Kv, S: SyncKv, V: Services>(
    context: &Context<'_, K, S, V>,
    original: &Frozen,
    record: ScanRecord,
    sealer: &Sealer,
    segments: u32,
) -> Result<Frozen, Problem> {
    let (scan, attempt) = (record.id, hex(&context.random));
    let mut written = Written::default();
    let frozen = async {
        let keep = Keep { scan: original.record.id, attempt: &original.attempt, sealer };
        let stored = Stored::new(context.sync, keep, Part::Report, segments);
        let stored_sidecar = original.source.map(|segments| Stored::new(context.sync, keep, Part::Sidecar, segments));
        let (_, expected) = scanner(record.request.scanner.as_str()).map_err(|problem| unread(&problem))?;
        let parsed = (|| {
            let sidecar = stored_sidecar.as_ref().map(|stored| Sidecar::open(stored.open())).transpose()?;
            let report = Report { expected, input: Input::Stream(&stored), scan, attempt: &attempt };
            parse(context.sync, report, sidecar.map(|(_, sidecar)| sidecar), &mut written.findings)
        })();
        let failed = stored.failure().or_else(|| stored_sidecar.and_then(Stored::failure));
        let (parsed, manifest) = match failed {
            Some(failure) => return Err(failure.into()),
            None => parsed.map_err(|problem| unread(&problem))?,
        };
        let name = |name: &str| name.parse().map_err(|error| Problem::internal(format!("{error}")));
        let record = ScanRecord { tool: name(&parsed.tool)?, format: name(parsed.format)?, ..record };
        let report = ParsedReport { summary: parsed.summary, scanner_version: parsed.scanner_version };
        let raw = RawReport::OfOriginal;
        let mine = Frozen {
            record,
            report,
            attempt: attempt.clone(),
            raw,
            source: original.source,
            findings: manifest,
            findings_of: None,
        };
        freeze(context, mine, true, async |mine| Ok(mine)).await
    }
    .await;
    if frozen.as_ref().is_ok_and(|frozen| frozen.attempt == attempt) {
        return frozen;
    }
    // Another replay was first, or this one failed: its segments are nobody's.
    discard(context.kv, scan, &attempt, written).await?;
    frozen
}

/// The original's findings, to be grouped and compared again.
fn from_findings(original: &Frozen, record: ScanRecord) -> Frozen {
    Frozen {
        record,
        raw: RawReport::OfOriginal,
        findings_of: Some(original.findings_of.unwrap_or(original.record.id)),
        ..original.clone()
    }
}

/// What is told of a report that was read once and is refused now: the caller sent none, so it is not their fault.
fn unread(problem: &Problem) -> Problem {
    match problem.code.status() {
        500.. => problem.clone(),
        _ => {
            let Problem { code, detail } = problem;
            let detail = format!(
                "the report was read when it was uploaded, and the parsers of today refuse it ({}: {detail}); the scan stands as it is",
                code.as_str()
            );
            Problem::new(Code::NotReplayable, detail)
        }
    }
}

/// Runs the stages that are not done and answers. What is done is not done again.
async fn complete<K: Kv, S: SyncKv, V: Services>(
    context: &Context<'_, K, S, V>,
    frozen: &Frozen,
) -> Result<ScanAnswer, Problem> {
    let key = keys::answer(frozen.record.id);
    if let Some(done) = document::find::<Answered<ScanAnswer>>(context.kv, &key).await? {
        return Ok(done.answer);
    }
    let (answer, _) = judge(context, frozen).await?;
    document::put(context.kv, &key, &Answered { v: 1, position: 0, answer: answer.clone() }).await?;
    Ok(answer)
}

/// The answer: both results, and how they differ.
async fn compared(
    kv: &impl Kv,
    (original, first): (&Frozen, ScanAnswer),
    (replay, second): (&Frozen, ScanAnswer),
    hold: Hold,
) -> Result<ReplayAnswer, Problem> {
    let (was, is) = (original.record.id, replay.record.id);
    let (mut bytes, mut titles) = (0_usize, BTreeMap::new());
    for scan in [was, is] {
        let (issues, occurrences) = row_counts(kv, scan).await?;
        let both =
            issues.saturating_mul(BYTES_PER_ISSUE).saturating_add(occurrences.saturating_mul(BYTES_PER_OCCURRENCE));
        bytes = bytes.saturating_add(both);
    }
    let _held = hold(bytes).await;
    let differences = differences(outcome(kv, was, &first).await?, outcome(kv, is, &second).await?);
    titles.extend(differences.examples.iter().map(|example| (example.issue, None)));
    for scan in [is, was] {
        fill_titles(kv, scan, &mut titles).await?;
    }
    Ok(ReplayAnswer::new((&original.record, first), (&replay.record, second), differences, &titles))
}

async fn outcome(kv: &impl Kv, scan: ScanId, answer: &ScanAnswer) -> Result<Outcome, Problem> {
    let (issues, occurrences) = read_rows(kv, scan).await?;
    Ok(Outcome { verdict: answer.verdict, variables: answer.variables.clone(), issues, occurrences })
}
