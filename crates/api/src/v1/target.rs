//! Targets, their baselines and their variants.

use super::BaselineRequestItem;
use crate::body::{field, illegal};
use crate::problem::Problem;
use domain::baseline::{Baseline, BaselineChoice, BaselinePattern, ChosenBaseline};
use domain::ids::{ScanId, VariantName};
use domain::project::{Target, version_of};
use domain::reference::choose::ResolvedBaseline;
use domain::scan_log::Variant;
use domain::target::TargetType;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetItem {
    /// The target's id.
    pub id: String,
    /// The target's name.
    pub name: String,
    /// The target's type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<TargetType>"))]
    pub target_type: TargetType,
    /// The target's own baseline; absent if the default applies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<BaselineBody>,
    /// The effective baseline.
    pub effective: EffectiveBaseline,
    /// A pending request to change the baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline_request: Option<Box<BaselineRequestItem>>,
    /// The time of its creation, RFC 3339.
    pub created_at: String,
    /// The version of the target's own baseline, for `If-Match`. It changes whenever the baseline is set or removed; 0
    /// if that never happened.
    pub version: u64,
    /// The person who set or removed its own baseline last, if that is recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed_by: Option<String>,
    /// The time of that change, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed_at: Option<String>,
}

/// A baseline. Exactly one of the three fields must be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineBody {
    /// The variant that other variants are compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
    /// A regular expression (RE2 syntax) that must match the whole name of a variant. Of the matching variants, others
    /// are compared with the one that was scanned last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regex: Option<String>,
    /// `true`: no baseline, not even the default. Each variant is compared with its own previous scan.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub none: bool,
}

/// The effective baseline of a target: its own or a default. Without `variant` and `regex`, there is no baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EffectiveBaseline {
    /// The origin of the baseline: `target`, `project` or `built_in`.
    pub from: String,
    /// The pattern, if the baseline is a pattern.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regex: Option<String>,
    /// The variant that the baseline selects now; absent if it matches no scanned variant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
}

/// A change of a target. `{"baseline": null}` removes its own baseline, so that the default applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("required" = ["baseline"])))]
#[serde(deny_unknown_fields)]
pub struct TargetPatch {
    /// The new baseline. The field is required, so that an empty object does not remove the baseline.
    #[serde(deserialize_with = "Option::deserialize")]
    pub baseline: Option<BaselineBody>,
}

/// A variant of a target that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantItem {
    /// The variant's name.
    pub id: String,
    /// The variant's newest scan, by any scanner.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The time at which that scan was recorded, RFC 3339.
    pub scanned_at: String,
    /// True if that scan is complete.
    pub complete: bool,
    /// The worst verdict among the variant's newest scans by each tool and categories.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// True if no threshold was applied to that scan, so that nothing could fail the gate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub no_threshold: bool,
    /// The scan with that verdict.
    #[cfg_attr(test, schemars(with = "String"))]
    pub deciding: ScanId,
    /// True if the parameter `regex` or, without it, the target's baseline matches the variant's name.
    pub matches: bool,
    /// True if the parameter `regex` or, without it, the target's baseline selects this variant now.
    pub chosen: bool,
}

impl BaselineBody {
    /// A baseline that is always this variant.
    pub fn variant(variant: impl Into<String>) -> Self {
        Self { variant: Some(variant.into()), ..Self::default() }
    }

    /// A baseline that is the matching variant that was scanned last.
    pub fn regex(regex: impl Into<String>) -> Self {
        Self { regex: Some(regex.into()), ..Self::default() }
    }

    /// No baseline.
    pub fn none() -> Self {
        Self { none: true, ..Self::default() }
    }

    /// Validates the baseline. `at` is the name of the field that contains it.
    ///
    /// # Errors
    /// Not exactly one of the three fields is set, or its value is invalid.
    pub fn read(&self, at: &str) -> Result<BaselineChoice, Problem> {
        match (&self.variant, &self.regex, self.none) {
            (Some(variant), None, false) => {
                Ok(BaselineChoice::Of(Baseline::Variant(field::<VariantName>(&format!("{at}.variant"), variant)?)))
            }
            (None, Some(regex), false) => {
                Ok(BaselineChoice::Of(Baseline::Regex(field::<BaselinePattern>(&format!("{at}.regex"), regex)?)))
            }
            (None, None, true) => Ok(BaselineChoice::None),
            _ => Err(illegal(at, "expected exactly one of `variant`, `regex` and `none: true`")),
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
    /// Makes the value from a baseline and the variant that it selects.
    pub fn new(settled: &ChosenBaseline, meant: &ResolvedBaseline) -> Self {
        Self {
            from: settled.origin.as_str().to_owned(),
            regex: match &settled.baseline {
                Some(Baseline::Regex(regex)) => Some(regex.to_string()),
                Some(Baseline::Variant(_)) | None => None,
            },
            variant: match meant {
                ResolvedBaseline::Variant(variant, _) => Some(variant.to_string()),
                ResolvedBaseline::None | ResolvedBaseline::NothingScanned | ResolvedBaseline::Unknown => None,
            },
        }
    }
}

impl TargetItem {
    /// Makes the item of a target with its effective baseline.
    pub fn new(name: &str, target: &Target, effective: EffectiveBaseline) -> Self {
        Self {
            id: target.id.to_string(),
            name: name.to_owned(),
            target_type: target.target_type,
            baseline: target.baseline.as_ref().map(BaselineBody::from),
            effective,
            baseline_request: None,
            created_at: target.created.at.to_string(),
            version: version_of(target.baseline_set.as_ref()),
            changed_by: target.baseline_set.as_ref().map(|set| set.by.to_string()),
            changed_at: target.baseline_set.as_ref().map(|set| set.at.to_string()),
        }
    }
}

impl VariantItem {
    /// Makes the item of a variant; see the fields of the same names.
    pub fn new(variant: &Variant<'_>, matches: bool, chosen: bool) -> Self {
        Self {
            id: variant.name.to_string(),
            scan: variant.newest.scan,
            scanned_at: variant.newest.at.to_string(),
            complete: variant.complete,
            verdict: variant.deciding.verdict,
            no_threshold: variant.deciding.no_threshold,
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
    fn a_baseline_has_exactly_one_field() {
        let read = |text: &str| {
            let body: BaselineBody = serde_json::from_str(text).unwrap();
            body.read("baseline").map(|choice| BaselineBody::from(&choice) == body).map_err(|problem| problem.detail)
        };
        for good in [r#"{"variant": "main"}"#, r#"{"regex": "v.*"}"#, r#"{"none": true}"#] {
            assert_eq!(read(good), Ok(true), "{good}");
        }
        for bad in ["{}", r#"{"none": false}"#, r#"{"variant": "a", "regex": "b"}"#, r#"{"regex": "a", "none": true}"#]
        {
            let expected = "field `baseline`: expected exactly one of `variant`, `regex` and `none: true`";
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
