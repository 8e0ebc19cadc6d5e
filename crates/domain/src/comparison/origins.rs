//! The scans that saw an issue or occurrence first. Many things share one origin, so each refers to an index of a list.

use crate::ids::{ScanId, VariantName};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scan that saw something first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The scan.
    pub scan: ScanId,
    /// The start of its upload.
    pub at: Timestamp,
    /// Its variant.
    pub variant: VariantName,
}

/// The list while it is built. It starts with the scan itself, and has only origins that are used.
pub(super) struct Origins {
    list: Vec<Origin>,
    places: BTreeMap<ScanId, u32>,
}

impl Origins {
    pub(super) fn new(itself: Origin) -> Self {
        Self { places: BTreeMap::from([(itself.scan, 0)]), list: vec![itself] }
    }

    /// Translates indices of another scan's list into indices of this one.
    pub(super) fn of<'a>(&'a mut self, other: &'a [Origin]) -> Numbers<'a> {
        Numbers { origins: self, other }
    }

    pub(super) fn finish(self) -> Vec<Origin> {
        self.list
    }
}

/// A translation of indices.
pub(super) struct Numbers<'a> {
    origins: &'a mut Origins,
    other: &'a [Origin],
}

impl Numbers<'_> {
    /// Returns the index here of the origin at index `there` of the other list; 0, the scan itself, if there is none.
    pub(super) fn number(&mut self, there: u32) -> u32 {
        let Some(origin) = usize::try_from(there).ok().and_then(|at| self.other.get(at)) else { return 0 };
        let Origins { list, places } = &mut *self.origins;
        *places.entry(origin.scan).or_insert_with(|| {
            list.push(origin.clone());
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        })
    }
}
