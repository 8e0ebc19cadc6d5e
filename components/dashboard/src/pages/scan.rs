//! To be written.

use crate::client::Api;
use crate::pages::no_page;
use crate::visit::Visit;
use api::Problem;
use guest::Reply;

pub(crate) async fn page<A: Api>(_visit: &Visit<'_, A>, _project: &str, _scan: &str) -> Result<Reply, Problem> {
    Err(no_page())
}
