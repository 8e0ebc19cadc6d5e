//! How the open issues came to be so many.

use crate::view::badge;
use crate::view::chart::{Chart, Series};
use crate::view::list::count;
use api::v1::{DayItem, Levels, Overview};
use maud::{Markup, html};

/// The numbers of levels, the worst first.
pub(crate) fn by_level(levels: &Levels) -> [(&'static str, u64); 6] {
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

/// How many issues those are together.
pub(crate) fn total(levels: &Levels) -> u64 {
    by_level(levels).into_iter().map(|(_, number)| number).sum()
}

/// What is open now, as tiles.
pub(crate) fn today(overview: &Overview) -> Markup {
    let now = overview.days.last().map(|day| day.open).unwrap_or_default();
    html! {
        section class="stack tight" {
            h2 { "Open issues now" }
            ul class="tiles" {
                @for (level, number) in by_level(&now) {
                    li class={ "tile " (level) } {
                        span class="count" { (number) }
                        span class="name" { (badge::capitalised(level)) }
                    }
                }
            }
            p class="hint" { "In the baselines of all targets; what is exempted does not count." }
        }
    }
}

/// The open issues by day and level.
pub(crate) fn open(overview: &Overview) -> Markup {
    let days = &overview.days;
    let ends = days.first().zip(days.last());
    let gist = ends.map(|(first, last)| gist(first, last)).unwrap_or_default();
    let series = |at: usize, (class, name): (&'static str, &'static str)| Series {
        class,
        name,
        values: days.iter().map(|day| by_level(&day.open).get(at).map_or(0, |(_, number)| *number)).collect(),
    };
    let mut series: Vec<_> = NAMES.into_iter().enumerate().map(|(at, name)| series(at, name)).collect();
    // The worst stand lowest, where their steps are seen.
    let shown = series.iter().any(|one| one.values.iter().any(|value| 0 < *value));
    series.retain(|one| !shown || one.values.iter().any(|value| 0 < *value));
    chart("Open issues by severity", &gist, days, series).stacked()
}

/// The levels and their words, the worst first.
const NAMES: [(&str, &str); 6] = [
    ("critical", "Critical"),
    ("high", "High"),
    ("medium", "Medium"),
    ("low", "Low"),
    ("info", "Info"),
    ("unassigned", "Unassigned"),
];

/// What came and what went by day.
pub(crate) fn changes(overview: &Overview) -> Markup {
    let days = &overview.days;
    let sum = |of: fn(&DayItem) -> u64| days.iter().map(of).sum::<u64>();
    let gist = format!(
        "In {}, {} came (up) and {} went (down).",
        count(u64::try_from(days.len()).unwrap_or_default(), "day"),
        count(sum(|day| day.new), "issue"),
        sum(|day| day.remediated)
    );
    let series = vec![
        Series { class: "worse", name: "New", values: days.iter().map(|day| day.new).collect() },
        Series { class: "better", name: "Remediated", values: days.iter().map(|day| day.remediated).collect() },
    ];
    chart("New and remediated issues", &gist, days, series).up_and_down()
}

fn chart<'a>(title: &'a str, gist: &'a str, days: &'a [DayItem], series: Vec<Series>) -> Chart<'a> {
    Chart {
        title,
        gist,
        days: days.iter().map(|day| day.day.as_str()).collect(),
        measured: days.iter().map(|day| 0 < day.scans).collect(),
        series,
    }
}

fn gist(first: &DayItem, last: &DayItem) -> String {
    let (before, now) = (total(&first.open), total(&last.open));
    let way = match now.cmp(&before) {
        std::cmp::Ordering::Less => format!(", {} fewer than on {}", before - now, first.day),
        std::cmp::Ordering::Equal => format!(", as many as on {}", first.day),
        std::cmp::Ordering::Greater => format!(", {} more than on {}", now - before, first.day),
    };
    format!("{} open now, {} of them critical{}.", count(now, "issue"), last.open.critical, way)
}
