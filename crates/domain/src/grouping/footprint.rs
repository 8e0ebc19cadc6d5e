//! The memory that the stages need for a scan, added up while its findings arrive. A scan that needs more than they
//! have is refused before they begin.
//!
//! The constants are fitted to the sizes at which a stage ran out of the 128 MiB of its instance.

use super::{LIST_MAX, MESSAGE_BYTES_MAX, TITLE_BYTES_MAX};
use crate::signature::place_text;
use finding::{Finding, Kind};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// The limit for comparing, in bytes of one scan: it is compared with at most two others of this size. It is reached by
/// 198,000 results of a few rules in a few thousand files, or by 97,000 that each have a rule and a file of their own.
const COMPARED_BYTES_MAX: u64 = 36 * 1024 * 1024;
/// The limit for grouping, in bytes.
const GROUPED_BYTES_MAX: u64 = 100 * 1024 * 1024;

/// The memory of something in each stage, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Memory {
    compared: u64,
    grouped: u64,
}

const OCCURRENCE: Memory = Memory { compared: 190, grouped: 130 };
const ISSUE: Memory = Memory { compared: 88, grouped: 400 };
/// A text besides its bytes.
const TEXT: Memory = Memory { compared: 16, grouped: 60 };

/// The sum so far. Equal texts are stored once, so they count once.
#[derive(Debug, Default)]
pub struct Footprint {
    memory: Memory,
    findings: u64,
    /// Hashes of all texts and issues so far.
    known: BTreeSet<u64>,
}

/// The memory that a scan needs is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the first {findings} findings of the report need more than the {mebibytes} MiB that a scan may use while it is {stage}"
)]
pub struct FootprintTooLarge {
    /// The number of findings with which the limit is exceeded.
    pub findings: u64,
    /// The limit.
    mebibytes: u64,
    stage: &'static str,
}

impl Footprint {
    /// Adds a finding.
    ///
    /// # Errors
    /// The scan needs too much memory.
    pub fn add(&mut self, finding: &Finding) -> Result<(), FootprintTooLarge> {
        self.findings += 1;
        self.memory.add(OCCURRENCE);
        if self.is_first(&identity(finding)) {
            self.memory.add(ISSUE);
        }
        let package = finding.package.as_ref();
        self.add_compared_text(&place_text(finding));
        self.add_compared_text(package.and_then(|package| package.version.as_deref()).unwrap_or_default());
        // Other names of an issue become ids, which are smaller.
        for name in finding.advisories.iter().chain(&finding.former_rules).take(LIST_MAX) {
            self.add_compared_text(name);
        }
        let of_package = package.into_iter().flat_map(|package| {
            [&package.name].into_iter().chain(&package.ecosystem).chain(package.fixed_versions.iter().take(LIST_MAX))
        });
        let key = finding.key.iter().flat_map(|(name, value)| [name, value]);
        for text in of_package.chain(key).chain(finding.references.iter().take(LIST_MAX)).chain([&finding.rule]) {
            self.add_grouped_text(text);
        }
        self.add_grouped_text(cut(&finding.title, TITLE_BYTES_MAX));
        self.add_grouped_text(cut(&finding.message, MESSAGE_BYTES_MAX));
        self.check()
    }

    fn check(&self) -> Result<(), FootprintTooLarge> {
        let Memory { compared, grouped } = self.memory;
        let limits = [(compared, COMPARED_BYTES_MAX, "compared"), (grouped, GROUPED_BYTES_MAX, "grouped into issues")];
        match limits.into_iter().find(|(bytes, max, _)| max < bytes) {
            None => Ok(()),
            Some((_, max, stage)) => {
                Err(FootprintTooLarge { findings: self.findings, mebibytes: max / 1024 / 1024, stage })
            }
        }
    }

    fn add_compared_text(&mut self, text: &str) {
        if self.is_first(text) {
            let bytes = length(text);
            self.memory.add(Memory { compared: TEXT.compared + bytes, grouped: TEXT.grouped + bytes });
        }
    }

    fn add_grouped_text(&mut self, text: &str) {
        if self.is_first(text) {
            self.memory.grouped += TEXT.grouped + length(text);
        }
    }

    fn is_first(&mut self, value: &(impl Hash + ?Sized)) -> bool {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.known.insert(hasher.finish())
    }
}

impl Memory {
    fn add(&mut self, more: Self) {
        self.compared += more.compared;
        self.grouped += more.grouped;
    }
}

/// The fields that distinguish issues: at least those of [`IssueKey`](super::IssueKey).
fn identity(finding: &Finding) -> impl Hash + '_ {
    let Finding { kind, tool, rule, key, advisories, secret, package, .. } = finding;
    let secret = (*kind == Kind::Secret).then(|| match secret {
        Some(secret) => Cow::Borrowed(secret.digest.as_str()),
        None => Cow::Owned(place_text(finding)),
    });
    (tool, rule, key, advisories, package.as_ref().map(|package| &package.name), secret)
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    fn memory(findings: &[Finding]) -> Memory {
        let mut footprint = Footprint::default();
        findings.iter().for_each(|finding| footprint.add(finding).unwrap());
        footprint.memory
    }

    /// The memory of `more` beside `one`.
    fn more(one: &Finding, more: Finding) -> Memory {
        let (alone, both) = (memory(std::slice::from_ref(one)), memory(&[one.clone(), more]));
        Memory { compared: both.compared - alone.compared, grouped: both.grouped - alone.grouped }
    }

    fn sum(parts: &[Memory]) -> Memory {
        let mut sum = Memory::default();
        parts.iter().for_each(|part| sum.add(*part));
        sum
    }

    #[test]
    fn a_scan_at_the_limit_is_accepted_and_one_finding_more_is_refused() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        let mut footprint = Footprint::default();
        footprint.add(&one).unwrap();
        let more = (COMPARED_BYTES_MAX - footprint.memory.compared) / OCCURRENCE.compared;
        for _ in 0..more {
            footprint.add(&one).unwrap();
        }
        let error = footprint.add(&one).unwrap_err();
        assert_eq!((error.findings, error.stage), (more + 2, "compared"));
        let expected = format!("the first {} findings of the report need more than the 36 MiB that", more + 2);
        assert!(error.to_string().starts_with(&expected), "{error}");
    }

    #[test]
    fn long_messages_count_for_grouping_alone() {
        let messages = (0..).map(|n: u32| Finding {
            message: format!("{n} {}", "m".repeat(MESSAGE_BYTES_MAX)),
            ..finding(0, "B1", "a.py", 1, &["x"])
        });
        let mut footprint = Footprint::default();
        let error = messages.map(|finding| footprint.add(&finding)).find_map(Result::err).unwrap();
        assert_eq!(error.stage, "grouped into issues");
        assert!(error.findings > 80_000, "{error}");
    }

    #[test]
    fn equal_texts_count_once_and_different_ones_each() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        assert_eq!(more(&one, one.clone()), OCCURRENCE);
        let other = Finding { message: "m".repeat(2 * MESSAGE_BYTES_MAX), ..one.clone() };
        let text = Memory { compared: 0, grouped: TEXT.grouped + u64::try_from(MESSAGE_BYTES_MAX).unwrap() };
        assert_eq!(more(&one, other), sum(&[OCCURRENCE, text]));
        let moved = finding(0, "B1", "other.py", 1, &["x"]);
        let text = Memory { compared: TEXT.compared + 8, grouped: TEXT.grouped + 8 };
        assert_eq!(more(&one, moved), sum(&[OCCURRENCE, text]));
    }

    #[test]
    fn an_issue_of_its_own_counts_as_one() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        let secret = |digest: &str| Finding {
            kind: Kind::Secret,
            secret: Some(finding::Secret { digest: digest.to_owned(), masked: String::new() }),
            ..one.clone()
        };
        for other in [Finding { tool: Some("other".to_owned()), ..one.clone() }, secret("sha256:1"), secret("sha256:2")]
        {
            assert_eq!(more(&one, other.clone()), sum(&[OCCURRENCE, ISSUE]), "{other:?}");
        }
    }
}
