//! `spin:key-value@3.0.0`: key-value stores, asynchronously.

use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{Guest, GuestData};
use crate::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::kv;
use crate::kv::Store;

/// A store a component has opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it from a private module")]
pub struct OpenStore(pub(super) Store);

/// The outer error ends the instance, the inner one is the component's to handle.
type Answer<T> = Result<std::result::Result<T, Error>>;

impl Host for Guest {}

impl HostStore for Guest {
    async fn drop(&mut self, store: Resource<OpenStore>) -> Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

/// Releases the instance while the store works.
fn store<T>(accessor: &Accessor<T, GuestData>, handle: &Resource<OpenStore>) -> Result<Store> {
    accessor.with(|mut access| {
        let guest: &mut Guest = access.get();
        Ok(guest.table.get(handle)?.0.clone())
    })
}

fn other(error: kv::Error) -> Error {
    Error::Other(error.to_string())
}

impl<T: Send> HostStoreWithStore<T> for GuestData {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Answer<Resource<OpenStore>> {
        accessor.with(|mut access| {
            let guest: &mut Guest = access.get();
            let Some(store) = guest.open_store(&label) else {
                return Ok(Err(Error::AccessDenied));
            };
            Ok(Ok(guest.table.push(store)?))
        })
    }

    async fn get(accessor: &Accessor<T, Self>, handle: Resource<OpenStore>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(store(accessor, &handle)?.get(key).await.map_err(other))
    }

    async fn set(accessor: &Accessor<T, Self>, handle: Resource<OpenStore>, key: String, value: Vec<u8>) -> Answer<()> {
        Ok(store(accessor, &handle)?.set(key, value).await.map_err(other))
    }

    async fn delete(accessor: &Accessor<T, Self>, handle: Resource<OpenStore>, key: String) -> Answer<()> {
        Ok(store(accessor, &handle)?.delete(key).await.map_err(other))
    }

    async fn exists(accessor: &Accessor<T, Self>, handle: Resource<OpenStore>, key: String) -> Answer<bool> {
        Ok(store(accessor, &handle)?.exists(key).await.map_err(other))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
    ) -> Result<(StreamReader<String>, FutureReader<std::result::Result<(), Error>>)> {
        let (keys, result) = match store(accessor, &handle)?.keys().await {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(other(error))),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}
