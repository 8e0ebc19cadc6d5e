//! A project at a glance. Reads each target's scan journal once, some at a time, and keeps of each only what is told.

use crate::job::Context;
use api::Problem;
use api::project_context::project_state;
use api::v1::{
    DayItem, EffectiveBaseline, FailingVariant, LastScan, Levels, Overview, OverviewExemptions, OverviewTarget,
};
use domain::exemption::Status;
use domain::gate::Verdict;
use domain::ids::TargetName;
use domain::journal::JournalId;
use domain::project::{Project, Target};
use domain::scan::{Last, ScanLog, Variant};
use domain::trend::{Day, Totals};
use futures::future::try_join_all;
use store::journal;
use store::judging;
use store::kv::Kv;

/// How many days there are unless asked for otherwise.
const DAYS_DEFAULT: u32 = 30;
/// The most days.
const DAYS_MAX: u32 = domain::limits::TREND_DAYS;
/// How many targets' journals are read at once.
const TARGETS_AT_ONCE: usize = 16;
/// What a target's log holds while it is read, in bytes, if it has all the variants that it may have.
const BYTES_PER_LOG: usize = 1024 * 1024;
/// How many targets are listed.
const TARGETS_LISTED_MAX: usize = 200;
/// How many variants that did not pass are listed.
const FAILING_LISTED_MAX: usize = 20;

/// How many days are asked for.
///
/// # Errors
/// It is not from 1 to [`DAYS_MAX`].
pub fn days(asked: Option<u32>) -> Result<u32, Problem> {
    let days = asked.unwrap_or(DAYS_DEFAULT);
    if (1..=DAYS_MAX).contains(&days) {
        Ok(days)
    } else {
        Err(Problem::parameter("days", format_args!("{days} is not from 1 to {DAYS_MAX}")))
    }
}

/// The project at a glance, over so many days up to today.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn overview(context: &Context<'_, impl Kv>, days: u32) -> Result<Overview, Problem> {
    let state = project_state(context.kv, &context.project, context.now).await?;
    let today = Day::of(context.now);
    let mut summary = Summary::new(today, days);
    let seen: Vec<_> = state.targets.iter().filter(|(name, _)| context.who.covers(name)).collect();
    for some in seen.chunks(TARGETS_AT_ONCE) {
        let _held = (context.hold)(some.len().saturating_mul(BYTES_PER_LOG)).await;
        let logs = try_join_all(some.iter().map(|(_, target)| log(context, target))).await?;
        for ((name, target), log) in some.iter().zip(&logs) {
            summary.add(&state, name, target, log)?;
        }
    }
    let exemptions = exemptions(context, &state).await?;
    Ok(summary.finish(exemptions))
}

async fn log(context: &Context<'_, impl Kv>, target: &Target) -> Result<ScanLog, Problem> {
    let journal = JournalId::Scans { project: context.project.clone(), target: target.id };
    Ok(journal::load::<ScanLog>(context.kv, &journal, context.now).await?.state)
}

/// An overview while targets are added to it.
struct Summary {
    today: Day,
    totals: Totals,
    targets: Newest<OverviewTarget>,
    failing: Newest<FailingVariant>,
}

impl Summary {
    fn new(today: Day, days: u32) -> Self {
        Self {
            today,
            totals: Totals::new(today, days),
            targets: Newest::of(TARGETS_LISTED_MAX),
            failing: Newest::of(FAILING_LISTED_MAX),
        }
    }

    fn add(&mut self, state: &Project, name: &TargetName, target: &Target, log: &ScanLog) -> Result<(), Problem> {
        self.totals.add(&log.trend);
        let failing: Vec<_> =
            log.variants().into_iter().filter(|variant| variant.deciding.verdict != Verdict::Pass).collect();
        let settled = state.baseline(name, target.target_type);
        let meant =
            settled.meant(None, log).map_err(|error| Problem::internal(format!("the stored baseline: {error}")))?;
        let item = OverviewTarget {
            id: name.to_string(),
            target_type: target.target_type,
            baseline: EffectiveBaseline::new(&settled, &meant),
            last_scan: log.last.as_ref().map(last_scan),
            open: Levels::from(log.trend.open(self.today)),
            more_series: log.trend.more_series(),
            failing_variants: u64::try_from(failing.len()).unwrap_or(u64::MAX),
        };
        self.targets.push(log.last.as_ref().map(|last| last.seen.at.as_ms()), item);
        for variant in failing {
            self.failing.push(Some(variant.deciding.at.as_ms()), failing_variant(name, &variant));
        }
        Ok(())
    }

    fn finish(self, exemptions: OverviewExemptions) -> Overview {
        let day = |total: &domain::trend::DayTotal| DayItem {
            day: total.day.to_string(),
            open: Levels::from(total.open),
            new: total.sums.new,
            remediated: total.sums.remediated,
            scans: total.sums.scans,
            failed: total.sums.failed,
            undecided: total.sums.undecided,
        };
        let more_targets = self.targets.has_more();
        let failing_total = self.failing.all;
        Overview {
            days: self.totals.days.iter().map(day).collect(),
            targets: self.targets.finish(),
            more_targets,
            failing: self.failing.finish(),
            failing_total,
            exemptions,
        }
    }
}

fn last_scan(last: &Last) -> LastScan {
    LastScan {
        scan: last.seen.scan,
        variant: last.variant.to_string(),
        scanner: last.scanner.to_string(),
        at: last.seen.at.to_string(),
        verdict: last.seen.verdict,
    }
}

fn failing_variant(target: &TargetName, variant: &Variant<'_>) -> FailingVariant {
    FailingVariant {
        target: target.to_string(),
        variant: variant.name.to_string(),
        scan: variant.deciding.scan,
        at: variant.deciding.at.to_string(),
        verdict: variant.deciding.verdict,
    }
}

/// The newest of a list, of those pushed so far; of as old ones those that came first.
struct Newest<T> {
    most: usize,
    all: u64,
    items: Vec<(Option<i64>, T)>,
}

impl<T> Newest<T> {
    fn of(most: usize) -> Self {
        Self { most, all: 0, items: Vec::new() }
    }

    /// Takes an item in; one without a time is older than all.
    fn push(&mut self, at: Option<i64>, item: T) {
        self.all += 1;
        let place = self.items.partition_point(|(held, _)| at <= *held);
        if place < self.most {
            self.items.insert(place, (at, item));
            self.items.truncate(self.most);
        }
    }

    fn has_more(&self) -> bool {
        u64::try_from(self.items.len()).is_ok_and(|listed| listed < self.all)
    }

    fn finish(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

/// The exemptions of the project, of those that the caller may see.
async fn exemptions(context: &Context<'_, impl Kv>, state: &Project) -> Result<OverviewExemptions, Problem> {
    let held = judging::exemptions(context.kv, &context.project, context.now).await?;
    let ending_days = state.settings.ending_notice_days.days();
    let soon = context.now.plus_days(ending_days);
    let mut counts = OverviewExemptions { ending_days, ..OverviewExemptions::default() };
    for held in held.by_id.values().filter(|held| context.who.sees_exemption(held)) {
        match held.status(context.now) {
            Status::Pending => counts.pending += 1,
            Status::Approved => {
                counts.approved += 1;
                counts.ending += u64::from(held.ends().is_some_and(|end| end <= soon));
            }
            Status::Rejected | Status::Expired | Status::Cancelled => {}
        }
    }
    Ok(counts)
}
