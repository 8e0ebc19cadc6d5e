//! Reads the facts that decide with which scan a new one is compared, and which parts its report lacks. The decision is
//! made once, in [`domain::reference::facts`], and frozen into the scan.

use crate::ingest::Ingest;
use api::internal::Services;
use api::problem::Problem;
use domain::baseline::{Baseline, ChosenBaseline, PatternError};
use domain::head::{AcceptedScan, Head, SeenReport, SeriesScan};
use domain::ids::{ScanId, VariantName};
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
use store::{document, journal, keys, poll, series};

/// The time that a recorded scan may need until it is answered.
const ANSWER_WAIT: Duration = Duration::from_millis(200);

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Chooses the reference scan of the scan `own`, as the baseline, the heads and the target's other scans are now.
    ///
    /// # Errors
    /// The store failed, or the stored baseline is not valid.
    pub(crate) async fn choose_reference(&self, project: &Project, own: &Frozen) -> Result<ReferenceChoice, Problem> {
        let record = &own.record;
        let (request, parts) = (&record.request, record.parts.as_slice());
        let (target, series) = (request.target_id(), record.own_series());
        let chosen = project.baseline(&request.target, request.target_type);
        let mut known = series::known_parts(self.kv, target, &request.variant, &series.tool, parts).await?;
        let mut found = ReportSeries::find(&series, parts, known.as_ref());
        let mut head = self.head(request, &request.variant, &found.series).await?;
        let scanned_before = head.as_ref().and_then(Head::newest_trusted).is_some();
        let resolved = self.resolve_baseline(&chosen, request, scanned_before).await?;
        let baseline = resolved.other_than(&request.variant);
        if let Some(baseline) = baseline.filter(|_| known.is_none()) {
            // Nothing is known of the variant's own reports: those of the baseline show what is missing.
            known = series::known_parts(self.kv, target, baseline, &series.tool, parts).await?;
            let found_by_baseline = ReportSeries::find(&series, parts, known.as_ref());
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
        let same_report = head.as_ref().and_then(|head| head.same_report(&SeenReport::of(record)));
        // A scan that is compared with another variant needs no decision of a reviewer.
        let newest_accepted = accepted.or_else(|| head.as_ref().and_then(Head::accepted));
        let older_than = NewerReport::find(newest_accepted.as_ref(), own.report.made_at, record.received);
        let accepted = accepted.map(|accepted| accepted.scan);
        let previous = match head.map(|head| head.newest.scan) {
            // Only these parts can show what is missing.
            Some(scan) if found.lacking.is_empty() && !parts.is_empty() => {
                Some(PreviousScan { scan, parts: Frozen::get(self.kv, scan).await?.record.parts })
            }
            Some(scan) => Some(PreviousScan { scan, parts: Vec::new() }),
            None => None,
        };
        let (chosen, resolved) = (&chosen, &resolved);
        let mut facts = ReferenceFacts {
            request,
            parts,
            found,
            missing_accepted: false,
            chosen,
            resolved,
            of_baseline,
            previous,
            accepted,
            same_report,
            older_than,
        };
        if !request.accept_missing && !facts.lacking().is_empty() {
            facts.missing_accepted = series::is_missing_accepted(self.kv, record, known.as_ref()).await?;
        }
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

    /// Waits until a recorded scan is answered. Returns false if it is not: its upload died, and the scan does not
    /// count.
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
        Ok(series::head(self.kv, request.target_id(), variant, series).await?)
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

    /// Remembers the parts of a complete scan's report, so that a later report that lacks some of them is noticed.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn remember_parts(&self, record: &ScanRecord) -> Result<(), Problem> {
        if record.parts.is_empty() {
            return Ok(());
        }
        // Beside the reports that had the dropped parts: such a report forgets this one.
        let of = record.dropped.as_ref().map_or(&record.tool, |dropped| &dropped.of);
        let key = keys::parts(record.request.target_id(), &record.request.variant, of);
        let known = document::find::<KnownParts>(self.kv, &key).await?.unwrap_or_default();
        let Series { tool, categories } = record.own_series();
        let set = PartSet { parts: record.parts.clone(), tool, categories, dropped: record.dropped.clone() };
        if let Some(changed) = known.after(set) {
            document::put(self.kv, &key, &changed).await?;
        }
        Ok(())
    }
}

fn invalid_baseline(error: &PatternError) -> Problem {
    Problem::internal(format!("the stored baseline is not valid: {error}"))
}
