//! Mutants of JSON, and of a sequence of JSON values.

use super::{Change, Mutant};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// A value whose objects keep the order of their members, and names that are written twice.
#[derive(Debug, Clone)]
enum Node {
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    Leaf(Value),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Node, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Node::Object(members))
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Node, S::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    elements.push(element);
                }
                Ok(Node::List(elements))
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf(Value::Null))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
                Ok(Node::Leaf(truth.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Leaf(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
                Ok(Node::Leaf(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
                Ok(Node::Leaf(number.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Leaf(text.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Node {
    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(value) => out.push_str(&value.to_string()),
            Self::List(list) => {
                out.push('[');
                for (at, element) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&Value::from(name.as_str()).to_string());
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn at(&mut self, steps: &[usize]) -> &mut Self {
        let Some((first, rest)) = steps.split_first() else { return self };
        match self {
            Self::Object(members) => members[*first].1.at(rest),
            Self::List(list) => list[*first].at(rest),
            Self::Leaf(_) => panic!("a leaf has no inner nodes"),
        }
    }

    /// The values of other types with which a value is replaced.
    fn retyped(&self) -> Vec<Self> {
        let inner = Self::Object(vec![("x".to_owned(), Self::Leaf(1.into()))]);
        let others = [Self::Leaf("x".into()), Self::Leaf(7.into()), Self::List(vec![Self::Leaf(1.into())]), inner];
        let kind = std::mem::discriminant;
        let same = |other: &Self| match (self, other) {
            (Self::Leaf(own), Self::Leaf(other)) => std::mem::discriminant(own) == std::mem::discriminant(other),
            _ => kind(self) == kind(other),
        };
        others.into_iter().filter(|other| !same(other)).collect()
    }

    fn emptied(&self) -> Self {
        match self {
            Self::Object(_) => Self::Object(Vec::new()),
            Self::List(_) => Self::List(Vec::new()),
            Self::Leaf(_) => Self::Leaf("".into()),
        }
    }
}

/// The steps to every node, with its path.
fn places(node: &Node, steps: &mut Vec<usize>, path: &str, found: &mut Vec<(Vec<usize>, String)>) {
    let mut step = |at: usize, inner: &Node, path: String| {
        steps.push(at);
        found.push((steps.clone(), path.clone()));
        places(inner, steps, &path, found);
        steps.pop();
    };
    match node {
        Node::Object(members) => members.iter().enumerate().for_each(|(at, (name, inner))| {
            let dot = if path.is_empty() { "" } else { "." };
            step(at, inner, format!("{path}{dot}{name}"));
        }),
        Node::List(list) => list.iter().enumerate().for_each(|(at, inner)| step(at, inner, format!("{path}[]"))),
        Node::Leaf(_) => {}
    }
}

pub(super) fn mutants(report: &[u8], all: bool, on: &mut dyn FnMut(Mutant)) {
    let values = serde_json::Deserializer::from_slice(report).into_iter::<Node>();
    let values: Vec<Node> = values.map_while(Result::ok).collect();
    let mut met = BTreeSet::new();
    for number in 0..values.len() {
        let mut found = Vec::new();
        places(&values[number], &mut Vec::new(), "", &mut found);
        for (steps, path) in found {
            if all || met.insert(path.clone()) {
                of_node(&values, number, &steps, &path, on);
            }
        }
    }
}

fn of_node(values: &[Node], number: usize, steps: &[usize], path: &str, on: &mut dyn FnMut(Mutant)) {
    let (last, around) = steps.split_last().unwrap();
    let mut make = |change: Change, edit: &dyn Fn(&mut Node, usize)| {
        let mut changed = values[number].clone();
        edit(changed.at(around), *last);
        let mut report = String::new();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                report.push('\n');
            }
            if at == number { changed.write(&mut report) } else { value.write(&mut report) }
        }
        on(Mutant { path: path.to_owned(), change, report: report.into_bytes() });
    };
    let replace = |with: Node| move |around: &mut Node, at: usize| *around.at(&[at]) = with.clone();
    let node = values[number].clone().at(steps).clone();
    make(Change::Null, &replace(Node::Leaf(Value::Null)));
    make(Change::Empty, &replace(node.emptied()));
    for other in node.retyped() {
        make(Change::Retype, &replace(other));
    }
    // An element of a list that is removed, or repeated, is another report and no fault of this one.
    make(Change::Rename, &|around, at| {
        if let Node::Object(members) = around {
            members[at].0.push_str("_x");
        }
    });
    make(Change::Remove, &|around, at| {
        if let Node::Object(members) = around {
            members.remove(at);
        }
    });
    make(Change::Duplicate, &|around, at| {
        if let Node::Object(members) = around {
            let name = members[at].0.clone();
            members.insert(at, (name, Node::Leaf(0.into())));
        }
    });
}
