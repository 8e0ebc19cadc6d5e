//! Testing: what is needed, what is built for it, and which tests there are. No test is skipped here.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::{WASM_TARGET, Workspace};
use crate::{build, imports, setup};

/// The crates that have to be right in 32 bits and without an operating system: their tests also run inside Wasm.
const PURE: [&str; 3] = ["domain", "finding", "scanners"];
/// How many cases property tests try inside Wasm, where each takes longer; natively they try their own number.
const WASM_PROPTEST_CASES: &str = "32";

/// Every test.
pub(crate) fn all(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    prepare(workspace, steps)?;
    native(workspace, steps, &["--workspace"], &[])?;
    inside_wasm(workspace, steps)
}

/// The native tests that `cargo test` picks by these arguments.
pub(crate) fn picked(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    prepare(workspace, steps)?;
    let packages: &[&str] = match arguments.contains(&"-p") || arguments.contains(&"--package") {
        true => &[],
        false => &["--workspace"],
    };
    native(workspace, steps, packages, arguments)
}

/// The end-to-end suite.
pub(crate) fn end_to_end(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    prepare(workspace, steps)?;
    native(workspace, steps, &["-p", "tests"], arguments)
}

/// A picture of every page.
pub(crate) fn screenshots(workspace: &Workspace, steps: &mut Steps, folder: &[&str]) -> Result<()> {
    prepare(workspace, steps)?;
    build::programs(workspace, steps, &["screenshots"])?;
    let folder = folder.first().map_or_else(|| workspace.root().join("target/screenshots"), PathBuf::from);
    steps.run(workspace.program("screenshots").arg(folder))
}

fn prepare(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    setup::test_programs(steps)?;
    setup::page_packages(workspace, steps)?;
    build::guests(workspace, steps)?;
    build::application(workspace, steps)?;
    steps.check("imports of the components", || imports::check(workspace))
}

fn native(workspace: &Workspace, steps: &mut Steps, packages: &[&str], arguments: &[&str]) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--release"]).args(packages).args(arguments);
    // Cargo builds the program again for its own tests: with the application, as before.
    cargo.env("GATEHOUSE_EMBED", "required").env("INSTA_UPDATE", snapshots());
    steps.run(&mut cargo)
}

fn inside_wasm(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let mut cargo = in_wasm(workspace, steps, "test")?;
    cargo.args(["--release", "--lib"]).args(PURE.iter().flat_map(|name| ["-p", name]));
    cargo.env("INSTA_UPDATE", snapshots()).env("INSTA_WORKSPACE_ROOT", workspace.root());
    steps.run(cargo.env("PROPTEST_CASES", WASM_PROPTEST_CASES))
}

/// A command of cargo whose programs are compiled to Wasm and run there.
pub(crate) fn in_wasm(workspace: &Workspace, steps: &mut Steps, command: &str) -> Result<Command> {
    setup::wasm_target(steps)?;
    build::programs(workspace, steps, &["wasi-run"])?;
    let (root, runner) = (workspace.root().display().to_string(), workspace.program_path("wasi-run"));
    // A list, since a path may have spaces in it.
    let runner = serde_json::json!([runner.display().to_string(), root]);
    let mut cargo = workspace.cargo();
    cargo.args([command, "--target", WASM_TARGET]);
    cargo.args(["--config", &format!("target.{WASM_TARGET}.runner={runner}")]);
    Ok(cargo)
}

/// A snapshot that differs is a failure, unless somebody asks for new ones.
fn snapshots() -> String {
    env::var("INSTA_UPDATE").unwrap_or_else(|_| "no".to_owned())
}
