//! Lints while compiling: CI compiles native code once, with Clippy's driver in the place of rustc.
//!
//! The driver is not meant as a compiler of what ships, because it optimises less. So it compiles
//! tests and the programs that they run, and never the components.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// The variable with the driver's arguments, each followed by [`SEPARATOR`], as `cargo clippy` sets it.
const ARGUMENTS: &str = "CLIPPY_ARGS";
/// The mark after each argument.
const SEPARATOR: &str = "__CLIPPY_HACKERY__";
/// A source with a fault that Clippy alone finds.
const FAULTY: &str = "//! A fault.\n/// True if it is.\npub fn empty(list: &[u8]) -> bool { list.len() == 0 }\n";
/// The same without the fault.
const GOOD: &str = "//! No fault.\n/// True if it is.\npub fn empty(list: &[u8]) -> bool { list.is_empty() }\n";

/// Finds the driver of the workspace in this folder, and makes sure that its warnings are errors.
///
/// # Errors
/// It is missing, or accepts a source with a warning.
pub(crate) fn driver(root: &Path) -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    let output = rustc.current_dir(root).args(["--print", "sysroot"]).output()?;
    anyhow::ensure!(output.status.success(), "`rustc --print sysroot` failed: {}", output.status);
    let sysroot = String::from_utf8(output.stdout).context("the path of the toolchain is not UTF-8")?;
    let driver = Path::new(sysroot.trim()).join("bin/clippy-driver");
    anyhow::ensure!(driver.is_file(), "{} is missing: rustup component add clippy", driver.display());
    let folder = root.join("target/lint");
    anyhow::ensure!(accepts(&driver, &folder, GOOD)?, "{} refuses a source without a fault", driver.display());
    anyhow::ensure!(!accepts(&driver, &folder, FAULTY)?, "{} accepts a source with a fault", driver.display());
    Ok(driver)
}

/// Makes a command of Cargo compile the workspace's packages with the driver.
pub(crate) fn linting(cargo: &mut Command, driver: &Path) {
    cargo.env("RUSTC_WORKSPACE_WRAPPER", driver).env(ARGUMENTS, ["-D", SEPARATOR, "warnings", SEPARATOR].concat());
}

/// True if the driver, called as Cargo calls it, accepts a source. It writes into `folder`.
fn accepts(driver: &Path, folder: &Path, source: &str) -> Result<bool> {
    let mut command = Command::new(driver);
    linting(&mut command, driver);
    command.args(["rustc", "--crate-name", "probe", "--crate-type", "lib", "--emit", "metadata", "-"]);
    command.arg("--out-dir").arg(folder);
    let mut run = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    run.stdin.take().context("the driver takes no source")?.write_all(source.as_bytes())?;
    Ok(run.wait()?.success())
}
