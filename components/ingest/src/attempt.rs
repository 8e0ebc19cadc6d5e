//! An attempt to turn an upload into a frozen scan. A failed attempt leaves nothing behind in the store.

use crate::body::UploadParts;
use crate::encryption;
use crate::freeze::Claimed;
use crate::ingest::Ingest;
use crate::life::{First, while_alive};
use crate::receive::{ReceivedUpload, receive};
use crate::upload::check_limits;
use crate::upload_request::UploadRequest;
use api::auth::Identity;
use api::internal::{AnyEvent, Append, Count, ParseRequest, ParseResult, Services};
use api::problem::{Code, Problem};
use api::project_context::project_state;
use domain::event::Actor;
use domain::ids::{EventId, ScanId};
use domain::limits::{SERIES_OF_TOKEN_PER_DAY_MAX, TARGETS_OF_TOKEN_MAX};
use domain::project::{InProject, Project, ProjectEvent};
use domain::reference::Reference;
use domain::reference::facts::ReferenceChoice;
use domain::scan::{ScanRecord, UploadTrust};
use domain::trend::Day;
use domain::upload_limits::UploadLimits;
use domain::version::Versions;
use store::keys;
use store::kv::Kv;
use store::raw::{RawKey, RawSegments};
use store::scans::{Frozen, RawReport, Written, discard, discard_findings, findings_list};

/// One attempt to receive, parse and freeze a scan. Several attempts may run for one `Idempotency-Key`; the segments of
/// each are under its own name.
pub(crate) struct Attempt<'a, K, V> {
    ingest: &'a Ingest<'a, K, V>,
    upload: &'a UploadRequest,
    scan: ScanId,
    uploader: &'a Actor,
    /// The limits of the uploader's token.
    uploads: &'a UploadLimits,
    /// The raw segments, under the name of the attempt, which is random.
    segments: RawSegments,
    /// The numbers of segments written so far.
    written: Written,
}

impl<'a, K: Kv, V: Services> Attempt<'a, K, V> {
    pub(crate) fn new(
        ingest: &'a Ingest<'a, K, V>,
        upload: &'a UploadRequest,
        scan: ScanId,
        caller: &'a Identity,
    ) -> Self {
        let (uploader, uploads) = (&caller.actor, caller.uploads());
        let segments = RawSegments { scan, attempt: ingest.attempt(), key: RawKey::new(ingest.raw_key) };
        Self { ingest, upload, scan, uploader, uploads, segments, written: Written::default() }
    }

    /// Runs the attempt. Returns the frozen scan, which may be that of another attempt under the same
    /// `Idempotency-Key`.
    ///
    /// # Errors
    /// A problem for the uploader.
    pub(crate) async fn run(mut self, project: &Project, parts: &mut impl UploadParts) -> Result<Frozen, Problem> {
        let frozen = self.receive_and_freeze(project, parts).await;
        self.discard(frozen.as_ref().ok()).await?;
        frozen
    }

    async fn receive_and_freeze(&mut self, project: &Project, parts: &mut impl UploadParts) -> Result<Frozen, Problem> {
        let received = self.receive(parts).await?;
        let parsed = self.parse(&received).await?;
        let own = self.to_freeze(project, &received, parsed)?;
        // An upload that is refused here must not leave a frozen scan behind.
        self.ensure_target(project).await?;
        let frozen = self.freeze_in_turn(own).await?;
        received.check_same(&frozen, &self.upload.scan)?;
        Ok(frozen)
    }

    /// Receives the report and the sidecar, and stores them as raw segments.
    async fn receive(&mut self, parts: &mut impl UploadParts) -> Result<ReceivedUpload, Problem> {
        let mut written = Written::default();
        let received = receive(self.ingest.kv, Some(&self.segments), parts, &mut written).await;
        self.written = written;
        received
    }

    /// Has the report parsed, and its findings stored.
    async fn parse(&mut self, received: &ReceivedUpload) -> Result<ParseResult, Problem> {
        let findings = findings_list(self.scan, &self.segments.attempt);
        let request = ParseRequest {
            raw: self.segments.clone(),
            report: received.report.segments,
            sidecar: received.sidecar.as_ref().map(|sidecar| sidecar.segments),
            scanner: self.upload.scan.scanner.clone(),
            findings: findings.clone(),
        };
        match self.ingest.services.parse(&request).await {
            Ok(parsed) => {
                self.written.findings = parsed.findings.segments();
                Ok(parsed)
            }
            Err(problem) => {
                // The parser may have died: its word on what it wrote would be missing too.
                discard_findings(self.ingest.kv, &findings).await?;
                Err(problem)
            }
        }
    }

    /// The scan to freeze, without its turn and reference scan.
    fn to_freeze(&self, project: &Project, received: &ReceivedUpload, parsed: ParseResult) -> Result<Frozen, Problem> {
        let ReceivedUpload { report, sidecar } = received;
        let raw =
            encryption::to_stored(&self.segments.key, &self.ingest.storage_key, parsed.holds_secrets, report.segments)?;
        let sidecar_kept = sidecar.as_ref().filter(|_| raw != RawReport::Removed);
        let record = ScanRecord {
            v: 1,
            id: self.scan,
            request: self.upload.scan.clone(),
            reference: Reference::None,
            lineage: None,
            baseline: false,
            turn: None,
            tool: parsed.tool,
            format: parsed.format,
            categories: parsed.categories,
            parts: parsed.parts,
            missing: Vec::new(),
            dropped: None,
            by: self.uploader.clone(),
            received: self.ingest.now,
            report_sha256: report.sha256.clone(),
            report_bytes: report.bytes,
            source: parsed.revision.filter(|revision| !revision.is_empty()),
            source_sha256: sidecar.as_ref().map(|sidecar| sidecar.sha256.clone()),
            settings: project.settings.clone(),
            versions: Versions::CURRENT,
            replay_of: None,
            same_report: None,
            older_than: None,
            trust: UploadTrust::of(self.uploads),
            replayed: None,
        };
        Ok(Frozen {
            record,
            report: parsed.report,
            attempt: self.segments.attempt.clone(),
            raw,
            source: sidecar_kept.map(|sidecar| sidecar.segments),
            findings: parsed.findings,
            findings_of: None,
        })
    }

    /// Creates the target, if this is its first scan.
    async fn ensure_target(&self, project: &Project) -> Result<(), Problem> {
        let request = &self.upload.scan;
        if project.targets.contains_key(&request.target) {
            return Ok(());
        }
        if let Some(token) = self.uploader.token.filter(|token| project.targets_of(*token) >= TARGETS_OF_TOKEN_MAX) {
            let detail = format!(
                "the token {token} created {TARGETS_OF_TOKEN_MAX} targets, the maximum of one token; create the target \
                 `{}` with another one",
                request.target
            );
            return Err(Problem::new(Code::Conflict, detail));
        }
        let event = ProjectEvent::TargetCreated { name: request.target.clone(), target_type: request.target_type };
        let append = Append {
            id: EventId::derived("v1:target-created", &[&self.scan.short().0]),
            by: self.uploader.clone(),
            event: AnyEvent::Project { event: InProject { project: request.project.clone(), event } },
        };
        match self.ingest.services.append(&append).await?.refused {
            None => Ok(()),
            Some(refusal) => Err(refusal.into()),
        }
    }

    /// Waits for the scan's turn, chooses its reference scan and freezes it. Finishes the turn if this attempt did not
    /// freeze the scan. Shows signs of life meanwhile.
    async fn freeze_in_turn(&self, own: Frozen) -> Result<Frozen, Problem> {
        let ingest = self.ingest;
        let mut turns = ingest.turns(&self.upload.scan, &own.record.tool);
        let shared = self.upload.idempotency_key.is_some();
        let first = match shared {
            true => match ingest.claim(self.scan, Some(&mut turns)).await? {
                Claimed::Frozen(frozen) => return Ok(*frozen),
                Claimed::Own(first) => first,
            },
            false => First::Later,
        };
        let turn = turns.take().await?;
        let signs: Vec<_> = [turns.sign(turn)].into_iter().chain(shared.then(|| keys::scan_claim(self.scan))).collect();
        let mut has_come = false;
        let frozen = while_alive(ingest.kv, ingest.services, &signs, first, async {
            turns.wait(turn).await?;
            has_come = true;
            self.freeze_now(own, turn, shared).await
        });
        let frozen = frozen.await;
        if has_come && !frozen.as_ref().is_ok_and(|frozen| self.ingest.froze(frozen)) {
            turns.finish(turn).await?;
        }
        frozen
    }

    /// Chooses the reference scan, and freezes the scan unless another attempt did.
    async fn freeze_now(&self, mut own: Frozen, turn: u64, shared: bool) -> Result<Frozen, Problem> {
        // Read again: the report may have taken minutes to arrive.
        let project = project_state(self.ingest.kv, &own.record.request.project, self.ingest.now).await?;
        // The baseline may be another one by now.
        check_limits(&project, &own.record.request, self.uploads, own.record.by.role)?;
        let choice = self.ingest.choose_reference(&project, &own).await?;
        let ReferenceChoice { reference, lineage, missing, dropped, baseline, same_report, older_than, begins_series } =
            choice;
        if begins_series {
            self.count_series().await?;
        }
        let record = &mut own.record;
        (record.same_report, record.older_than, record.dropped) = (same_report, older_than, dropped);
        record.settings = project.settings;
        record.turn = Some(turn);
        (record.reference, record.lineage, record.missing, record.baseline) = (reference, lineage, missing, baseline);
        if shared {
            return self.ingest.freeze_claimed(&own).await;
        }
        self.ingest.freeze(&own).await?;
        Ok(own)
    }

    /// Counts a series that the uploader's token begins.
    async fn count_series(&self) -> Result<(), Problem> {
        // The installation's own admin token has no limit.
        let Some(token) = self.uploader.token else { return Ok(()) };
        let request = &self.upload.scan;
        let count = Count::Series { token, target: request.target_id(), day: Day::of(self.ingest.now) };
        if self.ingest.services.count(&count).await? <= SERIES_OF_TOKEN_PER_DAY_MAX {
            return Ok(());
        }
        let detail = format!(
            "the token {token} has had {SERIES_OF_TOKEN_PER_DAY_MAX} first scans of variants of the target `{}` today \
             (UTC), the maximum of one token; upload the scan of `{}` with another one, or tomorrow",
            request.target, request.variant
        );
        Err(Problem::new(Code::Conflict, detail))
    }

    /// Removes the segments that no scan needs: all of them if the attempt failed or another attempt froze the scan,
    /// and the raw segments if the raw report must not be kept.
    async fn discard(&self, frozen: Option<&Frozen>) -> Result<(), Problem> {
        let unused = match frozen.filter(|frozen| self.ingest.froze(frozen)) {
            Some(own) if own.raw == RawReport::Removed => Written { findings: 0, ..self.written },
            Some(_) => return Ok(()),
            None => self.written,
        };
        Ok(discard(self.ingest.kv, self.scan, &self.segments.attempt, unused).await?)
    }
}
