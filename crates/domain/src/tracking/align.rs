//! Aligns two lists of lines in order, with the least total movement.

/// The maximum number of table cells for each line of both lists. Beyond it the nearest lines are taken one by one.
const CELLS_EACH: usize = 64;

/// Pairs every entry of the shorter list with one of the longer, in order. Both lists are sorted.
///
/// The result is exact, by dynamic programming, while the table is small enough for a cost that is linear in the
/// lengths.
pub(super) fn align(a: &[i64], b: &[i64]) -> Vec<(usize, usize)> {
    if b.len() < a.len() {
        return align(b, a).into_iter().map(|(b, a)| (a, b)).collect();
    }
    // The i-th of the shorter list can only pair with one from the i-th to the (i + spare)-th of the longer.
    let spare = b.len() - a.len();
    let cells = a.len().saturating_mul(spare + 1);
    if cells <= CELLS_EACH.saturating_mul(a.len() + b.len()) { exact(a, b, spare) } else { greedy(a, b, spare) }
}

fn exact(a: &[i64], b: &[i64], spare: usize) -> Vec<(usize, usize)> {
    // best[k]: the least cost of the entries so far, the last of them at most k places later than it could be;
    // chosen[i][k]: how many places later the i-th then is.
    let mut best = vec![0_u64; spare + 1];
    let mut chosen: Vec<Vec<usize>> = Vec::with_capacity(a.len());
    for (i, line) in a.iter().enumerate() {
        let mut least: Option<(u64, usize)> = None;
        let mut row = Vec::with_capacity(spare + 1);
        for (k, before) in best.iter_mut().enumerate() {
            let cost = before.saturating_add(b.get(i + k).map_or(u64::MAX, |other| other.abs_diff(*line)));
            if least.is_none_or(|(held, _)| cost < held) {
                least = Some((cost, k));
            }
            let (cost, at) = least.unwrap_or((cost, k));
            *before = cost;
            row.push(at);
        }
        chosen.push(row);
    }
    let mut at = spare;
    let mut pairs: Vec<_> = chosen
        .iter()
        .enumerate()
        .rev()
        .map(|(i, row)| {
            at = row.get(at).copied().unwrap_or(at);
            (i, i + at)
        })
        .collect();
    pairs.reverse();
    pairs
}

fn greedy(a: &[i64], b: &[i64], spare: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(a.len());
    let mut at = 0;
    for (i, line) in a.iter().enumerate() {
        let far = |at: usize| b.get(at).map_or(u64::MAX, |other| other.abs_diff(*line));
        at = at.max(i);
        while at < i + spare && far(at + 1) <= far(at) {
            at += 1;
        }
        pairs.push((i, at));
        at += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_alignment_with_the_least_movement_wins() {
        assert_eq!(align(&[10, 12], &[8, 11, 20]), [(0, 0), (1, 1)]);
        assert_eq!(align(&[8, 11, 20], &[10, 12]), [(0, 0), (1, 1)]);
        assert_eq!(align(&[], &[1, 2]), []);
    }

    fn cost(a: &[i64], b: &[i64], pairs: &[(usize, usize)]) -> u64 {
        pairs.iter().map(|(i, k)| a[*i].abs_diff(b[*k])).sum()
    }

    /// All ways to choose as many of `b` as `a` has, in order.
    fn least(a: &[i64], b: &[i64]) -> u64 {
        match (a, b) {
            ([], _) => 0,
            (_, []) => u64::MAX,
            ([first, rest @ ..], [other, others @ ..]) => {
                let with = least(rest, others).saturating_add(first.abs_diff(*other));
                with.min(least(a, others))
            }
        }
    }

    proptest! {
        #[test]
        fn both_algorithms_pair_everything_in_order_and_the_exact_one_is_optimal(
            mut a in proptest::collection::vec(0..40_i64, 0..6),
            mut b in proptest::collection::vec(0..40_i64, 6..9),
        ) {
            a.sort_unstable();
            b.sort_unstable();
            let spare = b.len() - a.len();
            for pairs in [exact(&a, &b, spare), greedy(&a, &b, spare)] {
                prop_assert_eq!(pairs.len(), a.len());
                prop_assert!(pairs.iter().enumerate().all(|(at, (i, k))| at == *i && *k < b.len()));
                prop_assert!(pairs.windows(2).all(|two| two[0].1 < two[1].1));
            }
            prop_assert_eq!(cost(&a, &b, &exact(&a, &b, spare)), least(&a, &b));
        }
    }
}
