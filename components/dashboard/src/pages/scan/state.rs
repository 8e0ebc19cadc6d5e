//! What of a scan's issues is shown: the filters, and each list's order and place. All of it stands in the URL.

use crate::address;
use crate::visit::Visit;
use api::path::segment;
use std::collections::BTreeMap;

/// The levels that an issue counts as, the worst first, and that of what is exempted.
pub(crate) const TILES: [&str; 7] = ["critical", "high", "medium", "low", "info", "unassigned", "exempted"];
/// Filters, by their names in the URL.
const FILTERS: [&str; 6] = ["show", "kind", "status", "text", "target", "scanner"];
/// The lists, by their buckets.
pub(crate) const BUCKETS: [&str; 3] = ["new", "common", "remediated"];
/// Issues on a page of a list.
const LISTED: usize = 25;

/// The state of the page, as the URL has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    path: String,
    values: BTreeMap<String, String>,
}

impl State {
    /// The state that a visit asks for.
    pub(crate) fn of<A>(visit: &Visit<'_, A>) -> Self {
        let lists = BUCKETS.into_iter().flat_map(|bucket| [format!("sort_{bucket}"), format!("at_{bucket}")]);
        let names = FILTERS.into_iter().map(str::to_owned).chain(lists);
        let values = names.map(|name| (visit.text(&name).to_owned(), name)).filter(|(value, _)| !value.is_empty());
        Self { path: visit.path().to_owned(), values: values.map(|(value, name)| (name, value)).collect() }
    }

    /// The path of the page.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A value; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// All values but these, for the hidden fields of a form that sets these.
    pub(crate) fn without<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let kept = move |name: &str| !names.contains(&name) && !name.starts_with("at_");
        self.values.iter().filter(move |(name, _)| kept(name)).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The page's URL with this value set anew, or taken away if it is empty.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let mut values = self.values.clone();
        values.insert(name.to_owned(), value.to_owned());
        // A list in another order begins anew.
        if let Some(bucket) = name.strip_prefix("sort_") {
            values.remove(&format!("at_{bucket}"));
        }
        address::with_query(&self.path, values.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Whether anything is filtered beside what the tiles show.
    pub(crate) fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| self.values.contains_key(*name))
    }

    /// The tiles that are pressed.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &'static str> {
        let words: Vec<_> = self.get("show").split(',').collect();
        TILES.into_iter().filter(move |tile| words.contains(tile))
    }

    /// The value of `show` once this tile is pressed, or let go.
    pub(crate) fn toggled(&self, tile: &str) -> String {
        let is_on = self.shown().any(|shown| shown == tile);
        let kept = |of: &&str| if *of == tile { !is_on } else { self.shown().any(|shown| shown == *of) };
        TILES.into_iter().filter(kept).collect::<Vec<_>>().join(",")
    }

    /// How the API is asked for a list. With no tile pressed everything is shown that counts.
    pub(crate) fn query(&self, bucket: &str) -> String {
        let mut shown: Vec<_> = self.shown().collect();
        if shown.is_empty() {
            shown = TILES.into_iter().filter(|tile| *tile != "exempted").collect();
        }
        let query = format!("bucket={bucket}&limit={LISTED}&counted_as={}", segment(&shown.join(",")));
        let (sort, at) = (format!("sort_{bucket}"), format!("at_{bucket}"));
        let named = [("kind", "kind"), ("exemption", "status"), ("text", "text"), ("sort", &sort), ("cursor", &at)];
        query + &address::query(named.map(|(name, of)| (name, self.get(of))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, session, visiting};
    use domain::role::Role;

    fn state(here: &str) -> State {
        visiting(&FakeApi::default(), &session(Role::Viewer), here, async |visit| State::of(visit))
    }

    #[test]
    fn tiles_are_pressed_and_let_go() {
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
    fn the_url_holds_everything_and_a_new_order_begins_anew() {
        let state = state("/s?text=a+%26+b&at_new=x&at_common=y&sort_new=title&unknown=1");
        assert_eq!(state.with("kind", "code"), "/s?at_common=y&at_new=x&kind=code&sort_new=title&text=a%20%26%20b");
        assert_eq!(state.with("sort_new", ""), "/s?at_common=y&text=a%20%26%20b");
        assert!(state.query("new").ends_with("&text=a%20%26%20b&sort=title&cursor=x"));
        assert_eq!(state.without(&["text"]).collect::<Vec<_>>(), [("sort_new", "title")], "filters begin anew");
    }
}
