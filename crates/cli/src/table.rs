//! Tables for people: columns without borders, every cell escaped.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

use crate::terminal::cell;

/// The sequence that ends a style.
const RESET: &str = "\u{1b}[0m";

/// A table under construction.
pub(crate) struct Listing {
    table: Table,
}

impl Listing {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_preset(NOTHING);
        // On a terminal the table is as wide as it is; elsewhere a row is a line. Styles are always written: the stream
        // removes them where colour is off.
        table.set_content_arrangement(ContentArrangement::Dynamic).enforce_styling();
        table.set_header(columns.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
        Self { table }
    }

    /// Adds a row; a severity gets its colour.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.table.add_row(cells.into_iter().map(|text| {
            let shown = Cell::new(cell(text));
            match colour(text) {
                Some(colour) => shown.fg(colour),
                None => shown,
            }
        }));
    }

    /// The table as text, without spaces at the ends of lines.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for line in self.table.lines() {
            // The padding of the last cell is inside its style.
            let (line, end) = line.strip_suffix(RESET).map_or((line.as_str(), ""), |line| (line, RESET));
            text.push_str(line.trim_end());
            text.push_str(end);
            text.push('\n');
        }
        text
    }
}

fn colour(word: &str) -> Option<Color> {
    match word {
        "critical" | "high" | "fail" => Some(Color::Red),
        "medium" | "undecided" | "unassigned" | "pending" => Some(Color::Yellow),
        "low" | "info" => Some(Color::Cyan),
        "pass" | "approved" => Some(Color::Green),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(rows: &[[&str; 2]]) -> String {
        let mut listing = Listing::new(&["SEVERITY", "TITLE"]);
        for row in rows {
            listing.row(row.iter().copied());
        }
        anstream::adapter::strip_str(&listing.render()).to_string()
    }

    #[test]
    fn columns_are_aligned_and_a_row_is_a_line() {
        let text = rendered(&[["critical", "one"], ["low", "two"]]);
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(lines, [["SEVERITY", "TITLE"], ["critical", "one"], ["low", "two"]]);
        let column = |row: usize, text: &str, lines: &str| lines.lines().nth(row).unwrap().find(text).unwrap();
        assert_eq!(column(0, "TITLE", &text), column(1, "one", &text));
        assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
    }

    #[test]
    fn no_cell_adds_a_line_or_a_control_sequence() {
        let hostile = "\u{1b}[2J\u{1b}]8;;http://x\u{7}a\r\n::error::x\u{202e}\u{9b}m";
        let mut listing = Listing::new(&["SEVERITY", "TITLE"]);
        listing.row(["critical", hostile]);
        listing.row([hostile, &"x".repeat(1 << 20)]);
        let text = anstream::adapter::strip_str(&listing.render()).to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.len() < 2000, "{}", text.len());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
        assert!(text.contains("\\u{1b}[2J"), "{text}");
    }
}
