//! The generated bindings of the interfaces in `wit/host`.
//!
//! Only what the generator writes; the implementations are in [`crate::guest`].

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit/host",
    world: "gatehouse:host/imports",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value@3.0.0.store": crate::guest::key_value::OpenStore,
        "wasi:keyvalue/store@0.2.0-draft2.bucket": crate::guest::key_value::OpenStore,
        "wasi:keyvalue/atomics@0.2.0-draft2.cas": crate::guest::wasi_keyvalue::PendingSwap,
    },
});
