//! The run of a pipeline: its scans as one, and their issues as one list.

use crate::issues::issues as of_scan;
use crate::job::Context;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::v1::{Execution, ExecutionIssue, ExecutionReason, IssueItem, ScanAnswer, ScanItem, Tally};
use domain::comparison::Bucket;
use domain::execution::{ExecutionLog, Step, newest, summed, verdict, weight};
use domain::ids::{ExecutionId, PipelineName, ScannerId, TargetName};
use domain::journal::JournalId;
use domain::listing::{self, Sort};
use domain::scan::series;
use finding::severity::Severity;
use futures::future::try_join_all;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, VecDeque};
use store::kv::Kv;
use store::scans::Answered;
use store::{document, journal, keys};

/// How many scans' answers are read at once.
const SCANS_AT_ONCE: usize = 16;
/// The fewest issues of a scan that are read at once: so a page holds at most as many of each of 200 scans, and itself.
const ISSUES_AT_ONCE_MIN: usize = 10;

/// Names the run of a pipeline.
#[derive(Debug, Clone)]
pub struct Run {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The run.
    pub execution: PipelineName,
}

/// A scan of a run.
struct Ran {
    /// The number of its event in the run's journal.
    n: u64,
    step: Step,
    item: ScanItem,
}

/// The scans of a run as one.
///
/// # Errors
/// There is no finished scan of it, or none of a target that the caller may see, or the store failed.
pub async fn execution(context: &Context<'_, impl Kv>, run: &Run) -> Result<Execution, Problem> {
    let (scans, more_scans) = scans(context, run).await?;
    let (counting, superseded) = newest(scans, |ran| ran.step.clone());
    let items = |scans: Vec<Ran>| scans.into_iter().map(|ran| ran.item).collect::<Vec<_>>();
    let (counting, superseded) = (items(counting), items(superseded));
    let answers = || counting.iter().map(|item| &item.answer);
    Ok(Execution {
        pipeline: run.pipeline.to_string(),
        execution: run.execution.to_string(),
        verdict: verdict(answers().map(|answer| answer.verdict), more_scans),
        more_scans,
        reasons: reasons(&counting),
        variables: summed(answers().map(|answer| &answer.variables)),
        issues: sum(answers().map(|answer| answer.issues)),
        occurrences: sum(answers().map(|answer| answer.occurrences)),
        report_results: answers().map(|answer| answer.report.results).sum(),
        scans: counting,
        superseded,
    })
}

/// The finished scans of a run that the caller may see, in the order in which they were recorded, and whether there were
/// more than are kept.
async fn scans(context: &Context<'_, impl Kv>, run: &Run) -> Result<(Vec<Ran>, bool), Problem> {
    let (kv, project) = (context.kv, &context.project);
    let execution = ExecutionId::of(&run.pipeline, &run.execution);
    let journal = JournalId::Execution { project: project.clone(), execution };
    let log: ExecutionLog = journal::load(kv, &journal, context.now).await?.state;
    let mut scans = Vec::new();
    for some in log.in_order().chunks(SCANS_AT_ONCE) {
        let answer = |scan| async move { document::find::<Answered<ScanAnswer>>(kv, &keys::answer(scan)).await };
        let answers = try_join_all(some.iter().map(|(_, scan)| answer(*scan))).await?;
        for ((n, id), answered) in some.iter().zip(answers) {
            // Of an upload that died there is no answer.
            let answer = answered.map(|answered| answered.answer);
            if let Some(answer) = answer.filter(|answer| answer.scan.is_visible_to(&context.who, project)) {
                scans.push(Ran { n: *n, step: step(&answer)?, item: ScanItem { id: *id, answer } });
            }
        }
    }
    if scans.is_empty() {
        let Run { pipeline, execution } = run;
        let detail = format!("there is no finished scan of execution `{execution}` of pipeline `{pipeline}`");
        return Err(Problem::not_found(detail));
    }
    Ok((scans, log.has_more()))
}

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

/// Why a run did not pass: what decides stands first.
fn reasons(scans: &[ScanItem]) -> Vec<ExecutionReason> {
    let mut scans: Vec<_> = scans.iter().map(|item| &item.answer).collect();
    scans.sort_by_key(|answer| Reverse(weight(answer.verdict)));
    let of = |answer: &ScanAnswer, reason: &String| ExecutionReason {
        scan: answer.scan.id,
        target: answer.scan.target.name.clone(),
        scanner: answer.scan.scanner.clone(),
        reason: reason.clone(),
    };
    scans.into_iter().flat_map(|answer| answer.reasons.iter().map(move |reason| of(answer, reason))).collect()
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, tally| Tally {
        new: sum.new + tally.new,
        common: sum.common + tally.common,
        updated: sum.updated + tally.updated,
        remediated: sum.remediated + tally.remediated,
        exempted: sum.exempted + tally.exempted,
    })
}

/// Where a list of a run's issues goes on: of each scan that has more its number in the run, and how many of its issues
/// were told. A scan that is made while somebody pages is not in their list.
pub type IssuesCursor = Vec<(u64, usize)>;

/// Which of a run's issues are asked for: those that all of these hold for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// As of a scan's own list.
    pub issues: listing::Filter,
    /// Of scans of this target.
    pub target: Option<TargetName>,
    /// Of scans by this tool.
    pub scanner: Option<ScannerId>,
}

impl Filter {
    fn wants(&self, ran: &Ran) -> bool {
        let scan = &ran.item.answer.scan;
        self.target.as_ref().is_none_or(|target| target.as_str() == scan.target.name)
            && self.scanner.as_ref().is_none_or(|scanner| scanner.as_str() == scan.scanner)
    }
}

/// The issues of the scans of a run that count, the worst first, then those that are gone.
///
/// # Errors
/// There is no such run, see [`execution`], or the store failed.
pub async fn issues(
    context: &Context<'_, impl Kv>,
    run: &Run,
    filter: &Filter,
    wanted: Wanted<IssuesCursor>,
) -> Result<Page<ExecutionIssue>, Problem> {
    let (scans, _) = scans(context, run).await?;
    let mut lists: Vec<(Ran, usize)> = match wanted.from {
        None => newest(scans, |ran| ran.step.clone()).0.into_iter().map(|ran| (ran, 0)).collect(),
        Some(cursor) => {
            let places: BTreeMap<u64, usize> = cursor.into_iter().collect();
            scans.into_iter().filter_map(|ran| places.get(&ran.n).copied().map(|from| (ran, from))).collect()
        }
    };
    lists.retain(|(ran, _)| filter.wants(ran));
    let at_once = wanted.limit.div_ceil(lists.len().max(1)).max(ISSUES_AT_ONCE_MIN).min(wanted.limit);
    let mut lists: Vec<_> = lists.into_iter().map(|(ran, from)| List::new(ran, from)).collect();
    for list in &mut lists {
        list.fill(context, filter, at_once).await?;
    }
    let mut items = Vec::new();
    while items.len() < wanted.limit {
        let worst = lists.iter_mut().filter(|list| !list.ahead.is_empty()).min_by(|a, b| a.order(b));
        let Some(list) = worst else { break };
        items.extend(list.take());
        list.fill(context, filter, at_once).await?;
    }
    let rest: IssuesCursor =
        lists.iter().filter(|list| !list.ahead.is_empty()).map(|list| (list.ran.n, list.told)).collect();
    Ok(Page { items, next: (!rest.is_empty()).then(|| encode("execution-issues", &rest)) })
}

/// The issues of one scan while they are told among others'.
struct List {
    ran: Ran,
    /// How many were told, on earlier pages too.
    told: usize,
    /// Those that were read and not told.
    ahead: VecDeque<IssueItem>,
    /// Whether there are more than were read.
    more: bool,
}

impl List {
    fn new(ran: Ran, told: usize) -> Self {
        Self { ran, told, ahead: VecDeque::new(), more: true }
    }

    /// Reads on where all that was read is told.
    async fn fill(&mut self, context: &Context<'_, impl Kv>, filter: &Filter, limit: usize) -> Result<(), Problem> {
        if self.more && self.ahead.is_empty() {
            let wanted = Wanted { limit, from: Some(self.told) };
            let page = of_scan(context, self.ran.item.id, &filter.issues, Sort::Severity, wanted).await?;
            self.more = page.next.is_some();
            self.ahead = page.items.into();
        }
        Ok(())
    }

    fn take(&mut self) -> Option<ExecutionIssue> {
        let issue = self.ahead.pop_front()?;
        self.told += 1;
        let scan = &self.ran.item.answer.scan;
        Some(ExecutionIssue {
            scan: scan.id,
            target: scan.target.name.clone(),
            variant: scan.variant.clone(),
            scanner: scan.scanner.clone(),
            issue,
        })
    }

    /// Which of two lists goes on first, by their next issues: as each list itself is ordered.
    fn order(&self, other: &Self) -> Ordering {
        match (self.ahead.front(), other.ahead.front()) {
            (Some(own), Some(other)) => order(own, other),
            (own, other) => other.is_some().cmp(&own.is_some()),
        }
    }
}

/// The worst first, those that are gone last.
fn order(one: &IssueItem, other: &IssueItem) -> Ordering {
    let gone = |item: &IssueItem| item.bucket == Bucket::Remediated;
    let level = |item: &IssueItem| item.severity.parse().unwrap_or(Severity::Unassigned);
    let score = |item: &IssueItem| item.score.unwrap_or(-1.0);
    gone(one)
        .cmp(&gone(other))
        .then_with(|| level(other).cmp(&level(one)))
        .then_with(|| score(other).total_cmp(&score(one)))
        .then_with(|| one.rule.cmp(&other.rule))
}
