//! Names and ids. A value of one of these types is valid by construction and needs no further check.

use crate::digest::Short;
use crate::version::Versions;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An error in a name or id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is empty.
    #[error("{what} is empty")]
    Empty {
        /// The kind of name, for example `target`.
        what: &'static str,
    },
    /// It is too long.
    #[error("{what} is {length} characters long; at most {max} are allowed")]
    TooLong {
        /// The kind of name.
        what: &'static str,
        /// Its length in characters.
        length: usize,
        /// The maximum length.
        max: usize,
    },
    /// It has a character that is not allowed.
    #[error("{what} `{value}` has the character `{}`; allowed are {allowed}", character.escape_default())]
    Character {
        /// The kind of name.
        what: &'static str,
        /// The text, with control characters escaped.
        value: String,
        /// The first character that is not allowed.
        character: char,
        /// The allowed characters, described.
        allowed: &'static str,
    },
    /// It is not an id.
    #[error("`{value}` is not {what}: expected 32 lower-case hexadecimal digits")]
    NotHex {
        /// The kind of id.
        what: &'static str,
        /// The text, with control characters escaped.
        value: String,
    },
}

fn check(
    what: &'static str,
    value: &str,
    max: usize,
    allowed: &'static str,
    legal: impl Fn(usize, char) -> bool,
) -> Result<(), IdError> {
    let length = value.chars().count();
    if length == 0 {
        return Err(IdError::Empty { what });
    }
    if length > max {
        return Err(IdError::TooLong { what, length, max });
    }
    match value.chars().enumerate().find(|(at, c)| !legal(*at, *c)) {
        None => Ok(()),
        Some((_, character)) => {
            Err(IdError::Character { what, value: value.escape_default().to_string(), character, allowed })
        }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:literal, $allowed:literal, $legal:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $type {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                check($what, value, $max, $allowed, $legal)?;
                Ok(Self(value.to_owned()))
            }
        }
        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                value.parse()
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a project, as it appears in URLs and in keys of the store.
    ProjectId, "project", 64, "a-z, 0-9, `-`, `_` and `.`, the first a letter or digit",
    |at, c| c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && "-_.".contains(c))
);
name!(
    /// The name of a scanned thing: a repository, an image, a host. Alphabet and length are the reference product's.
    TargetName, "target", 128, "A-Z, a-z, 0-9 and _ . : / | ( ) -",
    |_, c: char| c.is_ascii_alphanumeric() || "_.:/|()-".contains(c)
);
name!(
    /// A branch, tag or version of a target. Git allows almost everything in the name of a branch.
    VariantName, "variant", 256, "all but control characters",
    |_, c: char| !c.is_control()
);
name!(
    /// A commit of a repository, full or shortened, as git writes it: SHA-1 or SHA-256.
    CommitId, "commit", 64, "0-9 and a-f",
    |_, c: char| matches!(c, '0'..='9' | 'a'..='f')
);
name!(
    /// The id of a scanner in the registry, for example `bandit`.
    ScannerId, "scanner", 64, "a-z, 0-9, `-` and `_`",
    |_, c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)
);
name!(
    /// The name of a CI pipeline or of a run of it (an execution).
    PipelineName, "pipeline", 128, "all but control characters",
    |_, c: char| !c.is_control()
);
name!(
    /// A person or machine that has tokens.
    Subject, "subject", 128, "all but control characters",
    |_, c: char| !c.is_control()
);

macro_rules! identifier {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Short);

        impl $type {
            /// Makes the id from its bits, for random ids and for tests.
            pub fn from_bits(bits: [u8; 16]) -> Self {
                Self(Short(bits))
            }

            /// Derives the id from a recipe and its fields, see [`derive`](crate::digest::derive).
            pub fn derived(recipe: &str, fields: &[&[u8]]) -> Self {
                Self(Short::derive(recipe, fields))
            }

            /// Returns the id as 128 bits.
            pub fn short(self) -> Short {
                self.0
            }
        }
        impl FromStr for $type {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Short::from_hex(value)
                    .map(Self)
                    .ok_or_else(|| IdError::NotHex { what: $what, value: value.escape_default().to_string() })
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.to_hex())
            }
        }
    };
}

identifier!(
    /// A target's id: derived from project and name, so that uploads that create a target at the same time create the
    /// same one.
    TargetId, "a target's id"
);
identifier!(
    /// The id of a pipeline's run: derived from both names.
    ExecutionId, "an execution's id"
);

impl ExecutionId {
    /// Derives the id of a run of a pipeline.
    pub fn of(pipeline: &PipelineName, execution: &PipelineName) -> Self {
        Self::derived("v1:execution", &[pipeline.as_str().as_bytes(), execution.as_str().as_bytes()])
    }
}
identifier!(
    /// A scan's id: derived from project and `Idempotency-Key`, or from the scan that it replays, or random.
    ScanId, "a scan's id"
);
identifier!(
    /// An issue's id: derived from its key, the same in every scan, target and project.
    IssueId, "an issue's id"
);
identifier!(
    /// An occurrence's id: derived in the scan that sees it first, and kept by every later scan that matches it.
    OccurrenceId, "an occurrence's id"
);
identifier!(
    /// An exemption's id: derived from project and `Idempotency-Key`, or random.
    ExemptionId, "an exemption's id"
);
identifier!(
    /// The id of a journal event. A retry uses the same one.
    EventId, "an event's id"
);
identifier!(
    /// A token's public id: derived from the token, and useless for finding it.
    TokenId, "a token's id"
);

impl TargetId {
    /// Derives the id of a target.
    pub fn of(project: &ProjectId, name: &TargetName) -> Self {
        Self::derived("v1:target", &[project.as_str().as_bytes(), name.as_str().as_bytes()])
    }
}

impl ScanId {
    /// Derives the id of the scan of a target that this subject uploads with this `Idempotency-Key`. The same key of
    /// another subject, or for another target, is another key.
    pub fn of_idempotency_key(subject: &Subject, project: &ProjectId, target: &TargetName, key: &str) -> Self {
        let fields = [subject.as_str(), project.as_str(), target.as_str(), key];
        Self::derived("v2:scan", &fields.map(str::as_bytes))
    }

    /// Derives the id of the scan that is uploaded with the same key when the key of `before` no longer holds. Retries
    /// that come at once derive the same.
    pub fn of_key_again(before: Self) -> Self {
        Self::derived("v1:scan:again", &[&before.short().0])
    }

    /// Derives the id by the first recipe, which did not include the subject and the target.
    pub fn of_first_idempotency_key(project: &ProjectId, key: &str) -> Self {
        Self::derived("v1:scan", &[project.as_str().as_bytes(), key.as_bytes()])
    }

    /// Derives the id of a scan's replay by these versions. A repeated replay gets the same id.
    pub fn of_replay(original: Self, versions: Versions) -> Self {
        let Versions { parsers, matcher } = versions;
        let fields: [&[u8]; 3] = [&original.short().0, &parsers.to_be_bytes(), &matcher.to_be_bytes()];
        Self::derived("v1:replay", &fields)
    }

    /// Derives the id under which the remainder of a scan is stored: the occurrences that it did not see.
    pub fn of_remainder(scan: Self) -> Self {
        Self::derived("v1:remainder", &[&scan.short().0])
    }
}

impl OccurrenceId {
    /// Derives the id of an occurrence from its code: the same in every variant of a target.
    pub fn of_code(target: TargetId, issue: IssueId, path: &str, context: Short) -> Self {
        let fields: [&[u8]; 4] = [&target.short().0, &issue.short().0, path.as_bytes(), &context.0];
        Self::derived("v1:occurrence:code", &fields)
    }

    /// Derives the id of an occurrence from the scan that sees it first and the index of its result in the report.
    pub fn first_seen(scan: ScanId, result: u32) -> Self {
        Self::derived("v1:occurrence", &[&scan.short().0, &result.to_be_bytes()])
    }
}

/// Returns the stored SHA-256 of a token: 64 lower-case hexadecimal digits.
pub fn token_digest(token: &str) -> String {
    crate::digest::sha256_hex(token.as_bytes())
}

impl TokenId {
    /// Derives the public id of a token.
    pub fn of(token: &str) -> Self {
        Self::derived("v1:token", &[token.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_with_the_reason() {
        let cases: &[(Result<(), IdError>, &str)] = &[
            ("".parse::<ProjectId>().map(drop), "project is empty"),
            (
                "Web Shop".parse::<ProjectId>().map(drop),
                "project `Web Shop` has the character `W`; allowed are a-z, 0-9, `-`, `_` and `.`, the first a letter or digit",
            ),
            (
                ".hidden".parse::<ProjectId>().map(drop),
                "project `.hidden` has the character `.`; allowed are a-z, 0-9, `-`, `_` and `.`, the first a letter or digit",
            ),
            ("x".repeat(129).parse::<TargetName>().map(drop), "target is 129 characters long; at most 128 are allowed"),
            (
                "main\n".parse::<VariantName>().map(drop),
                "variant `main\\n` has the character `\\n`; allowed are all but control characters",
            ),
            ("xyz".parse::<ScanId>().map(drop), "`xyz` is not a scan's id: expected 32 lower-case hexadecimal digits"),
        ];
        for (result, expected) in cases {
            assert_eq!(result.as_ref().unwrap_err().to_string(), *expected);
        }
    }

    #[test]
    fn common_names_are_accepted() {
        assert!("web-shop.2".parse::<ProjectId>().is_ok());
        assert!("github.com/org/repo:x".parse::<TargetName>().is_ok());
        assert!("feature/größe #1".parse::<VariantName>().is_ok());
        assert!("x".repeat(128).parse::<TargetName>().is_ok());
    }

    #[test]
    fn derived_ids_are_stable_and_distinct() {
        let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let name: TargetName = "dvpwa".parse().unwrap();
        assert_eq!(TargetId::of(&shop, &name), TargetId::of(&shop, &name));
        assert_ne!(TargetId::of(&shop, &name), TargetId::of(&other, &name));
        let (ann, bob): (Subject, Subject) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        let keyed = ScanId::of_idempotency_key(&ann, &shop, &name, "1");
        let others = [
            ScanId::of_idempotency_key(&bob, &shop, &name, "1"),
            ScanId::of_idempotency_key(&ann, &other, &name, "1"),
            ScanId::of_idempotency_key(&ann, &shop, &"web".parse().unwrap(), "1"),
            ScanId::of_idempotency_key(&ann, &shop, &name, "2"),
            ScanId::of_key_again(keyed),
            ScanId::of_first_idempotency_key(&shop, "1"),
        ];
        assert!(!others.contains(&keyed));
        let replay = |scan: u8, parsers, matcher| {
            ScanId::of_replay(ScanId::from_bits([scan; 16]), Versions { parsers, matcher })
        };
        assert_eq!(replay(1, 2, 3), replay(1, 2, 3));
        for other in [replay(2, 2, 3), replay(1, 3, 3), replay(1, 2, 2), replay(1, 3, 2), ScanId::from_bits([1; 16])] {
            assert_ne!(replay(1, 2, 3), other);
        }
    }
}
