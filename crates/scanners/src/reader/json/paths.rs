//! The paths of a walk, as a tree.

use std::collections::BTreeMap;

/// A place in the tree of paths.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Where each named field leads.
    pub(crate) fields: BTreeMap<String, usize>,
    /// Where every value of an object leads.
    pub(crate) every: Option<usize>,
    /// Where every element of a list leads.
    pub(crate) each: Option<usize>,
    /// The path that ends here.
    pub(crate) hit: Option<usize>,
    /// The path from the root, as it is written; for messages.
    pub(crate) written: String,
    /// The paths whose last list or object this is.
    pub(crate) container_of: Vec<usize>,
}

/// Paths as a tree; the first node is the root.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) nodes: Vec<Node>,
    pub(crate) count: usize,
}

enum Step<'p> {
    Field(&'p str),
    Each,
    Every,
}

impl Paths {
    pub(crate) fn of(paths: &[&str]) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], count: paths.len() };
        for (number, path) in paths.iter().enumerate() {
            let (mut at, mut before) = (0, 0);
            for step in steps(path) {
                before = at;
                at = tree.child(at, &step);
            }
            if let Some(node) = tree.nodes.get_mut(at) {
                node.hit = Some(number);
            }
            if let Some(node) = tree.nodes.get_mut(before) {
                node.container_of.push(number);
            }
        }
        tree
    }

    fn child(&mut self, at: usize, step: &Step<'_>) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let (slot, written) = match step {
            Step::Field(name) => {
                let dot = if node.written.is_empty() { "" } else { "." };
                let written = format!("{}{dot}{name}", node.written);
                if let Some(known) = node.fields.get(*name) {
                    return *known;
                }
                node.fields.insert((*name).to_owned(), next);
                (None, written)
            }
            Step::Each => (Some(&mut node.each), format!("{}[]", node.written)),
            Step::Every => (Some(&mut node.every), format!("{}{{}}", node.written)),
        };
        if let Some(slot) = slot {
            if let Some(known) = *slot {
                return known;
            }
            *slot = Some(next);
        }
        self.nodes.push(Node { written, ..Node::default() });
        next
    }
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.').flat_map(|part| {
        let name = part.trim_end_matches(['[', ']', '{', '}']);
        let rest = part.get(name.len()..).unwrap_or_default();
        let wild = rest.as_bytes().chunks(2).map(|pair| if pair == b"[]" { Step::Each } else { Step::Every });
        (!name.is_empty()).then_some(Step::Field(name)).into_iter().chain(wild)
    })
}
