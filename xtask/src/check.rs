//! What has to hold before a change goes in, beside the tests.

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::{WASM_TARGET, Workspace};
use crate::{fuzz, rules, setup};

/// Checks format, dependency rules and lints.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    steps.check("dependency rules", || rules::check(workspace))?;
    let clippy = |arguments: &[&str]| {
        let mut cargo = workspace.cargo();
        cargo.args(["clippy", "--release"]).args(arguments);
        cargo
    };
    steps.run(clippy(&["--workspace", "--all-targets"]).args(["--", "-D", "warnings"]))?;
    fuzz::check(workspace, steps)?;
    setup::wasm_target(steps)?;
    // Again as they are compiled: some of their code is only there.
    let (components, guests) = (workspace.components()?, workspace.guests()?);
    let packages = components.iter().chain(&guests).flat_map(|name| ["-p", name]);
    steps.run(clippy(&["--target", WASM_TARGET]).args(packages).args(["--", "-D", "warnings"]))
}
