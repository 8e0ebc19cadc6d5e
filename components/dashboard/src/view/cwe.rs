//! The names of weaknesses, from MITRE's CWE list.

use maud::{Markup, html};

/// One weakness per line: number, tab, name; sorted by number.
const NAMES: &str = include_str!("../../assets/cwe.tsv");

/// The name of a weakness; `None` if the list does not contain it.
pub(crate) fn name(number: u32) -> Option<&'static str> {
    NAMES.lines().find_map(|line| {
        let (of, name) = line.split_once('\t')?;
        (of.parse() == Ok(number)).then_some(name)
    })
}

/// A link to a weakness, with its name.
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
    fn the_list_is_sorted_and_has_names() {
        let numbers: Vec<u32> = NAMES.lines().map(|line| line.split_once('\t').unwrap().0.parse().unwrap()).collect();
        assert!(numbers.is_sorted() && numbers.len() > 900);
        assert_eq!(
            name(89).unwrap(),
            "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')"
        );
        assert_eq!(name(0), None);
    }
}
