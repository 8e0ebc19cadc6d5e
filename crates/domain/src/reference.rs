//! The reference scan: the scan that another scan is compared with.

use crate::ids::{ScanId, VariantName};
use serde::{Deserialize, Serialize};

pub mod choose;
pub mod facts;

/// The reference of a scan, frozen in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "with")]
pub enum Reference {
    /// The newest complete scan of the target's baseline.
    Baseline {
        /// The baseline's variant.
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
    /// The newest accepted scan of the same variant, because the previous scan was not accepted. Otherwise a repeated
    /// upload of the same failing report would pass.
    Accepted {
        /// The variant itself.
        variant: VariantName,
        /// Its newest accepted scan.
        scan: ScanId,
    },
    /// None: it is the variant's first scan, or no scan of the variant was accepted. Everything is new.
    None,
    /// None: the target's baseline has no scan by this scanner. The project's settings decide what counts as new, and
    /// the answer gives the reason.
    BaselineNotScannedByThisScanner {
        /// The baseline's variant; absent if the baseline is a pattern that matches no scanned variant.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        variant: Option<VariantName>,
    },
    /// None: all scans of the target's baseline by this scanner are incomplete.
    BaselineIncomplete {
        /// The baseline's variant.
        variant: VariantName,
    },
    /// None: all complete scans of the target's baseline by this scanner are by tokens that may not write baselines.
    BaselineUntrusted {
        /// The baseline's variant.
        variant: VariantName,
    },
    /// None: the target's baseline is a pattern that matches none of the variants that are known, but the target has
    /// more variants than are stored. The verdict is undecided.
    BaselineUnknown,
}

impl Reference {
    /// True if the scan is of another variant than the baseline: it is compared with the baseline, or would be if the
    /// baseline had a complete scan.
    pub fn is_to_baseline(&self) -> bool {
        match self {
            Self::Baseline { .. }
            | Self::BaselineNotScannedByThisScanner { .. }
            | Self::BaselineIncomplete { .. }
            | Self::BaselineUntrusted { .. }
            | Self::BaselineUnknown => true,
            Self::Previous { .. } | Self::Accepted { .. } | Self::None => false,
        }
    }

    /// Returns the reference scan, if there is one.
    pub fn scan(&self) -> Option<ScanId> {
        match self {
            Self::Baseline { scan, .. } | Self::Previous { scan, .. } | Self::Accepted { scan, .. } => Some(*scan),
            Self::None
            | Self::BaselineNotScannedByThisScanner { .. }
            | Self::BaselineIncomplete { .. }
            | Self::BaselineUntrusted { .. }
            | Self::BaselineUnknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_stored_references_are_still_read() {
        let old = r#"{"with":"baseline_not_scanned_by_this_scanner","variant":"main"}"#;
        let read: Reference = serde_json::from_str(old).unwrap();
        assert_eq!(read, Reference::BaselineNotScannedByThisScanner { variant: Some("main".parse().unwrap()) });
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
