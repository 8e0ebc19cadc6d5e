//! Reads reports in UTF-16 and UTF-32 as UTF-8. Such a report begins with a byte order mark: PowerShell's `>` writes
//! one.

use crate::reader::report::{Input, ParseError, Source};
use std::collections::VecDeque;
use std::io::{self, BufReader, Read};

/// The number of bytes that are decoded at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// An encoding other than UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

impl Encoding {
    /// The encoding that a report's byte order mark names; absent for UTF-8 and without a mark.
    ///
    /// # Errors
    /// The report cannot be read.
    pub(crate) fn of(input: Input<'_>) -> Result<Option<Self>, ParseError> {
        let mut mark = Vec::new();
        input.open().take(4).read_to_end(&mut mark).map_err(ParseError::Unreadable)?;
        Ok(match mark.as_slice() {
            [0xFF, 0xFE, 0, 0] => Some(Self::Utf32Le),
            [0, 0, 0xFE, 0xFF] => Some(Self::Utf32Be),
            [0xFF, 0xFE, ..] => Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => Some(Self::Utf16Be),
            _ => None,
        })
    }
}

/// A report that is decoded while it is read. The text has no mark.
pub(crate) struct Decoded<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) encoding: Encoding,
}

impl Source for Decoded<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        let bytes = BufReader::with_capacity(BUFFER_BYTES, self.input.open());
        Box::new(Decoding { bytes, encoding: self.encoding, high: None, at_start: true, ready: VecDeque::new() })
    }
}

struct Decoding<R> {
    bytes: BufReader<R>,
    encoding: Encoding,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    at_start: bool,
    ready: VecDeque<u8>,
}

impl<R: Read> Decoding<R> {
    /// Decodes the next unit. Returns false at the end.
    fn step(&mut self) -> io::Result<bool> {
        let length = if matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be) { 2 } else { 4 };
        let mut unit = Vec::with_capacity(length);
        let most = u64::try_from(length).unwrap_or_default();
        self.bytes.by_ref().take(most).read_to_end(&mut unit)?;
        let value = match (self.encoding, unit.as_slice()) {
            (_, []) => {
                if self.high.take().is_some() {
                    self.push(char::REPLACEMENT_CHARACTER);
                    return Ok(true);
                }
                return Ok(false);
            }
            (Encoding::Utf16Le, [a, b]) => u32::from(u16::from_le_bytes([*a, *b])),
            (Encoding::Utf16Be, [a, b]) => u32::from(u16::from_be_bytes([*a, *b])),
            (Encoding::Utf32Le, [a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]),
            (Encoding::Utf32Be, [a, b, c, d]) => u32::from_be_bytes([*a, *b, *c, *d]),
            // A unit that is cut off.
            _ => u32::MAX,
        };
        if self.encoding == Encoding::Utf16Le || self.encoding == Encoding::Utf16Be {
            self.utf_16(value);
        } else {
            self.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(true)
    }

    fn utf_16(&mut self, value: u32) {
        let Ok(unit) = u16::try_from(value) else { return self.push(char::REPLACEMENT_CHARACTER) };
        let units = self.high.take().into_iter().chain([unit]).collect::<Vec<u16>>();
        if units.len() == 1 && (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        for decoded in char::decode_utf16(units) {
            self.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    fn push(&mut self, character: char) {
        if std::mem::take(&mut self.at_start) && character == '\u{feff}' {
            return;
        }
        self.ready.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.len() < buffer.len().min(BUFFER_BYTES) && self.step()? {}
        self.ready.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        let input = Input::Memory(bytes);
        let encoding = Encoding::of(input).unwrap()?;
        let mut text = String::new();
        Decoded { input, encoding }.open().read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn marked_texts_are_decoded_without_their_mark_and_others_are_left_alone() {
        let text = "{\"ä\": \"𝄞\"}";
        let marked = format!("\u{feff}{text}");
        let utf_16: Vec<u16> = marked.encode_utf16().collect();
        let utf_32: Vec<u32> = marked.chars().map(u32::from).collect();
        let all = [
            utf_16.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>(),
            utf_16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            utf_32.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            utf_32.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        ];
        for bytes in all {
            assert_eq!(decoded(&bytes).as_deref(), Some(text));
        }
        for other in [&b""[..], b"{}", b"\xEF\xBB\xBF{}", b"\xFF"] {
            assert_eq!(decoded(other), None);
        }
    }

    #[test]
    fn units_that_are_cut_off_or_wrong_are_replaced() {
        assert_eq!(decoded(b"\xFF\xFEa\0b").as_deref(), Some("a\u{fffd}"));
        assert_eq!(decoded(b"\xFF\xFE\x34\xD8").as_deref(), Some("\u{fffd}"));
        assert_eq!(decoded(b"\xFF\xFE\0\0\0\0\0\xFF").as_deref(), Some("\u{fffd}"));
    }
}
