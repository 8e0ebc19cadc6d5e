//! Baselines: the variant of a target that its other variants are compared with. A target has its own, or the project's
//! default for its type, or the built-in default.

use crate::ids::VariantName;
use crate::reference::Reference;
use crate::reference::choose::ResolvedBaseline;
use crate::role::Role;
use crate::settings::BaselineChanges;
use crate::target::TargetType;
use crate::word_enum::word_enum;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The maximum length of a pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 128;
/// The maximum size of a compiled pattern, in bytes. The cost of matching grows with it.
const PATTERN_COMPILED_BYTES_MAX: usize = 64 * 1024;

/// An error in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is empty, and would match no name.
    #[error("the pattern is empty")]
    Empty,
    /// It is too long.
    #[error("the pattern is {length} characters long; at most {PATTERN_CHARS_MAX} are allowed")]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// It is not a regular expression in RE2's syntax.
    #[error("the pattern is wrong at character {at}: {reason}")]
    Syntax {
        /// The position, counted from 1.
        at: usize,
        /// The error.
        reason: String,
    },
    /// Its compiled form is too large, for example because of counted repetitions.
    #[error("the pattern is too large: it repeats too much, or classes of too many characters")]
    TooLarge,
    /// It ends in a comment.
    #[error("the pattern ends in a comment, which is not allowed here")]
    Comment,
}

/// A regular expression in RE2's syntax that matches the whole name of a variant. `\d`, `\w` and `\s` include all
/// scripts. Matching takes time linear in the name. A pattern is checked when it is parsed, and not again when it is
/// read from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BaselinePattern(String);

impl BaselinePattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compiles the pattern.
    ///
    /// # Errors
    /// The pattern is invalid: another version of the program stored it.
    pub fn matcher(&self) -> Result<Matcher, PatternError> {
        let text = &self.0;
        let length = text.chars().count();
        if length == 0 {
            return Err(PatternError::Empty);
        }
        if PATTERN_CHARS_MAX < length {
            return Err(PatternError::TooLong { length });
        }
        // Parsed alone first: the group around it must not make `a)|(b` valid.
        regex_syntax::Parser::new().parse(text).map_err(|error| syntax(text, &error))?;
        let built = RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(PATTERN_COMPILED_BYTES_MAX).build();
        match built {
            Ok(regex) => Ok(Matcher(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
            // Valid alone, but not with the closing parenthesis behind it.
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

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Matcher(Regex);

impl Matcher {
    /// True if the pattern matches the whole name.
    pub fn matches(&self, variant: &VariantName) -> bool {
        self.matches_text(variant.as_str())
    }

    /// True if the pattern matches the whole text.
    pub fn matches_text(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The rule that selects the variant to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// This variant.
    Variant(VariantName),
    /// The most recently scanned variant that matches.
    Regex(BaselinePattern),
}

/// A target's own choice, or a project's default for a type of target. Stored as the variant's name, `{"regex": ...}`
/// or `{"none": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredChoice", into = "StoredChoice")]
pub enum BaselineChoice {
    /// The target has this baseline.
    Of(Baseline),
    /// The target has no baseline: each variant is compared with its own previous scan.
    None,
}

/// A choice in its stored form.
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
            StoredChoice::None { none: false } => Err("`none` must be true or absent"),
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
    /// The level at which a baseline was chosen.
    pub enum BaselineSource: "a source of a baseline" {
        /// The target itself.
        Target = "target",
        /// The project's default for its type.
        Project = "project",
        /// The built-in default.
        BuiltIn = "built_in",
    }
}

/// The baseline that applies to a target, and the level at which it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenBaseline {
    /// The baseline; absent if there is none.
    pub baseline: Option<Baseline>,
    /// The level.
    pub origin: BaselineSource,
}

/// The built-in default for a type of target, as in the reference product.
pub fn built_in(target_type: TargetType) -> Option<Baseline> {
    let pattern = match target_type {
        TargetType::Repository => "main|master",
        TargetType::Container => r"latest|v?\d+\.\d+\.\d+",
        TargetType::Instance | TargetType::Configuration => return None,
    };
    Some(Baseline::Regex(BaselinePattern(pattern.to_owned())))
}

/// A change of a target's own baseline by a developer that needs a reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "changing a baseline needs a token with the role secops or admin, because it changes what is new; a developer may set \
     the first baseline of a target, to the variant that the default means or if it is known that the default means none. \
     Request the change instead (`gatehouse targets request-baseline`); an admin can allow more with the project's setting \
     `baseline_changes`"
)]
pub struct NeedsReviewer;

/// The facts about a change of a target's own baseline.
#[derive(Debug, Clone, Copy)]
pub struct BaselineChange<'a> {
    /// The role of who changes it.
    pub role: Role,
    /// The project's setting.
    pub allowed_to: BaselineChanges,
    /// The target's own baseline.
    pub current: Option<&'a BaselineChoice>,
    /// The present meaning of the default; absent if the target has a baseline of its own.
    pub default: Option<&'a ResolvedBaseline>,
    /// The requested baseline; absent for the default.
    pub requested: Option<&'a BaselineChoice>,
}

impl BaselineChange<'_> {
    /// Checks that the change may be made without a reviewer.
    ///
    /// # Errors
    /// A reviewer is needed.
    pub fn check(&self) -> Result<(), NeedsReviewer> {
        if self.is_free() || self.current == self.requested {
            return Ok(());
        }
        match (self.current, self.default, self.requested) {
            (None, Some(ResolvedBaseline::None | ResolvedBaseline::NothingScanned), Some(BaselineChoice::Of(_))) => {
                Ok(())
            }
            (
                None,
                Some(ResolvedBaseline::Variant(default, _)),
                Some(BaselineChoice::Of(Baseline::Variant(variant))),
            ) if default == variant => Ok(()),
            // `Unknown` too: the default may mean a variant that was forgotten.
            (_, _, _) => Err(NeedsReviewer),
        }
    }

    /// True if any change may be made without a reviewer. Otherwise the right depends on the present baseline, and a
    /// change is for that one only.
    pub fn is_free(&self) -> bool {
        Role::Secops <= self.role || self.allowed_to == BaselineChanges::Developer
    }
}

impl ChosenBaseline {
    /// True if the baseline means this variant: it is the variant, or its pattern matches it.
    ///
    /// # Errors
    /// A stored pattern is invalid.
    pub fn means(&self, variant: &VariantName) -> Result<bool, PatternError> {
        match &self.baseline {
            Some(Baseline::Variant(baseline)) => Ok(baseline == variant),
            Some(Baseline::Regex(pattern)) => Ok(pattern.matcher()?.matches(variant)),
            None => Ok(false),
        }
    }

    /// True if a scan of `variant` counts as a scan of the baseline, or of a target without a baseline. `reference` is
    /// what the scan is compared with. A new release that the pattern matches counts, although it is compared with the
    /// release before: once the scan is recorded, the pattern resolves to it.
    ///
    /// # Errors
    /// A stored pattern is invalid.
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
    fn a_developer_sets_the_first_baseline_and_changes_none() {
        let of = |variant: &str| BaselineChoice::Of(Baseline::Variant(name(variant)));
        let (main, feature, pattern) = (of("main"), of("feature"), BaselineChoice::Of(regex("v.*")));
        let default = ResolvedBaseline::Variant(name("main"), None);
        let (no_default, nothing) = (ResolvedBaseline::None, ResolvedBaseline::NothingScanned);
        let check = |current: Option<&BaselineChoice>, default: Option<&ResolvedBaseline>, requested| {
            let by =
                |role, allowed_to| BaselineChange { role, allowed_to, current, default, requested }.check().is_ok();
            assert!(by(Role::Secops, BaselineChanges::Secops) && by(Role::Developer, BaselineChanges::Developer));
            by(Role::Developer, BaselineChanges::Secops)
        };
        for none in [&no_default, &nothing] {
            assert!(check(None, Some(none), Some(&main)) && check(None, Some(none), Some(&pattern)), "the first one");
            assert!(!check(None, Some(none), Some(&BaselineChoice::None)), "no baseline is a decision");
        }
        for requested in [&main, &feature, &pattern] {
            let unknown = check(None, Some(&ResolvedBaseline::Unknown), Some(requested));
            assert!(!unknown, "the default may mean a variant that was forgotten: {requested:?}");
        }
        assert!(check(None, Some(&default), Some(&main)), "what the default means");
        assert!(check(Some(&main), None, Some(&main)), "no change");
        assert!(!check(None, Some(&default), Some(&feature)), "another than the default means");
        assert!(!check(None, Some(&default), Some(&pattern)), "a pattern may match the developer's branch");
        for changed in [Some(&feature), Some(&pattern), Some(&BaselineChoice::None), None] {
            assert!(!check(Some(&main), None, changed), "{changed:?}");
        }
    }

    #[test]
    fn a_release_matches_a_baselines_pattern_and_a_branch_does_not() {
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
    fn the_error_of_an_illegal_pattern_names_the_position() {
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
    fn the_built_in_defaults_are_legal_and_as_documented() {
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
