//! Mutants of XML.

use super::{Change, Mutant};
use crate::Input;
use crate::reader::xml::{Element, Outline, walk};
use std::collections::BTreeSet;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    let mut written = BTreeSet::new();
    for (name, value) in element.attributes.iter().filter(|(name, _)| !name.starts_with("xmlns:")) {
        if written.insert(name) {
            out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
    }
    out.push('>');
    out.push_str(&escaped(&element.text));
    element.children.iter().for_each(|child| write(child, out));
    out.push_str(&format!("</{}>", element.name));
}

/// The steps to every element, with its path.
fn places(element: &Element, steps: &mut Vec<usize>, path: &str, found: &mut Vec<(Vec<usize>, String)>) {
    for (at, child) in element.children.iter().enumerate() {
        steps.push(at);
        let path = format!("{path}/{}", child.name);
        found.push((steps.clone(), path.clone()));
        places(child, steps, &path, found);
        steps.pop();
    }
}

fn at<'e>(element: &'e mut Element, steps: &[usize]) -> &'e mut Element {
    steps.iter().fold(element, |element, step| &mut element.children[*step])
}

pub(super) fn mutants(report: &[u8], all: bool, on: &mut dyn FnMut(Mutant)) {
    let Some(root) = Outline::of(report).root else { return };
    let mut whole = None;
    walk(Input::Memory(report), &[&root], &mut |found| {
        whole = Some(found.element);
        Ok(())
    })
    .unwrap();
    let whole = whole.unwrap();
    let mut found = vec![(Vec::new(), whole.name.clone())];
    places(&whole, &mut Vec::new(), &whole.name, &mut found);
    let mut met = BTreeSet::new();
    for (steps, path) in found {
        let mut make = |path: String, change: Change, edit: &dyn Fn(&mut Element)| {
            if !all && !met.insert((path.clone(), change)) {
                return;
            }
            let mut changed = whole.clone();
            edit(&mut changed);
            let mut report = String::new();
            write(&changed, &mut report);
            on(Mutant { path, change, report: report.into_bytes() });
        };
        if let Some((last, around)) = steps.split_last() {
            make(path.clone(), Change::Remove, &|root| drop(at(root, around).children.remove(*last)));
            make(path.clone(), Change::Duplicate, &|root| {
                let around = at(root, around);
                let again = around.children[*last].clone();
                around.children.insert(*last, again);
            });
        }
        make(path.clone(), Change::Rename, &|root| at(root, &steps).name.push_str("_x"));
        make(path.clone(), Change::Empty, &|root| {
            let element = at(root, &steps);
            *element = Element { name: element.name.clone(), ..Element::default() };
        });
        make(path.clone(), Change::Retype, &|root| {
            let element = at(root, &steps);
            element.children = vec![Element { name: "x".to_owned(), ..Element::default() }];
            element.text = "x".to_owned();
        });
        make(format!("{path}#"), Change::Retype, &|root| at(root, &steps).text = "x".to_owned());
        let attributes = at(&mut whole.clone(), &steps).attributes.clone();
        for (number, (name, _)) in attributes.iter().enumerate().filter(|(_, (name, _))| !name.starts_with("xmlns")) {
            let path = format!("{path}@{name}");
            make(path.clone(), Change::Rename, &|root| at(root, &steps).attributes[number].0.push_str("_x"));
            make(path.clone(), Change::Remove, &|root| drop(at(root, &steps).attributes.remove(number)));
            make(path.clone(), Change::Empty, &|root| at(root, &steps).attributes[number].1.clear());
            make(path, Change::Retype, &|root| "x".clone_into(&mut at(root, &steps).attributes[number].1));
        }
    }
}
