//! Raw reports are never stored in clear: each upload encrypts its segments under a key of its own.
//!
//! What becomes of that key is decided once the report is parsed, when it is known whether it holds secrets. With the
//! installation's `storage_key` the key is kept encrypted under that. Without one the key of a report that holds no
//! secrets is kept beside it; the key of one that does is forgotten with the upload, and its segments are removed: not
//! even what a store leaves behind of removed values can then be read.
//!
//! ChaCha20-Poly1305 (RFC 8439): Wasm has no instructions for AES, and AES in software is slow or leaks through its
//! timing. A key encrypts one upload's segments alone, each under its number, so that no nonce is used twice.

use api::problem::Problem;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use domain::digest::{from_hex, hex};
use domain::replay::ReportUnavailable;
use sha2::{Digest as _, Sha256};
use store::kv::KvError;
use store::scans::RawReport;

/// What encryption adds to a segment, in bytes.
pub(crate) const OVERHEAD_BYTES: usize = 16;
/// The number under which a key itself is encrypted.
const KEY_NUMBER: u32 = 0;

/// Encrypts and decrypts the segments of one report.
pub(crate) struct Sealer {
    key: [u8; 32],
}

impl Sealer {
    /// With this key, which nothing else uses.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// With the key of a report that was kept, and how many segments that has.
    ///
    /// # Errors
    /// The report cannot be read again, and why.
    pub(crate) fn reopen(raw: &RawReport, storage_key: &str) -> Result<(Self, u32), ReportUnavailable> {
        let (key, segments) = match raw {
            RawReport::Removed | RawReport::OfOriginal => return Err(ReportUnavailable::Removed),
            RawReport::Kept { segments, key } => (from_hex(key), segments),
            RawReport::Locked { .. } if storage_key.is_empty() => return Err(ReportUnavailable::NoStorageKey),
            RawReport::Locked { segments, salt, key } => (unlocked(storage_key, salt, key), segments),
        };
        let key = key.and_then(|key| key.try_into().ok()).ok_or(ReportUnavailable::KeyUnusable)?;
        Ok((Self::new(key), *segments))
    }

    /// Encrypts segment `n`.
    pub(crate) fn seal(&self, n: u32, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let sealed = cipher(&self.key).encrypt(&nonce(n), bytes.as_slice());
        sealed.map_err(|_| Problem::internal("a segment of the report could not be encrypted"))
    }

    /// Decrypts segment `n`, which stands under `key`.
    pub(crate) fn open(&self, key: &str, n: u32, sealed: Vec<u8>) -> Result<Vec<u8>, KvError> {
        cipher(&self.key).decrypt(&nonce(n), sealed.as_slice()).map_err(|_| KvError::Unreadable {
            key: key.to_owned(),
            reason: "it is not what was encrypted, or the key is another".to_owned(),
        })
    }

    /// What is kept so that the report can be read again; nothing, if it holds secrets and there is no storage key.
    pub(crate) fn kept(&self, storage_key: &str, holds_secrets: bool, segments: u32) -> Result<RawReport, Problem> {
        if storage_key.is_empty() {
            return Ok(match holds_secrets {
                true => RawReport::Removed,
                false => RawReport::Kept { segments, key: hex(&self.key) },
            });
        }
        // The storage key encrypts many keys; its own is derived for each from what it encrypts, so no nonce is used twice.
        let salt = Sha256::digest([b"gatehouse:v1:salt:".as_slice(), &self.key].concat());
        let sealed = cipher(&derived(storage_key, &salt)).encrypt(&nonce(KEY_NUMBER), self.key.as_slice());
        let sealed = sealed.map_err(|_| Problem::internal("the report's key could not be encrypted"))?;
        Ok(RawReport::Locked { segments, salt: hex(&salt), key: hex(&sealed) })
    }
}

/// The key that was encrypted under the storage key.
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
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal(3, b"a report".to_vec()).unwrap();
        assert_eq!(sealed.len(), b"a report".len() + OVERHEAD_BYTES);
        assert_eq!(sealer.open("k", 3, sealed.clone()).unwrap(), b"a report");
        assert!(sealer.open("k", 4, sealed.clone()).is_err());
        assert!(Sealer::new([8; 32]).open("k", 3, sealed.clone()).is_err());
        let mut changed = sealed;
        changed[0] ^= 1;
        assert!(sealer.open("k", 3, changed).is_err());
    }

    #[test]
    fn what_is_kept_of_the_key_depends_on_secrets_and_on_the_storage_key() {
        let sealer = Sealer::new([7; 32]);
        let opened = |raw: &RawReport, storage_key: &str| {
            Sealer::reopen(raw, storage_key).map(|(sealer, segments)| (sealer.key, segments))
        };
        assert_eq!(sealer.kept("", true, 2).unwrap(), RawReport::Removed);
        let kept = sealer.kept("", false, 2).unwrap();
        assert_eq!(opened(&kept, ""), Ok(([7; 32], 2)));
        assert_eq!(opened(&kept, "set since"), Ok(([7; 32], 2)), "it needs no storage key");
        assert_eq!(opened(&RawReport::Removed, "set since"), Err(ReportUnavailable::Removed));
        for secrets in [true, false] {
            let locked = sealer.kept("a storage key", secrets, 2).unwrap();
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
