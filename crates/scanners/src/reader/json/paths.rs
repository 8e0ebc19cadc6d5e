//! The paths of a walk, as a tree.

use std::collections::BTreeMap;

/// A node in the tree of paths.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The node of each field, by name.
    pub(crate) fields: BTreeMap<String, usize>,
    /// The node of every value of an object (`{}`).
    pub(crate) every: Option<usize>,
    /// The node of every element of a list (`[]`).
    pub(crate) each: Option<usize>,
    /// The number of the path that ends here.
    pub(crate) item: Option<usize>,
    /// The path from the root in its written form, for messages.
    pub(crate) written: String,
    /// The numbers of the paths that have their container here.
    pub(crate) container_of: Vec<usize>,
}

/// Paths as a tree. The first node is the root.
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
            let (mut at, mut parent) = (0, 0);
            for step in steps(path) {
                parent = at;
                at = tree.child(at, &step);
            }
            if let Some(node) = tree.nodes.get_mut(at) {
                node.item = Some(number);
            }
            if let Some(node) = tree.nodes.get_mut(parent) {
                node.container_of.push(number);
            }
        }
        tree
    }

    fn child(&mut self, at: usize, step: &Step<'_>) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let existing = match step {
            Step::Field(name) => node.fields.get(*name).copied(),
            Step::Each => node.each,
            Step::Every => node.every,
        };
        if let Some(existing) = existing {
            return existing;
        }
        let written = match step {
            Step::Field(name) => {
                node.fields.insert((*name).to_owned(), next);
                let dot = if node.written.is_empty() { "" } else { "." };
                format!("{}{dot}{name}", node.written)
            }
            Step::Each => {
                node.each = Some(next);
                format!("{}[]", node.written)
            }
            Step::Every => {
                node.every = Some(next);
                format!("{}{{}}", node.written)
            }
        };
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
