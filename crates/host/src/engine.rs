//! The Wasm engine: its configuration, its clock, and the compilation of components.
//!
//! Compiled code is kept on disk and shared by all servers of a user; the directory must be writable by that user
//! alone, because what is in it is executed.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::guest::{Guest, add_to_linker};
use crate::limits::Limits;

/// Interval at which a busy instance lets others run, and at which its time limit is checked.
const EPOCH: Duration = Duration::from_millis(10);

/// Instances a request from outside may need at a time: its own, and six calls to other components.
const INSTANCES_PER_REQUEST: usize = 7;

/// Instances beyond those: idle ones, and ones that work after their response.
const INSTANCES_SPARE: usize = 64;

/// Core instances and tables of a component: its own, the standard library's and the ones that connect them.
const CORE_INSTANCES_PER_COMPONENT: usize = 4;

/// Memory of an ended instance that is cleared instead of being given back, because that is faster for little.
const KEPT_MEMORY_BYTES: usize = 256 << 10;
const KEPT_TABLE_BYTES: usize = 16 << 10;

/// Inaccessible bytes after a memory where address space is scarce.
const SCARCE_GUARD_BYTES: u64 = 64 << 10;

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why a component cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine does not give the engine what it needs, such as address space: the operator's to fix.
    #[error("cannot set up the Wasm engine")]
    Engine(#[source] BoxedError),
    /// The directory for compiled code cannot be used: the operator's to fix.
    #[error("cannot use the cache directory {}", path.display())]
    Cache {
        /// The directory.
        path: std::path::PathBuf,
        /// The reason.
        #[source]
        source: BoxedError,
    },
    /// Not a component: the fault of whoever built it.
    #[error("component {component:?} is not a valid WebAssembly component")]
    Compile {
        /// The component.
        component: String,
        /// The reason.
        #[source]
        source: BoxedError,
    },
    /// The component imports something that this host does not offer.
    #[error("component {component:?} imports what this host does not offer")]
    Link {
        /// The component.
        component: String,
        /// The cause.
        #[source]
        source: BoxedError,
    },
    /// The component answers no HTTP requests.
    #[error("component {component:?} exports neither wasi:http/handler@0.3.0 nor wasi:http/incoming-handler@0.2")]
    NoHandler {
        /// The component.
        component: String,
    },
}

/// An engine whose clock runs as long as it lives.
pub(crate) fn start(limits: &Limits, cache_dir: Option<&Path>) -> Result<Engine, Error> {
    let cache = cache_dir.map(open_cache).transpose()?;
    let engine = Engine::new(&configure(limits, cache.clone(), AddressSpace::Plenty))
        .or_else(|error| {
            tracing::warn!(
                ?error,
                "too little address space for memories without bounds checks; components run slower"
            );
            Engine::new(&configure(limits, cache, AddressSpace::Scarce))
        })
        .map_err(|error| Error::Engine(error.into()))?;
    let clock = engine.weak();
    let ticking = std::thread::Builder::new().name("wasm-epoch".to_owned()).spawn(move || {
        while let Some(engine) = clock.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    });
    ticking.map_err(|error| Error::Engine(error.into()))?;
    Ok(engine)
}

fn open_cache(path: &Path) -> Result<Cache, Error> {
    let open = || -> Result<Cache, BoxedError> {
        std::fs::create_dir_all(path)?;
        let mut config = CacheConfig::new();
        config.with_directory(std::path::absolute(path)?);
        Ok(Cache::new(config)?)
    };
    open().map_err(|source| Error::Cache { path: path.to_owned(), source })
}

/// The address space of a memory.
#[derive(Debug, Clone, Copy)]
enum AddressSpace {
    /// All that 32 bits can address, so that no access needs a check: some terabytes in all, none of it used.
    Plenty,
    /// Its limit, where the system grants no more; every access is checked.
    Scarce,
}

fn configure(limits: &Limits, cache: Option<Cache>, address_space: AddressSpace) -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true).epoch_interruption(true).cache(cache);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    match address_space {
        AddressSpace::Plenty => {}
        AddressSpace::Scarce => {
            config.memory_reservation(u64::try_from(limits.guest_memory_bytes).unwrap_or(u64::MAX));
            config.memory_guard_size(SCARCE_GUARD_BYTES);
        }
    }
    config
}

/// Room for every request that is admitted and all it calls; only address space until it is used.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = limits.concurrent_requests.saturating_mul(INSTANCES_PER_REQUEST).saturating_add(INSTANCES_SPARE);
    let count = |times: usize| u32::try_from(instances.saturating_mul(times)).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        .total_core_instances(count(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(count(1))
        .total_tables(count(CORE_INSTANCES_PER_COMPONENT))
        .total_stacks(count(2))
        .max_core_instances_per_component(40)
        .max_memories_per_component(4)
        .max_tables_per_component(40)
        .max_memory_size(limits.guest_memory_bytes)
        .linear_memory_keep_resident(KEPT_MEMORY_BYTES)
        .table_keep_resident(KEPT_TABLE_BYTES);
    pool
}

/// Compiles and links components, given as id and bytes, on all processors.
pub(crate) fn load(engine: &Engine, sources: &[(String, Vec<u8>)]) -> Result<Vec<ProxyPre<Guest>>, Error> {
    let mut linker = Linker::new(engine);
    add_to_linker(&mut linker).map_err(|error| Error::Engine(error.into()))?;
    let next = AtomicUsize::new(0);
    let loaded = Mutex::new(Vec::new());
    let threads = crate::limits::cores().min(sources.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, (id, bytes))) = take(&next, sources) {
                    let started = Instant::now();
                    let component = load_one(engine, &linker, id, bytes);
                    let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
                    tracing::debug!(component = id, bytes = bytes.len(), duration_ms, "loaded");
                    loaded.lock().unwrap_or_else(PoisonError::into_inner).push((index, component));
                }
            });
        }
    });
    let mut loaded = loaded.into_inner().unwrap_or_else(PoisonError::into_inner);
    loaded.sort_by_key(|(index, _)| *index);
    loaded.into_iter().map(|(_, component)| component).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

fn load_one(engine: &Engine, linker: &Linker<Guest>, id: &str, bytes: &[u8]) -> Result<ProxyPre<Guest>, Error> {
    let component = Component::new(engine, bytes)
        .map_err(|error| Error::Compile { component: id.to_owned(), source: error.into() })?;
    let pre = linker
        .instantiate_pre(&component)
        .map_err(|error| Error::Link { component: id.to_owned(), source: error.into() })?;
    handler(pre).ok_or_else(|| Error::NoHandler { component: id.to_owned() })
}

fn handler(pre: InstancePre<Guest>) -> Option<ProxyPre<Guest>> {
    if let Ok(service) = p3::bindings::ServicePre::new(pre.clone()) {
        return Some(ProxyPre::P3(service));
    }
    p2::bindings::ProxyPre::new(pre).ok().map(ProxyPre::P2)
}
