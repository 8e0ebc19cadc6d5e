//! Text that may be blank, and text of a report in a message.

use crate::reader::json::Text;

/// The first characters of a report's text, without control characters, for a message.
pub(crate) fn shown(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

/// The number of a score that is written as a text: finite, with a point or, as some locales write it, a comma before
/// one or two digits. A comma before three digits may separate thousands.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let with_comma = || {
        let (whole, fraction) = text.split_once(',')?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        ((1..=2).contains(&fraction.len()) && digits(whole) && digits(fraction)).then(|| format!("{whole}.{fraction}"))
    };
    let number = text.parse().ok().or_else(|| with_comma()?.parse().ok());
    number.filter(|number: &f64| number.is_finite())
}

/// Text that counts as absent if it is blank: empty or only white space.
pub(crate) trait Filled {
    /// The text without its wrapper.
    type Inner;

    /// The text as it is, unless it is blank.
    fn filled(self) -> Option<Self::Inner>;
}

impl<'t> Filled for &'t str {
    type Inner = &'t str;
    fn filled(self) -> Option<&'t str> {
        Some(self).filter(|text| !text.trim().is_empty())
    }
}

impl Filled for String {
    type Inner = String;
    fn filled(self) -> Option<String> {
        Some(self).filter(|text| !text.trim().is_empty())
    }
}

impl Filled for Text {
    type Inner = String;
    fn filled(self) -> Option<String> {
        self.0.filled()
    }
}

impl<T: Filled> Filled for Option<T> {
    type Inner = T::Inner;
    fn filled(self) -> Option<T::Inner> {
        self.and_then(T::filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_text_is_absent_and_any_other_stays_as_it_is() {
        assert_eq!([" a ".filled(), " \n".filled(), "".filled()], [Some(" a "), None, None]);
        assert_eq!([Some("a").filled(), Some(" ").filled(), None::<&str>.filled()], [Some("a"), None, None]);
        assert_eq!([Text(" a".to_owned()).filled(), Text("\t".to_owned()).filled()], [Some(" a".to_owned()), None]);
    }

    #[test]
    fn a_score_has_a_point_or_a_comma() {
        let cases = [
            ("9.8", Some(9.8)),
            (" 9,8 ", Some(9.8)),
            ("10,00", Some(10.0)),
            (",5", Some(0.5)),
            ("1,234", None),
            ("1,2,3", None),
            ("9,", None),
            ("-1,5", None),
            ("inf", None),
            ("NaN", None),
            ("high", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal(text), expected, "{text:?}");
        }
    }
}
