//! Baselines: which variant of a target its others are compared with. A target says it itself, or its project's default
//! for its type applies, or the one that is built in.

use crate::ids::VariantName;
use crate::reference::Reference;
use crate::target::TargetType;
use crate::word_enum::word_enum;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 128;
/// Largest compiled pattern, in bytes: what matching costs grows with it.
const PATTERN_COMPILED_BYTES_MAX: usize = 64 * 1024;

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has no characters, and would match no name.
    #[error("the pattern is empty")]
    Empty,
    /// It is longer than allowed.
    #[error("the pattern is {length} characters long; at most {PATTERN_CHARS_MAX} are allowed")]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// It is no regular expression in RE2's syntax.
    #[error("the pattern is wrong at character {at}: {reason}")]
    Syntax {
        /// Where, counted from 1.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// It becomes too large when it is compiled, by counted repetitions for example.
    #[error("the pattern is too large: it repeats too much, or classes of too many characters")]
    TooLarge,
    /// It ends in a comment.
    #[error("the pattern ends in a comment, which is not allowed here")]
    Comment,
}

/// A regular expression for the whole name of a variant, in RE2's syntax; its `\d`, `\w` and `\s` know all scripts.
/// Matching takes time linear in the name. It is checked when it enters, and not again when it is read from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BaselinePattern(String);

impl BaselinePattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern, ready to match.
    ///
    /// # Errors
    /// It is not legal: a stored one of another version.
    pub fn matcher(&self) -> Result<Matcher, PatternError> {
        let text = &self.0;
        let length = text.chars().count();
        if length == 0 {
            return Err(PatternError::Empty);
        }
        if PATTERN_CHARS_MAX < length {
            return Err(PatternError::TooLong { length });
        }
        // By itself first: `a)|(b` must not become legal by what is put around it.
        regex_syntax::Parser::new().parse(text).map_err(|error| syntax(text, &error))?;
        let built = RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(PATTERN_COMPILED_BYTES_MAX).build();
        match built {
            Ok(regex) => Ok(Matcher(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
            // Legal alone, and not with what closes it.
            Err(_) => Err(PatternError::Comment),
        }
    }
}

fn syntax(text: &str, error: &regex_syntax::Error) -> PatternError {
    let (offset, reason) = match error {
        regex_syntax::Error::Parse(error) => (error.span().start.offset, error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (error.span().start.offset, error.kind().to_string()),
        other => (0, other.to_string()),
    };
    let at = text.char_indices().filter(|(place, _)| *place < offset).count() + 1;
    PatternError::Syntax { at, reason }
}

impl FromStr for BaselinePattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let pattern = Self(text.to_owned());
        pattern.matcher()?;
        Ok(pattern)
    }
}

impl fmt::Display for BaselinePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern that is ready to match.
#[derive(Debug, Clone)]
pub struct Matcher(Regex);

impl Matcher {
    /// Whether the pattern matches the whole name.
    pub fn matches(&self, variant: &VariantName) -> bool {
        self.0.is_match(variant.as_str())
    }
}

/// What others are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// Always this variant.
    Variant(VariantName),
    /// Of the variants that match, the one that was scanned last.
    Regex(BaselinePattern),
}

/// What a target, or a project for a type of target, has decided. Stored as the variant's name, `{"regex": ...}` or
/// `{"none": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredChoice", into = "StoredChoice")]
pub enum BaselineChoice {
    /// This baseline.
    Of(Baseline),
    /// None: each variant is compared with its own previous scan.
    None,
}

/// A choice as it is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredChoice {
    Variant(VariantName),
    Regex { regex: BaselinePattern },
    None { none: bool },
}

impl TryFrom<StoredChoice> for BaselineChoice {
    type Error = &'static str;
    fn try_from(written: StoredChoice) -> Result<Self, &'static str> {
        match written {
            StoredChoice::Variant(variant) => Ok(Self::Of(Baseline::Variant(variant))),
            StoredChoice::Regex { regex } => Ok(Self::Of(Baseline::Regex(regex))),
            StoredChoice::None { none: true } => Ok(Self::None),
            StoredChoice::None { none: false } => Err("`none` is true or absent"),
        }
    }
}

impl From<BaselineChoice> for StoredChoice {
    fn from(choice: BaselineChoice) -> Self {
        match choice {
            BaselineChoice::Of(Baseline::Variant(variant)) => Self::Variant(variant),
            BaselineChoice::Of(Baseline::Regex(regex)) => Self::Regex { regex },
            BaselineChoice::None => Self::None { none: true },
        }
    }
}

word_enum! {
    /// Who decided on a baseline.
    pub enum BaselineSource: "a source of a baseline" {
        /// The target itself.
        Target = "target",
        /// The project's default for its type.
        Project = "project",
        /// The default that is built in.
        BuiltIn = "built_in",
    }
}

/// The baseline that holds for a target, and who decided so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenBaseline {
    /// The baseline; absent for none.
    pub baseline: Option<Baseline>,
    /// Who decided.
    pub origin: BaselineSource,
}

/// The baseline of a type's targets where neither they nor their project say otherwise: the reference product's.
pub fn built_in(target_type: TargetType) -> Option<Baseline> {
    let pattern = match target_type {
        TargetType::Repository => "main|master",
        TargetType::Container => r"latest|v?\d+\.\d+\.\d+",
        TargetType::Instance | TargetType::Configuration => return None,
    };
    Some(Baseline::Regex(BaselinePattern(pattern.to_owned())))
}

impl ChosenBaseline {
    /// Whether a scan of this variant that is compared with `reference` is one of the baseline, or of a target without one.
    /// What a pattern matches is what it means once the scan is recorded, though a new release is compared with the one
    /// before.
    ///
    /// # Errors
    /// A stored pattern is not legal.
    pub fn includes(&self, variant: &VariantName, reference: &Reference) -> Result<bool, PatternError> {
        match &self.baseline {
            Some(Baseline::Regex(pattern)) if reference.is_to_baseline() => Ok(pattern.matcher()?.matches(variant)),
            Some(Baseline::Regex(_) | Baseline::Variant(_)) | None => Ok(!reference.is_to_baseline()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ScanId;

    fn name(text: &str) -> VariantName {
        text.parse().unwrap()
    }

    fn regex(text: &str) -> Baseline {
        Baseline::Regex(text.parse().unwrap())
    }

    #[test]
    fn a_new_release_is_one_of_the_baseline_and_a_branch_is_none() {
        let of = |baseline: Option<Baseline>, variant: &str, reference: &Reference| {
            ChosenBaseline { baseline, origin: BaselineSource::Target }.includes(&name(variant), reference).unwrap()
        };
        let before = Reference::Baseline { variant: name("v1"), scan: ScanId::from_bits([1; 16]) };
        assert!(of(Some(regex(r"v\d+")), "v2", &before), "compared with the release before");
        assert!(!of(Some(regex(r"v\d+")), "feature", &before));
        assert!(!of(Some(Baseline::Variant(name("v1"))), "v2", &before));
        assert!(of(Some(Baseline::Variant(name("v1"))), "v1", &Reference::None));
        assert!(of(None, "whatever", &Reference::None), "there is no baseline");
    }

    #[test]
    fn a_pattern_matches_whole_names_only() {
        let cases = [
            (r"release-\d+", "release-12", true),
            (r"release-\d+", "release-12-rc", false),
            (r"release-\d+", "my-release-12", false),
            ("main|master", "main", true),
            ("main|master", "mainline", false),
            ("main|master", "webmaster", false),
            ("^main$", "main", true),
            ("(?i)MAIN", "Main", true),
            ("(?m)^a$", "a", true),
            ("größe.", "größeä", true),
            (r"[\d.]+", "1.2", true),
            (r"\d*\.\d*\.\d*-linux-amd64", "1.2.3-linux-amd64", true),
        ];
        for (pattern, variant, expected) in cases {
            let matcher = pattern.parse::<BaselinePattern>().unwrap().matcher().unwrap();
            assert_eq!(matcher.matches(&name(variant)), expected, "{pattern} on {variant}");
        }
    }

    #[test]
    fn an_illegal_pattern_is_named_with_its_place() {
        let cases = [
            ("", "the pattern is empty"),
            ("a(b", "the pattern is wrong at character 2: unclosed group"),
            ("ä)", "the pattern is wrong at character 2: unopened group"),
            ("a)|(b", "the pattern is wrong at character 2: unopened group"),
            (
                "[z-a]",
                "the pattern is wrong at character 2: invalid character class range, the start must be <= the end",
            ),
            ("*", "the pattern is wrong at character 1: repetition operator missing expression"),
            (r"(a)\1", "the pattern is wrong at character 4: backreferences are not supported"),
            (
                "a(?=b)",
                "the pattern is wrong at character 2: look-around, including look-ahead and look-behind, is not supported",
            ),
            (r"\p{Nothing}", "the pattern is wrong at character 1: Unicode property not found"),
            (
                "((a{100}){100}){100}",
                "the pattern is too large: it repeats too much, or classes of too many characters",
            ),
            ("(?x)a # b", "the pattern ends in a comment, which is not allowed here"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(pattern.parse::<BaselinePattern>().unwrap_err().to_string(), expected, "{pattern}");
        }
        assert!("a".repeat(PATTERN_CHARS_MAX).parse::<BaselinePattern>().is_ok());
        let over = "ä".repeat(PATTERN_CHARS_MAX + 1).parse::<BaselinePattern>().unwrap_err();
        assert_eq!(over.to_string(), "the pattern is 129 characters long; at most 128 are allowed");
    }

    #[test]
    fn the_built_in_defaults_are_legal_and_what_they_say() {
        let cases = [
            (TargetType::Repository, "main", true),
            (TargetType::Repository, "develop", false),
            (TargetType::Container, "latest", true),
            (TargetType::Container, "v1.20.3", true),
            (TargetType::Container, "1.20.3", true),
            (TargetType::Container, "1.20.3-rc1", false),
        ];
        for (kind, variant, expected) in cases {
            let Some(Baseline::Regex(pattern)) = built_in(kind) else { panic!("{kind} has a pattern") };
            assert_eq!(pattern.matcher().unwrap().matches(&name(variant)), expected, "{variant}");
        }
        assert_eq!([built_in(TargetType::Instance), built_in(TargetType::Configuration)], [None, None]);
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let choices = [
            BaselineChoice::Of(Baseline::Variant(name("main"))),
            BaselineChoice::Of(regex("v.*")),
            BaselineChoice::None,
        ];
        let stored: Vec<_> = choices.iter().map(|choice| serde_json::to_string(choice).unwrap()).collect();
        insta::assert_snapshot!(stored.join("\n"), @r#"
        "main"
        {"regex":"v.*"}
        {"none":true}
        "#);
        for (choice, text) in choices.iter().zip(&stored) {
            assert_eq!(serde_json::from_str::<BaselineChoice>(text).unwrap(), *choice);
        }
        assert!(serde_json::from_str::<BaselineChoice>(r#"{"none":false}"#).is_err());
    }
}
