//! All checks of a change apart from the tests.

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::Workspace;
use crate::{features, fuzz, rules};

/// Checks format, rules and lints.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    without_lints(workspace, steps)?;
    // Natively alone: the rules make sure that components have no code that exists only in Wasm.
    let mut clippy = workspace.cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    steps.run(&mut clippy)
}

/// Checks format and rules, and that the fuzz targets compile.
pub(crate) fn without_lints(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    rules(workspace, steps)?;
    fuzz::check(workspace, steps)
}

/// Checks the rules, which takes seconds.
pub(crate) fn rules(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.check("rules: dependencies", || rules::check(workspace))?;
    steps.check("rules: sources", || rules::sources::check(workspace))?;
    steps.check("rules: features", || features::check(workspace))
}
