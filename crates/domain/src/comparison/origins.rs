//! Which scan saw an issue or occurrence first. Many share one, so they refer to it by its place in a list.

use crate::ids::{ScanId, VariantName};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scan that saw something first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The scan.
    pub scan: ScanId,
    /// When its upload began.
    pub at: Timestamp,
    /// Its variant.
    pub variant: VariantName,
}

/// The list while it is made: only what is used is in it, and the scan itself at its beginning.
pub(super) struct Origins {
    list: Vec<Origin>,
    places: BTreeMap<ScanId, u32>,
}

impl Origins {
    pub(super) fn new(itself: Origin) -> Self {
        Self { places: BTreeMap::from([(itself.scan, 0)]), list: vec![itself] }
    }

    /// Translates places in another scan's list.
    pub(super) fn of<'a>(&'a mut self, other: &'a [Origin]) -> Numbers<'a> {
        Numbers { origins: self, other }
    }

    pub(super) fn finish(self) -> Vec<Origin> {
        self.list
    }
}

/// Places in another scan's list, and in the one that is made.
pub(super) struct Numbers<'a> {
    origins: &'a mut Origins,
    other: &'a [Origin],
}

impl Numbers<'_> {
    /// The place here of what has this place there; this scan's own, if there is none.
    pub(super) fn number(&mut self, there: u32) -> u32 {
        let Some(origin) = usize::try_from(there).ok().and_then(|at| self.other.get(at)) else { return 0 };
        let Origins { list, places } = &mut *self.origins;
        *places.entry(origin.scan).or_insert_with(|| {
            list.push(origin.clone());
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        })
    }
}
