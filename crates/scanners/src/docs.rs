//! `docs/scanners.md` is generated from `ALL`: `GATEHOUSE_BLESS=1 cargo test -p scanners docs` renews it.

use super::*;
use std::fmt::Write as _;

const HEAD: &str = "\
# Scanners

The report formats that Gatehouse reads, one per row. Each name in the first two columns is a value of `scanner`; upper and
lower case, `_` and `-` are the same. `auto` detects the format from the report. The name of one format of a tool accepts
all formats of the tool, and its SARIF. For a tool that is not listed, use SARIF, custom JSON, CycloneDX or the generic
format.

The score of a finding is the report's CVSS score, if it has one (v4 before v3 before v2; computed if only the vector is
given). It is the base score; of a CVSS 4.0 vector with threat or environmental metrics it is the score with these, and the
source of the score says so: `cvss_v4_bt`, `cvss_v4_be` or `cvss_v4_bte`, after FIRST's names. Otherwise it is the scanner's
own score from 0 to 10, otherwise the score of the scanner's severity word in the last column. A finding with an unknown
word has the severity unassigned.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| name | other names | scanner | versions | category | formats | severities |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ");
    for scanner in ALL {
        let aliases: Vec<_> = scanner.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let fields = [scanner.name, scanner.versions, scanner.category, scanner.formats, scanner.severities].map(cell);
        let [name, versions, category, formats, severities] = fields;
        let aliases = aliases.join(", ");
        let _ = writeln!(
            page,
            "| `{}` | {aliases} | {name} | {versions} | {category} | {formats} | {severities} |",
            scanner.id
        );
    }
    page.push_str("\n## Intended differences\n\nFields that other systems read differently from the same reports, and the reason for our reading.\n\n");
    page.push_str("| scanner | field | reason |\n|---|---|---|\n");
    for scanner in ALL {
        for (field, reason) in scanner.differences {
            let _ = writeln!(page, "| `{}` | {} | {} |", scanner.id, cell(field), cell(reason));
        }
    }
    page
}

#[test]
fn the_page_of_scanners_matches_the_registry() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scanners.md");
    let page = page();
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == page, "docs/scanners.md is not up to date: GATEHOUSE_BLESS=1 cargo test -p scanners docs");
}

#[test]
fn every_scanner_is_documented() {
    for scanner in ALL {
        for text in [scanner.name, scanner.versions, scanner.category, scanner.formats, scanner.severities] {
            assert!(!text.trim().is_empty(), "{} has an empty column", scanner.id);
        }
    }
}
