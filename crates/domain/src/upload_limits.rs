//! The limits of a token's uploads. The party that is judged must not move what it is judged by: a token of a pull
//! request must not write the baseline that the pull request is compared with.

use crate::baseline::{BaselinePattern, ChosenBaseline, PatternError};
use crate::ids::PipelineName;
use crate::role::Role;
use crate::scan::ScanRequest;
use crate::serde_skip::is_default;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The limits of a token's uploads. The default has no limits, as tokens of earlier versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadLimits {
    /// The variants that it may upload, as patterns for whole names; absent: all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variants: Option<Vec<BaselinePattern>>,
    /// The pipelines that it may name; absent: all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipelines: Option<BTreeSet<PipelineName>>,
    /// True if it may not upload variants that a baseline means.
    #[serde(skip_serializing_if = "is_default", default)]
    pub untrusted: bool,
}

/// The reason why a token may not make an upload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadRefusal {
    /// The variant is not one of the token's.
    #[error("the token may not upload the variant `{variant}`; it is limited to {allowed}")]
    Variant {
        /// The variant.
        variant: String,
        /// The patterns of the token.
        allowed: String,
    },
    /// A baseline means the variant.
    #[error(
        "the token may not upload the variant `{0}`, because other variants are compared with it; upload it with a token \
         that is trusted for baselines"
    )]
    Baseline(String),
    /// The pipeline is not one of the token's.
    #[error("the token may not name the pipeline `{pipeline}`; it is limited to {allowed}")]
    Pipeline {
        /// The pipeline.
        pipeline: String,
        /// The pipelines of the token.
        allowed: String,
    },
    /// Only reviewers may accept that something is not scanned any more.
    #[error(
        "`accept_missing` needs a token with the role secops or admin; upload the report without it, and request that the \
         scan is accepted, or set the project's `baseline_changes` to `developer`"
    )]
    AcceptMissing,
    /// A stored pattern is invalid.
    #[error("a stored pattern is not valid: {0}")]
    Pattern(#[from] PatternError),
}

impl UploadLimits {
    /// Checks an upload. `chosen` is the baseline of its target.
    ///
    /// # Errors
    /// The token may not make the upload, or a stored pattern is invalid.
    pub fn check(&self, request: &ScanRequest, chosen: &ChosenBaseline) -> Result<(), UploadRefusal> {
        let variant = &request.variant;
        if let Some(patterns) = &self.variants {
            let mut allowed = false;
            for pattern in patterns {
                allowed |= pattern.matcher()?.matches(variant);
            }
            if !allowed {
                return Err(UploadRefusal::Variant { variant: variant.to_string(), allowed: quoted(patterns) });
            }
        }
        if self.untrusted && chosen.means(variant)? {
            return Err(UploadRefusal::Baseline(variant.to_string()));
        }
        match (&self.pipelines, &request.pipeline) {
            (Some(pipelines), Some(pipeline)) if !pipelines.contains(pipeline) => {
                Err(UploadRefusal::Pipeline { pipeline: pipeline.to_string(), allowed: quoted(pipelines) })
            }
            (_, _) => Ok(()),
        }
    }

    /// True if the pipeline that an upload names is proven: the token is bound to pipelines, or it is trusted. An
    /// exemption for a pipeline applies only then.
    pub fn proves_pipeline(&self) -> bool {
        self.pipelines.is_some() || !self.untrusted
    }
}

fn quoted<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| format!("`{}`", name.to_string())).collect::<Vec<_>>().join(", ")
}

/// True if a role may upload a report with `accept_missing`, which takes away what later reports must have.
pub fn may_accept_missing(role: Role) -> bool {
    role >= Role::Secops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::{Baseline, BaselineSource, built_in};
    use crate::target::TargetType;

    fn request(variant: &str, pipeline: Option<&str>) -> ScanRequest {
        serde_json::from_value(serde_json::json!({
            "project": "shop", "target": "web", "target_type": "repository", "variant": variant, "scanner": "auto",
            "fail_on_severity": "none", "pipeline": pipeline
        }))
        .unwrap()
    }

    fn check(limits: &UploadLimits, variant: &str, pipeline: Option<&str>) -> Result<(), String> {
        let chosen = ChosenBaseline { baseline: built_in(TargetType::Repository), origin: BaselineSource::BuiltIn };
        limits.check(&request(variant, pipeline), &chosen).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_token_without_limits_uploads_everything() {
        let none = UploadLimits::default();
        assert_eq!(check(&none, "main", Some("release")), Ok(()));
        assert!(none.proves_pipeline());
    }

    #[test]
    fn an_untrusted_token_uploads_no_variant_that_a_baseline_means() {
        let limits = UploadLimits { untrusted: true, ..UploadLimits::default() };
        assert_eq!(check(&limits, "feature", Some("release")), Ok(()));
        assert!(!limits.proves_pipeline());
        for variant in ["main", "master"] {
            let refusal = check(&limits, variant, None).unwrap_err();
            assert!(refusal.starts_with(&format!("the token may not upload the variant `{variant}`, because")));
        }
        let fixed = Some(Baseline::Variant("trunk".parse().unwrap()));
        let chosen = ChosenBaseline { baseline: fixed, origin: BaselineSource::Target };
        assert!(limits.check(&request("trunk", None), &chosen).is_err());
        assert!(limits.check(&request("main", None), &chosen).is_ok(), "no baseline means it");
        let nothing = ChosenBaseline { baseline: None, origin: BaselineSource::Target };
        assert!(limits.check(&request("main", None), &nothing).is_ok(), "there is no baseline");
    }

    #[test]
    fn a_token_is_limited_to_its_variants_and_pipelines() {
        let limits = UploadLimits {
            variants: Some(vec!["pr-\\d+".parse().unwrap(), "next".parse().unwrap()]),
            pipelines: Some(BTreeSet::from(["pull-requests".parse().unwrap()])),
            untrusted: false,
        };
        assert_eq!(check(&limits, "pr-12", Some("pull-requests")), Ok(()));
        assert_eq!(check(&limits, "next", None), Ok(()));
        assert_eq!(
            check(&limits, "pr-12-x", None).unwrap_err(),
            "the token may not upload the variant `pr-12-x`; it is limited to `pr-\\d+`, `next`"
        );
        assert_eq!(
            check(&limits, "pr-12", Some("release")).unwrap_err(),
            "the token may not name the pipeline `release`; it is limited to `pull-requests`"
        );
        assert!(limits.proves_pipeline());
        let bound = UploadLimits { untrusted: true, ..limits };
        assert!(bound.proves_pipeline());
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let all = UploadLimits {
            variants: Some(vec!["a.*".parse().unwrap()]),
            pipelines: Some(BTreeSet::from(["p".parse().unwrap()])),
            untrusted: true,
        };
        let stored = serde_json::to_string(&all).unwrap();
        assert_eq!(stored, r#"{"variants":["a.*"],"pipelines":["p"],"untrusted":true}"#);
        assert_eq!(serde_json::from_str::<UploadLimits>(&stored).unwrap(), all);
        assert_eq!(serde_json::from_str::<UploadLimits>("{}").unwrap(), UploadLimits::default());
    }
}
