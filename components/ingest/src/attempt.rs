//! An attempt to turn an upload into a frozen scan. A failed attempt leaves nothing behind in the store.

use crate::body::{UploadPart, UploadParts};
use crate::encryption::SegmentCipher;
use crate::ingest::Ingest;
use crate::parse::{ParseResult, ReportParser};
use crate::raw_segments::{AttemptSegments, StoredPart};
use crate::receive::{ReceivedPart, ReceivedUpload, receive};
use crate::sync_kv::SyncKv;
use crate::upload_request::UploadRequest;
use api::internal::{AnyEvent, Append, Services};
use api::problem::{Code, Problem};
use api::project_context::project_state;
use domain::digest::hex;
use domain::event::Actor;
use domain::ids::{EventId, ScanId, ScannerId};
use domain::project::{InProject, Project, ProjectEvent};
use domain::reference::Reference;
use domain::reference::facts::ReferenceChoice;
use domain::scan::ScanRecord;
use domain::series::Series;
use domain::version::Versions;
use store::kv::Kv;
use store::scans::{Frozen, RawReport, Written, discard, findings_list};

/// One attempt to receive, parse and freeze a scan. Several attempts may run for one `Idempotency-Key`; the segments of
/// each are under its own name.
pub(crate) struct Attempt<'a, K, S, V> {
    ingest: &'a Ingest<'a, K, S, V>,
    upload: &'a UploadRequest,
    scan: ScanId,
    uploader: &'a Actor,
    /// The name of the attempt: random.
    name: String,
    cipher: SegmentCipher,
    /// The numbers of segments written so far.
    written: Written,
}

impl<'a, K: Kv, S: SyncKv, V: Services> Attempt<'a, K, S, V> {
    pub(crate) fn new(
        ingest: &'a Ingest<'a, K, S, V>,
        upload: &'a UploadRequest,
        scan: ScanId,
        uploader: &'a Actor,
    ) -> Self {
        let (name, cipher) = (hex(&ingest.random), SegmentCipher::new(ingest.raw_key));
        Self { ingest, upload, scan, uploader, name, cipher, written: Written::default() }
    }

    /// Runs the attempt. Returns the frozen scan, which may be that of another attempt under the same `Idempotency-Key`.
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
        let parsed = self.parse(&received)?;
        let own = self.to_freeze(project, &received, parsed)?;
        // An upload that is refused here must not leave a frozen scan behind.
        self.ensure_target(project).await?;
        let frozen = self.freeze_in_turn(own).await?;
        received.check_same(&frozen, &self.upload.scan)?;
        Ok(frozen)
    }

    /// The raw segments of this attempt.
    fn segments(&self) -> AttemptSegments<'_> {
        AttemptSegments { scan: self.scan, attempt: &self.name, cipher: &self.cipher }
    }

    /// Receives the report and the sidecar, and stores them as raw segments.
    async fn receive(&mut self, parts: &mut impl UploadParts) -> Result<ReceivedUpload, Problem> {
        let mut written = Written::default();
        let received = receive(self.ingest.kv, Some(self.segments()), parts, &mut written).await;
        self.written = written;
        received
    }

    /// Parses the report, and stores its findings.
    fn parse(&mut self, received: &ReceivedUpload) -> Result<ParseResult, Problem> {
        let (sync, expected) = (self.ingest.sync, self.upload.expected);
        let report = self.stored(UploadPart::Report, &received.report);
        let sidecar = received.sidecar.as_ref().map(|sidecar| self.stored(UploadPart::Sidecar, sidecar));
        let mut written = 0;
        let parser = ReportParser { sync, expected, report, sidecar };
        let parsed = parser.parse(findings_list(self.scan, &self.name), &mut written);
        self.written.findings = written;
        parsed
    }

    fn stored<'b>(&'b self, kind: UploadPart, part: &'b ReceivedPart) -> StoredPart<'b, S> {
        StoredPart::new(self.ingest.sync, self.segments(), kind, part.segments).or_in_memory(part.in_memory())
    }

    /// The scan to freeze, without its turn and reference scan.
    fn to_freeze(&self, project: &Project, received: &ReceivedUpload, parsed: ParseResult) -> Result<Frozen, Problem> {
        let ReceivedUpload { report, sidecar } = received;
        let raw = self.cipher.to_stored(&self.ingest.storage_key, parsed.holds_secrets, report.segments)?;
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
            by: self.uploader.clone(),
            received: self.ingest.now,
            report_sha256: report.sha256.clone(),
            report_bytes: report.bytes,
            source: parsed.revision.filter(|revision| !revision.is_empty()),
            source_sha256: sidecar.as_ref().map(|sidecar| sidecar.sha256.clone()),
            settings: project.settings.clone(),
            versions: Versions::CURRENT,
            replay_of: None,
            replayed: None,
        };
        Ok(Frozen {
            record,
            report: parsed.report,
            attempt: self.name.clone(),
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
        let event = ProjectEvent::TargetCreated { name: request.target.clone(), target_type: request.target_type };
        let append = Append {
            id: EventId::derived("v1:target-created", &[&self.scan.short().0]),
            by: self.uploader.clone(),
            event: AnyEvent::Project { event: InProject { project: request.project.clone(), event } },
        };
        match self.ingest.services.append(&append).await?.refused {
            None => Ok(()),
            Some(refusal) => Err(Problem::new(Code::Conflict, refusal.reason)),
        }
    }

    /// Waits for the scan's turn, chooses its reference scan and freezes it. Finishes the turn if this attempt did not
    /// freeze the scan.
    async fn freeze_in_turn(&self, own: Frozen) -> Result<Frozen, Problem> {
        let shared = self.upload.idempotency_key.is_some();
        if shared && let Some(frozen) = self.ingest.claim(self.scan).await? {
            return Ok(frozen);
        }
        let (request, tool): (_, ScannerId) = (&self.upload.scan, own.record.tool.clone());
        let turn = self.ingest.wait_for_turn(request, &tool, own.findings.records).await?;
        let frozen = self.freeze_now(own, turn, shared).await;
        if !frozen.as_ref().is_ok_and(|frozen| self.is_own(frozen)) {
            self.ingest.finish_turn(request, &tool, turn).await?;
        }
        frozen
    }

    /// Chooses the reference scan, and freezes the scan unless another attempt did.
    async fn freeze_now(&self, mut own: Frozen, turn: u64, shared: bool) -> Result<Frozen, Problem> {
        let record = &mut own.record;
        // Read again: the report may have taken minutes to arrive.
        let project = project_state(self.ingest.kv, &record.request.project, self.ingest.now).await?;
        let series = Series { tool: record.tool.clone(), categories: record.categories.clone() };
        let choice = self.ingest.choose_reference(&project, &record.request, series, &record.parts).await?;
        let ReferenceChoice { reference, lineage, missing, baseline } = choice;
        record.settings = project.settings;
        record.turn = Some(turn);
        (record.reference, record.lineage, record.missing, record.baseline) = (reference, lineage, missing, baseline);
        if shared {
            return self.ingest.freeze_claimed(&own).await;
        }
        self.ingest.freeze(&own).await?;
        Ok(own)
    }

    fn is_own(&self, frozen: &Frozen) -> bool {
        frozen.attempt == self.name
    }

    /// Removes the segments that no scan needs: all of them if the attempt failed or another attempt froze the scan, and
    /// the raw segments if the raw report must not be kept.
    async fn discard(&self, frozen: Option<&Frozen>) -> Result<(), Problem> {
        let unused = match frozen.filter(|frozen| self.is_own(frozen)) {
            Some(own) if own.raw == RawReport::Removed => Written { findings: 0, ..self.written },
            Some(_) => return Ok(()),
            None => self.written,
        };
        Ok(discard(self.ingest.kv, self.scan, &self.name, unused).await?)
    }
}
