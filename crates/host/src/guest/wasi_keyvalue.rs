//! `wasi:keyvalue@0.2.0-draft2`: stores, batches and atomic updates, synchronously.
//!
//! A call holds its instance until it returns, which is the draft's doing. The order of an instance's own calls is
//! therefore the order in which they happen.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::Guest;
use super::key_value::OpenStore;
use crate::bindings::wasi::keyvalue::atomics::{self, CasError};
use crate::bindings::wasi::keyvalue::batch;
use crate::bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use crate::kv;
use crate::kv::Store;

/// An update in preparation.
#[expect(unreachable_pub, reason = "the generated bindings re-export it from a private module")]
pub struct PendingSwap {
    store: Store,
    key: String,
    seen: Seen,
}

/// The value that the swap expects.
enum Seen {
    /// `current` was not called: nothing.
    Nothing,
    /// The value, or its absence.
    Value(Option<Vec<u8>>),
}

type Answer<T> = Result<std::result::Result<T, Error>>;

fn other(error: kv::Error) -> Error {
    Error::Other(error.to_string())
}

impl Guest {
    fn bucket(&self, bucket: &Resource<OpenStore>) -> Result<Store> {
        Ok(self.table.get(bucket)?.0.clone())
    }
}

impl store::Host for Guest {
    async fn open(&mut self, identifier: String) -> Answer<Resource<OpenStore>> {
        let Some(store) = self.open_store(&identifier) else {
            return Ok(Err(Error::AccessDenied));
        };
        Ok(Ok(self.table.push(store)?))
    }
}

impl store::HostBucket for Guest {
    async fn get(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(self.bucket(&bucket)?.get(key).await.map_err(other))
    }

    async fn set(&mut self, bucket: Resource<OpenStore>, key: String, value: Vec<u8>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.set(key, value).await.map_err(other))
    }

    async fn delete(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<()> {
        Ok(self.bucket(&bucket)?.delete(key).await.map_err(other))
    }

    async fn exists(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<bool> {
        Ok(self.bucket(&bucket)?.exists(key).await.map_err(other))
    }

    async fn list_keys(&mut self, bucket: Resource<OpenStore>, cursor: Option<String>) -> Answer<KeyResponse> {
        if cursor.is_some() {
            return Ok(Err(Error::Other("list-keys gives all keys in one page; there are no cursors".to_owned())));
        }
        let keys = self.bucket(&bucket)?.keys().await;
        Ok(keys.map(|keys| KeyResponse { keys, cursor: None }).map_err(other))
    }

    async fn drop(&mut self, bucket: Resource<OpenStore>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl batch::Host for Guest {
    async fn get_many(
        &mut self,
        bucket: Resource<OpenStore>,
        keys: Vec<String>,
    ) -> Answer<Vec<(String, Option<Vec<u8>>)>> {
        Ok(self.bucket(&bucket)?.get_many(keys).await.map_err(other))
    }

    async fn set_many(&mut self, bucket: Resource<OpenStore>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.set_many(pairs).await.map_err(other))
    }

    async fn delete_many(&mut self, bucket: Resource<OpenStore>, keys: Vec<String>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.delete_many(keys).await.map_err(other))
    }
}

impl atomics::HostCas for Guest {
    async fn new(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<Resource<PendingSwap>> {
        let store = self.bucket(&bucket)?;
        Ok(Ok(self.table.push(PendingSwap { store, key, seen: Seen::Nothing })?))
    }

    async fn current(&mut self, cas: Resource<PendingSwap>) -> Answer<Option<Vec<u8>>> {
        let pending = self.table.get_mut(&cas)?;
        Ok(match pending.store.get(pending.key.clone()).await {
            Ok(value) => {
                pending.seen = Seen::Value(value.clone());
                Ok(value)
            }
            Err(error) => Err(other(error)),
        })
    }

    async fn drop(&mut self, cas: Resource<PendingSwap>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl atomics::Host for Guest {
    async fn increment(&mut self, bucket: Resource<OpenStore>, key: String, delta: i64) -> Answer<i64> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await.map_err(other))
    }

    async fn swap(&mut self, cas: Resource<PendingSwap>, value: Vec<u8>) -> Result<std::result::Result<(), CasError>> {
        let PendingSwap { store, key, seen } = self.table.delete(cas)?;
        let swapped = match seen {
            Seen::Nothing => store.set(key.clone(), value).await.map(|()| true),
            Seen::Value(expected) => store.swap(key.clone(), expected, value).await,
        };
        let failed = |error| Ok(Err(CasError::StoreError(other(error))));
        match swapped {
            Ok(true) => Ok(Ok(())),
            Ok(false) => match store.get(key.clone()).await {
                Ok(value) => {
                    let renewed = PendingSwap { store, key, seen: Seen::Value(value) };
                    Ok(Err(CasError::CasFailed(self.table.push(renewed)?)))
                }
                Err(error) => failed(error),
            },
            Err(error) => failed(error),
        }
    }
}
