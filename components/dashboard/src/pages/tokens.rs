//! To be written.

use crate::client::Api;
use crate::pages::{Asked, no_page};
use crate::visit::Visit;
use api::Problem;
use guest::Reply;

pub(crate) async fn route<A: Api>(
    _visit: &Visit<'_, A>,
    _asked: Asked<'_>,
    _project: Option<&str>,
    _rest: &[&str],
) -> Result<Reply, Problem> {
    Err(no_page())
}
