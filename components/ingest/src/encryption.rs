//! Encryption of raw reports. Each upload encrypts its segments with a key of its own; no report is stored in clear.
//!
//! Once the report is parsed, it is known whether it contains secrets, and it is decided what is stored of the key:
//! - With the installation's `storage_key`, the key is stored encrypted with that.
//! - Without it, the key of a report without secrets is stored in clear.
//! - Without it, the key of a report with secrets is not stored, and the segments are removed. What a store leaves behind
//!   of removed values cannot be read then.
//!
//! The cipher is ChaCha20-Poly1305 (RFC 8439): Wasm has no instructions for AES, and AES in software is slow or leaks
//! through its timing. A key encrypts the segments of one upload only, each under its number, so no nonce is used twice.

use api::problem::Problem;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use domain::digest::{from_hex, hex};
use domain::replay::ReportUnavailable;
use sha2::{Digest as _, Sha256};
use store::kv::KvError;
use store::scans::RawReport;

/// The bytes that encryption adds to a segment.
pub(crate) const OVERHEAD_BYTES: usize = 16;
/// The number under which a key itself is encrypted.
const KEY_NUMBER: u32 = 0;

/// Encrypts and decrypts the segments of one upload.
pub(crate) struct SegmentCipher {
    key: [u8; 32],
}

impl SegmentCipher {
    /// A cipher with this key, which must not be used for anything else.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The cipher of a stored raw report, and the number of its segments.
    ///
    /// # Errors
    /// The reason why the raw report cannot be read.
    pub(crate) fn of_stored(raw: &RawReport, storage_key: &str) -> Result<(Self, u32), ReportUnavailable> {
        let (key, segments) = match raw {
            RawReport::Removed | RawReport::OfOriginal => return Err(ReportUnavailable::Removed),
            RawReport::Kept { segments, key } => (from_hex(key), segments),
            RawReport::Locked { .. } if storage_key.is_empty() => return Err(ReportUnavailable::NoStorageKey),
            RawReport::Locked { segments, salt, key } => (unlocked(storage_key, salt, key), segments),
        };
        let key = key.and_then(|key| key.try_into().ok()).ok_or(ReportUnavailable::KeyUnusable)?;
        Ok((Self::new(key), *segments))
    }

    /// Encrypts the segment with the number `n`.
    pub(crate) fn encrypt(&self, n: u32, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let encrypted = cipher(&self.key).encrypt(&nonce(n), bytes.as_slice());
        encrypted.map_err(|_| Problem::internal("a segment of the report could not be encrypted"))
    }

    /// Decrypts the segment with the number `n`. `key` is its key in the store, for errors.
    pub(crate) fn decrypt(&self, key: &str, n: u32, encrypted: Vec<u8>) -> Result<Vec<u8>, KvError> {
        cipher(&self.key).decrypt(&nonce(n), encrypted.as_slice()).map_err(|_| KvError::Unreadable {
            key: key.to_owned(),
            reason: "it cannot be decrypted: the value was changed, or the key is wrong".to_owned(),
        })
    }

    /// The form in which the key is stored, so that the report can be read later. Without a storage key, nothing is stored
    /// of a report with secrets.
    pub(crate) fn to_stored(
        &self,
        storage_key: &str,
        holds_secrets: bool,
        segments: u32,
    ) -> Result<RawReport, Problem> {
        if storage_key.is_empty() {
            return Ok(match holds_secrets {
                true => RawReport::Removed,
                false => RawReport::Kept { segments, key: hex(&self.key) },
            });
        }
        // The storage key encrypts many keys. Each is encrypted with a key derived for it, so no nonce is used twice.
        let salt = Sha256::digest([b"gatehouse:v1:salt:".as_slice(), &self.key].concat());
        let encrypted = cipher(&derived(storage_key, &salt)).encrypt(&nonce(KEY_NUMBER), self.key.as_slice());
        let encrypted = encrypted.map_err(|_| Problem::internal("the report's key could not be encrypted"))?;
        Ok(RawReport::Locked { segments, salt: hex(&salt), key: hex(&encrypted) })
    }
}

/// Decrypts a key that is encrypted with the storage key.
fn unlocked(storage_key: &str, salt: &str, key: &str) -> Option<Vec<u8>> {
    cipher(&derived(storage_key, &from_hex(salt)?)).decrypt(&nonce(KEY_NUMBER), from_hex(key)?.as_slice()).ok()
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.into())
}

fn derived(storage_key: &str, salt: &[u8]) -> [u8; 32] {
    Sha256::digest([b"gatehouse:v1:storage-key:".as_slice(), salt, storage_key.as_bytes()].concat()).into()
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

    #[test]
    fn a_segment_is_read_back_under_its_own_number_and_key_alone() {
        let cipher = SegmentCipher::new([7; 32]);
        let encrypted = cipher.encrypt(3, b"a report".to_vec()).unwrap();
        assert_eq!(encrypted.len(), b"a report".len() + OVERHEAD_BYTES);
        assert_eq!(cipher.decrypt("k", 3, encrypted.clone()).unwrap(), b"a report");
        assert!(cipher.decrypt("k", 4, encrypted.clone()).is_err());
        assert!(SegmentCipher::new([8; 32]).decrypt("k", 3, encrypted.clone()).is_err());
        let mut changed = encrypted;
        changed[0] ^= 1;
        assert!(cipher.decrypt("k", 3, changed).is_err());
    }

    #[test]
    fn the_stored_key_depends_on_secrets_and_on_the_storage_key() {
        let cipher = SegmentCipher::new([7; 32]);
        let opened = |raw: &RawReport, storage_key: &str| {
            SegmentCipher::of_stored(raw, storage_key).map(|(cipher, segments)| (cipher.key, segments))
        };
        assert_eq!(cipher.to_stored("", true, 2).unwrap(), RawReport::Removed);
        let kept = cipher.to_stored("", false, 2).unwrap();
        assert_eq!(opened(&kept, ""), Ok(([7; 32], 2)));
        assert_eq!(opened(&kept, "set since"), Ok(([7; 32], 2)), "it needs no storage key");
        assert_eq!(opened(&RawReport::Removed, "set since"), Err(ReportUnavailable::Removed));
        for secrets in [true, false] {
            let locked = cipher.to_stored("a storage key", secrets, 2).unwrap();
            assert!(matches!(locked, RawReport::Locked { segments: 2, .. }));
            assert_eq!(opened(&locked, "a storage key"), Ok(([7; 32], 2)));
            assert_eq!(opened(&locked, "another"), Err(ReportUnavailable::KeyUnusable));
            assert_eq!(opened(&locked, ""), Err(ReportUnavailable::NoStorageKey));
        }
        for key in ["", "zz", "00"] {
            let damaged = RawReport::Kept { segments: 1, key: key.to_owned() };
            assert_eq!(opened(&damaged, ""), Err(ReportUnavailable::KeyUnusable), "`{key}`");
        }
    }
}
