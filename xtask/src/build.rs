//! Building: the components to Wasm, then the program that contains them.

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::{Profile, WASM_TARGET, Workspace};
use crate::{imports, setup};

/// Builds the components, and `gatehouse` with them inside.
pub(crate) fn application(workspace: &Workspace, steps: &mut Steps, profile: Profile) -> Result<()> {
    components(workspace, steps, profile, &workspace.components()?)?;
    steps.check("imports of the components", || imports::check(workspace, profile))?;
    programs(workspace, steps, profile, &["gatehouse"])
}

/// Builds programs of the workspace; `gatehouse` with the components of this profile.
pub(crate) fn programs(workspace: &Workspace, steps: &mut Steps, profile: Profile, names: &[&str]) -> Result<()> {
    // As a part of the workspace, not as packages alone: Cargo then compiles their dependencies with the same features
    // for all of them, and wasmtime once.
    let mut cargo = workspace.native_cargo();
    cargo.args(["build", "--profile", profile.native(), "--workspace"]);
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    steps.run(cargo.env("GATEHOUSE_EMBED", profile.name()))
}

/// Builds components, or guests of the tests, which are components too.
pub(crate) fn components(workspace: &Workspace, steps: &mut Steps, profile: Profile, names: &[String]) -> Result<()> {
    setup::wasm_target(steps)?;
    let build = ["build", "--profile", profile.name(), "--target", WASM_TARGET];
    steps.run(workspace.cargo().args(build).args(names.iter().flat_map(|name| ["-p", name])))
}
