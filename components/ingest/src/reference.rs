//! Reads the facts that decide with which scan a new one is compared, and which parts its report lacks. The decision is
//! made once, in [`domain::reference::facts`], and frozen into the scan.

use crate::ingest::Ingest;
use api::internal::Services;
use api::problem::Problem;
use domain::baseline::{Baseline, ChosenBaseline, PatternError};
use domain::head::{AcceptedScan, Head, SeenReport, SeriesScan};
use domain::ids::{ScanId, ScannerId, TargetId, VariantName};
use domain::journal::JournalId;
use domain::parts::{KnownParts, PartSet};
use domain::project::Project;
use domain::reference::choose::{BaselineScan, ResolvedBaseline, ScannedVariant};
use domain::reference::facts::{PreviousScan, ReferenceChoice, ReferenceFacts, ReportSeries};
use domain::report_age::NewerReport;
use domain::scan::{ScanRecord, ScanRequest};
use domain::scan_log::ScanLog;
use domain::series::Series;
use std::time::Duration;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, journal, keys, poll};

/// The time that a recorded scan may need until it is answered.
const ANSWER_WAIT: Duration = Duration::from_millis(200);
/// The tool of a report by several tools.
const SEVERAL_TOOLS: &str = "sarif";

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Chooses the reference scan of the scan `own`, as the baseline, the heads and the target's other scans are now.
    ///
    /// # Errors
    /// The store failed, or the stored baseline is not valid.
    pub(crate) async fn choose_reference(&self, project: &Project, own: &Frozen) -> Result<ReferenceChoice, Problem> {
        let record = &own.record;
        let (request, parts) = (&record.request, record.parts.as_slice());
        let series = Series { tool: record.tool.clone(), categories: record.categories.clone() };
        let chosen = project.baseline(&request.target, request.target_type);
        let own_known = self.known_parts(request, &request.variant, &series.tool, parts).await?;
        let mut found = ReportSeries::find(&series, parts, own_known.as_ref());
        let mut head = self.head(request, &request.variant, &found.series).await?;
        let scanned_before = head.as_ref().and_then(Head::newest_trusted).is_some();
        let resolved = self.resolve_baseline(&chosen, request, scanned_before).await?;
        let baseline = resolved.other_than(&request.variant);
        if let (None, Some(baseline)) = (own_known, baseline) {
            // Nothing is known of the variant's own reports: those of the baseline show what is missing.
            let baseline_known = self.known_parts(request, baseline, &series.tool, parts).await?;
            let found_by_baseline = ReportSeries::find(&series, parts, baseline_known.as_ref());
            if found_by_baseline != found {
                found = found_by_baseline;
                head = self.head(request, &request.variant, &found.series).await?;
            }
        }
        let of_baseline = match baseline {
            Some(baseline) => self.scan_of_baseline(request, &resolved, baseline, &found.series).await?,
            None => BaselineScan::None,
        };
        let accepted = match (&head, &resolved) {
            (Some(head), ResolvedBaseline::Variant(..) | ResolvedBaseline::None) if baseline.is_none() => {
                self.accepted(record, &found.series, head).await?
            }
            (_, _) => None,
        };
        let lacking = found.lacking;
        let same_report = head.as_ref().and_then(|head| head.same_report(&SeenReport::of(record)));
        // A scan that is compared with another variant needs no decision of a reviewer.
        let newest_accepted = accepted.or_else(|| head.as_ref().and_then(Head::accepted));
        let older_than = NewerReport::find(newest_accepted.as_ref(), own.report.made_at, record.received);
        let accepted = accepted.map(|accepted| accepted.scan);
        let previous = match head.map(|head| head.newest.scan) {
            // Only these parts can show what is missing.
            Some(scan) if lacking.is_empty() && !parts.is_empty() => {
                Some(PreviousScan { scan, parts: Frozen::get(self.kv, scan).await?.record.parts })
            }
            Some(scan) => Some(PreviousScan { scan, parts: Vec::new() }),
            None => None,
        };
        let (chosen, resolved) = (&chosen, &resolved);
        let facts = ReferenceFacts {
            request,
            parts,
            lacking,
            chosen,
            resolved,
            of_baseline,
            previous,
            accepted,
            same_report,
            older_than,
        };
        facts.choose().map_err(|error| invalid_baseline(&error))
    }

    /// Resolves the baseline to a variant. The target's journal is read only if the baseline is a pattern.
    async fn resolve_baseline(
        &self,
        chosen: &ChosenBaseline,
        request: &ScanRequest,
        scanned_before: bool,
    ) -> Result<ResolvedBaseline, Problem> {
        let log = if let Some(Baseline::Regex(_)) = &chosen.baseline {
            let journal = JournalId::Scans { project: request.project.clone(), target: request.target_id() };
            journal::load::<ScanLog>(self.kv, &journal, self.now).await?.state
        } else {
            ScanLog::default()
        };
        let scanned = ScannedVariant { variant: &request.variant, before: scanned_before };
        chosen.resolve(Some(scanned), &log).map_err(|error| invalid_baseline(&error))
    }

    /// The newest scan of the baseline in a series by a trusted token.
    async fn scan_of_baseline(
        &self,
        request: &ScanRequest,
        resolved: &ResolvedBaseline,
        baseline: &VariantName,
        series: &Series,
    ) -> Result<BaselineScan, Problem> {
        // A scan is in the journal a moment before it is the head.
        if let Some(scan) = resolved.newest_of(series)
            && self.wait_for_answer(scan).await?
        {
            return Ok(BaselineScan::Complete(scan));
        }
        if let Some(head) = self.head(request, baseline, series).await? {
            let trusted = head.newest_trusted();
            return Ok(trusted.map_or(BaselineScan::Untrusted, |trusted| BaselineScan::Complete(trusted.scan)));
        }
        let key = keys::head_incomplete(request.target_id(), baseline, &series.tool, &series.categories);
        let incomplete = document::find::<Head>(self.kv, &key).await?;
        Ok(incomplete.map_or(BaselineScan::None, |_| BaselineScan::Incomplete))
    }

    /// Waits until a recorded scan is answered. Returns false if it is not: its upload died, and the scan does not count.
    async fn wait_for_answer(&self, scan: ScanId) -> Result<bool, Problem> {
        let key = keys::answer(scan);
        let answered = poll::until(self.services, ANSWER_WAIT, async |_| self.kv.get(&key).await).await?;
        Ok(answered.is_some())
    }

    /// The head of a variant in a series.
    async fn head(
        &self,
        request: &ScanRequest,
        variant: &VariantName,
        series: &Series,
    ) -> Result<Option<Head>, Problem> {
        let key = keys::head(request.target_id(), variant, &series.tool, &series.categories);
        Ok(document::find::<Head>(self.kv, &key).await?)
    }

    /// The newest accepted scan that a scan is compared with, in a series with this head. A reviewer's decision is read
    /// only if the newest scan was not accepted without one.
    async fn accepted(&self, record: &ScanRecord, series: &Series, head: &Head) -> Result<Option<SeriesScan>, Problem> {
        let (request, untrusted) = (&record.request, record.trust.untrusted);
        if head.accepted_for(untrusted, None) == Some(head.newest) {
            return Ok(Some(head.newest));
        }
        let key = keys::accepted(request.target_id(), &request.variant, &series.tool, &series.categories);
        let decision = document::find::<AcceptedScan>(self.kv, &key).await?;
        Ok(head.accepted_for(untrusted, decision.as_ref()))
    }

    /// The known sets of parts of a variant's reports by a tool. If they do not decide about `parts`, those of reports by
    /// several tools too.
    async fn known_parts(
        &self,
        request: &ScanRequest,
        variant: &VariantName,
        tool: &ScannerId,
        parts: &[String],
    ) -> Result<Option<KnownParts>, Problem> {
        if parts.is_empty() {
            return Ok(None);
        }
        let several: ScannerId = SEVERAL_TOOLS.parse().map_err(|error| Problem::internal(format!("{error}")))?;
        let target: TargetId = request.target_id();
        let of_tool = document::find::<KnownParts>(self.kv, &keys::parts(target, variant, tool)).await?;
        if *tool == several || of_tool.as_ref().is_some_and(|known| known.decides(parts)) {
            return Ok(of_tool);
        }
        let of_several = document::find::<KnownParts>(self.kv, &keys::parts(target, variant, &several)).await?;
        Ok(KnownParts::joined(of_tool, of_several))
    }

    /// Remembers the parts of a complete scan's report, so that a later report that lacks some of them is noticed.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn remember_parts(&self, record: &ScanRecord) -> Result<(), Problem> {
        if record.parts.is_empty() {
            return Ok(());
        }
        let key = keys::parts(record.request.target_id(), &record.request.variant, &record.tool);
        let known = document::find::<KnownParts>(self.kv, &key).await?.unwrap_or_default();
        if known.has(&record.parts) {
            return Ok(());
        }
        let (parts, tool, categories) = (record.parts.clone(), record.tool.clone(), record.categories.clone());
        document::put(self.kv, &key, &known.with(PartSet { parts, tool, categories })).await?;
        Ok(())
    }
}

fn invalid_baseline(error: &PatternError) -> Problem {
    Problem::internal(format!("the stored baseline is not valid: {error}"))
}
