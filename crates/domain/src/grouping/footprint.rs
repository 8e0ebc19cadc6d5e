//! The memory that a scan's issues and occurrences need, added up while its findings arrive. A scan that needs more than
//! its stages have is refused before they begin.

use super::{LIST_MAX, MESSAGE_BYTES_MAX, TITLE_BYTES_MAX};
use crate::signature::place_text;
use finding::{Finding, Kind};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// The maximum footprint of a scan, in bytes. A scan is compared with at most two others, all in one instance of
/// 128 MiB.
pub const FOOTPRINT_BYTES_MAX: u64 = 36 * 1024 * 1024;

/// The memory of an occurrence, in bytes.
const OCCURRENCE_BYTES: u64 = 120;
/// The memory of an issue without its texts, in bytes.
const ISSUE_BYTES: u64 = 120;
/// The memory of a text besides its bytes.
const TEXT_BYTES: u64 = 40;

/// The sum so far. Equal texts are stored once, so they count once.
#[derive(Debug, Default)]
pub struct Footprint {
    bytes: u64,
    findings: u64,
    /// Hashes of all texts and issues so far.
    known: BTreeSet<u64>,
}

/// The footprint of a scan is over the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the first {findings} findings of the report need more than the {} MiB of memory that a scan may use for its issues, \
     occurrences and their texts",
    FOOTPRINT_BYTES_MAX / 1024 / 1024
)]
pub struct FootprintTooLarge {
    /// The number of findings up to the limit.
    pub findings: u64,
}

impl Footprint {
    /// Adds a finding.
    ///
    /// # Errors
    /// The scan needs too much memory.
    pub fn add(&mut self, finding: &Finding) -> Result<(), FootprintTooLarge> {
        self.bytes += OCCURRENCE_BYTES;
        let package = finding.package.iter();
        let of_package = package.flat_map(|package| {
            let optional = [&package.ecosystem, &package.version].into_iter().flatten();
            [&package.name].into_iter().chain(optional).chain(package.fixed_versions.iter().take(LIST_MAX))
        });
        let lists = [&finding.advisories, &finding.former_rules, &finding.references];
        let texts = finding.key.iter().flat_map(|(name, value)| [name, value]);
        let texts = texts.chain(of_package).chain(lists.into_iter().flat_map(|list| list.iter().take(LIST_MAX)));
        texts.for_each(|text| self.add_text(text));
        self.add_text(&place_text(finding));
        self.add_text(cut(&finding.title, TITLE_BYTES_MAX));
        self.add_text(cut(&finding.message, MESSAGE_BYTES_MAX));
        if self.is_first(&identity(finding)) {
            self.bytes += ISSUE_BYTES;
        }
        self.findings += 1;
        match self.bytes <= FOOTPRINT_BYTES_MAX {
            true => Ok(()),
            false => Err(FootprintTooLarge { findings: self.findings }),
        }
    }

    fn add_text(&mut self, text: &str) {
        if self.is_first(text) {
            self.bytes += TEXT_BYTES + u64::try_from(text.len()).unwrap_or(u64::MAX);
        }
    }

    fn is_first(&mut self, value: &(impl Hash + ?Sized)) -> bool {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.known.insert(hasher.finish())
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

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    fn bytes(findings: &[Finding]) -> u64 {
        let mut footprint = Footprint::default();
        findings.iter().for_each(|finding| footprint.add(finding).unwrap());
        footprint.bytes
    }

    #[test]
    fn a_scan_at_the_limit_is_accepted_and_one_finding_more_is_refused() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        let mut footprint = Footprint::default();
        footprint.add(&one).unwrap();
        let more = (FOOTPRINT_BYTES_MAX - footprint.bytes) / OCCURRENCE_BYTES;
        for _ in 0..more {
            footprint.add(&one).unwrap();
        }
        let error = footprint.add(&one).unwrap_err();
        assert_eq!(error, FootprintTooLarge { findings: more + 2 });
        assert!(error.to_string().starts_with(&format!("the first {} findings", more + 2)), "{error}");
    }

    #[test]
    fn equal_texts_count_once_and_different_ones_each() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        let twice = bytes(&[one.clone(), one.clone()]) - bytes(std::slice::from_ref(&one));
        assert_eq!(twice, OCCURRENCE_BYTES);
        let other = Finding { message: "m".repeat(2 * MESSAGE_BYTES_MAX), ..one.clone() };
        let kept = u64::try_from(MESSAGE_BYTES_MAX).unwrap();
        assert_eq!(bytes(&[one.clone(), other]) - bytes(&[one]), OCCURRENCE_BYTES + TEXT_BYTES + kept);
    }

    #[test]
    fn an_issue_of_its_own_counts_as_one() {
        let one = finding(0, "B1", "a.py", 1, &["x"]);
        let secret = |digest: &str| Finding {
            kind: Kind::Secret,
            secret: Some(finding::Secret { digest: digest.to_owned(), masked: String::new() }),
            ..one.clone()
        };
        let others = [
            Finding { rule: "B2".to_owned(), ..one.clone() },
            Finding { tool: Some("other".to_owned()), ..one.clone() },
            secret("sha256:1"),
            secret("sha256:2"),
        ];
        for other in others {
            let more = bytes(&[one.clone(), other.clone()]) - bytes(std::slice::from_ref(&one));
            assert_eq!(more, OCCURRENCE_BYTES + ISSUE_BYTES, "{other:?}");
        }
    }
}
