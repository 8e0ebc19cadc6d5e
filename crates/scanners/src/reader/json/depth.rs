//! Refuses JSON that is nested too deep before any parser recurses into it, ignored fields included, and entries that
//! are too large before they are held.

use crate::reader::report::ParseError;
use finding::limits::{ENTRY_BYTES_MAX, JSON_DEPTH_MAX};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Counts how deep a run of JSON bytes is nested. Knows strings and escapes, nothing else.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Guard {
    /// Takes the next bytes. Answers false from the bracket on that is too deep.
    pub(crate) fn admits(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.in_text {
                match (self.escaped, byte) {
                    (true, _) => self.escaped = false,
                    (false, b'\\') => self.escaped = true,
                    (false, b'"') => self.in_text = false,
                    (false, _) => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'[' | b'{' => {
                    self.depth += 1;
                    if self.depth > JSON_DEPTH_MAX {
                        return false;
                    }
                }
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        true
    }
}

/// How many bytes may still come before what is being read is too large to hold. Shared between a reader, which counts
/// down, and whoever reads, who fills it up again at each new entry.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    pub(crate) fn full() -> Self {
        Self(Rc::new(Cell::new(ENTRY_BYTES_MAX)))
    }

    /// A new entry begins.
    pub(crate) fn refill(&self) {
        self.0.set(ENTRY_BYTES_MAX);
    }

    /// What comes is not held and may be of any size, until the next entry begins.
    pub(crate) fn lift(&self) {
        self.0.set(usize::MAX);
    }

    /// Takes so many bytes; false when they are too many.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// What is wrong with a stream besides its notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TooDeep,
    EntryTooLarge,
}

/// A reader that ends with an error where the nesting becomes too deep or an entry too large.
pub(crate) struct Guarded<R> {
    inner: R,
    guard: Guard,
    allowance: Allowance,
    fault: Rc<Cell<Option<Fault>>>,
}

impl<R: Read> Guarded<R> {
    pub(crate) fn new(inner: R, allowance: Allowance, fault: Rc<Cell<Option<Fault>>>) -> Self {
        Self { inner, guard: Guard::default(), allowance, fault }
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let fault = if !self.guard.admits(buffer.get(..length).unwrap_or_default()) {
            Fault::TooDeep
        } else if !self.allowance.take(length) {
            Fault::EntryTooLarge
        } else {
            return Ok(length);
        };
        self.fault.set(Some(fault));
        Err(io::Error::other("refused"))
    }
}

/// The error that a fault is.
pub(crate) fn refusal(fault: Fault) -> ParseError {
    match fault {
        Fault::TooDeep => ParseError::TooDeep { max: JSON_DEPTH_MAX },
        Fault::EntryTooLarge => ParseError::entry_too_large("or one text in it"),
    }
}
