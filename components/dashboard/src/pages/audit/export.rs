//! The download of the audit log: all entries that match the filters, or an error. An incomplete file could be taken
//! for a complete one.

use super::filter::Filter;
use crate::address;
use crate::client::Api;
use crate::request::PageRequest;
use api::Problem;
use api::page::{LIMIT_MAX, Page};
use api::path::segment;
use api::problem::Code;
use api::v1::AuditItem;
use guest::Reply;

/// The most entries in a file.
const ENTRIES_MAX: usize = 20_000;
/// The largest file, in bytes.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// The memory that a download needs, in bytes: the growing file, and one page of the API before and after parsing.
const BYTES_HELD: usize = 40 * 1024 * 1024;
/// The most pages that are requested from the API. With a narrow filter many of them are empty.
const PAGES_MAX: usize = 50;

/// The file.
///
/// # Errors
/// The file would be too large, or the API answered with a problem.
pub(super) async fn file<A: Api>(request: &PageRequest<'_, A>, project: Option<&str>) -> Result<Reply, Problem> {
    let path = format!("{}?limit={LIMIT_MAX}{}", address::audit_api(project), Filter::read(request).api_query());
    let _share = guest::memory::hold(BYTES_HELD).await;
    let (mut body, mut entries, mut from) = (Vec::new(), 0_usize, String::new());
    for _ in 0..PAGES_MAX {
        let page: Page<AuditItem> = request.api.get(&format!("{path}{from}")).await?;
        entries = entries.saturating_add(page.items.len());
        for item in &page.items {
            serde_json::to_writer(&mut body, item).map_err(|error| Problem::internal(error.to_string()))?;
            body.push(b'\n');
        }
        if ENTRIES_MAX < entries || BYTES_MAX < body.len() {
            return Err(too_large());
        }
        let Some(next) = page.next else { return Ok(reply(project, request, body)) };
        from = format!("&cursor={}", segment(&next));
    }
    Err(too_large())
}

fn too_large() -> Problem {
    let detail = "the download has more than 20,000 entries or 8 MiB, or too many entries must be searched for it; select a \
                  shorter time range, or use `gatehouse audit --format jsonl`";
    Problem::new(Code::InvalidParameter, detail)
}

fn reply<A>(project: Option<&str>, request: &PageRequest<'_, A>, body: Vec<u8>) -> Reply {
    let day: String = request.now.to_string().chars().take(10).collect();
    // The name of a project consists of a-z, 0-9 and `-`.
    let name = format!("audit-{}-{day}.jsonl", project.unwrap_or("account"));
    let headers = vec![
        ("content-disposition", format!("attachment; filename=\"{name}\"")),
        ("x-content-type-options", "nosniff".to_owned()),
        ("vary", "accept-encoding".to_owned()),
    ];
    Reply { status: 200, media_type: "application/jsonl".to_owned(), headers, body }
}
