//! Single values as JSON. Each contains the version of its format.

use crate::kv::{Kv, KvError};
use domain::limits::VALUE_BYTES_MAX;
use serde::{Serialize, de::DeserializeOwned};

/// Reads the document under `key`, if it exists.
///
/// # Errors
/// The store failed, or the value is not a `T`.
pub async fn find<T: DeserializeOwned>(kv: &impl Kv, key: &str) -> Result<Option<T>, KvError> {
    let Some(bytes) = kv.get(key).await? else { return Ok(None) };
    decode(key, &bytes).map(Some)
}

/// Reads the document under `key`.
///
/// # Errors
/// The store failed, the document is missing, or the value is not a `T`.
pub async fn get<T: DeserializeOwned>(kv: &impl Kv, key: &str) -> Result<T, KvError> {
    find(kv, key).await?.ok_or_else(|| KvError::Missing { key: key.to_owned() })
}

/// Writes a document.
///
/// # Errors
/// The store failed, or the document is too large.
pub async fn put<T: Serialize>(kv: &impl Kv, key: &str, document: &T) -> Result<(), KvError> {
    kv.set(key, &encode(key, document)?).await
}

/// Encodes a document; `key` is for the error.
///
/// # Errors
/// The document is too large or cannot be written as JSON.
pub fn encode<T: Serialize>(key: &str, document: &T) -> Result<Vec<u8>, KvError> {
    let bytes = serde_json::to_vec(document)
        .map_err(|error| KvError::Unreadable { key: key.to_owned(), reason: error.to_string() })?;
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(KvError::TooLarge { key: key.to_owned(), bytes: bytes.len(), max: VALUE_BYTES_MAX });
    }
    Ok(bytes)
}

/// Decodes a document that was read from `key`.
///
/// # Errors
/// The value is not a `T`.
pub fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, KvError> {
    serde_json::from_slice(bytes)
        .map_err(|error| KvError::Unreadable { key: key.to_owned(), reason: error.to_string() })
}
