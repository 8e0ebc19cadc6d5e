//! The scan that another one is compared with.

use crate::ids::{ScanId, VariantName};
use serde::{Deserialize, Serialize};

pub mod choose;

/// What a scan is compared with; frozen into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "with")]
pub enum Reference {
    /// The newest complete scan of the target's baseline.
    Baseline {
        /// The baseline.
        variant: VariantName,
        /// Its scan.
        scan: ScanId,
    },
    /// The previous complete scan of the same variant.
    Previous {
        /// The variant itself.
        variant: VariantName,
        /// Its previous scan.
        scan: ScanId,
    },
    /// Nothing: the first scan. Everything is new.
    None,
    /// The target's baseline was never scanned by this scanner. What counts as new is the project's to say, and the
    /// answer says why.
    BaselineNotScannedByThisScanner {
        /// The baseline; absent where it is a pattern that matches nothing that was scanned.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        variant: Option<VariantName>,
    },
    /// All scans of the target's baseline by this scanner are incomplete.
    BaselineIncomplete {
        /// The baseline.
        variant: VariantName,
    },
}

impl Reference {
    /// Whether the scan is that of another variant than the baseline: it is compared with the baseline, or would be if that
    /// had a scan to compare with.
    pub fn is_to_baseline(&self) -> bool {
        match self {
            Self::Baseline { .. } | Self::BaselineNotScannedByThisScanner { .. } | Self::BaselineIncomplete { .. } => {
                true
            }
            Self::Previous { .. } | Self::None => false,
        }
    }

    /// The scan, where there is one.
    pub fn scan(&self) -> Option<ScanId> {
        match self {
            Self::Baseline { scan, .. } | Self::Previous { scan, .. } => Some(*scan),
            Self::None | Self::BaselineNotScannedByThisScanner { .. } | Self::BaselineIncomplete { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_before_are_still_read() {
        let old = r#"{"with":"baseline_not_scanned_by_this_scanner","variant":"main"}"#;
        let read: Reference = serde_json::from_str(old).unwrap();
        assert_eq!(read, Reference::BaselineNotScannedByThisScanner { variant: Some("main".parse().unwrap()) });
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
