//! The list of requests to accept scans. `ingest` answers the calls to one of them.

use crate::job::ProjectJob;
use api::Problem;
use api::internal::Services;
use api::page::{Page, Wanted, page_of};
use api::scan_answer::find_answer;
use api::v1::AcceptRequestItem;
use domain::ids::ScanId;
use store::kv::Kv;
use store::scans::Frozen;
use store::series;

impl<K: Kv, V: Services> ProjectJob<'_, K, V> {
    /// The pending requests to accept scans of targets that the caller may see, or the request for one scan.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn accept_requests(
        &self,
        scan: Option<ScanId>,
        wanted: Wanted<String>,
    ) -> Result<Page<AcceptRequestItem>, Problem> {
        let state = self.context.state().await?;
        let pending = state.accept_requests.iter().filter(|(_, request)| self.caller.covers(&request.target));
        let pending = pending.filter(|(id, _)| scan.is_none_or(|scan| scan == **id));
        let page = page_of("accept-requests", pending.map(|(id, request)| (id.to_string(), (*id, request))), wanted);
        let mut items = Vec::with_capacity(page.items.len());
        for (id, request) in page.items {
            let (kv, project) = (self.context.kv, &self.context.project);
            // A scan that can be requested is finished.
            let Some(answer) = find_answer(kv, &self.caller, project, id).await? else { continue };
            let now = series::acceptance(kv, &Frozen::get(kv, id).await?).await?.ok();
            items.push(AcceptRequestItem::new(&answer, request, now));
        }
        Ok(Page { items, next: page.next })
    }
}
