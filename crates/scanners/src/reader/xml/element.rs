//! An element of a report, with all that is in it.

use crate::reader::text::Filled;

/// An element. Names are without prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// The text directly in it, the parts before and after children joined.
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// An attribute; blank is as good as absent.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.trim()).filled()
    }

    /// The first element at a path below this one: `a/b`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    /// The text of the first element at a path below this one, trimmed; blank is as good as absent.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.trim()).filled()
    }

    /// The text of the first element at a path, as an owned value.
    pub(crate) fn owned_at(&self, path: &str) -> Option<String> {
        self.text_at(path).map(str::to_owned)
    }

    /// The children of this name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text in it and in all its children, in order, with white space folded.
    pub(crate) fn whole_text(&self) -> String {
        let mut parts = Vec::new();
        self.collect(&mut parts);
        parts.join(" ")
    }

    fn collect<'e>(&'e self, parts: &mut Vec<&'e str>) {
        parts.extend(self.text.split_whitespace());
        // No deeper than an element was read: `read` limits the depth.
        self.children.iter().for_each(|child| child.collect(parts));
    }
}
