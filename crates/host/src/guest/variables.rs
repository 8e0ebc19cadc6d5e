//! `spin:variables@3.0.0`: the component's variables, resolved when the server started.

use wasmtime::component::Accessor;

use super::{Guest, GuestData};
use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};

impl Host for Guest {}

impl<T: Send> HostWithStore<T> for GuestData {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| {
            let guest: &mut Guest = access.get();
            guest.component.variables.get(&name).cloned().ok_or(Error::Undefined(name))
        }))
    }
}
