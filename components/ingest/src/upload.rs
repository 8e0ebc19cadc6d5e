//! One upload, from its first byte to its verdict. The steps are those of ARCHITECTURE.md, "One upload".

use crate::attempt::Attempt;
use crate::body::UploadParts;
use crate::ingest::Ingest;
use crate::life::{First, while_alive};
use crate::receive::receive;
use crate::take_over::Completion;
use crate::upload_request::UploadRequest;
use api::auth::Identity;
use api::internal::{AnyEvent, Append, Services, Stage};
use api::problem::{Code, Problem};
use api::project_context::project_state;
use api::v1::ScanAnswer;
use domain::execution::ExecutionEvent;
use domain::head::{Head, JudgedScan, SeenReport, SeriesScan};
use domain::ids::{EventId, ExecutionId, ScanId, TargetId};
use domain::journal::JournalId;
use domain::project::{Project, type_mismatch};
use domain::role::{Right, Role};
use domain::scan::ScanRequest;
use domain::scan_event::ScanEvent;
use domain::settings::BaselineChanges;
use domain::upload_limits::{UploadLimits, UploadRefusal, may_accept_missing};
use domain::verdict::Verdict;
use store::kv::Kv;
use store::scans::{Answered, Frozen, GateResult, Written};
use store::{document, keys};

/// The result of an upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Uploaded {
    /// The answer.
    pub answer: ScanAnswer,
    /// True if an earlier request under the same `Idempotency-Key` had this answer already.
    pub is_repeated: bool,
}

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Runs an upload.
    ///
    /// # Errors
    /// A problem for the uploader. A failed upload does not count. If it is retried under the same key, the steps that
    /// are done are not repeated.
    pub async fn upload(
        &self,
        caller: &Identity,
        upload: UploadRequest,
        parts: &mut impl UploadParts,
    ) -> Result<Uploaded, Problem> {
        let request = &upload.scan;
        caller.require_target(&request.project, &request.target, Right::Upload)?;
        let project = project_state(self.kv, &request.project, self.now).await?;
        check_target_type(&project, request)?;
        check_limits(&project, request, caller.uploads(), caller.actor.role)?;
        let (scan, known) = match &upload.idempotency_key {
            // Exactly the subject: two spellings of one may be two people.
            Some(key) => self.scan_of_key(&caller.actor.subject, request, key).await?,
            None => (ScanId::from_bits(self.random), None),
        };
        let frozen = match known {
            Some(frozen) => {
                let received = receive(self.kv, None, parts, &mut Written::default()).await?;
                received.check_same(&frozen, request)?;
                frozen
            }
            None => Attempt::new(self, &upload, scan, caller).run(&project, parts).await?,
        };
        let turns = self.turns(&frozen.record.request, &frozen.record.tool);
        // Scans that were frozen before there were turns have none.
        let turn = frozen.record.turn;
        let sign = turn.map_or_else(|| keys::scan_claim(scan), |turn| turns.sign(turn));
        let is_own = self.froze(&frozen);
        let other = if is_own { Completion::TakenOver } else { self.wait_for_completion(scan, &sign).await? };
        let completed = match other {
            // The request that answered may have died before it moved the head.
            Completion::Done(answer) => {
                let moved = self.move_head(&frozen, answer.verdict).await;
                moved.map(|()| Uploaded { answer: *answer, is_repeated: true })
            }
            Completion::TakenOver => {
                let first = if is_own { First::Later } else { First::AtOnce };
                let completed = self.complete(&frozen, upload.idempotency_key.is_some());
                while_alive(self.kv, self.services, &[sign], first, completed).await
            }
        };
        // Even after an error: the next scan does not depend on the outcome.
        if let Some(turn) = turn {
            turns.finish(turn).await?;
        }
        completed
    }

    /// Runs the stages of a frozen scan that are not done, records the scan and answers.
    async fn complete(&self, frozen: &Frozen, is_keyed: bool) -> Result<Uploaded, Problem> {
        let record = &frozen.record;
        let (answer, judged) = self.run_stages(frozen).await?;
        self.return_to_review(record, &judged).await?;
        let position = self.record_scan(frozen, &judged).await?;
        // A retry may have taken this request for dead, and answered. The stored answer is final.
        let stored = if is_keyed { self.find_answered(record.id).await? } else { None };
        let is_repeated = stored.is_some();
        let answer = match stored {
            Some(answer) => answer,
            None => {
                let answered = Answered { v: 1, position, answer };
                document::put(self.kv, &keys::answer(record.id), &answered).await?;
                answered.answer
            }
        };
        self.move_head(frozen, answer.verdict).await?;
        Ok(Uploaded { answer, is_repeated })
    }

    /// Runs the stages of a frozen scan that are not done. Returns the answer and the gate's result.
    pub(crate) async fn run_stages(&self, frozen: &Frozen) -> Result<(ScanAnswer, GateResult), Problem> {
        let scan = frozen.record.id;
        for stage in Stage::ALL {
            self.services.run_stage(stage, scan).await?;
        }
        let judged = GateResult::get(self.kv, scan).await?;
        let answer = ScanAnswer::new(&frozen.record, &frozen.report, &judged.judgement);
        Ok((ScanAnswer { judged_at: Some(judged.at.to_string()), ..answer }, judged))
    }

    /// Records a scan in the journal of its target, and in that of its pipeline run. Returns the number of the first
    /// event. A retry records it again, and the folds count it once.
    async fn record_scan(&self, frozen: &Frozen, judged: &GateResult) -> Result<u64, Problem> {
        let (record, request) = (&frozen.record, &frozen.record.request);
        let (project, target): (_, TargetId) = (&request.project, request.target_id());
        let event = ScanEvent {
            scan: record.id,
            variant: request.variant.clone(),
            scanner: record.tool.clone(),
            complete: record.is_complete(&frozen.report.summary),
            series: Some(record.series()),
            untrusted: record.trust.untrusted,
            outcome: judged.judgement.outcome(record),
        };
        let append = async |recipe, event| {
            let id = EventId::derived(recipe, &[&record.id.short().0]);
            self.services.append(&Append { id, by: record.by.clone(), event }).await
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

    /// Makes a complete scan the head of its series, or notes that the series has an incomplete scan. A scan never
    /// replaces a head whose turn came later: it may be a retry, or late.
    async fn move_head(&self, frozen: &Frozen, verdict: Verdict) -> Result<(), Problem> {
        let record = &frozen.record;
        let (target, variant) = (record.request.target_id(), &record.request.variant);
        let complete = record.is_complete(&frozen.report.summary);
        let key = if complete { keys::head } else { keys::head_incomplete };
        let key = key(target, variant, &record.tool, &record.categories);
        if complete {
            self.remember_parts(record).await?;
        }
        let current: Option<Head> = document::find(self.kv, &key).await?;
        let judged = JudgedScan::of(record, verdict)
            .map_err(|error| Problem::internal(format!("a pattern of the criteria: {error}")))?;
        let own = SeriesScan::of(record, &frozen.report);
        let head = Head::after(current.as_ref(), own, SeenReport::of(record), complete.then_some(&judged));
        if current.is_none_or(|current| current != head) {
            document::put(self.kv, &key, &head).await?;
        }
        Ok(())
    }
}

/// Checks that a token with these limits and this role may make an upload.
///
/// # Errors
/// `Forbidden` with the reason, or a stored pattern is invalid.
pub(crate) fn check_limits(
    project: &Project,
    request: &ScanRequest,
    limits: &UploadLimits,
    role: Role,
) -> Result<(), Problem> {
    let chosen = project.baseline(&request.target, request.target_type);
    let free = project.settings.baseline_changes == BaselineChanges::Developer;
    let checked = match request.accept_missing && !may_accept_missing(role) && !free {
        true => Err(UploadRefusal::AcceptMissing),
        false => limits.check(request, &chosen),
    };
    checked.map_err(|refusal| match refusal {
        UploadRefusal::Pattern(_) => Problem::internal(refusal.to_string()),
        UploadRefusal::Variant { .. }
        | UploadRefusal::Baseline(_)
        | UploadRefusal::Pipeline { .. }
        | UploadRefusal::AcceptMissing => Problem::new(Code::Forbidden, refusal.to_string()),
    })
}

fn check_target_type(project: &Project, request: &ScanRequest) -> Result<(), Problem> {
    match project.targets.get(&request.target) {
        Some(target) if target.target_type != request.target_type => {
            let refusal = type_mismatch(&request.target, target.target_type, request.target_type);
            Err(Problem::new(Code::Conflict, format!("{refusal}; the type of a target cannot be changed")))
        }
        Some(_) | None => Ok(()),
    }
}
