//! Refuses JSON that is nested too deep before any parser recurses into it, ignored fields included.

use finding::limits::JSON_DEPTH_MAX;
use std::io::{self, Read};

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

/// A reader that ends with an error where the nesting becomes too deep.
pub(crate) struct Guarded<'a> {
    inner: &'a mut dyn Read,
    guard: Guard,
    too_deep: bool,
    blank: bool,
}

impl<'a> Guarded<'a> {
    pub(crate) fn new(inner: &'a mut dyn Read) -> Self {
        Self { inner, guard: Guard::default(), too_deep: false, blank: true }
    }

    pub(crate) fn too_deep(&self) -> bool {
        self.too_deep
    }

    /// Whether everything so far was white space or a byte order mark.
    pub(crate) fn blank(&self) -> bool {
        self.blank
    }
}

impl Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A stream that fails is not blank: its error is what counts.
        let length = self.inner.read(buffer).inspect_err(|_| self.blank = false)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        self.blank =
            self.blank && bytes.iter().all(|byte| byte.is_ascii_whitespace() || b"\xEF\xBB\xBF".contains(byte));
        if !self.guard.admits(bytes) {
            self.too_deep = true;
            return Err(io::Error::other("nested too deep"));
        }
        Ok(length)
    }
}
