//! Targets, their variants, and what these are compared with.

use crate::body::{field, illegal};
use crate::problem::Problem;
use domain::baseline::{Baseline, BaselineChoice, BaselinePattern, ChosenBaseline};
use domain::ids::{ScanId, VariantName};
use domain::project::Target;
use domain::reference::choose::ResolvedBaseline;
use domain::scan_log::Variant;
use domain::target::TargetType;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetItem {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<TargetType>"))]
    pub target_type: TargetType,
    /// What the target itself says of its baseline; absent: nothing, the default applies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<BaselineBody>,
    /// The baseline that holds for it now.
    pub effective: EffectiveBaseline,
    /// When it was created, RFC 3339.
    pub created_at: String,
}

/// A baseline: exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineBody {
    /// The variant others are compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
    /// A regular expression (RE2 syntax) for whole names: of the variants that match, the one scanned last is the one
    /// that others are compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regex: Option<String>,
    /// `true`: no baseline, whatever the default is; each variant is compared with its own previous scan.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub none: bool,
}

/// The baseline that holds for a target, its own or a default. With neither variant nor pattern there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EffectiveBaseline {
    /// Who says so: `target`, `project` or `built_in`.
    pub from: String,
    /// The pattern, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regex: Option<String>,
    /// The variant that it means now; absent where no variant that it could mean was scanned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
}

/// Changes a target. `{"baseline": null}` removes its own baseline, and the default applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("required" = ["baseline"])))]
#[serde(deny_unknown_fields)]
pub struct TargetPatch {
    /// The baseline. It must be there: a change that says nothing must not remove one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub baseline: Option<BaselineBody>,
}

/// A variant of a target that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantItem {
    /// Its name.
    pub id: String,
    /// Its newest scan, by whichever scanner.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// When that was recorded, RFC 3339.
    pub scanned_at: String,
    /// Whether that scan is complete.
    pub complete: bool,
    /// The worst verdict of the variant's newest scans, one by each tool and categories.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
    /// The scan that has it.
    #[cfg_attr(test, schemars(with = "String"))]
    pub deciding: ScanId,
    /// Whether the pattern that was asked for matches its name; else whether the target's baseline is it or matches it.
    pub matches: bool,
    /// Whether it is the one that the pattern, or else the target's baseline, means now.
    pub chosen: bool,
}

impl BaselineBody {
    /// Always this variant.
    pub fn variant(variant: impl Into<String>) -> Self {
        Self { variant: Some(variant.into()), ..Self::default() }
    }

    /// The variant that matches and was scanned last.
    pub fn regex(regex: impl Into<String>) -> Self {
        Self { regex: Some(regex.into()), ..Self::default() }
    }

    /// Explicitly none.
    pub fn none() -> Self {
        Self { none: true, ..Self::default() }
    }

    /// What it says. `at` is the field it stands in.
    ///
    /// # Errors
    /// It is not exactly one of the three, or that is not legal.
    pub fn read(&self, at: &str) -> Result<BaselineChoice, Problem> {
        match (&self.variant, &self.regex, self.none) {
            (Some(variant), None, false) => {
                Ok(BaselineChoice::Of(Baseline::Variant(field::<VariantName>(&format!("{at}.variant"), variant)?)))
            }
            (None, Some(regex), false) => {
                Ok(BaselineChoice::Of(Baseline::Regex(field::<BaselinePattern>(&format!("{at}.regex"), regex)?)))
            }
            (None, None, true) => Ok(BaselineChoice::None),
            _ => Err(illegal(at, "it has exactly one of `variant`, `regex` and `none` (which is true)")),
        }
    }
}

impl From<&BaselineChoice> for BaselineBody {
    fn from(choice: &BaselineChoice) -> Self {
        match choice {
            BaselineChoice::Of(Baseline::Variant(variant)) => Self::variant(variant.as_str()),
            BaselineChoice::Of(Baseline::Regex(regex)) => Self::regex(regex.as_str()),
            BaselineChoice::None => Self::none(),
        }
    }
}

impl EffectiveBaseline {
    /// A baseline, and what it means now.
    pub fn new(settled: &ChosenBaseline, meant: &ResolvedBaseline) -> Self {
        Self {
            from: settled.origin.as_str().to_owned(),
            regex: match &settled.baseline {
                Some(Baseline::Regex(regex)) => Some(regex.to_string()),
                Some(Baseline::Variant(_)) | None => None,
            },
            variant: match meant {
                ResolvedBaseline::Variant(variant, _) => Some(variant.to_string()),
                ResolvedBaseline::None | ResolvedBaseline::NothingScanned => None,
            },
        }
    }
}

impl TargetItem {
    /// A target with the baseline that holds for it.
    pub fn new(name: &str, target: &Target, effective: EffectiveBaseline) -> Self {
        Self {
            id: target.id.to_string(),
            name: name.to_owned(),
            target_type: target.target_type,
            baseline: target.baseline.as_ref().map(BaselineBody::from),
            effective,
            created_at: target.created.at.to_string(),
        }
    }
}

impl VariantItem {
    /// A variant; the rest says how it stands to a baseline.
    pub fn new(variant: &Variant<'_>, matches: bool, chosen: bool) -> Self {
        Self {
            id: variant.name.to_string(),
            scan: variant.newest.scan,
            scanned_at: variant.newest.at.to_string(),
            complete: variant.complete,
            verdict: variant.deciding.verdict,
            deciding: variant.deciding.scan,
            matches,
            chosen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_says_exactly_one_thing() {
        let read = |text: &str| {
            let body: BaselineBody = serde_json::from_str(text).unwrap();
            body.read("baseline").map(|choice| BaselineBody::from(&choice) == body).map_err(|problem| problem.detail)
        };
        for good in [r#"{"variant": "main"}"#, r#"{"regex": "v.*"}"#, r#"{"none": true}"#] {
            assert_eq!(read(good), Ok(true), "{good}");
        }
        for bad in ["{}", r#"{"none": false}"#, r#"{"variant": "a", "regex": "b"}"#, r#"{"regex": "a", "none": true}"#]
        {
            let expected = "field `baseline`: it has exactly one of `variant`, `regex` and `none` (which is true)";
            assert_eq!(read(bad), Err(expected.to_owned()), "{bad}");
        }
        assert_eq!(
            read(r#"{"regex": "v(1"}"#),
            Err("field `baseline.regex`: the pattern is wrong at character 2: unclosed group".to_owned())
        );
        assert!(read(r#"{"variant": ""}"#).is_err());
        assert!(serde_json::from_str::<BaselineBody>(r#"{"variant": "a", "x": 1}"#).is_err());
    }
}
