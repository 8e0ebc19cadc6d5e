//! `gatehouse exemptions approve`, `reject`, `cancel` and `reopen`: a decision on one exemption, or the same on
//! several.

use anyhow::{Result, bail};
use api::page::Page;
use api::v1::{BulkDecision, DecisionBody, DecisionsBody, ExemptionItem};
use clap::Args;
use domain::exemption::{Decision, Scope};
use ureq::http::Method;

use super::print_state;
use crate::args::Connection;

#[derive(Args)]
pub(super) struct DecisionArgs {
    /// The exemption's id; several are changed together or not at all
    #[arg(required = true)]
    id: Vec<String>,
    /// Comment
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: String,
    /// Decide only on this version, as `exemptions show` prints it; if it has changed since, nothing happens. For one
    /// exemption
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub(super) struct ApproveArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    grant: GrantArgs,
    /// The scan in which you saw the issue: approve its severity and names there, too
    #[arg(long)]
    scan: Option<String>,
}

/// The options of an approval.
#[derive(Args)]
pub(super) struct GrantArgs {
    /// Approve a wider scope than requested: target, pipeline, project, or account (account admins only)
    #[arg(long)]
    pub(super) scope: Option<Scope>,
    /// The pipeline, with the scope `pipeline`; defaults to the pipeline of the request's scan
    #[arg(long)]
    pub(super) pipeline: Option<String>,
}

/// Approves.
pub(super) fn approve(args: ApproveArgs) -> Result<()> {
    send(args.decision, Decision::Approve, args.grant, args.scan)
}

/// Makes any other decision.
pub(super) fn run(args: DecisionArgs, decision: Decision) -> Result<()> {
    send(args, decision, GrantArgs { scope: None, pipeline: None }, None)
}

fn send(args: DecisionArgs, decision: Decision, grant: GrantArgs, scan: Option<String>) -> Result<()> {
    if args.version.is_some() && args.id.len() > 1 {
        bail!("--version is the version of one exemption; decide on each exemption separately");
    }
    let client = args.connection.client()?;
    let body = DecisionBody {
        comment: args.comment,
        scope: grant.scope.map(|scope| scope.to_string()),
        pipeline: grant.pipeline,
        version: args.version,
        scan,
    };
    let items = match args.id.as_slice() {
        [id] => vec![client.send(Method::POST, &["exemptions", id, decision.as_str()], &body)?],
        ids => {
            let body = DecisionsBody { decisions: of_each(ids, decision, &body) };
            client.send::<Page<ExemptionItem>>(Method::POST, &["exemptions", "decisions"], &body)?.items
        }
    };
    items.iter().for_each(print_state);
    Ok(())
}

/// The same decision for each id.
fn of_each(ids: &[String], decision: Decision, body: &DecisionBody) -> Vec<BulkDecision> {
    let DecisionBody { comment, scope, pipeline, scan, version } = body;
    let one = |id: &String| BulkDecision {
        id: id.clone(),
        decision: decision.to_string(),
        comment: comment.clone(),
        scope: scope.clone(),
        pipeline: pipeline.clone(),
        version: *version,
        scan: scan.clone(),
    };
    ids.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_on_several_is_the_same_for_each() {
        let scope = Some("project".to_owned());
        let body = DecisionBody { comment: "agreed".to_owned(), scope, ..DecisionBody::default() };
        let all = of_each(&["a".to_owned(), "b".to_owned()], Decision::Approve, &body);
        let fields = |one: &BulkDecision| (one.decision.clone(), one.comment.clone(), one.scope.clone());
        assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(all.iter().all(|one| fields(one) == ("approve".to_owned(), body.comment.clone(), body.scope.clone())));
    }
}
