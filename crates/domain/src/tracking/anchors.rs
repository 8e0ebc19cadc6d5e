//! The movement of lines, as known pairs show it.

use super::side::Row;
use std::collections::BTreeMap;

/// The known lines of each path and its former path, in order, with the movement of each.
pub(super) struct Anchors {
    moves: BTreeMap<(u32, u32), Vec<(i64, i64)>>,
}

impl Anchors {
    /// Collects the movements of these pairs.
    pub(super) fn of<'a>(pairs: impl Iterator<Item = (Row<'a>, Row<'a>)>) -> Self {
        let mut moves: BTreeMap<(u32, u32), Vec<(i64, i64)>> = BTreeMap::new();
        for (here, there) in pairs {
            let lines = moves.entry((here.path, there.path)).or_default();
            lines.push((here.line(), there.line() - here.line()));
        }
        moves.values_mut().for_each(|lines| lines.sort_unstable());
        Self { moves }
    }

    /// True if a line of `path` may be the line `was` of `former` without a change of order: the nearest known lines
    /// before and after it were before and after it then.
    pub(super) fn in_order(&self, path: u32, former: u32, line: i64, was: i64) -> bool {
        let Some(lines) = self.moves.get(&(path, former)) else { return true };
        let before = lines.partition_point(|(known, _)| *known <= line).checked_sub(1).and_then(|at| lines.get(at));
        let after = lines.get(lines.partition_point(|(known, _)| *known < line));
        before.is_none_or(|(known, shift)| known + shift <= was)
            && after.is_none_or(|(known, shift)| was <= known + shift)
    }

    /// Returns the line in `former` of a line of `path`, if the nearest known lines before and after it moved equally.
    /// The beginning of a file counts as a known line that does not move.
    pub(super) fn expected(&self, path: u32, former: u32, line: i64) -> Option<i64> {
        let lines = self.moves.get(&(path, former)).map(Vec::as_slice).unwrap_or_default();
        let at = lines.partition_point(|(known, _)| *known < line);
        let before = at.checked_sub(1).and_then(|at| lines.get(at)).map_or(0, |(_, shift)| *shift);
        let alike = lines.get(at).is_none_or(|(_, shift)| *shift == before);
        alike.then_some(line + before)
    }

    /// Returns the movement of the nearest known line: the difference between a line of `path` and its line in
    /// `former`.
    pub(super) fn shift(&self, path: u32, former: u32, line: i64) -> i64 {
        let Some(lines) = self.moves.get(&(path, former)) else { return 0 };
        let after = lines.partition_point(|(known, _)| *known < line);
        let near = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|at| lines.get(at));
        near.min_by_key(|(known, _)| known.abs_diff(line)).map_or(0, |(_, shift)| *shift)
    }
}
