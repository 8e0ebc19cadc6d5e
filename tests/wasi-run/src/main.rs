//! Runs a WASI 0.2 command component, as Cargo's runner for tests that are compiled to Wasm:
//! `wasi-run <folder> <component> [argument]...`.
//!
//! The component may read the folder, under the same path, and the few environment variables that tests need. It
//! can't write, and there is no network.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an outer crate: it reads files, clocks and the environment"
)]

use std::env;
use std::process::ExitCode;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// Beginnings of the names of variables that the component sees.
const VARIABLES: [&str; 4] = ["CARGO_", "INSTA_", "PROPTEST_", "RUST_"];

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, component, ..] = arguments.as_slice() else {
        wasmtime::bail!("usage: wasi-run <folder> <component> [argument]...");
    };
    let engine = Engine::new(&Config::new())?;
    let component = Component::from_file(&engine, component).with_context(|| format!("cannot load {component}"))?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;

    let mut ctx = WasiCtxBuilder::new();
    ctx.inherit_stdout().inherit_stderr().args(arguments.get(1..).unwrap_or_default());
    for (name, value) in env::vars().filter(|(name, _)| VARIABLES.iter().any(|known| name.starts_with(known))) {
        ctx.env(name, value);
    }
    ctx.preopened_dir(folder, folder, FsPerms::ReadOnly).with_context(|| format!("cannot open {folder}"))?;
    // Cargo starts tests in the folder of their package, which relative paths are relative to.
    ctx.preopened_dir(".", ".", FsPerms::ReadOnly).context("cannot open the current folder")?;
    let mut store = Store::new(&engine, State { ctx: ctx.build(), table: ResourceTable::new() });

    let command = Command::instantiate(&mut store, &component, &linker)?;
    match command.wasi_cli_run().call_run(&mut store) {
        Ok(Ok(())) => Ok(ExitCode::SUCCESS),
        Ok(Err(())) => Ok(ExitCode::FAILURE),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => Ok(ExitCode::SUCCESS),
            Some(I32Exit(code)) => Ok(ExitCode::from(u8::try_from(*code).unwrap_or(1))),
            None => Err(error),
        },
    }
}
