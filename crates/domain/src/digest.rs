//! SHA-256 over length-prefixed fields. All ids are derived this way, so that `("a", "bc")` and `("ab", "c")` always
//! differ.

use sha2::{Digest as _, Sha256};

/// Derives 256 bits from a recipe (its version and name) and ordered fields.
///
/// The length of each field comes before it as eight bytes, big endian. The recipe comes first, so that two recipes
/// never give the same digest for the same fields.
pub fn derive(recipe: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for field in std::iter::once(recipe.as_bytes()).chain(fields.iter().copied()) {
        // A length always fits: no field is longer than the address space.
        hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// Returns the SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Parses hexadecimal digits in upper or lower case; nothing if `text` is not an even number of them.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// 128 bits of a digest: small enough to store one for each of a million findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short(pub [u8; 16]);

impl Short {
    /// Derives the first half of [`derive`](fn@derive).
    pub fn derive(recipe: &str, fields: &[&[u8]]) -> Self {
        let full = derive(recipe, fields);
        let mut half = [0; 16];
        half.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        Self(half)
    }

    /// Parses 32 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut value = [0; 16];
        for (byte, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = (digit(*high)? << 4) | digit(*low)?;
        }
        Some(Self(value))
    }

    /// Returns 32 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

impl serde::Serialize for Short {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> serde::Deserialize<'de> for Short {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Short;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("32 lower-case hexadecimal digits")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Short, E> {
                Short::from_hex(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_round_trip() {
        assert_eq!(from_hex(&hex(&[0, 1, 0xAB, 0xFF])), Some(vec![0, 1, 0xAB, 0xFF]));
        assert_eq!([from_hex("abc"), from_hex("0g"), from_hex("é0")], [None, None, None]);
        assert_eq!(from_hex(""), Some(vec![]));
    }

    #[test]
    fn known_answers() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // Computed independently with Python's hashlib over the same length-prefixed bytes.
        assert_eq!(
            hex(&derive("v1:test", &[b"a", b"bc"])),
            "7e00fa14afc9c6a76308f4261165fb91abbf22ce9e5887750938afdad50a2a39"
        );
    }

    #[test]
    fn field_borders_and_recipes_change_a_digest() {
        assert_ne!(derive("r", &[b"a", b"bc"]), derive("r", &[b"ab", b"c"]));
        assert_ne!(derive("r", &[b"a"]), derive("r", &[b"a", b""]));
        assert_ne!(derive("r", &[b"a"]), derive("s", &[b"a"]));
    }

    #[test]
    fn short_digests_round_trip_and_refuse_other_text() {
        let short = Short::derive("r", &[b"x"]);
        assert_eq!(Short::from_hex(&short.to_hex()), Some(short));
        for bad in ["", "abc", &"g".repeat(32), &"A".repeat(32), &"a".repeat(33)] {
            assert_eq!(Short::from_hex(bad), None, "{bad}");
        }
    }
}
