//! `gatehouse audit`: who did what in a project, when and why, from the server's journals.

use anyhow::Result;
use api::v1::{AuditAbout, AuditItem};
use clap::{Args, ValueEnum};
use domain::time::Timestamp;

use crate::args::{Connection, EXIT_CODES};
use crate::output;
use crate::table::Listing;

/// Show who did what in a project, when and why
///
/// Lists everything that changed a project, and refused attempts, the newest first. Needs the role secops or admin.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse audit --what exemption_approved --since 2026-11-01T00:00:00Z
  gatehouse audit --format jsonl | gzip > audit.jsonl.gz

{EXIT_CODES}"))]
pub(crate) struct AuditArgs {
    /// Only actions of this person or machine
    #[arg(long, value_name = "SUBJECT")]
    by: Option<String>,
    /// Only this kind of action, for example token_issued, exemption_approved or scan_recorded
    #[arg(long)]
    what: Option<String>,
    /// Only entries about this target
    #[arg(long)]
    target: Option<String>,
    /// Only entries since this time, in RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only entries until this time, in RFC 3339
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// An output format of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs: the server's entries, one JSON object per line
    Jsonl,
}

/// Runs the command.
pub(crate) fn run(args: &AuditArgs) -> Result<()> {
    let times = [args.since, args.until].map(|time| time.map(|time| time.to_string()));
    let [since, until] = &times;
    let parameters =
        [("by", &args.by), ("what", &args.what), ("target", &args.target), ("since", since), ("until", until)];
    let query: Vec<_> =
        parameters.iter().filter_map(|(name, value)| value.as_deref().map(|value| (*name, value))).collect();
    let client = args.connection.client()?;
    match args.format {
        Format::Table => output::print(&table(&client.all(&["audit"], &query)?)),
        // Page by page: years of entries need not fit into memory.
        Format::Jsonl => client.pages(&["audit"], &query, |entries: Vec<serde_json::Value>| {
            entries.iter().try_for_each(|entry| output::bytes(&serde_json::to_vec(entry)?))
        }),
    }
}

fn table(items: &[AuditItem]) -> String {
    let mut listing = Listing::new(&["AT", "WHO", "ROLE", "WHAT", "ABOUT", "WHY", "REFUSED"]);
    for item in items {
        let refused = match (&item.refused, item.repeated) {
            (Some(reason), _) => reason,
            (None, true) => "repeated",
            (None, false) => "",
        };
        let (about, why) = (about(&item.about), item.why.as_deref().unwrap_or_default());
        listing.row([item.at.as_str(), &item.by.subject, &item.by.role, &item.what, &about, why, refused]);
    }
    listing.render()
}

/// Formats the subject of an entry for a cell: names before ids.
fn about(about: &AuditAbout) -> String {
    let AuditAbout { targets, exemptions, tokens, scans } = about;
    [targets, exemptions, tokens, scans].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_row_and_says_why_it_was_refused() {
        let item = |more: serde_json::Value| {
            let mut item = serde_json::json!({
                "id": "0".repeat(32), "at": "2026-11-24T00:00:00.000Z", "by": {"subject": "ann", "role": "secops"},
                "what": "exemption_approved", "about": {"targets": ["web"], "exemptions": ["e1"]}, "why": "agreed",
                "details": {}, "journal": "ex:shop", "n": 1
            });
            item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(item).unwrap()
        };
        let items: [AuditItem; 3] = [
            item(serde_json::json!({})),
            item(serde_json::json!({"refused": "it is rejected"})),
            item(serde_json::json!({"repeated": true})),
        ];
        let table = anstream::adapter::strip_str(&table(&items)).to_string();
        let rows: Vec<Vec<_>> = table.lines().skip(1).map(|row| row.split_whitespace().collect()).collect();
        let common = ["2026-11-24T00:00:00.000Z", "ann", "secops", "exemption_approved", "web", "e1", "agreed"];
        assert_eq!(
            rows,
            [common.to_vec(), [&common[..], &["it", "is", "rejected"]].concat(), [&common[..], &["repeated"]].concat(),]
        );
    }
}
