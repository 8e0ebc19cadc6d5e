//! Weaknesses by name, as MITRE's CWE list has them.

use maud::{Markup, html};

/// A line each: number, tab, name; by number.
const NAMES: &str = include_str!("../../assets/cwe.tsv");

/// The name of a weakness, if the list has one.
pub(crate) fn name(number: u32) -> Option<&'static str> {
    NAMES.lines().find_map(|line| {
        let (of, name) = line.split_once('\t')?;
        (of.parse() == Ok(number)).then_some(name)
    })
}

/// A weakness with its name, as a link to its page.
pub(crate) fn link(number: u32) -> Markup {
    let address = format!("https://cwe.mitre.org/data/definitions/{number}.html");
    html! {
        a href=(address) rel="noopener noreferrer" { "CWE-" (number) }
        @if let Some(name) = name(number) { " " (name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_names_what_scanners_find() {
        let numbers: Vec<u32> = NAMES.lines().map(|line| line.split_once('\t').unwrap().0.parse().unwrap()).collect();
        assert!(numbers.is_sorted() && numbers.len() > 900);
        assert_eq!(
            name(89).unwrap(),
            "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')"
        );
        assert_eq!(name(0), None);
    }
}
