//! How a scan's issues are listed: what is chosen, and in which order.
//!
//! The gate, which sees every issue, leaves an [`PackedIssue`] of each: a number that says all that choosing needs. So who asks
//! for a page reads these numbers and the issues of the page, and not all issues.

use crate::comparison::Bucket;
use crate::exemption::Coverage;
use crate::ids::IssueId;
use crate::word_enum::word_enum;
use finding::Kind;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::str::FromStr;

/// What choosing needs to know of an issue. Stored as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct PackedIssue {
    /// Where it stands relative to the scan compared with.
    pub bucket: Bucket,
    /// What kind of problem it is.
    pub kind: Kind,
    /// Its level.
    pub level: Severity,
    /// How it stood to exemptions when the scan was judged.
    pub exemption: Option<PackedExemption>,
    /// A part of the id that it goes by: most other issues have another.
    pub mark: u16,
}

/// How an issue stood to exemptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedExemption {
    /// All of it was exempted.
    Whole,
    /// A part was, and the rest has this level.
    Part(Severity),
    /// An exemption was asked for.
    Pending,
    /// An exemption was asked for and rejected.
    Rejected,
}

impl PackedExemption {
    /// How an issue stood of which this level is left.
    pub fn new(coverage: Coverage, left: Severity) -> Self {
        match coverage {
            Coverage::Exempted => Self::Whole,
            Coverage::PartiallyExempted => Self::Part(left),
            Coverage::Pending => Self::Pending,
            Coverage::Rejected => Self::Rejected,
        }
    }

    /// The same without the level.
    pub fn coverage(self) -> Coverage {
        match self {
            Self::Whole => Coverage::Exempted,
            Self::Part(_) => Coverage::PartiallyExempted,
            Self::Pending => Coverage::Pending,
            Self::Rejected => Coverage::Rejected,
        }
    }

    /// All, and none of them, in the order in which they are numbered.
    fn all() -> impl Iterator<Item = Option<Self>> {
        let parts = Severity::ALL.into_iter().map(Self::Part);
        let plain = [Self::Whole, Self::Pending, Self::Rejected];
        std::iter::once(None).chain(plain.into_iter().chain(parts).map(Some))
    }
}

/// How many there are of each part of an entry's number.
const SIZES: [u32; 4] = [3, 7, 6, 10];

impl PackedIssue {
    /// The part of an id that entries have.
    pub fn mark(id: IssueId) -> u16 {
        let [a, b, ..] = id.short().0;
        u16::from_be_bytes([a, b])
    }

    fn unpacked(number: u32) -> Option<Self> {
        fn at<T>(mut all: impl Iterator<Item = T>, rest: &mut u32, size: u32) -> Option<T> {
            let place = usize::try_from(*rest % size).ok()?;
            *rest /= size;
            all.nth(place)
        }
        let [buckets, kinds, levels, exempted] = SIZES;
        let mut rest = number;
        let exemption = at(PackedExemption::all(), &mut rest, exempted)?;
        let level = at(Severity::ALL.into_iter(), &mut rest, levels)?;
        let kind = at(Kind::ALL.into_iter(), &mut rest, kinds)?;
        let bucket = at(Bucket::ALL.into_iter(), &mut rest, buckets)?;
        Some(Self { bucket, kind, level, exemption, mark: u16::try_from(rest).ok()? })
    }

    /// What the scan counts the issue as. `unassigned_as`: the level that the project gives issues without one; what is gone
    /// is not judged, and keeps none.
    pub fn counted_as(&self, unassigned_as: Option<Severity>) -> Counted {
        let rated = |level| match unassigned_as {
            Some(to) if level == Severity::Unassigned && self.bucket != Bucket::Remediated => to,
            Some(_) | None => level,
        };
        match self.exemption {
            Some(PackedExemption::Whole) => Counted::Exempted,
            Some(PackedExemption::Part(left)) => Counted::Level(rated(left)),
            Some(PackedExemption::Pending | PackedExemption::Rejected) | None => Counted::Level(rated(self.level)),
        }
    }
}

impl From<PackedIssue> for u32 {
    fn from(entry: PackedIssue) -> Self {
        fn place<T: PartialEq>(mut all: impl Iterator<Item = T>, one: &T) -> u32 {
            all.position(|known| known == *one).and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
        }
        let parts = [
            place(Bucket::ALL.into_iter(), &entry.bucket),
            place(Kind::ALL.into_iter(), &entry.kind),
            place(Severity::ALL.into_iter(), &entry.level),
            place(PackedExemption::all(), &entry.exemption),
        ];
        SIZES.into_iter().zip(parts).fold(Self::from(entry.mark), |number, (size, part)| number * size + part)
    }
}

impl TryFrom<u32> for PackedIssue {
    type Error = &'static str;
    fn try_from(number: u32) -> Result<Self, &'static str> {
        Self::unpacked(number).ok_or("the number is no entry's")
    }
}

/// What a scan counts an issue as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// One of this level.
    Level(Severity),
    /// An exempted one, and nothing else.
    Exempted,
}

/// What is wanted of all that issues count as: words separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedAs(BTreeSet<Counted>);

impl FromStr for CountedAs {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|word| counted(word.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn counted(word: &str) -> Result<Counted, String> {
    let level = Severity::ALL.into_iter().find(|level| level.as_str() == word).map(Counted::Level);
    level.or((word == "exempted").then_some(Counted::Exempted)).ok_or_else(|| {
        let known = Severity::ALL.map(Severity::as_str).join(", ");
        format!("`{}` is none of {known}, exempted", word.escape_default())
    })
}

/// Which issues of a scan are asked for: those that all of these hold for.
#[derive(Debug, Clone, Default)]
pub struct IssueFilter {
    /// In this bucket.
    pub bucket: Option<Bucket>,
    /// Of this level.
    pub severity: Option<Severity>,
    /// At the time of the scan: exempted as a whole, or not.
    pub exempted: Option<bool>,
    /// Those that stood so to exemptions at the time of the scan.
    pub exemption: Option<Coverage>,
    /// Counted as one of these.
    pub counted_as: Option<CountedAs>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With this text.
    pub text: Option<SearchText>,
}

impl IssueFilter {
    /// Whether the issue is one of them, but for the text. `unassigned_as`: see [`PackedIssue::counted_as`].
    pub fn matches(&self, entry: &PackedIssue, unassigned_as: Option<Severity>) -> bool {
        let whole = entry.exemption == Some(PackedExemption::Whole);
        let coverage = entry.exemption.map(PackedExemption::coverage);
        self.bucket.is_none_or(|bucket| bucket == entry.bucket)
            && self.severity.is_none_or(|severity| severity == entry.level)
            && self.exempted.is_none_or(|exempted| exempted == whole)
            && self.exemption.is_none_or(|wanted| coverage == Some(wanted))
            && self.counted_as.as_ref().is_none_or(|counted| counted.0.contains(&entry.counted_as(unassigned_as)))
            && self.kind.is_none_or(|kind| kind == entry.kind)
    }
}

/// Longest text that is looked for, in characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// A text that is looked for, in whichever case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl FromStr for SearchText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(char::is_control) {
            return Err("it has control characters".to_owned());
        }
        match text.chars().count() {
            0 => Err("it is empty".to_owned()),
            1..=TEXT_CHARS_MAX => Ok(Self(text.to_lowercase())),
            length => Err(format!("it is {length} characters long; at most {TEXT_CHARS_MAX} are allowed")),
        }
    }
}

impl SearchText {
    /// Whether it stands in another text.
    pub fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.0)
    }
}

word_enum! {
    /// In which order issues are listed. What is alike stays as it is by severity.
    #[derive(Default)]
    pub enum Sort: "an order of issues" {
        /// The worst first; those that are gone after all others.
        #[default]
        Severity = "severity",
        /// By title.
        Title = "title",
        /// The most occurrences first.
        Occurrences = "occurrences",
        /// What has been known for longest first.
        FirstSeen = "first_seen",
        /// What was met last first.
        Newest = "newest",
    }
}

impl Sort {
    /// The name of the list that this order makes of a scan's issues: a cursor is good for one.
    pub fn list(self) -> &'static str {
        match self {
            Self::Severity => "issues",
            Self::Title => "issues by title",
            Self::Occurrences => "issues by occurrences",
            Self::FirstSeen => "issues by first_seen",
            Self::Newest => "issues by newest",
        }
    }
}

#[cfg(test)]
mod tests;
