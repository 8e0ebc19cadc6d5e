//! The paths of a walk, as a tree.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The nodes of the fields that an object here must have.
    pub(crate) required: BTreeSet<usize>,
    /// True if the object around it must have it.
    pub(crate) is_required: bool,
    /// True for an element of a list, or a value of an object of any names.
    pub(crate) is_element: bool,
    /// True if an object here must have one of the fields that paths lead into.
    pub(crate) needs_one: bool,
    /// True if `null` counts as an empty container.
    pub(crate) is_nullable: bool,
    /// The fields of an object here that may contain results besides those of the paths, if no others may.
    pub(crate) known: Option<Known>,
}

/// The fields of an object that may contain results, or what looks like results.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) fields: BTreeSet<String>,
    /// True if objects with the fields of results are looked for at any depth; false if only lists of objects are.
    pub(crate) is_deep: bool,
}

impl Known {
    fn of(written: &str, is_deep: bool) -> Self {
        Self { fields: written.split_whitespace().map(str::to_owned).collect(), is_deep }
    }
}

/// Paths as a tree. The first node is the root.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) nodes: Vec<Node>,
    pub(crate) count: usize,
}

#[derive(Clone, Copy)]
struct Field<'p> {
    name: &'p str,
    is_required: bool,
    is_nullable: bool,
}

impl<'p> Field<'p> {
    /// Reads `name`, `name!`, `name~` or `name~!`.
    fn of(written: &'p str) -> Self {
        let name = written.strip_suffix('!').unwrap_or(written);
        let is_required = name.len() < written.len();
        let bare = name.strip_suffix('~').unwrap_or(name);
        Self { name: bare, is_required, is_nullable: bare.len() < name.len() }
    }
}

enum Step<'p> {
    Field(Field<'p>),
    Each,
    Every,
}

impl Paths {
    pub(crate) fn of(paths: &[&str]) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], count: paths.len() };
        for (number, path) in paths.iter().enumerate() {
            let watched = path.trim_start_matches('?');
            let marks = path.len() - watched.len();
            let (path, known) = match watched.split_once(':').filter(|_| marks > 0) {
                Some((path, known)) => (path, Some(Known::of(known, marks > 1))),
                None => (*path, None),
            };
            let (mut at, mut parent) = (0, 0);
            for part in path.split('.') {
                let (part, needs_one) = match part.strip_suffix('+') {
                    Some(part) => (part, true),
                    None => (part, false),
                };
                for step in steps(part) {
                    parent = at;
                    at = tree.child(at, &step);
                }
                if let (true, Some(node)) = (needs_one, tree.nodes.get_mut(at)) {
                    node.needs_one = true;
                }
            }
            if let Some(node) = tree.nodes.get_mut(at) {
                match known {
                    Some(known) => node.known = Some(known),
                    None => node.item = Some(number),
                }
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
            Step::Field(field) => node.fields.get(field.name).copied(),
            Step::Each => node.each,
            Step::Every => node.every,
        };
        if let Step::Field(Field { is_required: true, .. }) = step {
            node.required.insert(existing.unwrap_or(next));
        }
        if let Some(existing) = existing {
            return existing;
        }
        let (is_required, is_nullable) = match step {
            Step::Field(field) => (field.is_required, field.is_nullable),
            Step::Each | Step::Every => (false, false),
        };
        let written = match step {
            Step::Field(Field { name, .. }) => {
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
        self.nodes.push(Node {
            written,
            is_required,
            is_nullable,
            is_element: matches!(step, Step::Each | Step::Every),
            ..Node::default()
        });
        next
    }
}

/// The steps of one part of a path: `name`, `name[]`, `[]`, `name{}[]`.
fn steps(part: &str) -> impl Iterator<Item = Step<'_>> {
    let name = part.trim_end_matches(['[', ']', '{', '}']);
    let rest = part.get(name.len()..).unwrap_or_default();
    let wild = rest.as_bytes().chunks(2).map(|pair| if pair == b"[]" { Step::Each } else { Step::Every });
    let field = (!name.is_empty()).then(|| Step::Field(Field::of(name)));
    field.into_iter().chain(wild)
}
