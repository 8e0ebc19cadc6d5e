//! Reads XML of any size, element by element. Entities that a document declares are not expanded and nothing outside it
//! is read.
//!
//! [`walk`] calls back with every element that stands at one of a few paths, whole, and with the beginnings of those
//! around it. Nothing else is held.

mod element;
mod read;

pub(crate) use element::Element;
pub(crate) use read::{Beginning, Found, walk};

#[cfg(test)]
mod tests;
