//! To be written.

use crate::client::Api;
use crate::pages::no_page;
use crate::session::Session;
use crate::visit::Visit;
use api::Problem;
use domain::time::Timestamp;
use guest::{Call, Reply};

pub(crate) async fn page<A: Api>(_visit: &Visit<'_, A>, _project: &str) -> Result<Reply, Problem> {
    Err(no_page())
}

pub(crate) async fn submit(
    _call: Call,
    _session: &Session,
    _project: &str,
    _client: Option<&str>,
    _now: Timestamp,
) -> Result<Reply, Problem> {
    Err(no_page())
}
