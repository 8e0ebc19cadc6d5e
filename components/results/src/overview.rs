//! The overview of a project. Each target's scan journal is read once, some at a time, and only its numbers stay in
//! memory.

use crate::job::ResultsJob;
use api::Problem;
use api::project_context::project_state;
use api::v1::{
    AcceptRequested, DayItem, EffectiveBaseline, FailingVariant, LastScan, Levels, Overview, OverviewExemptions,
    OverviewTarget,
};
use domain::exemption::Status;
use domain::ids::TargetName;
use domain::journal::JournalId;
use domain::project::{Project, Target};
use domain::scan_log::{NewestOfTarget, ScanLog, Variant};
use domain::trend::{Day, Totals};
use domain::verdict::Verdict;
use futures::future::try_join_all;
use store::kv::Kv;
use store::{journal, judging};

/// The number of days if the caller gives none.
const DAYS_DEFAULT: u32 = 30;
/// The largest number of days.
const DAYS_MAX: u32 = domain::limits::TREND_DAYS;
/// The number of targets whose journals are read together.
const TARGETS_AT_ONCE: usize = 16;
/// The memory that a target's log takes while it is read, in bytes, if it has the largest number of variants.
const BYTES_PER_LOG: usize = 1536 * 1024;
/// The most targets that are listed.
const TARGETS_LISTED_MAX: usize = 200;
/// The most variants that are listed because they did not pass.
const FAILING_LISTED_MAX: usize = 20;

/// Checks the number of days that the caller gave; without one, the default counts.
///
/// # Errors
/// The number is not from 1 to [`DAYS_MAX`].
pub fn days(given: Option<u32>) -> Result<u32, Problem> {
    let days = given.unwrap_or(DAYS_DEFAULT);
    if (1..=DAYS_MAX).contains(&days) {
        Ok(days)
    } else {
        Err(Problem::parameter("days", format_args!("expected 1 to {DAYS_MAX}, found {days}")))
    }
}

impl<K: Kv> ResultsJob<'_, K> {
    /// The overview of the project over this number of days up to today.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn overview(&self, days: u32) -> Result<Overview, Problem> {
        let state = project_state(self.kv, &self.project, self.now).await?;
        let mut summary = Summary::new(Day::of(self.now), days);
        let visible: Vec<_> = state.targets.iter().filter(|(name, _)| self.caller.covers(name)).collect();
        for chunk in visible.chunks(TARGETS_AT_ONCE) {
            let _held = (self.hold)(chunk.len().saturating_mul(BYTES_PER_LOG)).await;
            let logs = try_join_all(chunk.iter().map(|(_, target)| self.target_log(target))).await?;
            for ((name, target), log) in chunk.iter().zip(&logs) {
                summary.add(&state, name, target, log)?;
            }
        }
        let exemptions = self.exemption_counts(&state).await?;
        let accept_requested = state.accept_requests.iter().filter(|(_, request)| self.caller.covers(&request.target));
        let accept_requested = accept_requested.map(|(scan, request)| AcceptRequested {
            scan: *scan,
            target: request.target.to_string(),
            variant: request.variant.to_string(),
        });
        let (settings_requested, accept_requested) = (state.settings_request.is_some(), accept_requested.collect());
        Ok(Overview { settings_requested, accept_requested, ..summary.finish(exemptions) })
    }

    async fn target_log(&self, target: &Target) -> Result<ScanLog, Problem> {
        let journal = JournalId::Scans { project: self.project.clone(), target: target.id };
        Ok(journal::load::<ScanLog>(self.kv, &journal, self.now).await?.state)
    }

    /// The numbers of the project's exemptions that the caller may see.
    async fn exemption_counts(&self, state: &Project) -> Result<OverviewExemptions, Problem> {
        let exemptions = judging::exemptions(self.kv, &self.project, self.now).await?;
        let ending_days = state.settings.ending_notice_days.days();
        let soon = self.now.plus_days(ending_days);
        let mut counts = OverviewExemptions { ending_days, ..OverviewExemptions::default() };
        for exemption in exemptions.by_id.values().filter(|exemption| self.caller.sees_exemption(exemption)) {
            match exemption.status(self.now) {
                Status::Pending => counts.pending += 1,
                Status::Approved => {
                    counts.approved += 1;
                    counts.ending += u64::from(exemption.ends().is_some_and(|end| end <= soon));
                }
                Status::Rejected | Status::Expired | Status::Cancelled => {}
            }
        }
        Ok(counts)
    }
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
            settled.resolve(None, log).map_err(|error| Problem::internal(format!("the stored baseline: {error}")))?;
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
            settings_requested: false,
            accept_requested: Vec::new(),
        }
    }
}

fn last_scan(last: &NewestOfTarget) -> LastScan {
    LastScan {
        no_threshold: last.seen.no_threshold,
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

/// The newest items of those pushed so far, at most `most`. Of items with the same time, the first pushed count as
/// newer.
struct Newest<T> {
    most: usize,
    /// The number of all pushed items.
    all: u64,
    items: Vec<(Option<i64>, T)>,
}

impl<T> Newest<T> {
    fn of(most: usize) -> Self {
        Self { most, all: 0, items: Vec::new() }
    }

    /// Adds an item. One without a time is the oldest.
    fn push(&mut self, at: Option<i64>, item: T) {
        self.all += 1;
        let place = self.items.partition_point(|(known, _)| at <= *known);
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
