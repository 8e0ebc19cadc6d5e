//! `gatehouse exemptions list` and `unused`: exemptions as tables.

use anyhow::Result;
use api::v1::{ExemptionItem, Unused};
use clap::Args;
use domain::exemption::{Scope, Status};

use super::{reach, term};
use crate::args::{Connection, Format};
use crate::output;
use crate::table::Listing;

const COLUMNS: [&str; 10] =
    ["STATUS", "SEVERITY", "TITLE", "EXEMPTS IT IN", "TERM", "REASON", "TEXT", "REQUESTED BY", "DECIDED BY", "ID"];

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those in this state: pending, approved, rejected, expired or cancelled
    #[arg(long)]
    status: Option<Status>,
    /// Only those limited to this target
    #[arg(long)]
    target: Option<String>,
    /// Only those of this scope: occurrences, target, pipeline, project or account
    #[arg(long)]
    scope: Option<Scope>,
    /// Only those for this issue
    #[arg(long, value_name = "ID")]
    issue: Option<String>,
    /// Only approved ones that expire within this many days, the soonest first
    #[arg(long, value_name = "DAYS")]
    expires_within_days: Option<u32>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub(super) struct UnusedArgs {
    /// Number of scans of each target in which it exempted nothing, 1 to 100
    #[arg(long, default_value_t = 10)]
    scans: usize,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl ListArgs {
    /// The filters as query parameters.
    fn query(&self) -> Vec<(&'static str, String)> {
        let filters = [
            ("status", self.status.map(|status| status.to_string())),
            ("target", self.target.clone()),
            ("scope", self.scope.map(|scope| scope.to_string())),
            ("issue", self.issue.clone()),
            ("expires_within_days", self.expires_within_days.map(|days| days.to_string())),
        ];
        filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Lists exemptions.
pub(super) fn run(args: &ListArgs) -> Result<()> {
    let client = args.connection.client()?;
    let query = args.query();
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["exemptions"], &query)?),
        Format::Table => output::print(&table(&client.all(&["exemptions"], &query)?)),
    }
}

/// Lists unused exemptions.
pub(super) fn unused(args: &UnusedArgs) -> Result<()> {
    let client = args.connection.client()?;
    let (path, scans) = (["exemptions", "unused"], args.scans.to_string());
    let query = [("scans", scans.as_str())];
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&path, &query)?),
        Format::Table => output::print(&unused_table(&client.all(&path, &query)?)),
    }
}

fn table(items: &[ExemptionItem]) -> String {
    let mut listing = Listing::new(&COLUMNS);
    for item in items {
        listing.row(cells(item).iter().map(String::as_str));
    }
    listing.render()
}

fn unused_table(items: &[Unused]) -> String {
    let columns: Vec<_> = ["SCANS"].into_iter().chain(COLUMNS).collect();
    let mut listing = Listing::new(&columns);
    for Unused { exemption, scans } in items {
        let scans = scans.to_string();
        listing.row(std::iter::once(scans.as_str()).chain(cells(exemption).iter().map(String::as_str)));
    }
    listing.render()
}

fn cells(item: &ExemptionItem) -> [String; 10] {
    [
        item.status.to_string(),
        item.severity.clone(),
        item.title.clone(),
        reach(item),
        term(item),
        item.reason.as_str().to_owned(),
        item.text.clone(),
        item.requested_by.clone(),
        item.decided_by.clone().unwrap_or_default(),
        item.id.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;
    use clap::Parser;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn an_exemption_is_one_row_even_with_hostile_text() {
        let hostile = ExemptionItem { text: "a\n\u{1b}[2Jb".to_owned(), ..item() };
        let text = plain(&table(&[item(), hostile]));
        assert_eq!(text.lines().count(), 3, "{text}");
        for part in ["pending", "high", "Weak hash", "web", "30 days", "false_positive", "It guards no secret", "ann"] {
            assert!(text.lines().nth(1).unwrap().contains(part), "{part}: {text}");
        }
        let unused = plain(&unused_table(&[Unused { exemption: item(), scans: 12 }]));
        assert!(unused.lines().nth(1).unwrap().trim_start().starts_with("12"), "{unused}");
    }

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ListArgs,
    }

    #[test]
    fn only_given_filters_are_sent() {
        let query = |line: &str| {
            let line = format!("list --project shop {line}");
            Line::try_parse_from(line.split_whitespace()).map(|line| line.args.query()).ok()
        };
        assert_eq!(query(""), Some(vec![]));
        let all = query("--status expired --target web --scope project --issue a --expires-within-days 7").unwrap();
        let all: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["status=expired", "target=web", "scope=project", "issue=a", "expires_within_days=7"]);
        assert_eq!((query("--status canceled"), query("--scope world")), (None, None));
    }
}
