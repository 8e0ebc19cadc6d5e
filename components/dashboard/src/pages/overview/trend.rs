//! The open issues of today, and their trend.

use crate::view::badge;
use crate::view::chart::{Chart, Series};
use crate::view::list::count;
use api::v1::{DayItem, Levels, Overview};
use maud::{Markup, html};

/// The number of issues for each severity, the highest first.
pub(crate) fn by_severity(levels: &Levels) -> [(&'static str, u64); 6] {
    let Levels { critical, high, medium, low, info, unassigned } = *levels;
    [
        ("critical", critical),
        ("high", high),
        ("medium", medium),
        ("low", low),
        ("info", info),
        ("unassigned", unassigned),
    ]
}

/// The number of all issues.
pub(crate) fn total(levels: &Levels) -> u64 {
    by_severity(levels).into_iter().map(|(_, number)| number).sum()
}

/// The current open issues, as tiles.
pub(crate) fn today(overview: &Overview) -> Markup {
    let now = overview.days.last().map(|day| day.open).unwrap_or_default();
    html! {
        section class="stack tight" {
            h2 { "Open issues" }
            ul class="tiles" {
                @for (severity, number) in by_severity(&now) {
                    li class={ "tile " (severity) } {
                        span class="count" { (number) }
                        span class="name" { (badge::capitalised(severity)) }
                    }
                }
            }
            p class="hint" { "Issues in the baselines of all targets, without exempted ones." }
        }
    }
}

/// The chart of open issues by day and severity.
pub(crate) fn open(overview: &Overview) -> Markup {
    let days = &overview.days;
    let ends = days.first().zip(days.last());
    let summary = ends.map(|(first, last)| summary(first, last)).unwrap_or_default();
    let series = |at: usize, (class, name): (&'static str, &'static str)| Series {
        class,
        name,
        values: days.iter().map(|day| by_severity(&day.open).get(at).map_or(0, |(_, number)| *number)).collect(),
    };
    let mut series: Vec<_> = NAMES.into_iter().enumerate().map(|(at, name)| series(at, name)).collect();
    // The highest severity is at the bottom. Severities without issues are left out, unless there are no issues at all.
    let has_issues = series.iter().any(|one| one.values.iter().any(|value| 0 < *value));
    series.retain(|one| !has_issues || one.values.iter().any(|value| 0 < *value));
    chart("Open issues by severity", &summary, days, series).stacked()
}

/// The severities and their labels, the highest first.
const NAMES: [(&str, &str); 6] = [
    ("critical", "Critical"),
    ("high", "High"),
    ("medium", "Medium"),
    ("low", "Low"),
    ("info", "Info"),
    ("unassigned", "Unassigned"),
];

/// The chart of new and remediated issues by day.
pub(crate) fn changes(overview: &Overview) -> Markup {
    let days = &overview.days;
    let sum = |of: fn(&DayItem) -> u64| days.iter().map(of).sum::<u64>();
    let summary = format!(
        "{} (up) and {} remediated (down) in {}.",
        count(sum(|day| day.new), "new issue"),
        sum(|day| day.remediated),
        count(u64::try_from(days.len()).unwrap_or_default(), "day"),
    );
    let series = vec![
        Series { class: "worse", name: "New", values: days.iter().map(|day| day.new).collect() },
        Series { class: "better", name: "Remediated", values: days.iter().map(|day| day.remediated).collect() },
    ];
    chart("New and remediated issues", &summary, days, series).up_and_down()
}

fn chart<'a>(title: &'a str, summary: &'a str, days: &'a [DayItem], series: Vec<Series>) -> Chart<'a> {
    Chart {
        title,
        summary,
        days: days.iter().map(|day| day.day.as_str()).collect(),
        measured: days.iter().map(|day| 0 < day.scans).collect(),
        series,
    }
}

fn summary(first: &DayItem, last: &DayItem) -> String {
    let (before, now) = (total(&first.open), total(&last.open));
    let change = match now.cmp(&before) {
        std::cmp::Ordering::Less => format!(", {} fewer than on {}", before - now, first.day),
        std::cmp::Ordering::Equal => format!(", the same as on {}", first.day),
        std::cmp::Ordering::Greater => format!(", {} more than on {}", now - before, first.day),
    };
    format!("{}, {} of them critical{change}.", count(now, "open issue"), last.open.critical)
}
