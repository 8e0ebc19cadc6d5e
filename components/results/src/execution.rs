//! The run of a pipeline: the sum of its scans, and their issues as one list.

use crate::job::ResultsJob;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::project_context::project_state;
use api::scan_answer::find_answer;
use api::v1::{Execution, ExecutionIssue, ExecutionReason, IssueItem, MissingScanner, ScanAnswer, ScanItem, Tally};
use domain::comparison::Bucket;
use domain::execution::{ExecutionLog, Step, StepScan, counting, missing_scanners, summed, verdict};
use domain::ids::{ExecutionId, PipelineName, ScannerId, TargetName};
use domain::journal::JournalId;
use domain::listing::{self, Sort};
use domain::series::series;
use finding::severity::Severity;
use futures::future::try_join_all;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, VecDeque};
use store::journal;
use store::kv::Kv;

/// The number of scans whose answers are read together.
const SCANS_AT_ONCE: usize = 16;
/// The smallest number of a scan's issues that are read together. So a page has at most this number of issues of each
/// of 200 scans in memory, besides its own.
const ISSUES_AT_ONCE_MIN: usize = 10;

/// The name of a run of a pipeline.
#[derive(Debug, Clone)]
pub struct Run {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The run.
    pub execution: PipelineName,
}

/// Selects issues of a run. All fields must match; one that is `None` matches all.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFilter {
    /// Those that the filter of a scan's issues selects.
    pub issues: listing::IssueFilter,
    /// Those of scans of this target.
    pub target: Option<TargetName>,
    /// Those of scans by this tool.
    pub scanner: Option<ScannerId>,
}

impl ExecutionFilter {
    fn selects(&self, run_scan: &RunScan) -> bool {
        let scan = &run_scan.item.answer.scan;
        self.target.as_ref().is_none_or(|target| target.as_str() == scan.target.name)
            && self.scanner.as_ref().is_none_or(|scanner| scanner.as_str() == scan.scanner)
    }
}

/// The start of the next page of a run's issues: for each scan that has more, its number in the run, and the number of
/// its issues on earlier pages. A scan that is made while a client reads pages is not in them.
pub type ExecutionCursor = Vec<(u64, usize)>;

/// A scan of a run.
struct RunScan {
    /// The number of its event in the run's journal.
    n: u64,
    step: Step,
    item: ScanItem,
}

impl RunScan {
    fn in_step(&self) -> StepScan {
        let answer = &self.item.answer;
        StepScan { step: self.step.clone(), attempt: answer.scan.attempt.clone(), verdict: answer.verdict }
    }
}

impl<K: Kv> ResultsJob<'_, K> {
    /// The scans of a run, and their sum.
    ///
    /// # Errors
    /// The run has no finished scan, or none of a target that the caller may see, or the store failed.
    pub async fn execution(&self, run: &Run) -> Result<Execution, Problem> {
        let (scans, more_scans) = self.run_scans(run).await?;
        let (counting, superseded) = counting(scans, RunScan::in_step);
        let items = |scans: Vec<RunScan>| scans.into_iter().map(|scan| scan.item).collect::<Vec<_>>();
        let (counting, superseded) = (items(counting), items(superseded));
        let answers = || counting.iter().map(|item| &item.answer);
        let missing_scanners = self.missing_scanners(&counting).await?;
        Ok(Execution {
            pipeline: run.pipeline.to_string(),
            execution: run.execution.to_string(),
            verdict: verdict(answers().map(|answer| answer.verdict), more_scans || !missing_scanners.is_empty()),
            more_scans,
            missing_scanners,
            reasons: reasons(&counting),
            variables: summed(answers().map(|answer| &answer.variables)),
            issues: sum(answers().map(|answer| answer.issues)),
            occurrences: sum(answers().map(|answer| answer.occurrences)),
            report_results: answers().map(|answer| answer.report.results).sum(),
            scans: counting,
            superseded,
        })
    }

    /// The tools that the project requires of the targets of a run, and that no counting scan of a variant is by: a
    /// scan of another variant says nothing of this one. The project's settings of today decide.
    async fn missing_scanners(&self, counting: &[ScanItem]) -> Result<Vec<MissingScanner>, Problem> {
        let state = project_state(self.kv, &self.project, self.now).await?;
        let mut tools: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for ScanItem { answer, .. } in counting {
            let of = (answer.scan.target.name.as_str(), answer.scan.variant.as_str());
            tools.entry(of).or_default().push(&answer.scan.scanner);
        }
        let mut missing = Vec::new();
        for ((target, variant), reported) in tools {
            let name: TargetName =
                target.parse().map_err(|error| Problem::internal(format!("target `{target}`: {error}")))?;
            let least = state.settings.least_criteria(&name);
            let least = least.map_err(|error| Problem::internal(format!("a pattern of the criteria: {error}")))?;
            let absent = missing_scanners(&least.required_scanners, reported).into_iter();
            missing.extend(absent.map(|scanner| MissingScanner {
                target: target.to_owned(),
                variant: variant.to_owned(),
                scanner: scanner.to_string(),
            }));
        }
        Ok(missing)
    }

    /// The issues of the newest scan of each step of a run, the worst first, and remediated ones last.
    ///
    /// # Errors
    /// The run has no finished scan, see [`execution`](Self::execution), or the store failed.
    pub async fn execution_issues(
        &self,
        run: &Run,
        filter: &ExecutionFilter,
        wanted: Wanted<ExecutionCursor>,
    ) -> Result<Page<ExecutionIssue>, Problem> {
        let (scans, _) = self.run_scans(run).await?;
        let mut scans: Vec<(RunScan, usize)> = match wanted.from {
            None => counting(scans, RunScan::in_step).0.into_iter().map(|scan| (scan, 0)).collect(),
            Some(cursor) => {
                let starts: BTreeMap<u64, usize> = cursor.into_iter().collect();
                scans.into_iter().filter_map(|scan| starts.get(&scan.n).copied().map(|from| (scan, from))).collect()
            }
        };
        scans.retain(|(scan, _)| filter.selects(scan));
        let at_once = wanted.limit.div_ceil(scans.len().max(1)).max(ISSUES_AT_ONCE_MIN).min(wanted.limit);
        let mut lists: Vec<_> = scans.into_iter().map(|(scan, from)| IssueList::new(scan, from)).collect();
        for list in &mut lists {
            list.fill(self, filter, at_once).await?;
        }
        let mut items = Vec::new();
        while items.len() < wanted.limit {
            let open = lists.iter_mut().filter(|list| !list.ahead.is_empty());
            let Some(list) = open.min_by(|a, b| a.order(b)) else { break };
            items.extend(list.take());
            list.fill(self, filter, at_once).await?;
        }
        let open = lists.iter().filter(|list| !list.ahead.is_empty());
        let rest: ExecutionCursor = open.map(|list| (list.scan.n, list.taken)).collect();
        Ok(Page { items, next: (!rest.is_empty()).then(|| encode("execution-issues", &rest)) })
    }

    /// The finished scans of a run that the caller may see, in the order in which they were recorded. The flag is true
    /// if the run had more scans than are stored.
    async fn run_scans(&self, run: &Run) -> Result<(Vec<RunScan>, bool), Problem> {
        let (kv, project) = (self.kv, &self.project);
        let execution = ExecutionId::of(&run.pipeline, &run.execution);
        let journal = JournalId::Execution { project: project.clone(), execution };
        let log: ExecutionLog = journal::load(kv, &journal, self.now).await?.state;
        let mut scans = Vec::new();
        for chunk in log.in_order().chunks(SCANS_AT_ONCE) {
            let answer = |scan| find_answer(kv, &self.caller, project, scan);
            let answers = try_join_all(chunk.iter().map(|(_, scan)| answer(*scan))).await?;
            for ((n, id), answer) in chunk.iter().zip(answers) {
                // The scan of an upload that died has no answer.
                if let Some(answer) = answer {
                    scans.push(RunScan { n: *n, step: step(&answer)?, item: ScanItem { id: *id, answer } });
                }
            }
        }
        if scans.is_empty() {
            let Run { pipeline, execution } = run;
            let detail = format!("execution `{execution}` of pipeline `{pipeline}` has no finished scan");
            return Err(Problem::not_found(detail));
        }
        Ok((scans, log.has_more()))
    }
}

/// The step of the run to which a scan belongs.
fn step(answer: &ScanAnswer) -> Result<Step, Problem> {
    let scan = &answer.scan;
    let tool: ScannerId =
        scan.scanner.parse().map_err(|error| Problem::internal(format!("scan {}: {error}", scan.id)))?;
    Ok(Step {
        target: scan.target.name.clone(),
        variant: scan.variant.clone(),
        series: series(&tool, &scan.categories),
    })
}

/// The reasons why a run did not pass. Those of the deciding scans come first.
fn reasons(scans: &[ScanItem]) -> Vec<ExecutionReason> {
    let mut scans: Vec<_> = scans.iter().map(|item| &item.answer).collect();
    scans.sort_by_key(|answer| Reverse(answer.verdict.weight()));
    let reason_of = |answer: &ScanAnswer, reason: &String| ExecutionReason {
        scan: answer.scan.id,
        target: answer.scan.target.name.clone(),
        scanner: answer.scan.scanner.clone(),
        reason: reason.clone(),
    };
    scans.into_iter().flat_map(|answer| answer.reasons.iter().map(move |reason| reason_of(answer, reason))).collect()
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, tally| Tally {
        new: sum.new + tally.new,
        common: sum.common + tally.common,
        updated: sum.updated + tally.updated,
        remediated: sum.remediated + tally.remediated,
        not_seen: sum.not_seen + tally.not_seen,
        exempted: sum.exempted + tally.exempted,
    })
}

/// The issues of one scan while they are merged with those of others.
struct IssueList {
    scan: RunScan,
    /// The number of issues that were taken, on earlier pages too.
    taken: usize,
    /// The issues that were read and not taken yet.
    ahead: VecDeque<IssueItem>,
    /// True if there may be more than were read.
    more: bool,
}

impl IssueList {
    fn new(scan: RunScan, taken: usize) -> Self {
        Self { scan, taken, ahead: VecDeque::new(), more: true }
    }

    /// Reads more issues if all that were read are taken.
    async fn fill(
        &mut self,
        job: &ResultsJob<'_, impl Kv>,
        filter: &ExecutionFilter,
        limit: usize,
    ) -> Result<(), Problem> {
        if self.more && self.ahead.is_empty() {
            let wanted = Wanted { limit, from: Some(self.taken) };
            let page = job.issues(self.scan.item.id, &filter.issues, Sort::Severity, wanted).await?;
            self.more = page.next.is_some();
            self.ahead = page.items.into();
        }
        Ok(())
    }

    fn take(&mut self) -> Option<ExecutionIssue> {
        let issue = self.ahead.pop_front()?;
        self.taken += 1;
        let scan = &self.scan.item.answer.scan;
        Some(ExecutionIssue {
            scan: scan.id,
            target: scan.target.name.clone(),
            variant: scan.variant.clone(),
            scanner: scan.scanner.clone(),
            issue,
        })
    }

    /// The order of two lists by their next issues. An empty list comes last.
    fn order(&self, other: &Self) -> Ordering {
        match (self.ahead.front(), other.ahead.front()) {
            (Some(own), Some(other)) => order(own, other),
            (own, other) => other.is_some().cmp(&own.is_some()),
        }
    }
}

/// The order of a list of issues: the worst first, those last that the scan does not have.
fn order(one: &IssueItem, other: &IssueItem) -> Ordering {
    let part = |item: &IssueItem| match item.bucket {
        Bucket::New | Bucket::Common => 0,
        Bucket::Remediated => 1,
        Bucket::NotSeen => 2,
    };
    let severity = |item: &IssueItem| item.severity.parse().unwrap_or(Severity::Unassigned);
    let score = |item: &IssueItem| item.score.unwrap_or(-1.0);
    part(one)
        .cmp(&part(other))
        .then_with(|| severity(other).cmp(&severity(one)))
        .then_with(|| score(other).total_cmp(&score(one)))
        .then_with(|| one.rule.cmp(&other.rule))
}
