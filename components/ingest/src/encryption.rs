//! Decides what is stored of the key of a raw report. Each upload encrypts its segments with a key of its own
//! (`store::raw`).
//!
//! Once the report is parsed, it is known whether it contains secrets:
//! - With the installation's `storage_key`, the key is stored encrypted with that.
//! - Without it, the key of a report without secrets is stored in clear.
//! - Without it, the key of a report with secrets is not stored, and the segments are removed. What a store leaves
//!   behind of removed values cannot be read then.

use api::problem::Problem;
use domain::digest::{from_hex, hex};
use domain::replay::ReportUnavailable;
use sha2::{Digest as _, Sha256};
use store::raw::RawKey;
use store::scans::RawReport;

/// The number under which a key itself is encrypted.
const KEY_NUMBER: u32 = 0;

/// The key of a stored raw report, and the number of its segments.
///
/// # Errors
/// The reason why the raw report cannot be read.
pub(crate) fn stored_key(raw: &RawReport, storage_key: &str) -> Result<(RawKey, u32), ReportUnavailable> {
    let (key, segments) = match raw {
        RawReport::Removed | RawReport::OfOriginal => return Err(ReportUnavailable::Removed),
        RawReport::Kept { segments, key } => (RawKey::of_hex(key), segments),
        RawReport::Locked { .. } if storage_key.is_empty() => return Err(ReportUnavailable::NoStorageKey),
        RawReport::Locked { segments, salt, key } => (unlocked(storage_key, salt, key), segments),
    };
    Ok((key.ok_or(ReportUnavailable::KeyUnusable)?, *segments))
}

/// The form in which a key is stored, so that the report can be read later. Without a storage key, nothing is stored of
/// a report with secrets.
///
/// # Errors
/// The key could not be encrypted. That is a bug of ours.
pub(crate) fn to_stored(
    key: &RawKey,
    storage_key: &str,
    holds_secrets: bool,
    segments: u32,
) -> Result<RawReport, Problem> {
    if storage_key.is_empty() {
        return Ok(match holds_secrets {
            true => RawReport::Removed,
            false => RawReport::Kept { segments, key: hex(key.bits()) },
        });
    }
    // The storage key encrypts many keys. Each is encrypted with a key derived for it, so no nonce is used twice.
    let salt = Sha256::digest([b"gatehouse:v1:salt:".as_slice(), key.bits()].concat());
    let encrypted = derived(storage_key, &salt).encrypt(KEY_NUMBER, key.bits());
    let encrypted = encrypted.ok_or_else(|| Problem::internal("the report's key could not be encrypted"))?;
    Ok(RawReport::Locked { segments, salt: hex(&salt), key: hex(&encrypted) })
}

/// Decrypts a key that is encrypted with the storage key.
fn unlocked(storage_key: &str, salt: &str, key: &str) -> Option<RawKey> {
    let bits = derived(storage_key, &from_hex(salt)?).decrypt(KEY_NUMBER, &from_hex(key)?)?;
    bits.try_into().ok().map(RawKey::new)
}

fn derived(storage_key: &str, salt: &[u8]) -> RawKey {
    let parts = [b"gatehouse:v1:storage-key:".as_slice(), salt, storage_key.as_bytes()];
    RawKey::new(Sha256::digest(parts.concat()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_key_depends_on_secrets_and_on_the_storage_key() {
        let key = RawKey::new([7; 32]);
        assert_eq!(to_stored(&key, "", true, 2).unwrap(), RawReport::Removed);
        let kept = to_stored(&key, "", false, 2).unwrap();
        assert_eq!(stored_key(&kept, ""), Ok((key.clone(), 2)));
        assert_eq!(stored_key(&kept, "set since"), Ok((key.clone(), 2)), "it needs no storage key");
        assert_eq!(stored_key(&RawReport::Removed, "set since"), Err(ReportUnavailable::Removed));
        for secrets in [true, false] {
            let locked = to_stored(&key, "a storage key", secrets, 2).unwrap();
            assert!(matches!(locked, RawReport::Locked { segments: 2, .. }));
            assert_eq!(stored_key(&locked, "a storage key"), Ok((key.clone(), 2)));
            assert_eq!(stored_key(&locked, "another"), Err(ReportUnavailable::KeyUnusable));
            assert_eq!(stored_key(&locked, ""), Err(ReportUnavailable::NoStorageKey));
        }
        for digits in ["", "zz", "00"] {
            let damaged = RawReport::Kept { segments: 1, key: digits.to_owned() };
            assert_eq!(stored_key(&damaged, ""), Err(ReportUnavailable::KeyUnusable), "`{digits}`");
        }
    }

    #[test]
    fn a_key_that_was_stored_before_is_still_read() {
        let stored = RawReport::Locked {
            segments: 1,
            salt: "7d50aefe2e939ce6f4e8ea043ce957b0156ca094c3c5674eab4e740c444bbb9e".to_owned(),
            key: "5f444746a24869e0b5dcfee626be885cb5e440761a14c5871330819445af164b\
                  b72598df1d3dd70248a6f771872a15b3"
                .to_owned(),
        };
        assert_eq!(stored_key(&stored, "a storage key"), Ok((RawKey::new([7; 32]), 1)));
    }
}
