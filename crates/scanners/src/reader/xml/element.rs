//! An element with its content.

use crate::reader::text::Filled;

/// An element. Names have no namespace prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// The text directly in the element: the parts before, between and after its children, joined.
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// The trimmed value of an attribute; absent if blank.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.trim()).filled()
    }

    /// The first element at a path below this one, for example `a/b`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    /// The trimmed text of the first element at a path below this one; absent if blank.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.trim()).filled()
    }

    /// The text of the first element at a path as a `String`, see [`text_at`](Self::text_at).
    pub(crate) fn owned_at(&self, path: &str) -> Option<String> {
        self.text_at(path).map(str::to_owned)
    }

    /// The children with this name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the element and of all elements in it, in order, with single spaces.
    pub(crate) fn whole_text(&self) -> String {
        let mut parts = Vec::new();
        self.collect(&mut parts);
        parts.join(" ")
    }

    fn collect<'e>(&'e self, parts: &mut Vec<&'e str>) {
        parts.extend(self.text.split_whitespace());
        // `read` limits the depth.
        self.children.iter().for_each(|child| child.collect(parts));
    }
}
