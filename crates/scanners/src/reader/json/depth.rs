//! Refuses JSON that is nested too deep before the parser recurses into it, also in skipped fields, and items that are
//! too large before they are in memory.

use crate::reader::report::ParseError;
use finding::limits::{ENTRY_BYTES_MAX, JSON_DEPTH_MAX};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Counts the depth of nesting in JSON bytes. Distinguishes only strings, escapes and brackets.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Guard {
    /// Reads the next bytes. Returns false if a bracket in them is too deep.
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

/// The number of bytes that may still be read for the current item. The reader counts it down, the walk refills it for
/// each item.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    pub(crate) fn full() -> Self {
        Self(Rc::new(Cell::new(ENTRY_BYTES_MAX)))
    }

    /// Resets the number for a new item.
    pub(crate) fn refill(&self) {
        self.0.set(ENTRY_BYTES_MAX);
    }

    /// Removes the limit until the next item. For values that are skipped, and so not in memory.
    pub(crate) fn lift(&self) {
        self.0.set(usize::MAX);
    }

    /// Subtracts a number of bytes. Returns false if they are too many.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// A limit that a stream exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TooDeep,
    EntryTooLarge,
}

/// A reader that fails if the nesting is too deep or an item too large.
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

/// The error of a fault.
pub(crate) fn error_of(fault: Fault) -> ParseError {
    match fault {
        Fault::TooDeep => ParseError::TooDeep { max: JSON_DEPTH_MAX },
        Fault::EntryTooLarge => ParseError::entry_too_large("or a string in it is"),
    }
}
