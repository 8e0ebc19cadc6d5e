//! One upload from its first byte to its verdict. The steps are those of ARCHITECTURE.md, "One upload".

pub use crate::asked::Asked;
pub use crate::body::{Encoding, Part, Parts, Source};
use crate::parse::{Report, parse};
use crate::raw::{Keep, Received, Stored, Upload, receive};
use crate::reference::{Chosen, Contents, choose, remember_parts};
use crate::sealing::Sealer;
use crate::sidecar::Sidecar;
pub use crate::sync_kv::SyncKv;
use crate::{returned, turns};
use api::auth::Identity;
use api::internal::{AnyEvent, Append, Count, Services, Stage};
use api::problem::{Code, Problem};
use api::project_context::project_state;
use api::v1::ScanAnswer;
use domain::digest::hex;
use domain::event::Actor;
use domain::execution::ExecutionEvent;
use domain::ids::{EventId, ExecutionId, ScanId, TargetId};
use domain::journal::JournalId;
use domain::project::{Named, Project, ProjectEvent, other_type};
use domain::role::Right;
use domain::scan::{Head, ParsedReport, Reference, ScanEvent, ScanRecord, ScanRequest};
use domain::time::Timestamp;
use domain::trend::Outcome;
use domain::version::Versions;
use scanners::{Input, Source as _};
use std::io::Read;
use store::kv::Kv;
use store::scans::{Answered, Frozen, GateResult, RawReport, Written, discard};
use store::{document, keys};

/// How often an upload looks whether the one that claimed its key first has frozen the scan.
const FROZEN_TRIES: u32 = 400;

/// What an upload works with.
pub struct Context<'a, K, S, V> {
    /// The store.
    pub kv: &'a K,
    /// The store for parsers.
    pub sync: &'a S,
    /// The other components.
    pub services: &'a V,
    /// When the upload began.
    pub now: Timestamp,
    /// What raw reports' keys are encrypted under; empty for none.
    pub storage_key: String,
    /// Random bits: the scan's id where no `Idempotency-Key` gives it, and the name of this attempt.
    pub random: [u8; 16],
    /// Random bits: the key that this upload's raw report is encrypted under.
    pub raw_key: [u8; 32],
}

/// Runs an upload by somebody who may upload.
///
/// # Errors
/// A problem for the uploader. Nothing counts of an upload that ended in one; sent again with the same key it goes on
/// where it stopped.
pub async fn run<K: Kv, S: SyncKv, V: Services>(
    context: &Context<'_, K, S, V>,
    who: &Identity,
    asked: Asked,
    body: &mut impl Parts,
) -> Result<ScanAnswer, Problem> {
    let kv = context.kv;
    let project = &asked.request.project;
    who.require_target(project, &asked.request.target, Right::Upload)?;
    let state = project_state(kv, project, context.now).await?;
    ensure_type(&state, &asked.request)?;

    let scan = match &asked.idempotency_key {
        Some(key) => ScanId::of_idempotency_key(project, key),
        None => ScanId::from_bits(context.random),
    };
    let known = match &asked.idempotency_key {
        Some(_) => Frozen::find(kv, scan).await?,
        None => None,
    };
    let frozen = match known {
        Some(frozen) => {
            let received = receive(kv, None, body, &mut Written::default()).await?;
            same(&frozen, &asked.request, &received)?;
            frozen
        }
        None => take_in(context, &asked, scan, &state, who.actor.clone(), body).await?,
    };
    let answer = complete(context, &frozen, asked.idempotency_key.is_some()).await;
    // Also after an error: the next one need not wait for what comes of it.
    if let Some(turn) = frozen.record.turn {
        turns::done(kv, &frozen.record.request, &frozen.record.tool, turn).await?;
    }
    answer
}

/// Receives, parses and freezes; leaves nothing behind if any of it fails.
async fn take_in<K: Kv, S: SyncKv, V: Services>(
    context: &Context<'_, K, S, V>,
    asked: &Asked,
    scan: ScanId,
    state: &Project,
    by: Actor,
    body: &mut impl Parts,
) -> Result<Frozen, Problem> {
    let kv = context.kv;
    let attempt = hex(&context.random);
    let sealer = Sealer::new(context.raw_key);
    let keep = Keep { scan, attempt: &attempt, sealer: &sealer };
    let mut written = Written::default();
    let frozen = async {
        let received = receive(kv, Some(keep), body, &mut written).await?;
        let Upload { sidecar, report } = &received;
        let stored = Stored::new(context.sync, keep, Part::Report, report.segments);
        let stored_sidecar = sidecar.as_ref().map(|sidecar| {
            let stored = Stored::new(context.sync, keep, Part::Sidecar, sidecar.segments);
            (sidecar, stored)
        });
        let parsed = (|| {
            let opened = stored_sidecar.as_ref().map(|(sidecar, stored)| Sidecar::open(opened(sidecar, stored)));
            let (revision, sidecar) = opened.transpose()?.unzip();
            let input = match report.memory.whole() {
                Some(bytes) => Input::Memory(bytes),
                None => Input::Stream(&stored),
            };
            let report = Report { expected: asked.expected, input, scan, attempt: &attempt };
            let (parsed, manifest) = parse(context.sync, report, sidecar, &mut written.findings)?;
            Ok::<_, Problem>((parsed, manifest, revision))
        })();
        let failed = stored.failure().or_else(|| stored_sidecar.and_then(|(_, stored)| stored.failure()));
        let (parsed, manifest, revision) = match failed {
            Some(failure) => return Err(failure.into()),
            None => parsed?,
        };
        let raw = sealer.kept(&context.storage_key, parsed.holds_secrets, report.segments)?;
        let source = sidecar.as_ref().filter(|_| raw != RawReport::Removed).map(|sidecar| sidecar.segments);
        let name = |name: &str| name.parse().map_err(|error| Problem::internal(format!("{error}")));
        let (tool, categories) = (name(&parsed.tool)?, parsed.categories.into_iter().collect::<Vec<_>>());
        let parts: Vec<_> = parsed.parts.into_iter().collect();
        // Before the scan is frozen: an upload that is refused here leaves nothing behind.
        ensure_target(context, state, &asked.request, scan, &by).await?;
        let record = ScanRecord {
            v: 1,
            id: scan,
            request: asked.request.clone(),
            reference: Reference::None,
            lineage: None,
            baseline: false,
            turn: None,
            tool,
            format: name(parsed.format)?,
            categories,
            parts,
            missing: Vec::new(),
            by,
            received: context.now,
            report_sha256: report.sha256.clone(),
            report_bytes: report.bytes,
            source: revision.filter(|revision| !revision.is_empty()),
            source_sha256: sidecar.as_ref().map(|sidecar| sidecar.sha256.clone()),
            settings: state.settings.clone(),
            versions: Versions::CURRENT,
            replay_of: None,
            replayed: None,
        };
        let parsed_report = ParsedReport { summary: parsed.summary, scanner_version: parsed.scanner_version };
        let mine = Frozen {
            record,
            report: parsed_report,
            attempt: attempt.clone(),
            raw,
            source,
            findings: manifest,
            findings_of: None,
        };
        let tool = mine.record.tool.clone();
        let mut turn = None;
        let frozen = freeze(context, mine, asked.idempotency_key.is_some(), async |mut frozen| {
            let taken = turns::take(context, &asked.request, &tool, frozen.findings.records).await?;
            turn = Some(taken);
            choose_now(context, &mut frozen, taken).await?;
            Ok(frozen)
        })
        .await;
        // Of an attempt that did not freeze the scan the next one has nothing to wait for.
        let mine = frozen.as_ref().is_ok_and(|frozen| frozen.attempt == attempt);
        if let Some(turn) = turn.filter(|_| !mine) {
            turns::done(kv, &asked.request, &tool, turn).await?;
        }
        let frozen = frozen?;
        same(&frozen, &asked.request, &received)?;
        Ok(frozen)
    }
    .await;
    match frozen {
        Ok(frozen) if frozen.attempt == attempt => {
            if frozen.raw == RawReport::Removed {
                discard(kv, scan, &attempt, Written { findings: 0, ..written }).await?;
            }
            Ok(frozen)
        }
        // Another upload under the same key was first, or this one failed: its segments are nobody's.
        other => {
            discard(kv, scan, &attempt, written).await?;
            other
        }
    }
}

/// A reader over a part that was received.
fn opened<'a, S: SyncKv>(received: &'a Received, stored: &'a Stored<'_, S>) -> Box<dyn Read + 'a> {
    match received.memory.whole() {
        Some(bytes) => Box::new(bytes),
        None => stored.open(),
    }
}

/// Chooses what the scan is compared with, by what is recorded now that its turn has come.
async fn choose_now<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    frozen: &mut Frozen,
    turn: u64,
) -> Result<(), Problem> {
    let record = &mut frozen.record;
    // As it is now: the report may have been minutes on its way.
    let state = project_state(context.kv, &record.request.project, context.now).await?;
    let contents = Contents { tool: &record.tool, categories: &record.categories, parts: &record.parts };
    let Chosen { reference, lineage, missing, baseline } = choose(context, &state, &record.request, &contents).await?;
    record.settings = state.settings;
    (record.turn, record.reference, record.lineage, record.missing) = (Some(turn), reference, lineage, missing);
    record.baseline = baseline;
    Ok(())
}

/// Writes what the stages depend on, after `finish` has chosen what is left open in it. Of several uploads under one key
/// the first to claim it does; the others take over what it wrote.
pub(crate) async fn freeze<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    mine: Frozen,
    shared: bool,
    finish: impl AsyncFnOnce(Frozen) -> Result<Frozen, Problem>,
) -> Result<Frozen, Problem> {
    let (kv, scan) = (context.kv, mine.record.id);
    if !shared {
        let mine = finish(mine).await?;
        document::put(kv, &keys::scan(scan), &mine).await?;
        return Ok(mine);
    }
    let claim = context.services.count(&Count::Claim { scan }).await?;
    // Whoever claimed before writes within moments of its turn, or has died.
    let tries = if claim == 1 { 0 } else { FROZEN_TRIES + turns::TRIES_MAX };
    for _ in 0..tries {
        if let Some(frozen) = Frozen::find(kv, scan).await? {
            return Ok(frozen);
        }
        context.services.pause().await;
    }
    let mine = finish(mine).await?;
    // Another may have been first after all, while this one waited for its turn: then that one's stands.
    if let Some(frozen) = Frozen::find(kv, scan).await? {
        return Ok(frozen);
    }
    document::put(kv, &keys::scan(scan), &mine).await?;
    Ok(Frozen::get(kv, scan).await?)
}

/// Checks that a request under a key that was used before is the same request.
fn same(frozen: &Frozen, request: &ScanRequest, received: &Upload) -> Result<(), Problem> {
    let sidecar = received.sidecar.as_ref().map(|sidecar| &sidecar.sha256);
    let what = if frozen.record.report_sha256 != received.report.sha256 {
        "another report"
    } else if frozen.record.source_sha256.as_ref() != sidecar {
        "other code beside the report"
    } else if frozen.record.request != *request {
        "other parameters"
    } else {
        return Ok(());
    };
    // Of another target's scan the caller may not know.
    let same_target = frozen.record.request.target == request.target;
    let of = if same_target { format!(", for scan {}", frozen.record.id) } else { String::new() };
    let detail = format!("the key was used with {what}{of}; use a new key");
    Err(Problem::new(Code::IdempotencyMismatch, detail))
}

fn ensure_type(state: &Project, request: &ScanRequest) -> Result<(), Problem> {
    match state.targets.get(&request.target) {
        Some(target) if target.target_type != request.target_type => {
            let refusal = other_type(&request.target, target.target_type, request.target_type);
            Err(Problem::new(Code::Conflict, format!("{refusal}; a target keeps its type")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Makes the target, if this is its first scan.
async fn ensure_target<K, S, V: Services>(
    context: &Context<'_, K, S, V>,
    state: &Project,
    request: &ScanRequest,
    scan: ScanId,
    by: &Actor,
) -> Result<(), Problem> {
    if state.targets.contains_key(&request.target) {
        return Ok(());
    }
    let event = ProjectEvent::TargetCreated { name: request.target.clone(), target_type: request.target_type };
    let append = Append {
        id: EventId::derived("v1:target-created", &[&scan.short().0]),
        by: by.clone(),
        event: AnyEvent::Project { event: Named { project: request.project.clone(), event } },
    };
    match context.services.append(&append).await?.refused {
        None => Ok(()),
        Some(refusal) => Err(Problem::new(Code::Conflict, refusal.reason)),
    }
}

/// Runs the stages that are not done, records the scan and answers. What is done is not done again.
async fn complete<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    frozen: &Frozen,
    may_be_done: bool,
) -> Result<ScanAnswer, Problem> {
    let (kv, record) = (context.kv, &frozen.record);
    if may_be_done && let Some(done) = document::find::<Answered<ScanAnswer>>(kv, &keys::answer(record.id)).await? {
        move_head(kv, frozen).await?;
        return Ok(done.answer);
    }
    let (answer, judged) = judge(context, frozen).await?;
    returned::give_back(context, record, &judged).await?;
    let position = recorded(context, frozen, &judged).await?;
    // Another upload under the same key may have judged at another moment: what it was answered stands.
    let key = keys::answer(record.id);
    let answer = match document::find::<Answered<ScanAnswer>>(kv, &key).await? {
        Some(done) => done.answer,
        None => {
            document::put(kv, &key, &Answered { v: 1, position, answer }).await?;
            document::get::<Answered<ScanAnswer>>(kv, &key).await?.answer
        }
    };
    move_head(kv, frozen).await?;
    Ok(answer)
}

/// Records the scan in its target's journal, and in that of its pipeline's run; gives the number of the first of these
/// events. A retry records it once more, and both folds count it once.
async fn recorded<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    frozen: &Frozen,
    judged: &GateResult,
) -> Result<u64, Problem> {
    let (record, request) = (&frozen.record, &frozen.record.request);
    let (project, target): (_, TargetId) = (&request.project, request.target_id());
    let event = ScanEvent {
        scan: record.id,
        variant: request.variant.clone(),
        scanner: record.tool.clone(),
        complete: record.is_complete(&frozen.report.summary),
        series: Some(record.series()),
        outcome: Outcome::new(record, &judged.judgement),
    };
    let append = async |recipe, event| {
        let id = EventId::derived(recipe, &[&record.id.short().0]);
        context.services.append(&Append { id, by: record.by.clone(), event }).await
    };
    let journal = JournalId::Scans { project: project.clone(), target };
    let position = append("v1:scan-recorded", AnyEvent::Scan { journal, event }).await?.n;
    if let (Some(pipeline), Some(execution)) = (&request.pipeline, &request.execution) {
        let execution = ExecutionId::of(pipeline, execution);
        let event = ExecutionEvent { scan: record.id };
        let event = AnyEvent::Execution { project: project.clone(), execution, event };
        append("v1:execution-recorded", event).await?;
    }
    Ok(position)
}

/// Runs the stages that are not done, and makes the answer of them.
pub(crate) async fn judge<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    frozen: &Frozen,
) -> Result<(ScanAnswer, GateResult), Problem> {
    let scan = frozen.record.id;
    for stage in Stage::ALL {
        context.services.run_stage(stage, scan).await?;
    }
    let judged = GateResult::get(context.kv, scan).await?;
    Ok((ScanAnswer::new(&frozen.record, &frozen.report, &judged.judgement), judged))
}

/// Makes the scan the one that the next is compared with, or, if it is incomplete, leaves word that there is such a one.
/// One that was given up, or is retried, must not move the head back behind a scan whose turn came later.
async fn move_head(kv: &impl Kv, frozen: &Frozen) -> Result<(), Problem> {
    let record = &frozen.record;
    let (target, variant) = (record.request.target_id(), &record.request.variant);
    let complete = record.is_complete(&frozen.report.summary);
    let key = if complete { keys::head } else { keys::head_incomplete };
    let key = key(target, variant, &record.tool, &record.categories);
    if complete {
        remember_parts(kv, record).await?;
    }
    let head = Head { v: 1, scan: record.id, received: record.received, turn: record.turn };
    let held: Option<Head> = document::find(kv, &key).await?;
    if held.is_none_or(|held| head.is_after(&held)) {
        document::put(kv, &key, &head).await?;
    }
    Ok(())
}
