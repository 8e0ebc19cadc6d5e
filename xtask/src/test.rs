//! Testing: the needs of tests, their builds and their runs. Nothing is skipped silently: the summary lists skipped
//! tests.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

use anyhow::{Context as _, Result};

use crate::step::Steps;
use crate::workspace::{Profile, WASM_TARGET, Workspace};
use crate::{build, setup};

/// The crates that must be right in 32 bits and without an operating system: their tests also run inside Wasm.
pub(crate) const PURE: [&str; 3] = ["domain", "finding", "scanners"];
/// The number of cases of each property test inside Wasm, where a case takes longer; natively each test has its own.
const WASM_PROPTEST_CASES: &str = "32";
/// Folders of the large data, below `../shared`, and the variables that name them to tests.
const DATA: [(&str, &str); 3] =
    [("GATEHOUSE_CORPUS", "corpus"), ("GATEHOUSE_TRACKING", "tracking"), ("GATEHOUSE_TUTORIAL", "bandit")];

/// The variable with the number of tests that run side by side.
const THREADS: &str = "RUST_TEST_THREADS";

/// The suite that measures under load.
const LOAD: &str = "load::";
/// Tests elsewhere that print how long a retry takes after a death.
const RETRIES: [&str; 2] = ["crash::", "pipeline::deaths::"];

/// Runs every test. With a linter, first checks the lints of all native code, which compiles the tests.
pub(crate) fn all(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    prepare(workspace, steps, Needs::ALL)?;
    if workspace.has_linter() {
        native(workspace, steps, &["--workspace", "--all-targets", "--no-run"])?;
    }
    native(workspace, steps, &["--workspace"])?;
    inside_wasm(workspace, steps)?;
    steps.left_out("the long tests of the suite `load`: `cargo xtask test --load` runs them");
    match data(workspace) {
        Ok(folder) => with_data(workspace, steps, &folder),
        Err(missing) => {
            steps.left_out(&format!("tests that read large data: {missing}"));
            Ok(())
        }
    }
}

/// Runs the native tests that `cargo test` selects by these arguments; builds only their needs.
pub(crate) fn picked(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    let after = |flag: &&str| matches!(*flag, "-p" | "--package");
    let named = arguments.iter().zip(arguments.iter().skip(1)).filter(|(flag, _)| after(flag)).map(|(_, name)| *name);
    let named: Vec<&str> = named.collect();
    prepare(workspace, steps, Needs::of(&named))?;
    let all: &[&str] = if named.is_empty() { &["--workspace"] } else { &[] };
    native(workspace, steps, &[all, arguments].concat())
}

/// Runs the end-to-end suites.
pub(crate) fn end_to_end(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    prepare(workspace, steps, Needs::ALL)?;
    native(workspace, steps, &[&["-p", "tests"], arguments].concat())
}

/// Runs the tests that read large data: real reports, ground truth for tracking, the tutorial's reports.
pub(crate) fn large_data(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let folder = data(workspace)?;
    prepare(workspace, steps, Needs::ALL)?;
    with_data(workspace, steps, &folder)
}

/// Runs the suite `load` with its long tests against what ships, one test at a time, and prints their figures.
pub(crate) fn load(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    setup::programs(steps, setup::OF_LOAD)?;
    build::application(workspace, steps, Profile::Shipped)?;
    let mut cargo = cargo_test(workspace, Profile::Shipped);
    cargo.args(["-p", "tests", "--test", "integration", "--"]);
    // Nothing else may run beside what is measured.
    cargo.args(["--include-ignored", "--nocapture", "--test-threads=1"]);
    let one = arguments.iter().map(|name| format!("{LOAD}{name}"));
    steps.run(if arguments.is_empty() { cargo.arg(LOAD).args(RETRIES) } else { cargo.args(one) })
}

/// Takes a picture of every page.
pub(crate) fn screenshots(workspace: &Workspace, steps: &mut Steps, folder: &[&str]) -> Result<()> {
    prepare(workspace, steps, Needs::ALL)?;
    build::programs(workspace, steps, Profile::Quick, &["screenshots"])?;
    let folder = folder.first().map_or_else(|| workspace.root().join("target/screenshots"), PathBuf::from);
    steps.run(workspace.program("screenshots", Profile::Quick).arg(folder))
}

/// The things that must be built and installed before tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    /// The guests that misbehave.
    guests: bool,
    /// The program with the components inside.
    application: bool,
    /// Redis, Chromium and the npm packages.
    programs: bool,
}

impl Needs {
    const ALL: Self = Self { guests: true, application: true, programs: true };

    /// The needs of the tests of these packages; without a name, of all packages.
    fn of(packages: &[&str]) -> Self {
        let any = |names: &[&str]| packages.is_empty() || packages.iter().any(|name| names.contains(name));
        Self { guests: any(&["host"]), application: any(&["gatehouse", "tests"]), programs: any(&["host", "tests"]) }
    }
}

fn prepare(workspace: &Workspace, steps: &mut Steps, needs: Needs) -> Result<()> {
    if needs.programs {
        setup::programs(steps, setup::OF_TESTS)?;
        setup::npm_packages(workspace, steps)?;
    }
    if needs.guests {
        build::components(workspace, steps, Profile::Quick, &workspace.guests()?)?;
    }
    if needs.application {
        // Not together with the guests, whose dependencies enable other features.
        build::application(workspace, steps, Profile::Quick)?;
        // Spin takes the files that `spin.toml` names.
        if env::var_os("GATEHOUSE_SPIN").is_some() {
            build::components(workspace, steps, Profile::Shipped, &workspace.components()?)?;
        }
    }
    Ok(())
}

fn native(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    steps.run(cargo_test(workspace, Profile::Quick).args(arguments))
}

fn cargo_test(workspace: &Workspace, profile: Profile) -> Command {
    let mut cargo = workspace.native_cargo();
    cargo.args(["test", "--profile", profile.native()]);
    // One more than there are cores, because many tests wait: for a server, a browser, a time limit. With twice as
    // many, tests of time limits failed beside other load.
    if env::var_os(THREADS).is_none() {
        cargo.env(THREADS, (thread::available_parallelism().map_or(1, NonZero::get) + 1).to_string());
    }
    // Cargo builds `gatehouse` again for its own tests: with the same components.
    cargo.env("GATEHOUSE_EMBED", profile.name()).env("INSTA_UPDATE", snapshots());
    cargo
}

/// The folder with the large data.
fn data(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root().join("../shared");
    let missing = DATA.iter().find(|(_, name)| !folder.join(name).is_dir());
    match missing {
        Some((_, name)) => anyhow::bail!("../shared/{name} is missing"),
        None => folder.canonicalize().with_context(|| format!("cannot open {}", folder.display())),
    }
}

fn with_data(workspace: &Workspace, steps: &mut Steps, folder: &Path) -> Result<()> {
    let mut cargo = cargo_test(workspace, Profile::Quick);
    cargo.args(["--workspace", "--", "--ignored", "--skip", LOAD]);
    steps.run(cargo.envs(DATA.iter().map(|(variable, name)| (variable, folder.join(name)))))
}

fn inside_wasm(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let mut cargo = in_wasm(workspace, steps, "test")?;
    cargo.args(["--profile", Profile::Quick.name(), "--lib"]).args(PURE.iter().flat_map(|name| ["-p", name]));
    cargo.env("INSTA_UPDATE", snapshots()).env("INSTA_WORKSPACE_ROOT", workspace.root());
    steps.run(cargo.env("PROPTEST_CASES", WASM_PROPTEST_CASES))
}

/// Returns a command of Cargo whose programs are compiled to Wasm and run there.
pub(crate) fn in_wasm(workspace: &Workspace, steps: &mut Steps, command: &str) -> Result<Command> {
    setup::wasm_target(steps)?;
    build::programs(workspace, steps, Profile::Quick, &["wasi-run"])?;
    let (root, runner) = (workspace.root().display().to_string(), workspace.program_path("wasi-run", Profile::Quick));
    // A list, since a path may have spaces in it.
    let runner = serde_json::json!([runner.display().to_string(), root]);
    let mut cargo = workspace.cargo();
    cargo.args([command, "--target", WASM_TARGET]);
    cargo.args(["--config", &format!("target.{WASM_TARGET}.runner={runner}")]);
    Ok(cargo)
}

/// The value of `INSTA_UPDATE`: a snapshot that differs fails the test, unless the caller wants new ones.
fn snapshots() -> String {
    env::var("INSTA_UPDATE").unwrap_or_else(|_| "no".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_needs_of_the_packages_are_built() {
        let none = Needs { guests: false, application: false, programs: false };
        assert_eq!(Needs::of(&["domain"]), none);
        assert_eq!(Needs::of(&["domain", "host"]), Needs { guests: true, programs: true, ..none });
        assert_eq!(Needs::of(&["gatehouse"]), Needs { application: true, ..none });
        assert_eq!(Needs::of(&["tests"]), Needs { guests: false, ..Needs::ALL });
        assert_eq!(Needs::of(&[]), Needs::ALL);
    }
}
