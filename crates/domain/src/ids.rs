//! Names and identifiers. A value of one of these types is legal by construction: whoever holds it need not check it.

use crate::digest::Short;
use crate::version::Versions;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a name or identifier was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It has no characters.
    #[error("{what} is empty")]
    Empty {
        /// What was being read, for example `target`.
        what: &'static str,
    },
    /// It is longer than allowed.
    #[error("{what} is {length} characters long; at most {max} are allowed")]
    TooLong {
        /// What was being read.
        what: &'static str,
        /// Its length in characters.
        length: usize,
        /// The longest allowed.
        max: usize,
    },
    /// It holds a character that is not allowed there.
    #[error("{what} `{value}` has the character `{}`; allowed are {allowed}", character.escape_default())]
    Character {
        /// What was being read.
        what: &'static str,
        /// The text, with control characters escaped.
        value: String,
        /// The first illegal character.
        character: char,
        /// The legal ones, in words.
        allowed: &'static str,
    },
    /// It is not an identifier that Gatehouse gives out.
    #[error("`{value}` is not {what}: expected 32 lower-case hexadecimal digits")]
    NotHex {
        /// What was being read.
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
            /// The name as text.
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
    /// A project's name, as it stands in URLs and in keys of the store.
    ProjectId, "project", 64, "a-z, 0-9, `-`, `_` and `.`, the first a letter or digit",
    |at, c| c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && "-_.".contains(c))
);
name!(
    /// The name of what is scanned: a repository, an image, a host. The reference product's alphabet and length.
    TargetName, "target", 128, "A-Z, a-z, 0-9 and _ . : / | ( ) -",
    |_, c: char| c.is_ascii_alphanumeric() || "_.:/|()-".contains(c)
);
name!(
    /// A branch, tag or version of a target. Git allows nearly everything in a branch name, so do we.
    VariantName, "variant", 256, "all but control characters",
    |_, c: char| !c.is_control()
);
name!(
    /// A commit of a repository, whole or shortened, as git writes it: SHA-1 or SHA-256.
    CommitId, "commit", 64, "0-9 and a-f",
    |_, c: char| matches!(c, '0'..='9' | 'a'..='f')
);
name!(
    /// A scanner's id in Gatehouse's registry, for example `bandit`.
    ScannerId, "scanner", 64, "a-z, 0-9, `-` and `_`",
    |_, c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)
);
name!(
    /// The name of a CI pipeline or of one run of it (an execution).
    PipelineName, "pipeline", 128, "all but control characters",
    |_, c: char| !c.is_control()
);
name!(
    /// A person or machine, as tokens carry it.
    Subject, "subject", 128, "all but control characters",
    |_, c: char| !c.is_control()
);

impl Subject {
    /// Whether both name one person: upper and lower case, and spaces around, make no other person of somebody.
    pub fn is_same_person(&self, other: &Self) -> bool {
        let key = |subject: &Self| subject.0.trim().to_lowercase();
        key(self) == key(other)
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Short);

        impl $type {
            /// The identifier with these bits; for random ones, and for tests.
            pub fn from_bits(bits: [u8; 16]) -> Self {
                Self(Short(bits))
            }

            /// Derives the identifier from a recipe and its fields, see [`derive`](crate::digest::derive).
            pub fn derived(recipe: &str, fields: &[&[u8]]) -> Self {
                Self(Short::derive(recipe, fields))
            }

            /// As 128 bits.
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
    /// A target's id: derived from project and name, so that two who create it at once create the same.
    TargetId, "a target's id"
);
identifier!(
    /// The id of a pipeline's run: derived from the names of both.
    ExecutionId, "an execution's id"
);

impl ExecutionId {
    /// The id of the run of this name of a pipeline.
    pub fn of(pipeline: &PipelineName, execution: &PipelineName) -> Self {
        Self::derived("v1:execution", &[pipeline.as_str().as_bytes(), execution.as_str().as_bytes()])
    }
}
identifier!(
    /// A scan's id: derived from project and `Idempotency-Key`, from the scan it replays, or random.
    ScanId, "a scan's id"
);
identifier!(
    /// An issue's id: derived from its key, the same in every scan, target and project.
    IssueId, "an issue's id"
);
identifier!(
    /// An occurrence's id: given by the scan that first saw it, inherited by every scan that recognises it.
    OccurrenceId, "an occurrence's id"
);
identifier!(
    /// An exemption's id: derived from project and `Idempotency-Key`, or random.
    ExemptionId, "an exemption's id"
);
identifier!(
    /// The id of one event of a journal; a retried request uses the same again.
    EventId, "an event's id"
);
identifier!(
    /// A token's public id, derived from it: names it without being it.
    TokenId, "a token's id"
);

impl TargetId {
    /// The id of the target of this name in this project.
    pub fn of(project: &ProjectId, name: &TargetName) -> Self {
        Self::derived("v1:target", &[project.as_str().as_bytes(), name.as_str().as_bytes()])
    }
}

impl ScanId {
    /// The id of the scan that this key asks for in this project.
    pub fn of_idempotency_key(project: &ProjectId, key: &str) -> Self {
        Self::derived("v1:scan", &[project.as_str().as_bytes(), key.as_bytes()])
    }

    /// The id of the scan's replay by these versions: the same again when it is replayed again.
    pub fn of_replay(original: Self, versions: Versions) -> Self {
        let Versions { parsers, matcher } = versions;
        let fields: [&[u8]; 3] = [&original.short().0, &parsers.to_be_bytes(), &matcher.to_be_bytes()];
        Self::derived("v1:replay", &fields)
    }
}

impl OccurrenceId {
    /// The id of code that is met for the first time: the same in every variant of a target.
    pub fn of_code(target: TargetId, issue: IssueId, path: &str, context: Short) -> Self {
        let fields: [&[u8]; 4] = [&target.short().0, &issue.short().0, path.as_bytes(), &context.0];
        Self::derived("v1:occurrence:code", &fields)
    }

    /// The id of an occurrence that this scan is the first to see, by its place in the report.
    pub fn first_seen(scan: ScanId, result: u32) -> Self {
        Self::derived("v1:occurrence", &[&scan.short().0, &result.to_be_bytes()])
    }
}

/// SHA-256 of a token, as the store keeps it: 64 lower-case hexadecimal digits.
pub fn token_digest(token: &str) -> String {
    crate::digest::sha256_hex(token.as_bytes())
}

impl TokenId {
    /// The public id of a token.
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
    fn what_people_use_is_accepted() {
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
        assert_ne!(ScanId::of_idempotency_key(&shop, "1"), ScanId::of_idempotency_key(&other, "1"));
        let replay = |scan: u8, parsers, matcher| {
            ScanId::of_replay(ScanId::from_bits([scan; 16]), Versions { parsers, matcher })
        };
        assert_eq!(replay(1, 2, 3), replay(1, 2, 3));
        for other in [replay(2, 2, 3), replay(1, 3, 3), replay(1, 2, 2), replay(1, 3, 2), ScanId::from_bits([1; 16])] {
            assert_ne!(replay(1, 2, 3), other);
        }
    }
}
