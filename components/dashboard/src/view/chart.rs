//! Charts of numbers by day. The drawing is SVG, and its labels are HTML, so that they stay readable on narrow screens.
//! A chart has a summary in one sentence and a table with the same numbers.

use maud::{Markup, html};
use std::fmt::Write as _;

/// The width of a day in the drawing.
const DAY: u64 = 10;
/// The height of the drawing.
const HEIGHT: u64 = 1000;

/// A number for each day.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// The CSS class with the colour.
    pub(crate) class: &'static str,
    /// The label.
    pub(crate) name: &'static str,
    pub(crate) values: Vec<u64>,
}

/// The content of a chart.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    /// The heading.
    pub(crate) title: &'a str,
    /// The summary, in one sentence.
    pub(crate) summary: &'a str,
    /// The days, the oldest first, such as `2026-11-24`.
    pub(crate) days: Vec<&'a str>,
    /// True for days with scans. On other days, the numbers of earlier days may still apply.
    pub(crate) measured: Vec<bool>,
    pub(crate) series: Vec<Series>,
}

impl Chart<'_> {
    /// The series stacked in steps, the first at the bottom; a day shows the numbers at its end. Days before the first
    /// scan are marked.
    pub(crate) fn stacked(&self) -> Markup {
        let totals: Vec<u64> = (0..self.days.len()).map(|day| self.total(day)).collect();
        let top = scale_end(totals.iter().copied().max().unwrap_or_default());
        let known = |day: &usize| self.is_measured(*day) || totals.get(*day).is_some_and(|total| 0 < *total);
        let from = (0..self.days.len()).find(known).unwrap_or(self.days.len());
        let mut below = vec![0; self.days.len()];
        let mut areas = Vec::new();
        for series in &self.series {
            let above: Vec<u64> = below.iter().zip(&series.values).map(|(low, value)| low + value).collect();
            if series.values.iter().any(|value| 0 < *value) {
                areas.push((series.class, area(&below, &above, from, top)));
            }
            below = above;
        }
        let drawn = html! {
            @if 0 < from {
                rect class="unknown" x="0" y="0" width=(width(from)) height=(HEIGHT) {}
            }
            @for (class, path) in &areas { path class={ "area " (class) } d=(path) {} }
        };
        self.framed(&[top, top / 2, 0], (0 < from).then_some("Before the first scan"), &drawn)
    }

    /// The first series as bars above the middle line, the second as bars below it.
    pub(crate) fn up_and_down(&self) -> Markup {
        let most = self.series.iter().flat_map(|series| series.values.iter().copied()).max().unwrap_or_default();
        let top = scale_end(most);
        let middle = HEIGHT / 2;
        let drawn = html! {
            @for (series, up) in self.series.iter().zip([true, false]) {
                path class={ "area " (series.class) } d=(bars(&series.values, middle, top, up)) {}
            }
            path class="axis" d={ "M0 " (middle) "H" (width(self.days.len())) } {}
        };
        self.framed(&[top, 0, top], None, &drawn)
    }

    /// The drawing with scale, days, legend and table.
    fn framed(&self, scale: &[u64], note: Option<&str>, drawn: &Markup) -> Markup {
        let count = self.days.len();
        html! {
            figure class="card chart stack tight" {
                figcaption { h2 { (self.title) } p class="hint" { (self.summary) } }
                div class="plot" {
                    ol class="scale" aria-hidden="true" { @for value in scale { li { (value) } } }
                    svg viewBox={ "0 0 " (width(count)) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                        aria-label=(self.summary) {
                        path class="grid" d={ "M0 0H" (width(count)) "M0 " (HEIGHT / 2) "H" (width(count)) } {}
                        (drawn)
                        path class="axis" d={ "M0 " (HEIGHT) "H" (width(count)) } {}
                        @for (at, day) in self.days.iter().enumerate() {
                            rect class="day" x=(width(at)) y="0" width=(DAY) height=(HEIGHT) {
                                title { (day) ": " (self.day_summary(at)) }
                            }
                        }
                    }
                    (self.marks())
                    ol class="days" aria-hidden="true" { @for day in labelled_days(&self.days) { li { (day) } } }
                }
                ul class="legend" {
                    @for series in self.series.iter().rev() {
                        li { span class={ "swatch " (series.class) } aria-hidden="true" {} (series.name) }
                    }
                    li { span class="swatch scanned" aria-hidden="true" {} "Day with scans" }
                    @if let Some(note) = note { li { span class="swatch unknown" aria-hidden="true" {} (note) } }
                }
                (self.table())
            }
        }
    }

    /// A strip that marks the days with data.
    fn marks(&self) -> Markup {
        let mut path = String::new();
        for (day, _) in self.measured.iter().enumerate().filter(|(_, measured)| **measured) {
            // Writing into a string cannot fail.
            write!(path, "M{} 0h{}v10h-{}z", width(day) + 2, DAY - 4, DAY - 4).unwrap_or_default();
        }
        html! {
            svg class="marks" viewBox={ "0 0 " (width(self.days.len())) " 10" } preserveAspectRatio="none"
                aria-hidden="true" {
                path class="scanned" d=(path) {}
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            details {
                summary { "Show as table" }
                div class="table tall" tabindex="0" role="region" aria-label={ (self.title) " by day" } {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Day" }
                                @for series in self.series.iter().rev() { th scope="col" class="number" { (series.name) } }
                                th scope="col" { "Scans" }
                            }
                        }
                        tbody {
                            @for (at, day) in self.days.iter().enumerate().rev() {
                                tr {
                                    th scope="row" class="nowrap" { (day) }
                                    @for series in self.series.iter().rev() { td class="number" { (series.at(at)) } }
                                    td { @if self.is_measured(at) { "yes" } @else { "no" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The numbers of a day in words.
    fn day_summary(&self, day: usize) -> String {
        let parts: Vec<_> = self
            .series
            .iter()
            .rev()
            .map(|series| (series.name, series.at(day)))
            .filter(|(_, value)| 0 < *value)
            .map(|(name, value)| format!("{value} {}", name.to_lowercase()))
            .collect();
        let numbers = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
        if self.is_measured(day) { numbers } else { format!("{numbers} (no scan)") }
    }

    fn total(&self, day: usize) -> u64 {
        self.series.iter().map(|series| series.at(day)).sum()
    }

    fn is_measured(&self, day: usize) -> bool {
        self.measured.get(day).copied().unwrap_or_default()
    }
}

impl Series {
    fn at(&self, day: usize) -> u64 {
        self.values.get(day).copied().unwrap_or_default()
    }
}

fn width(days: usize) -> u64 {
    u64::try_from(days).unwrap_or_default().saturating_mul(DAY)
}

/// The end of a scale: an even number with one digit other than 0, not below `most`.
fn scale_end(most: u64) -> u64 {
    let mut unit: u64 = 1;
    while unit.saturating_mul(10) < most {
        unit = unit.saturating_mul(10);
    }
    [2, 4, 6, 8, 10].into_iter().map(|digit| unit.saturating_mul(digit)).find(|top| most <= *top).unwrap_or(most)
}

/// The height of a bar. A value above 0 is always visible.
fn bar_height(value: u64, top: u64, height: u64) -> u64 {
    match value {
        0 => 0,
        _ => (value.saturating_mul(height) / top.max(1)).max(4),
    }
}

/// The SVG path of the area between two stepped lines, from this day on.
fn area(below: &[u64], above: &[u64], from: usize, top: u64) -> String {
    let y = |value: &u64| HEIGHT.saturating_sub(value.saturating_mul(HEIGHT) / top.max(1));
    let mut path = String::new();
    for (at, value) in above.iter().enumerate().skip(from) {
        let start = if at == from { format!("M{} {}", width(at), y(value)) } else { format!("V{}", y(value)) };
        write!(path, "{start}H{}", width(at + 1)).unwrap_or_default();
    }
    for (at, value) in below.iter().enumerate().skip(from).rev() {
        write!(path, "V{}H{}", y(value), width(at)).unwrap_or_default();
    }
    path.push('Z');
    path
}

/// The SVG path of bars above or below a line.
fn bars(values: &[u64], line: u64, top: u64, up: bool) -> String {
    let mut path = String::new();
    for (day, value) in values.iter().enumerate().filter(|(_, value)| 0 < **value) {
        let sign = if up { "-" } else { "" };
        let (x, wide) = (width(day) + 1, DAY - 2);
        write!(path, "M{x} {line}v{sign}{}h{wide}V{line}z", bar_height(*value, top, HEIGHT / 2)).unwrap_or_default();
    }
    path
}

/// The days in the labels below a chart: the first, the middle, and the last one.
fn labelled_days<'a>(days: &[&'a str]) -> Vec<&'a str> {
    let middle = days.get(days.len() / 2).filter(|_| 2 < days.len());
    let last = days.last().filter(|_| 1 < days.len());
    days.first().into_iter().chain(middle).chain(last).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[(&'static str, &[u64])], measured: &[bool]) -> Chart<'static> {
        let days = ["2026-11-22", "2026-11-23", "2026-11-24"];
        Chart {
            title: "Open issues",
            summary: "What is <open>",
            days: days.into_iter().take(measured.len()).collect(),
            measured: measured.to_vec(),
            series: values
                .iter()
                .map(|(class, values)| Series { class, name: class, values: values.to_vec() })
                .collect(),
        }
    }

    #[test]
    fn scales_end_with_an_even_number_not_below_the_maximum() {
        let expected = [(0, 2), (1, 2), (2, 2), (3, 4), (9, 10), (10, 10), (11, 20), (99, 100), (101, 200), (450, 600)];
        for (most, top) in expected {
            assert_eq!(scale_end(most), top, "{most}");
        }
        assert_eq!(scale_end(u64::MAX), u64::MAX);
    }

    #[test]
    fn areas_are_stacked_in_steps() {
        assert_eq!(area(&[0, 0], &[1, 2], 0, 2), "M0 500H10V0H20V1000H10V1000H0Z");
        assert_eq!(area(&[0, 1], &[0, 2], 1, 2), "M10 0H20V500H10Z", "from the second day on");
        let markup = chart(&[("low", &[0, 1, 1]), ("high", &[0, 1, 0])], &[false, true, false]).stacked().into_string();
        assert!(markup.contains(r#"<path class="area low" d="M10 500H20V500H30V1000H20V1000H10Z">"#), "{markup}");
        assert!(markup.contains(r#"<rect class="unknown" x="0" y="0" width="10""#), "{markup}");
        assert!(markup.contains("2026-11-23: 1 high, 1 low<") && markup.contains("2026-11-24: 1 low (no scan)"));
        assert!(markup.contains(r#"aria-label="What is &lt;open&gt;""#));
        assert!(!markup.contains("style="));
    }

    #[test]
    fn one_day_or_no_issues_still_give_a_chart() {
        let one = chart(&[("low", &[3])], &[true]).stacked().into_string();
        assert!(one.contains(r#"viewBox="0 0 10 1000""#) && one.contains("M0 250H10V1000H0Z"), "{one}");
        let none = chart(&[("low", &[0, 0, 0])], &[true, true, true]).stacked().into_string();
        assert!(!none.contains("class=\"area") && none.contains("2026-11-24: none"), "{none}");
        let never = chart(&[("low", &[0, 0, 0])], &[false, false, false]).stacked().into_string();
        assert!(never.contains(r#"<rect class="unknown" x="0" y="0" width="30""#), "{never}");
    }

    #[test]
    fn bars_go_up_and_down_from_the_middle() {
        assert_eq!(bars(&[0, 1, 2], 500, 2, true), "M11 500v-250h8V500zM21 500v-500h8V500z");
        assert_eq!(bars(&[1], 500, 1_000_000, false), "M1 500v4h8V500z", "one of a million is visible");
        let markup = chart(&[("worse", &[1, 0, 0]), ("better", &[0, 0, 2])], &[true, false, true]);
        assert!(markup.up_and_down().into_string().contains(r#"<path class="area better" d="M21 500v500h8V500z">"#));
    }

    #[test]
    fn the_first_middle_and_last_day_are_labelled() {
        assert_eq!(labelled_days(&["a"]), ["a"]);
        assert_eq!(labelled_days(&["a", "b"]), ["a", "b"]);
        assert_eq!(labelled_days(&["a", "b", "c", "d", "e"]), ["a", "c", "e"]);
    }
}
