//! Sets of numbered things that are united two by two (a disjoint-set forest): each points towards the first of its set.

/// The sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnionFind {
    next: Vec<usize>,
}

impl UnionFind {
    /// So many sets of one.
    pub(crate) fn new(count: usize) -> Self {
        Self { next: (0..count).collect() }
    }

    /// Adds a set of one, and gives its number.
    pub(crate) fn add(&mut self) -> usize {
        self.next.push(self.next.len());
        self.next.len() - 1
    }

    /// The first of a set. Shortens the way for the next time.
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

    /// Whether a thing is the first of its set.
    pub(crate) fn is_root(&self, at: usize) -> bool {
        self.next.get(at) == Some(&at)
    }

    /// Unites two sets, and gives the first of both.
    pub(crate) fn join(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.next.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
        a.min(b)
    }
}
