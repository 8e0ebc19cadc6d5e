//! The log as a file: all entries that the filters let through, or none. A file that is silently short would be taken for
//! the whole.

use super::call;
use super::filter::Filter;
use crate::client::Api;
use crate::visit::Visit;
use api::Problem;
use api::page::{LIMIT_MAX, Page};
use api::path::segment;
use api::problem::Code;
use api::v1::AuditItem;
use guest::Reply;

/// The most entries of a file.
const ENTRIES_MAX: usize = 20_000;
/// The most bytes of a file.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// What is held while a file is made, in bytes: the file as it grows, and a page of the API's in all its forms.
const BYTES_HELD: usize = 40 * 1024 * 1024;
/// How many pages are asked for at most: where a filter lets little through, many are empty.
const PAGES_MAX: usize = 50;

/// The file.
///
/// # Errors
/// It would be too large, or the API's.
pub(super) async fn file<A: Api>(visit: &Visit<'_, A>, project: Option<&str>) -> Result<Reply, Problem> {
    let path = format!("{}?limit={LIMIT_MAX}{}", call(project), Filter::read(visit).call());
    let _share = guest::memory::hold(BYTES_HELD).await;
    let (mut body, mut entries, mut from) = (Vec::new(), 0_usize, String::new());
    for _ in 0..PAGES_MAX {
        let page: Page<AuditItem> = visit.api.get(&format!("{path}{from}")).await?;
        entries = entries.saturating_add(page.items.len());
        for item in &page.items {
            serde_json::to_writer(&mut body, item).map_err(|error| Problem::internal(error.to_string()))?;
            body.push(b'\n');
        }
        if ENTRIES_MAX < entries || BYTES_MAX < body.len() {
            return Err(too_large());
        }
        let Some(next) = page.next else { return Ok(reply(project, visit, body)) };
        from = format!("&cursor={}", segment(&next));
    }
    Err(too_large())
}

fn too_large() -> Problem {
    let detail = "the file would have more than 20,000 entries or 8 MiB, or too many entries have to be looked at for it; \
                  narrow the range of time, or write all of it with `gatehouse audit --format jsonl`";
    Problem::new(Code::InvalidParameter, detail)
}

fn reply<A>(project: Option<&str>, visit: &Visit<'_, A>, body: Vec<u8>) -> Reply {
    let day: String = visit.now.to_string().chars().take(10).collect();
    // A project's name is of a-z, 0-9 and `-`.
    let name = format!("audit-{}-{day}.jsonl", project.unwrap_or("account"));
    let headers = vec![
        ("content-disposition", format!("attachment; filename=\"{name}\"")),
        ("x-content-type-options", "nosniff".to_owned()),
        ("vary", "accept-encoding".to_owned()),
    ];
    Reply { status: 200, media_type: "application/jsonl".to_owned(), headers, body }
}
