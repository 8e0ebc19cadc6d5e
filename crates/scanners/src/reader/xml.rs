//! Reads XML of any size, element by element. Entities that the document declares are not expanded, and no other
//! document is read.
//!
//! [`walk`] calls back with every element at some paths, with its content and with the start tags of its ancestors.
//! Only these are in memory.

mod element;
mod read;

pub(crate) use element::Element;
pub(crate) use read::{Container, Found, Outline, walk, walk_within};

#[cfg(test)]
mod tests;
