//! `gatehouse exemptions show`: one exemption, a line for each detail.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use api::v1::ExemptionItem;
use clap::Args;

use super::{reach, term};
use crate::args::{Connection, Format};
use crate::output;
use crate::terminal::{HEADING, plain};

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The exemption's id
    id: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let item: serde_json::Value = args.connection.client()?.get(&["exemptions", &args.id], &[])?;
    match args.format {
        Format::Json => output::json(&item),
        Format::Table => {
            let item = serde_json::from_value(item).context("the server's answer can't be read")?;
            output::print(&text(&item)?)
        }
    }
}

fn text(item: &ExemptionItem) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "{HEADING}Exemption {} is {}{HEADING:#}", plain(&item.id), item.status)?;
    for (name, value) in lines(item) {
        writeln!(text, "{name:<15}{}", plain(&value))?;
    }
    Ok(text)
}

/// The reason why an exemption returned to review.
fn returned_because(item: &ExemptionItem) -> &str {
    item.returned_because.as_deref().unwrap_or("edited or moved since that was approved")
}

/// The lines of the details, each with its name.
fn lines(item: &ExemptionItem) -> Vec<(&'static str, String)> {
    let by = |subject: &str, when: &str| format!("{subject} at {when}");
    let mut lines = vec![
        ("issue", format!("{} ({})", item.title, item.issue)),
        ("severity", format!("{} when it was requested, found by {}", item.severity, item.scanner)),
        ("exempts it in", reach(item)),
    ];
    let requested = item.requested_scope.map(|scope| ("requested", format!("the scope {scope} only")));
    lines.extend(requested);
    lines.extend(item.occurrences.iter().map(|id| ("occurrence", id.to_string())));
    let back = item.returned_from.map(|id| ("returned from", format!("{id}: {}", returned_because(item))));
    lines.extend(back);
    lines.push(("seen in scan", format!("{} of {}", item.scan, item.target)));
    lines.push(("term", term(item)));
    lines.push(("reason", format!("{}: {}", item.reason.as_str(), item.text)));
    lines.extend(item.link.clone().map(|link| ("link", link)));
    lines.push(("requested by", by(&item.requested_by, &item.requested_at)));
    lines.extend(item.also_requested_by.iter().map(|subject| ("also by", subject.clone())));
    if let (Some(subject), Some(when)) = (&item.decided_by, &item.decided_at) {
        let own = if item.self_approved { ", who also requested it" } else { "" };
        lines.push(("decided by", format!("{}{own}", by(subject, when))));
    }
    lines.extend(item.comment.clone().map(|comment| ("comment", comment)));
    lines.push(("version", item.version.to_string()));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;
    use domain::exemption::{Scope, Status};

    fn shown(item: &ExemptionItem) -> String {
        anstream::adapter::strip_str(&text(item).unwrap()).to_string()
    }

    #[test]
    fn all_of_a_request_is_shown() {
        let (id, issue, scan) = ("e".repeat(32), "1".repeat(32), "5".repeat(32));
        let expected = format!(
            "Exemption {id} is pending\n\
             issue          Weak hash ({issue})\n\
             severity       high when it was requested, found by bandit\n\
             exempts it in  web\n\
             seen in scan   {scan} of web\n\
             term           30 days\n\
             reason         false_positive: It guards no secret\n\
             requested by   ann at 2026-01-01T00:00:00.000Z\n\
             version        1\n"
        );
        assert_eq!(shown(&item()), expected);
    }

    #[test]
    fn a_decision_is_shown_with_the_scope_it_granted_and_self_approval() {
        let some = |text: &str| Some(text.to_owned());
        let decided = ExemptionItem {
            status: Status::Approved,
            scope: Scope::Project,
            requested_scope: Some(Scope::Target),
            link: some("https://example.com/"),
            decided_by: some("ann"),
            decided_at: some("2026-01-02T00:00:00.000Z"),
            ends_at: some("2026-02-01T00:00:00.000Z"),
            comment: some("as\nagreed"),
            self_approved: true,
            ..item()
        };
        let text = shown(&decided);
        for line in [
            "exempts it in  the project",
            "requested      the scope target only",
            "term           until 2026-02-01T00:00:00.000Z",
            "link           https://example.com/",
            "decided by     ann at 2026-01-02T00:00:00.000Z, who also requested it",
            "comment        as agreed",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
        }
    }
}
