//! Folders that have other names in two scans, for example because the checkout is elsewhere.

use std::collections::BTreeSet;

/// The maximum number of exchanges. Further ones are left out.
const EXCHANGES_MAX: usize = 8;

/// The beginnings of paths that were exchanged: that of the current scan and that of the reference scan. A beginning
/// ends with a slash, or is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanges(BTreeSet<(String, String)>);

impl Exchanges {
    /// Finds the exchanges in the paths of matched occurrences: that of the current scan and that of the reference
    /// scan.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut exchanges = BTreeSet::new();
        for (current, reference) in pairs.into_iter().filter(|(current, reference)| current != reference) {
            if EXCHANGES_MAX <= exchanges.len() {
                break;
            }
            let (head, former) = without_common_end(current, reference);
            // A renamed file, and not a folder.
            if head.len() < current.len() {
                exchanges.insert((head.to_owned(), former.to_owned()));
            }
        }
        Self(exchanges)
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names that a path of the reference scan may have in the current scan; its own comes first.
    pub(super) fn names<'a>(&'a self, path: &'a str) -> impl Iterator<Item = String> + 'a {
        exchanged(path, self.0.iter().map(|(head, former)| (former.as_str(), head.as_str())))
    }

    /// Returns the names that a path of the current scan may have in the reference scan; its own comes first.
    pub(super) fn former_names<'a>(&'a self, path: &'a str) -> impl Iterator<Item = String> + 'a {
        exchanged(path, self.0.iter().map(|(head, former)| (head.as_str(), former.as_str())))
    }
}

fn exchanged<'a>(
    path: &'a str,
    heads: impl Iterator<Item = (&'a str, &'a str)> + 'a,
) -> impl Iterator<Item = String> + 'a {
    let others = heads.filter_map(move |(from, to)| Some(format!("{to}{}", path.strip_prefix(from)?)));
    std::iter::once(path.to_owned()).chain(others)
}

/// Removes the longest common end of whole segments from two paths.
fn without_common_end<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let (mut head, mut other_head) = (one, other);
    let last = |path: &'a str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    while !head.is_empty() && !other_head.is_empty() && last(head) == last(other_head) {
        let end = last(head);
        let cut = |path: &'a str| path.trim_end_matches('/').strip_suffix(end).unwrap_or_default();
        (head, other_head) = (cut(head), cut(other_head));
        // The root of a file system has no name.
        if end.is_empty() {
            break;
        }
    }
    (head, other_head)
}
