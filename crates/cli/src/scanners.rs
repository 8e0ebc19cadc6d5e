//! `gatehouse scanners`: the supported report formats. Needs no server.

use anyhow::Result;
use api::v1::ScannerItem;
use clap::Args;

use crate::args::{EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;

/// List the supported scanners
///
/// `gatehouse upload --scanner` takes the names of the first two columns; `auto` detects the format. Tools that are not
/// listed may write SARIF or custom JSON.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse scanners
  gatehouse scanners trivy

{EXIT_CODES}"))]
pub(crate) struct ScannersArgs {
    /// Show all details of the formats whose name contains this
    name: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(args: &ScannersArgs) -> Result<()> {
    let wanted = args.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let named = |item: &ScannerItem| {
        let names = [&item.id, &item.tool, &item.name].into_iter().chain(&item.aliases);
        names.into_iter().any(|name| name.to_ascii_lowercase().contains(&wanted))
    };
    let items: Vec<ScannerItem> = ScannerItem::all().into_iter().filter(named).collect();
    anyhow::ensure!(!items.is_empty(), "no scanner's name contains `{wanted}`; `gatehouse scanners` lists all");
    match (args.format, args.name.is_some()) {
        (Format::Json, _) => output::json(&items),
        (Format::Table, true) => output::print(&items.iter().map(details).collect::<Vec<_>>().join("\n")),
        (Format::Table, false) => output::print(&table(&items)),
    }
}

fn table(items: &[ScannerItem]) -> String {
    let mut listing = Listing::new(&["NAME", "ALSO CALLED", "SCANNER", "LOOKS FOR"]);
    for item in items {
        listing.row([item.id.as_str(), &item.aliases.join(", "), &item.name, &item.category]);
    }
    listing.render()
}

/// All details of one format.
fn details(item: &ScannerItem) -> String {
    let rows = [
        ("also called", item.aliases.join(", ")),
        ("issues of", item.tool.clone()),
        ("versions", item.versions.clone()),
        ("looks for", item.category.clone()),
        ("formats", item.formats.clone()),
        ("severities", item.severities.clone()),
    ];
    let mut text = format!("{} ({})\n", item.name, item.id);
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("  {name:12} {value}\n"));
    }
    for difference in &item.differences {
        text.push_str(&format!("  {:12} {}: {}\n", "differs in", difference.field, difference.reason));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_detail_of_a_format_is_a_line() {
        let trivy = ScannerItem::all().into_iter().find(|item| item.id == "trivy").unwrap();
        let text = details(&trivy);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "Trivy (trivy)");
        assert!(lines.iter().any(|line| line.starts_with("  also called  aqua-trivy")), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("  severities   CVSS")), "{text}");
    }
}
