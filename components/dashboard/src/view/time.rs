//! Relative times, with the exact time as a tooltip.

use domain::time::Timestamp;
use maud::{Markup, html};

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// A time (RFC 3339) relative to now. Text that is not a time stays as it is.
pub(crate) fn relative(at: &str, now: Timestamp) -> Markup {
    match at.parse::<Timestamp>() {
        Ok(time) => html! { time datetime=(time) title=(exact(time)) { (span(time, now)) } },
        Err(_) => html! { (at) },
    }
}

/// A time (RFC 3339) as date and minute in UTC. Text that is not a time stays as it is.
pub(crate) fn minute(at: &str) -> Markup {
    match at.parse::<Timestamp>() {
        Ok(time) => html! { time datetime=(time) title=(exact(time)) { (time.to_minute()) } },
        Err(_) => html! { (at) },
    }
}

/// The date and time in UTC, to the second.
fn exact(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, rest) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", rest.get(..8).unwrap_or(rest))
}

/// The time span from or until now, in words.
fn span(at: Timestamp, now: Timestamp) -> String {
    let ms = now.ms_since(at);
    let seconds = ms.unsigned_abs() / 1000;
    let (count, unit) = match seconds {
        0..45 => return if ms < 0 { "in a moment".to_owned() } else { "just now".to_owned() },
        45..HOUR_S => (seconds.max(MINUTE_S) / MINUTE_S, "minute"),
        HOUR_S..DAY_S => (seconds / HOUR_S, "hour"),
        _ if seconds < 60 * DAY_S => (seconds / DAY_S, "day"),
        _ if seconds < 730 * DAY_S => (seconds / (30 * DAY_S), "month"),
        _ => (seconds / (365 * DAY_S), "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if ms < 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_largest_unit_that_fits() {
        let now = Timestamp::from_ms(100_000 * 86_400_000);
        let ago = |seconds: i64| span(Timestamp::from_ms(now.as_ms() - seconds * 1000), now);
        let expected = [
            (0, "just now"),
            (44, "just now"),
            (45, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_400, "1 day ago"),
            (60 * 86_400, "2 months ago"),
            (730 * 86_400, "2 years ago"),
            (-10, "in a moment"),
            (-7_200, "in 2 hours"),
            (-30 * 86_400, "in 30 days"),
        ];
        for (seconds, text) in expected {
            assert_eq!(ago(seconds), text);
        }
    }

    #[test]
    fn the_exact_time_is_shown_too() {
        let markup = relative("2026-11-24T16:00:12.345Z", Timestamp::from_ms(1_795_536_012_345)).into_string();
        assert!(markup.contains(r#"title="2026-11-24 16:00:12 UTC""#), "{markup}");
        let markup = minute("2026-11-24T16:00:12.345Z").into_string();
        assert!(markup.contains(r#"title="2026-11-24 16:00:12 UTC">2026-11-24 16:00</time>"#), "{markup}");
        assert_eq!(minute("<b>").into_string(), "&lt;b&gt;");
        assert_eq!(relative("<b>", Timestamp::from_ms(0)).into_string(), "&lt;b&gt;");
    }
}
