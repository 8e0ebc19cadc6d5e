//! The filters of the audit log.

use crate::address;
use crate::request::PageRequest;
use domain::time::Timestamp;

/// The filters in the query of the page; empty ones match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) by: String,
    pub(super) what: String,
    pub(super) target: String,
    pub(super) refused: String,
    pub(super) since: String,
    pub(super) until: String,
}

impl Filter {
    pub(super) fn read<A>(request: &PageRequest<'_, A>) -> Self {
        let text = |name: &str| request.text(name).trim().to_owned();
        Self {
            by: text("by"),
            what: text("what"),
            target: text("target"),
            refused: text("refused"),
            since: text("since"),
            until: text("until"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The filters for the address of the page, each after a `&`.
    pub(super) fn page_query(&self) -> String {
        self.query(str::to_owned)
    }

    /// The filters for the API, each after a `&`.
    pub(super) fn api_query(&self) -> String {
        self.query(time)
    }

    fn query(&self, time: impl Fn(&str) -> String) -> String {
        let Self { by, what, target, refused, since, until } = self;
        let (since, until) = (time(since), time(until));
        address::query([
            ("by", by.as_str()),
            ("what", what),
            ("target", target),
            ("refused", refused),
            ("since", &since),
            ("until", &until),
        ])
    }
}

/// Converts a time to the API's format. A `datetime-local` field has no time zone and is read as UTC. An invalid time
/// stays as it is, so that the API reports it.
fn time(text: &str) -> String {
    let zoned = [text.to_owned(), format!("{text}:00Z"), format!("{text}Z"), format!("{text}T00:00:00Z")];
    let legal = zoned.iter().find_map(|text| text.parse::<Timestamp>().ok());
    legal.map_or_else(|| text.to_owned(), |at| at.to_string())
}

/// Converts a time to the format of a `datetime-local` field; empty if it is invalid.
pub(super) fn local(text: &str) -> String {
    match time(text).parse::<Timestamp>() {
        Ok(at) => at.to_string().get(..16).unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_of_browsers_and_people() {
        for text in ["2026-11-24T16:00", "2026-11-24T16:00:00", "2026-11-24T16:00:00Z", "2026-11-24T17:00:00+01:00"] {
            assert_eq!(time(text), "2026-11-24T16:00:00.000Z");
            assert_eq!(local(text), "2026-11-24T16:00");
        }
        assert_eq!(time("2026-11-24"), "2026-11-24T00:00:00.000Z");
        assert_eq!((time("soon"), local("soon"), time("")), ("soon".to_owned(), String::new(), String::new()));
    }

    #[test]
    fn empty_filters_are_left_out() {
        let filter = Filter { by: "a&b".to_owned(), since: "2026-11-24".to_owned(), ..Filter::default() };
        assert_eq!(filter.page_query(), "&by=a%26b&since=2026-11-24");
        assert_eq!(filter.api_query(), "&by=a%26b&since=2026-11-24T00%3A00%3A00.000Z");
        assert!(Filter::default().page_query().is_empty());
    }
}
