//! Building: the components to Wasm, then the program with them in it.

use anyhow::Result;

use crate::setup;
use crate::step::Steps;
use crate::workspace::{WASM_PROFILE, WASM_TARGET, Workspace};

/// The components, and `target/release/gatehouse` with the application built in.
pub(crate) fn application(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    wasm(workspace, steps, &workspace.components()?)?;
    programs(workspace, steps, &["gatehouse"])
}

/// Programs of the workspace, for use and for tests.
pub(crate) fn programs(workspace: &Workspace, steps: &mut Steps, names: &[&str]) -> Result<()> {
    // As a part of the workspace, not as packages alone: what they depend on is then compiled with the same features for
    // all of them, and wasmtime once.
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--workspace"]).args(names.iter().flat_map(|name| ["--bin", name]));
    steps.run(cargo.env("GATEHOUSE_EMBED", "required"))
}

/// The guests that tests of the host run.
pub(crate) fn guests(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    wasm(workspace, steps, &workspace.guests()?)
}

fn wasm(workspace: &Workspace, steps: &mut Steps, packages: &[String]) -> Result<()> {
    setup::wasm_target(steps)?;
    let build = ["build", "--profile", WASM_PROFILE, "--target", WASM_TARGET];
    steps.run(workspace.cargo().args(build).args(packages.iter().flat_map(|name| ["-p", name])))
}
