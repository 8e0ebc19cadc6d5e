//! Pages of lists, with opaque cursors.

use crate::problem::Problem;
use crate::query::Query;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The default number of items on a page.
const LIMIT_DEFAULT: usize = 50;
/// The maximum number of items on a page.
pub const LIMIT_MAX: usize = 1_000;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "{T}Page"))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// A request for a page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<C> {
    /// The maximum number of items.
    pub limit: usize,
    /// The cursor at which the page begins; absent for the first page.
    pub from: Option<C>,
}

/// Reads `limit` and `cursor` from a query for the list of this name.
///
/// # Errors
/// The limit is not from 1 to [`LIMIT_MAX`], or the cursor is not valid or belongs to another list.
pub fn wanted<C: DeserializeOwned>(query: &mut Query, list: &str) -> Result<Wanted<C>, Problem> {
    let limit = query.optional("limit")?.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::parameter("limit", format_args!("expected 1 to {LIMIT_MAX}, found {limit}")));
    }
    let from = match query.optional::<String>("cursor")? {
        None => None,
        Some(text) => Some(decode(list, &text).ok_or_else(|| {
            Problem::parameter("cursor", "not a cursor of this list; use the `next` of the previous page, unchanged")
        })?),
    };
    Ok(Wanted { limit, from })
}

/// Encodes a cursor of the list of this name as text.
pub fn encode<C: Serialize>(list: &str, cursor: &C) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, cursor)).unwrap_or_default())
}

fn decode<C: DeserializeOwned>(list: &str, text: &str) -> Option<C> {
    let (of, cursor): (String, C) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    (of == list).then_some(cursor)
}

/// A page of items that are sorted by a text. The cursor is the text of the last item on the previous page.
pub fn page_of<T>(list: &str, items: impl Iterator<Item = (String, T)>, wanted: Wanted<String>) -> Page<T> {
    let mut rest = items.filter(|(at, _)| wanted.from.as_ref().is_none_or(|from| from < at));
    let page: Vec<_> = rest.by_ref().take(wanted.limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|(at, _)| encode(list, at));
    Page { items: page.into_iter().map(|(_, item)| item).collect(), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_foreign_ones_are_refused() {
        let cursor = encode("scans", &7_u32);
        let mut query = Query::parse(&format!("limit=1000&cursor={cursor}")).unwrap();
        assert_eq!(wanted::<u32>(&mut query, "scans").unwrap(), Wanted { limit: 1000, from: Some(7) });
        assert_eq!(wanted::<u32>(&mut Query::default(), "scans").unwrap(), Wanted { limit: LIMIT_DEFAULT, from: None });
        for bad in ["limit=0", "limit=1001", "cursor=%21", "cursor=AAAA"] {
            assert!(wanted::<u32>(&mut Query::parse(bad).unwrap(), "scans").is_err(), "{bad}");
        }
        let other = format!("cursor={}", encode("issues", &7_u32));
        assert!(wanted::<u32>(&mut Query::parse(&other).unwrap(), "scans").is_err(), "another list's");
    }
}
