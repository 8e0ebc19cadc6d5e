//! `docs/scanners.md` is written from the registry: `GATEHOUSE_BLESS=1 cargo test -p scanners docs` renews it.

use super::*;
use std::fmt::Write as _;

const HEAD: &str = "\
# Scanners

What is read, one row a format. Every name in the first two columns can be given as `scanner`; upper and lower case, `_`
and `-` are the same, and `auto` recognises the format from the report. Naming a tool by any of its formats accepts all of
them, and its SARIF. A tool that is not here: SARIF, custom JSON, CycloneDX or the generic format.

A severity is the report's own CVSS base score if it has one (v4 before v3 before v2; computed where only the vector is
given), else the scanner's own score from 0 to 10, else its word through the table of its row. A word that is not in the
table leaves a result unassigned.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| name | also called | scanner | versions | looks for | formats | severities |\n");
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
    page.push_str("\n## Where we differ on purpose\n\nFields that other systems read differently from the same reports, and why ours are as they are.\n\n");
    page.push_str("| scanner | field | why |\n|---|---|---|\n");
    for scanner in ALL {
        for (field, reason) in scanner.differences {
            let _ = writeln!(page, "| `{}` | {} | {} |", scanner.id, cell(field), cell(reason));
        }
    }
    page
}

#[test]
fn the_page_of_scanners_is_what_the_registry_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scanners.md");
    let page = page();
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == page, "docs/scanners.md is not up to date: GATEHOUSE_BLESS=1 cargo test -p scanners docs");
}

#[test]
fn every_scanner_says_what_it_is() {
    for scanner in ALL {
        for text in [scanner.name, scanner.versions, scanner.category, scanner.formats, scanner.severities] {
            assert!(!text.trim().is_empty(), "{} leaves a column empty", scanner.id);
        }
    }
}
