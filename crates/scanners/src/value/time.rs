//! The time at which a scanner made its report, in the forms that scanners write.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;

/// The longest text that may be a time, in bytes.
const TEXT_BYTES_MAX: usize = 80;
/// The start of the year 2000, in milliseconds since the Unix epoch. An earlier time is that of an unset clock or
/// field: Go writes the year 1, and C the year 1970.
const FIRST_MS: i64 = 946_684_800_000;
/// Forms other than RFC 3339, without the day of the week and the zone.
const FORMS: [&str; 5] = [
    // RFC 2822, and ZAP.
    "%d %b %Y %H:%M:%S",
    // C's `ctime` and Java's `Date`: Nikto, Nessus, Burp Suite.
    "%b %d %H:%M:%S %Y",
    // Checkmarx.
    "%B %d, %Y %I:%M:%S %p",
    // WebInspect.
    "%m/%d/%Y %I:%M:%S %p",
    // Qualys.
    "%m/%d/%Y %H:%M:%S",
];
/// Abbreviations of zones that mean one offset, in hours: those of RFC 2822, and of Central Europe.
const ZONES: [(&str, i8); 11] = [
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
    ("CEST", 2),
];

/// Replaces a time, in milliseconds since the Unix epoch, by that of a text if that is earlier. A text that is not a
/// time has no effect.
pub(crate) fn keep_earliest(earliest_ms: &mut Option<i64>, text: Option<&str>) {
    let read = text.and_then(read_ms);
    *earliest_ms = earliest_ms.iter().copied().chain(read).min();
}

/// Reads a time: RFC 3339, seconds or milliseconds since the Unix epoch, or one of the forms above. A time without a
/// zone counts as UTC. Returns milliseconds since the Unix epoch; nothing for other texts, dates without a time,
/// unknown zones and times before the year 2000.
fn read_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let ms = epoch(text).or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond));
    ms.or_else(|| in_words(text)).filter(|ms| FIRST_MS <= *ms)
}

/// Reads seconds or milliseconds since the Unix epoch: 10 or 13 digits, as between 2001 and 2286.
fn epoch(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        10 if digits => text.parse::<i64>().ok()?.checked_mul(1000),
        13 if digits => text.parse().ok(),
        _ => None,
    }
}

/// Reads a date and time with a zone in words of its own, or without one.
fn in_words(text: &str) -> Option<i64> {
    let mut words: Vec<&str> = text.split_whitespace().filter(|word| *word != "at").collect();
    if words.first().is_some_and(|word| is_weekday(word)) {
        words.remove(0);
    }
    let zones: Vec<&str> = words.iter().copied().filter(|word| is_zone(word)).collect();
    words.retain(|word| !is_zone(word));
    let offset = match zones.as_slice() {
        [] => Offset::UTC,
        // Go writes the offset and the abbreviation.
        [zone, ..] => offset(zone)?,
    };
    let text = words.join(" ");
    // A date alone is no time of day.
    let iso = Some(&text).filter(|text| text.contains(':')).and_then(|text| text.parse::<DateTime>().ok());
    let at = iso.or_else(|| {
        let read = |form: &&str| strtime::parse(form, &text).ok()?.to_datetime().ok();
        FORMS.iter().find_map(read)
    });
    Some(offset.to_timestamp(at?).ok()?.as_millisecond())
}

/// True for a name of a day of the week or its abbreviation: `Mon`, `Mon,`, `Monday,`.
fn is_weekday(word: &str) -> bool {
    let letters = word.strip_suffix(',').unwrap_or(word);
    let begins = |day: &&str| letters.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case(day));
    letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(begins)
}

/// True for an offset or an abbreviation in capital letters: `+0000`, `CEST`, `(GMT-0800)`.
fn is_zone(word: &str) -> bool {
    let word = word.trim_matches(['(', ')']);
    let capitals = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = word.get(capitals..).unwrap_or_default();
    !matches!(word, "AM" | "PM") && (rest.starts_with(['+', '-']) || (capitals > 0 && rest.is_empty()))
}

/// The offset that a zone means.
fn offset(zone: &str) -> Option<Offset> {
    let zone = zone.trim_matches(['(', ')']);
    let numeric = zone.strip_prefix("GMT").or(zone.strip_prefix("UTC")).unwrap_or(zone);
    if numeric.is_empty() {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match (numeric.strip_prefix('+'), numeric.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        (None, None) => {
            let known = ZONES.iter().find(|(name, _)| *name == zone);
            return known.and_then(|(_, hours)| Offset::from_hours(*hours).ok());
        }
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..).unwrap_or_default());
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<u8>().ok()?.into() };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T06:18:00Z.
    const AT: i64 = 1_795_414_680_000;

    #[test]
    fn every_form_that_scanners_write_is_read() {
        for text in [
            "2026-11-23T06:18:00Z",
            " 2026-11-23T06:18:00.000000Z ",
            "2026-11-23T07:18:00.0000009+01:00",
            "2026-11-23T07:18:00+0100",
            "2026-11-23T06:18:00.000-0000",
            "2026-11-23T06:18:00",
            "2026-11-23T06:18:00.000",
            "2026-11-23 06:18:00",
            "2026-11-23 06:18:00 +0000",
            "2026-11-23 08:18:00 +02:00",
            "2026-11-23 06:18:00 UTC",
            "2026-11-22 22:18:00.000000 -0800 PST",
            "1795414680",
            "1795414680000",
            "Mon, 23 Nov 2026 06:18:00",
            "Mon, 23 Nov 2026 06:18:00 +0000",
            "Mon, 23 Nov 2026 06:18:00 GMT",
            "Mon Nov 23 06:18:00 2026",
            "Mon Nov 23 06:18:00 UTC 2026",
            "Mon Nov 23 07:18:00 CET 2026",
            "Monday, November 23, 2026 6:18:00 AM",
            "11/23/2026 6:18:00 AM",
            "11/23/2026 at 06:18:00 (GMT)",
            "11/22/2026 at 22:18:00 (GMT-0800)",
        ] {
            assert_eq!(read_ms(text), Some(AT), "{text}");
        }
        assert_eq!(read_ms("Thu, 3 Mar 2016 10:00:00"), Some(1_456_999_200_000));
        assert_eq!(read_ms("Sat Nov  7 19:00:19 2020"), Some(1_604_775_619_000));
        assert_eq!(read_ms("2026-11-23T06:18:00.5Z"), Some(AT + 500));
    }

    #[test]
    fn what_is_no_time_is_absent() {
        for text in [
            "",
            "now",
            "5",
            "12345678901",
            "99999999999999999999",
            "2026-11-23",
            "23/11/2026 06:18:00",
            "2026-13-01T00:00:00Z",
            "2026-11-23T06:18:00Q",
            "Mon Nov 23 06:18:00 WIB 2026",
            "Fr., 23 Nov. 2026 06:18:00",
            "Mon Nov 23 06:18:00 \u{1f980} 2026",
            "2026-11-23 06:18:00 +\u{e9}",
            "2026-11-23 06:18:00 +99999",
            "(",
            "+",
            "AM",
            "Mon",
        ] {
            assert_eq!(read_ms(text), None, "{text:?}");
        }
        assert_eq!(read_ms(&format!("{}2026-11-23T06:18:00Z", " ".repeat(90))), Some(AT), "blanks do not count");
        assert_eq!(read_ms(&"2026-11-23T06:18:00Z ".repeat(9)), None);
    }

    #[test]
    fn the_time_of_an_unset_clock_is_absent() {
        for text in ["0001-01-01T00:00:00Z", "Thu Jan  1 00:00:00 1970", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z"]
        {
            assert_eq!(read_ms(text), None, "{text}");
        }
        assert_eq!(read_ms("2000-01-01T00:00:00Z"), Some(FIRST_MS));
    }
}
