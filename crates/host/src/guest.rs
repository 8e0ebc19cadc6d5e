//! The host's side of a component instance: its state, and the interfaces over it.
//!
//! An instance gets the stores, hosts and variables of its `[component.<id>]` and nothing else: no files, no sockets,
//! no arguments, no environment of the host's.

mod clock;
pub(crate) mod key_value;
mod memory;
mod output;
mod variables;
pub(crate) mod wasi_keyvalue;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::app::App;
use crate::bindings::spin::key_value::key_value as spin_key_value;
use crate::bindings::spin::variables::variables as spin_variables;
use crate::bindings::wasi::keyvalue;
use crate::kv::{Calls, Store};
use crate::lifecycle::Working;
use crate::metrics::GuestMemory;
use crate::outbound::{AllowedHosts, Hooks};

use self::clock::Ahead;
use self::key_value::OpenStore;
pub(crate) use self::memory::{Health, MemoryMeter};
use self::output::{GuestOutput, Stream};

/// A component of the running application, with its grants resolved.
pub(crate) struct Component {
    pub(crate) id: Arc<str>,
    /// The stores it may open, by label.
    pub(crate) stores: BTreeMap<String, Store>,
    /// Its variables with their values.
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) outbound: AllowedHosts,
    pub(crate) memory_bytes_max: usize,
    pub(crate) memory: Arc<GuestMemory>,
    /// The offset of its wall clock from the host's.
    pub(crate) clock_offset: Duration,
    /// The application, for calls to other components. Weak, because the application owns its components.
    pub(crate) app: Weak<App>,
}

/// The state of one instance.
pub(crate) struct Guest {
    pub(crate) component: Arc<Component>,
    pub(crate) memory: MemoryMeter,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    store_calls: Calls,
    /// Keeps the server from stopping while the instance lives.
    _working: Working,
}

impl Guest {
    pub(crate) fn new(component: Arc<Component>, working: Working) -> Self {
        let output = |stream| GuestOutput::new(Arc::clone(&component.id), stream);
        let wasi = WasiCtxBuilder::new()
            .stdout(output(Stream::Stdout))
            .stderr(output(Stream::Stderr))
            .envs(&component.environment)
            .wall_clock(Ahead::by(component.clock_offset))
            .build();
        Self {
            memory: MemoryMeter::new(component.memory_bytes_max, Arc::clone(&component.memory)),
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(Arc::clone(&component)),
            store_calls: Calls::default(),
            component,
            _working: working,
        }
    }

    /// The store of a label, if the component was granted it.
    fn open_store(&self, label: &str) -> Option<OpenStore> {
        Some(OpenStore(self.component.stores.get(label)?.within(&self.store_calls)))
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Gives the generated asynchronous bindings access to the instance's state.
pub(crate) struct GuestData;

impl HasData for GuestData {
    type Data<'a> = &'a mut Guest;
}

/// Links everything a component may import.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    spin_key_value::add_to_linker::<_, GuestData>(linker, |guest| guest)?;
    spin_variables::add_to_linker::<_, GuestData>(linker, |guest| guest)?;
    keyvalue::store::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    keyvalue::batch::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    keyvalue::atomics::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    Ok(())
}
