//! The state of a page with lists of issues: filters, and the order and position of each list. All of it is in the URL.

use crate::address;
use crate::request::PageRequest;
use api::path::segment;
use std::collections::BTreeMap;

/// The tiles: the severities, the highest first, and exempted issues.
pub(crate) const TILES: [&str; 7] = ["critical", "high", "medium", "low", "info", "unassigned", "exempted"];
/// The names of the filters in the URL.
const FILTERS: [&str; 6] = ["show", "kind", "status", "text", "target", "scanner"];
/// The buckets of the lists.
pub(crate) const BUCKETS: [&str; 4] = ["new", "common", "remediated", "not_seen"];
/// Issues on a page of a list.
const PER_PAGE: usize = 25;

/// The state in the URL of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlState {
    path: String,
    values: BTreeMap<String, String>,
}

impl UrlState {
    /// The state in the URL of a request.
    pub(crate) fn of<A>(request: &PageRequest<'_, A>) -> Self {
        let lists = BUCKETS.into_iter().flat_map(|bucket| [format!("sort_{bucket}"), format!("at_{bucket}")]);
        let names = FILTERS.into_iter().map(str::to_owned).chain(lists);
        let values = names.map(|name| (request.text(&name).to_owned(), name)).filter(|(value, _)| !value.is_empty());
        Self { path: request.path().to_owned(), values: values.map(|(value, name)| (name, value)).collect() }
    }

    /// The path of the page.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A value; empty if it is missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// All values without these and without positions, for the hidden fields of a form that sets these.
    pub(crate) fn without<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let kept = move |name: &str| !names.contains(&name) && !name.starts_with("at_");
        self.values.iter().filter(move |(name, _)| kept(name)).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The URL with a changed value; an empty value is removed.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let mut values = self.values.clone();
        values.insert(name.to_owned(), value.to_owned());
        // A list in another order starts at its first page.
        if let Some(bucket) = name.strip_prefix("sort_") {
            values.remove(&format!("at_{bucket}"));
        }
        address::with_query(&self.path, values.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// True if a filter is set.
    pub(crate) fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| self.values.contains_key(*name))
    }

    /// The selected tiles.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &'static str> {
        let words: Vec<_> = self.get("show").split(',').collect();
        TILES.into_iter().filter(move |tile| words.contains(tile))
    }

    /// The value of `show` after a click on this tile.
    pub(crate) fn toggled(&self, tile: &str) -> String {
        let is_on = self.shown().any(|shown| shown == tile);
        let kept = |of: &&str| if *of == tile { !is_on } else { self.shown().any(|shown| shown == *of) };
        TILES.into_iter().filter(kept).collect::<Vec<_>>().join(",")
    }

    /// The query of the API's call for a list. Without a selected tile, all issues that count are shown.
    pub(crate) fn query(&self, bucket: &str) -> String {
        let mut shown: Vec<_> = self.shown().collect();
        if shown.is_empty() {
            shown = TILES.into_iter().filter(|tile| *tile != "exempted").collect();
        }
        let query = format!("bucket={bucket}&limit={PER_PAGE}&counted_as={}", segment(&shown.join(",")));
        let (sort, at) = (format!("sort_{bucket}"), format!("at_{bucket}"));
        let named = [("kind", "kind"), ("exemption", "status"), ("text", "text"), ("sort", &sort), ("cursor", &at)];
        query + &address::query(named.map(|(name, of)| (name, self.get(of))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, session, with_get};
    use domain::role::Role;

    fn state(url: &str) -> UrlState {
        with_get(&FakeApi::default(), &session(Role::Viewer), url, async |request| UrlState::of(request))
    }

    #[test]
    fn tiles_are_switches() {
        let none = state("/s");
        assert_eq!((none.toggled("high"), none.is_filtered()), ("high".to_owned(), false));
        let two = state("/s?show=exempted,critical,nonsense&kind=code");
        assert_eq!(two.shown().collect::<Vec<_>>(), ["critical", "exempted"]);
        assert_eq!((two.toggled("critical"), two.toggled("low")), ("exempted".into(), "critical,low,exempted".into()));
        assert!(two.is_filtered());
        assert!(none.query("new").contains("counted_as=critical%2Chigh%2Cmedium%2Clow%2Cinfo%2Cunassigned"));
        assert!(two.query("new").contains("counted_as=critical%2Cexempted&kind=code"));
    }

    #[test]
    fn the_url_contains_everything_and_a_new_order_starts_at_the_first_page() {
        let state = state("/s?text=a+%26+b&at_new=x&at_common=y&sort_new=title&unknown=1");
        assert_eq!(state.with("kind", "code"), "/s?at_common=y&at_new=x&kind=code&sort_new=title&text=a%20%26%20b");
        assert_eq!(state.with("sort_new", ""), "/s?at_common=y&text=a%20%26%20b");
        assert!(state.query("new").ends_with("&text=a%20%26%20b&sort=title&cursor=x"));
        assert_eq!(
            state.without(&["text"]).collect::<Vec<_>>(),
            [("sort_new", "title")],
            "filters start at the first page"
        );
    }
}
