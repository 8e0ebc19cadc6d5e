//! A report format: its names, what it looks like, and its parser.

use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::rating::{Rating, Words};

/// One report format of one scanner.
#[derive(Clone, Copy)]
pub struct Scanner {
    /// The format's name in URLs; lower case, `-` between words.
    pub id: &'static str,
    /// The tool's name in issue keys: the same for all formats in which one tool's reports come, so that an issue stays
    /// the same when the format changes.
    pub tool: &'static str,
    /// The tool's own name.
    pub name: &'static str,
    /// Other names under which it is found. Upper and lower case, `_`, `-` and spaces are the same.
    pub aliases: &'static [&'static str],
    /// Versions whose reports were read.
    pub versions: &'static str,
    /// What it looks for, in the field's words.
    pub category: &'static str,
    /// What its reports are written in.
    pub notation: Notation,
    /// The formats that are read, and how the tool is made to write them.
    pub formats: &'static str,
    /// How its severities become scores, and where that rule comes from.
    pub severities: &'static str,
    /// The words for severity in its reports; empty if it has none, or other rules than a table.
    pub(crate) severity_words: Words,
    /// Where we differ on purpose from what other systems make of these reports: the field, and why ours is better.
    pub differences: &'static [(&'static str, &'static str)],
    /// Whether a report looks like this format; never true of another's.
    pub(crate) detect: fn(&Sniff) -> bool,
    /// Reads a report.
    pub(crate) parse: fn(Input<'_>, &mut Collector<'_>) -> Result<(), ParseError>,
}

impl Scanner {
    /// A new rating by this scanner's words.
    pub(crate) fn rating(&self) -> Rating {
        Rating::new(self.severity_words)
    }
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("id", &self.id).finish_non_exhaustive()
    }
}
