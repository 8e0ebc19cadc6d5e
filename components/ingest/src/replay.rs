//! A replay: reads a scan's raw report again with the current parsers, judges it as the original was judged, and
//! returns both results.
//!
//! A replay does not count: it is in no journal, it is never a reference scan, and it does not change the original.

use crate::encryption::stored_key;
use crate::freeze::Claimed;
use crate::ingest::Ingest;
use crate::life::while_alive;
use crate::upload_request::find_scanner;
use api::auth::Identity;
use api::internal::{Hold, ParseRequest, ParseResult, Services};
use api::problem::{Code, Problem};
use api::scan_answer::scan_answer;
use api::v1::{ReplayAnswer, ScanAnswer};
use domain::ids::{ProjectId, ScanId};
use domain::replay::{ReplaySource, Replayed, ScanResult, differences};
use domain::scan::ScanRecord;
use domain::version::Versions;
use std::collections::BTreeMap;
use store::kv::Kv;
use store::raw::{RawKey, RawSegments};
use store::replay_rows::{fill_titles, read_rows, row_counts};
use store::scans::{Answered, Frozen, RawReport, discard_findings, findings_list};
use store::{document, keys};

/// The memory that comparing needs for each issue of either result, in bytes.
const BYTES_PER_ISSUE: usize = 80;
/// The memory that comparing needs for each occurrence of either result, in bytes.
const BYTES_PER_OCCURRENCE: usize = 32;

/// The parameters of a replay.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    /// The project.
    pub project: ProjectId,
    /// The scan to replay.
    pub scan: ScanId,
    /// The versions of the parsers and the matcher to replay it with.
    pub versions: Versions,
}

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Replays a scan, and compares the result with the original's. A repeated replay with the same versions returns
    /// the first one. `hold` waits for a share of memory.
    ///
    /// # Errors
    /// A problem for the caller. If the replay is retried, the steps that are done are not repeated.
    pub async fn replay(&self, caller: &Identity, replay: ReplayRequest, hold: Hold) -> Result<ReplayAnswer, Problem> {
        let answer = scan_answer(self.kv, caller, &replay.project, replay.scan).await?;
        let original = Frozen::get(self.kv, replay.scan).await?;
        if let Some(first) = original.record.replay_of {
            let detail = format!("scan {} is a replay itself; replay its original, scan {first}", replay.scan);
            return Err(Problem::new(Code::NotReplayable, detail));
        }
        let (raw_report, origin, versions) = match stored_key(&original.raw, &self.storage_key) {
            Ok(raw_report) => (Some(raw_report), ReplaySource::Report, replay.versions),
            // The findings were made by the original's parsers.
            Err(reason) => {
                let parsers = original.record.versions.parsers;
                (None, ReplaySource::Findings { reason }, Versions { parsers, ..replay.versions })
            }
        };
        let id = ScanId::of_replay(original.record.id, versions);
        let frozen = match Frozen::find(self.kv, id).await? {
            Some(frozen) => frozen,
            None => {
                let replayed = Replayed { at: self.now, by: caller.actor.clone(), origin };
                let record = ScanRecord {
                    id,
                    versions,
                    replay_of: Some(original.record.id),
                    replayed: Some(replayed),
                    ..original.record.clone()
                };
                match &raw_report {
                    Some((key, segments)) => self.read_again(&original, record, key, *segments).await?,
                    None => self.claim_and_freeze(from_findings(&original, record)).await?,
                }
            }
        };
        let replayed = self.complete_replay(&frozen).await?;
        self.compare_results((&original, answer), (&frozen, replayed), hold).await
    }

    /// Has the raw report parsed again and freezes the result. Removes the new findings if this fails, or if another
    /// replay was faster.
    async fn read_again(
        &self,
        original: &Frozen,
        record: ScanRecord,
        key: &RawKey,
        segments: u32,
    ) -> Result<Frozen, Problem> {
        let attempt = self.attempt();
        let findings = findings_list(record.id, &attempt);
        let frozen = match self.parse_again(original, record, &attempt, key, segments).await {
            Ok(own) => self.claim_and_freeze(own).await,
            Err(problem) => Err(problem),
        };
        if !frozen.as_ref().is_ok_and(|frozen| self.froze(frozen)) {
            discard_findings(self.kv, &findings).await?;
        }
        frozen
    }

    /// Has the raw report parsed again. The new findings are in the store when this returns.
    async fn parse_again(
        &self,
        original: &Frozen,
        record: ScanRecord,
        attempt: &str,
        key: &RawKey,
        segments: u32,
    ) -> Result<Frozen, Problem> {
        find_scanner(record.request.scanner.as_str()).map_err(|problem| refused_now(&problem))?;
        let (scan, of_original) = (original.record.id, original.attempt.clone());
        let request = ParseRequest {
            raw: RawSegments { scan, attempt: of_original, key: key.clone() },
            report: segments,
            sidecar: original.source,
            scanner: record.request.scanner.clone(),
            findings: findings_list(record.id, attempt),
        };
        let parsed = self.services.parse(&request).await.map_err(|problem| refused_now(&problem))?;
        let ParseResult { tool, format, report, findings, .. } = parsed;
        Ok(Frozen {
            record: ScanRecord { tool, format, ..record },
            report,
            attempt: attempt.to_owned(),
            raw: RawReport::OfOriginal,
            source: original.source,
            findings,
            findings_of: None,
        })
    }

    /// Freezes a replay. Of several at once with the same versions, one does it.
    async fn claim_and_freeze(&self, own: Frozen) -> Result<Frozen, Problem> {
        let scan = own.record.id;
        match self.claim(scan, None).await? {
            Claimed::Frozen(frozen) => Ok(*frozen),
            Claimed::Own(first) => {
                let signs = [keys::scan_claim(scan)];
                while_alive(self.kv, self.services, &signs, first, self.freeze_claimed(&own)).await
            }
        }
    }

    /// Runs the stages that are not done, and stores the answer.
    async fn complete_replay(&self, frozen: &Frozen) -> Result<ScanAnswer, Problem> {
        if let Some(answer) = self.find_answered(frozen.record.id).await? {
            return Ok(answer);
        }
        let (answer, _) = self.run_stages(frozen).await?;
        document::put(
            self.kv,
            &keys::answer(frozen.record.id),
            &Answered { v: 1, position: 0, answer: answer.clone() },
        )
        .await?;
        Ok(answer)
    }

    /// Makes the answer to a replay: both results, and the differences.
    async fn compare_results(
        &self,
        (original, original_answer): (&Frozen, ScanAnswer),
        (replay, replay_answer): (&Frozen, ScanAnswer),
        hold: Hold,
    ) -> Result<ReplayAnswer, Problem> {
        let scans = [original.record.id, replay.record.id];
        let mut bytes = 0_usize;
        for scan in scans {
            let (issues, occurrences) = row_counts(self.kv, scan).await?;
            bytes = bytes.saturating_add(issues.saturating_mul(BYTES_PER_ISSUE));
            bytes = bytes.saturating_add(occurrences.saturating_mul(BYTES_PER_OCCURRENCE));
        }
        let _share = hold(bytes).await;
        let [before, now] = scans;
        let differences =
            differences(self.outcome(before, &original_answer).await?, self.outcome(now, &replay_answer).await?);
        let mut titles: BTreeMap<_, _> = differences.examples.iter().map(|example| (example.issue, None)).collect();
        for scan in [now, before] {
            fill_titles(self.kv, scan, &mut titles).await?;
        }
        let (original, replay) = ((&original.record, original_answer), (&replay.record, replay_answer));
        Ok(ReplayAnswer::new(original, replay, differences, &titles))
    }

    async fn outcome(&self, scan: ScanId, answer: &ScanAnswer) -> Result<ScanResult, Problem> {
        let (issues, occurrences) = read_rows(self.kv, scan).await?;
        Ok(ScanResult { verdict: answer.verdict, variables: answer.variables.clone(), issues, occurrences })
    }
}

/// A replay that starts from the original's findings: they are grouped and compared again.
fn from_findings(original: &Frozen, record: ScanRecord) -> Frozen {
    Frozen {
        record,
        raw: RawReport::OfOriginal,
        findings_of: Some(original.findings_of.unwrap_or(original.record.id)),
        ..original.clone()
    }
}

/// The problem for a report that was accepted before and is refused now. The caller sent no report, so the error is not
/// theirs.
fn refused_now(problem: &Problem) -> Problem {
    match problem.code.status() {
        500.. => problem.clone(),
        _ => {
            let Problem { code, detail } = problem;
            let code = code.as_str();
            let detail = format!(
                "the current parsers refuse the report, which was accepted when it was uploaded ({code}: {detail}); the \
                 scan is unchanged"
            );
            Problem::new(Code::NotReplayable, detail)
        }
    }
}
