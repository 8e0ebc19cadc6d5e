//! Union-find (a disjoint-set forest): sets of numbers that are united pairwise. Each number points towards the first
//! of its set.

/// The sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnionFind {
    next: Vec<usize>,
}

impl UnionFind {
    /// Makes `count` sets of one number each.
    pub(crate) fn new(count: usize) -> Self {
        Self { next: (0..count).collect() }
    }

    /// Adds a set of one number, and returns it.
    pub(crate) fn add(&mut self) -> usize {
        self.next.push(self.next.len());
        self.next.len() - 1
    }

    /// Returns the first number of a set. Shortens the path for later calls.
    pub(crate) fn root(&mut self, at: usize) -> usize {
        let mut root = at;
        while let Some(next) = self.next.get(root).copied().filter(|next| *next != root) {
            root = next;
        }
        let mut step = at;
        while let Some(slot) = self.next.get_mut(step).filter(|next| **next != root) {
            step = std::mem::replace(slot, root);
        }
        root
    }

    /// True if a number is the first of its set.
    pub(crate) fn is_root(&self, at: usize) -> bool {
        self.next.get(at) == Some(&at)
    }

    /// Unites two sets, and returns the first number of both.
    pub(crate) fn join(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.next.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
        a.min(b)
    }
}
