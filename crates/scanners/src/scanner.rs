//! A report format: names, documentation, detection and parser.

use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::rating::{Rating, Words};

/// One report format of one scanner.
#[derive(Clone, Copy)]
pub struct Scanner {
    /// The format's name in URLs: lower case, with `-` between words.
    pub id: &'static str,
    /// The tool's name in issue keys. All formats of a tool have the same, so that an issue stays the same when the
    /// format changes.
    pub tool: &'static str,
    /// The tool's name as its vendor writes it.
    pub name: &'static str,
    /// Other names for it. Upper and lower case, `_`, `-` and spaces are the same.
    pub aliases: &'static [&'static str],
    /// The versions whose reports were tested.
    pub versions: &'static str,
    /// The kind of scanner, for example `SAST`.
    pub category: &'static str,
    /// The notation of its reports.
    pub notation: Notation,
    /// The formats that are read, and the options that make the tool write them.
    pub formats: &'static str,
    /// The rule by which its severities become scores, and the source of the rule.
    pub severities: &'static str,
    /// The severity words of its reports; empty if there are none, or another rule applies.
    pub(crate) severity_words: Words,
    /// Fields that other systems read differently from these reports, each with the reason for our reading.
    pub differences: &'static [(&'static str, &'static str)],
    /// Returns true if a report has this format. Must be true of no other format.
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
