//! The raw segments of an upload: its parts as they are stored, cut and encrypted. No report is stored in clear.
//!
//! The cipher is ChaCha20-Poly1305 (RFC 8439): Wasm has no instructions for AES, and AES in software is slow or leaks
//! through its timing. A key encrypts the segments of one upload only, each under its number, so no nonce is used
//! twice.

use crate::keys;
use crate::kv::KvError;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use domain::digest::{from_hex, hex};
use domain::ids::ScanId;
use domain::limits::VALUE_BYTES_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The bytes that encryption adds to a segment.
const OVERHEAD_BYTES: usize = 16;
/// The content of one segment before encryption, in bytes.
pub const SEGMENT_BYTES: usize = VALUE_BYTES_MAX - OVERHEAD_BYTES;
/// Added to the number of a sidecar's segment before encryption: report and sidecar have the same key, and no number
/// may be used twice with it.
const SIDECAR_NUMBERS: u32 = 1 << 31;

/// A part of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RawPart {
    /// The sidecar: code from the working tree for the report's findings.
    Sidecar,
    /// The report.
    Report,
}

/// A key that encrypts the segments of one upload. It must not be used for anything else.
#[derive(Clone, PartialEq, Eq)]
pub struct RawKey([u8; 32]);

impl RawKey {
    /// A key of these bits, which are random.
    pub fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// The key that is written as these 64 hexadecimal digits.
    pub fn of_hex(digits: &str) -> Option<Self> {
        from_hex(digits).and_then(|bits| bits.try_into().ok()).map(Self)
    }

    /// The key's bits. They are a secret.
    pub fn bits(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts a short text under the number `n`; `None` if it is too long for the cipher.
    pub fn encrypt(&self, n: u32, bytes: &[u8]) -> Option<Vec<u8>> {
        self.cipher().encrypt(&nonce(n), bytes).ok()
    }

    /// Decrypts what was encrypted under the number `n`; `None` if it was changed, or the key is another.
    pub fn decrypt(&self, n: u32, encrypted: &[u8]) -> Option<Vec<u8>> {
        self.cipher().decrypt(&nonce(n), encrypted).ok()
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&self.0).into())
    }
}

/// The key itself is never shown.
impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawKey(..)")
    }
}

/// For messages between components of one process. What is stored of a key is a `RawReport`.
impl Serialize for RawKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Self::of_hex(&digits).ok_or_else(|| serde::de::Error::custom("a key must have 64 hexadecimal digits"))
    }
}

/// The raw segments of one attempt to upload a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawSegments {
    /// The scan.
    pub scan: ScanId,
    /// The name of the attempt.
    pub attempt: String,
    /// The key of the attempt.
    pub key: RawKey,
}

impl RawSegments {
    /// The store's key of a segment, and its encrypted bytes.
    ///
    /// # Errors
    /// The segment is too long for the cipher.
    pub fn encrypt(&self, part: RawPart, n: u32, bytes: &[u8]) -> Result<(String, Vec<u8>), KvError> {
        let (key, number) = self.key_and_number(part, n);
        match self.key.encrypt(number, bytes) {
            Some(encrypted) => Ok((key, encrypted)),
            None => Err(KvError::Unreadable { key, reason: "it cannot be encrypted".to_owned() }),
        }
    }

    /// The store's key of a segment.
    pub fn key(&self, part: RawPart, n: u32) -> String {
        self.key_and_number(part, n).0
    }

    /// Decrypts a segment.
    ///
    /// # Errors
    /// It was changed, or the key is another.
    pub fn decrypt(&self, part: RawPart, n: u32, encrypted: &[u8]) -> Result<Vec<u8>, KvError> {
        let (key, number) = self.key_and_number(part, n);
        self.key.decrypt(number, encrypted).ok_or_else(|| KvError::Unreadable {
            key,
            reason: "it cannot be decrypted: the value was changed, or the key is wrong".to_owned(),
        })
    }

    /// The store's key of a segment, and the number under which it is encrypted.
    fn key_and_number(&self, part: RawPart, n: u32) -> (String, u32) {
        match part {
            RawPart::Sidecar => (keys::source(self.scan, &self.attempt, n), SIDECAR_NUMBERS | n),
            RawPart::Report => (keys::raw(self.scan, &self.attempt, n), n),
        }
    }
}

fn nonce(n: u32) -> Nonce {
    let mut nonce = [0; 12];
    for (slot, byte) in nonce.iter_mut().zip(n.to_be_bytes()) {
        *slot = byte;
    }
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn segments(key: u8) -> RawSegments {
        RawSegments { scan: ScanId::from_bits([1; 16]), attempt: "a".to_owned(), key: RawKey::new([key; 32]) }
    }

    #[test]
    fn a_segment_is_read_back_under_its_own_number_part_and_key_alone() {
        let own = segments(7);
        let (key, encrypted) = own.encrypt(RawPart::Report, 3, b"a report").unwrap();
        assert_eq!((key, encrypted.len()), (own.key(RawPart::Report, 3), b"a report".len() + OVERHEAD_BYTES));
        assert_eq!(own.decrypt(RawPart::Report, 3, &encrypted).unwrap(), b"a report");
        assert!(own.decrypt(RawPart::Report, 4, &encrypted).is_err());
        assert!(own.decrypt(RawPart::Sidecar, 3, &encrypted).is_err());
        assert!(segments(8).decrypt(RawPart::Report, 3, &encrypted).is_err());
        let mut changed = encrypted;
        changed[0] ^= 1;
        assert!(own.decrypt(RawPart::Report, 3, &changed).is_err());
    }

    #[test]
    fn report_and_sidecar_have_different_keys_and_numbers() {
        let own = segments(7);
        let parts = [RawPart::Sidecar, RawPart::Report];
        let all: BTreeSet<_> = parts.into_iter().flat_map(|part| (0..2).map(move |n| (part, n))).collect();
        let (keys, numbers): (BTreeSet<_>, BTreeSet<_>) =
            all.iter().map(|(part, n)| own.key_and_number(*part, *n)).unzip();
        assert_eq!((keys.len(), numbers.len()), (4, 4), "no number is used twice under one key");
    }

    #[test]
    fn a_key_goes_from_one_component_to_another_and_is_shown_to_nobody() {
        let own = segments(0xAB);
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<RawSegments>(&json).unwrap(), own);
        let shown = format!("{own:?}");
        assert!(shown.contains("RawKey(..)") && !shown.to_lowercase().contains("abab") && !shown.contains("171"));
        let error = serde_json::from_str::<RawKey>(r#""abababzz""#).unwrap_err().to_string();
        assert!(error.starts_with("a key must have 64 hexadecimal digits") && !error.contains("abab"), "{error}");
    }
}
