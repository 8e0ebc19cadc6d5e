//! Single values as JSON, with their format's version inside.

use crate::kv::{Kv, KvError};
use domain::limits::VALUE_BYTES_MAX;
use serde::{Serialize, de::DeserializeOwned};

/// Reads the document under `key`, if there is one.
pub async fn find<T: DeserializeOwned>(kv: &impl Kv, key: &str) -> Result<Option<T>, KvError> {
    let Some(bytes) = kv.get(key).await? else { return Ok(None) };
    decode(key, &bytes).map(Some)
}

/// Reads the document under `key`, which must be there.
pub async fn get<T: DeserializeOwned>(kv: &impl Kv, key: &str) -> Result<T, KvError> {
    find(kv, key).await?.ok_or_else(|| KvError::Missing { key: key.to_owned() })
}

/// Writes a document.
pub async fn put<T: Serialize>(kv: &impl Kv, key: &str, document: &T) -> Result<(), KvError> {
    kv.set(key, &encode(key, document)?).await
}

/// The bytes of a document.
pub fn encode<T: Serialize>(key: &str, document: &T) -> Result<Vec<u8>, KvError> {
    let bytes = serde_json::to_vec(document)
        .map_err(|error| KvError::Unreadable { key: key.to_owned(), reason: error.to_string() })?;
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(KvError::TooLarge { key: key.to_owned(), bytes: bytes.len(), max: VALUE_BYTES_MAX });
    }
    Ok(bytes)
}

/// The document in these bytes, which were read from `key`.
pub fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, KvError> {
    serde_json::from_slice(bytes)
        .map_err(|error| KvError::Unreadable { key: key.to_owned(), reason: error.to_string() })
}
