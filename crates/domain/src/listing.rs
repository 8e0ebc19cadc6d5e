//! The list of a scan's issues: filters and orders.
//! The gate, which reads every issue, stores a [`PackedIssue`] for each: a number that has all that filters need. So a
//! page of the list reads these numbers and the issues of the page, but not all issues.

use crate::comparison::Bucket;
use crate::exemption::Coverage;
use crate::ids::IssueId;
use crate::settings::severity_counted;
use crate::word_enum::word_enum;
use finding::Kind;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::str::FromStr;

/// The properties of an issue that filters need. Stored as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct PackedIssue {
    /// The issue's bucket.
    pub bucket: Bucket,
    /// The kind of problem.
    pub kind: Kind,
    /// The issue's severity.
    pub level: Severity,
    /// The exemption state when the scan was judged.
    pub exemption: Option<PackedExemption>,
    /// A part of the issue's id. Most other issues have another.
    pub mark: u16,
}

/// The exemption state of an issue, with the severity of what is not exempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedExemption {
    /// The whole issue was exempted.
    Whole,
    /// Some occurrences were exempted, and the others have this severity.
    Part(Severity),
    /// An exemption was requested.
    Pending,
    /// An exemption was requested and rejected.
    Rejected,
}

impl PackedExemption {
    /// Makes one from a state and the severity of what is not exempted.
    pub fn new(coverage: Coverage, left: Severity) -> Self {
        match coverage {
            Coverage::Exempted => Self::Whole,
            Coverage::PartiallyExempted => Self::Part(left),
            Coverage::Pending => Self::Pending,
            Coverage::Rejected => Self::Rejected,
        }
    }

    /// Returns the state alone.
    pub fn coverage(self) -> Coverage {
        match self {
            Self::Whole => Coverage::Exempted,
            Self::Part(_) => Coverage::PartiallyExempted,
            Self::Pending => Coverage::Pending,
            Self::Rejected => Coverage::Rejected,
        }
    }

    /// All values, and no state at all, in the order in which they are numbered.
    fn all() -> impl Iterator<Item = Option<Self>> {
        let parts = Severity::ALL.into_iter().map(Self::Part);
        let plain = [Self::Whole, Self::Pending, Self::Rejected];
        std::iter::once(None).chain(plain.into_iter().chain(parts).map(Some))
    }
}

/// The number of values of each part of a packed issue.
const SIZES: [u32; 4] = [3, 7, 6, 10];
/// The buckets that are numbered. An issue that was not seen has the number of a new one plus [`NOT_SEEN_OFFSET`], so
/// that numbers that were stored before this bucket existed keep their meaning.
const NUMBERED: [Bucket; 3] = [Bucket::New, Bucket::Common, Bucket::Remediated];
/// The first number that no issue of a numbered bucket has.
const NOT_SEEN_OFFSET: u32 = (1 << 16) * SIZES[0] * SIZES[1] * SIZES[2] * SIZES[3];

impl PackedIssue {
    /// Returns the part of an id that is packed.
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
        let not_seen = number.checked_sub(NOT_SEEN_OFFSET);
        let mut rest = not_seen.unwrap_or(number);
        let exemption = at(PackedExemption::all(), &mut rest, exempted)?;
        let level = at(Severity::ALL.into_iter(), &mut rest, levels)?;
        let kind = at(Kind::ALL.into_iter(), &mut rest, kinds)?;
        let bucket = at(NUMBERED.into_iter(), &mut rest, buckets)?;
        let bucket = if not_seen.is_some() { Bucket::NotSeen } else { bucket };
        Some(Self { bucket, kind, level, exemption, mark: u16::try_from(rest).ok()? })
    }

    /// Returns what the scan counts the issue as. `unassigned_as` is the severity that the project gives issues without
    /// one. Remediated issues are not judged, and get none.
    pub fn counted_as(&self, unassigned_as: Option<Severity>) -> Counted {
        let unassigned_as = unassigned_as.filter(|_| self.bucket != Bucket::Remediated);
        let rated = |level| severity_counted(level, unassigned_as);
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
            place(NUMBERED.into_iter(), &entry.bucket),
            place(Kind::ALL.into_iter(), &entry.kind),
            place(Severity::ALL.into_iter(), &entry.level),
            place(PackedExemption::all(), &entry.exemption),
        ];
        let number =
            SIZES.into_iter().zip(parts).fold(Self::from(entry.mark), |number, (size, part)| number * size + part);
        if entry.bucket == Bucket::NotSeen { NOT_SEEN_OFFSET + number } else { number }
    }
}

impl TryFrom<u32> for PackedIssue {
    type Error = &'static str;
    fn try_from(number: u32) -> Result<Self, &'static str> {
        Self::unpacked(number).ok_or("the number is not a packed issue")
    }
}

/// The category in which a scan counts an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// This severity.
    Level(Severity),
    /// Exempted, and in no other category.
    Exempted,
}

/// A set of categories, parsed from words that are separated by commas.
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
        let severities = Severity::ALL.map(|severity| format!("`{}`", severity.as_str())).join(", ");
        format!("`{}` is not a category; expected one of {severities}, `exempted`", word.escape_default())
    })
}

/// A filter for issues. An issue must match all of its fields; fields that are absent match every issue.
#[derive(Debug, Clone, Default)]
pub struct IssueFilter {
    /// The bucket.
    pub bucket: Option<Bucket>,
    /// The severity.
    pub severity: Option<Severity>,
    /// True for issues that were exempted as a whole when the scan was judged, false for the others.
    pub exempted: Option<bool>,
    /// The exemption state when the scan was judged.
    pub exemption: Option<Coverage>,
    /// The categories.
    pub counted_as: Option<CountedAs>,
    /// The kind of problem.
    pub kind: Option<Kind>,
    /// A text that the issue must contain.
    pub text: Option<SearchText>,
}

impl IssueFilter {
    /// True if the issue matches. Does not check the text. For `unassigned_as` see [`PackedIssue::counted_as`].
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

/// The maximum length of a text to search for, in characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// A text to search for. Case is ignored.
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
    /// True if `text` contains it.
    pub fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.0)
    }
}

word_enum! {
    /// An order of issues. Equal issues are ordered by severity.
    #[derive(Default)]
    pub enum Sort: "an order of issues" {
        /// The worst first; remediated ones last.
        #[default]
        Severity = "severity",
        /// By title.
        Title = "title",
        /// The most occurrences first.
        Occurrences = "occurrences",
        /// Those that were seen first at the top.
        FirstSeen = "first_seen",
        /// Those that were seen first most recently at the top.
        Newest = "newest",
    }
}

impl Sort {
    /// Returns the name of the list with this order. A cursor is valid for one list only.
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
