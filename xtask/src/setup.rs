//! Tools on the machine. A missing one is installed if that needs no question; otherwise the error names the command
//! that installs it. A missing tool never skips a test.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::step::Steps;
use crate::workspace::{WASM_TARGET, Workspace};

/// A program with its Debian package.
type Program = (&'static str, &'static str);

/// The programs that tests start.
pub(crate) const OF_TESTS: &[Program] = &[
    ("redis-server", "redis-server"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// The programs that the long tests of the suite `load` start.
pub(crate) const OF_LOAD: &[Program] = &[("redis-server", "redis-server"), ("ip", "iproute2")];

/// Makes sure that Rust can compile to Wasm.
pub(crate) fn wasm_target(steps: &mut Steps) -> Result<()> {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]).output();
    let output = output.context("cannot run rustc; install Rust with rustup")?;
    let folder = String::from_utf8(output.stdout).context("rustc's answer is not UTF-8")?;
    if PathBuf::from(folder.trim()).is_dir() {
        return Ok(());
    }
    anyhow::ensure!(
        on_path("rustup").is_some(),
        "this Rust has no standard library for {WASM_TARGET}; install Rust with rustup, or the library with your system"
    );
    steps.run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
}

/// Makes sure that these programs are installed.
pub(crate) fn programs(steps: &mut Steps, programs: &[Program]) -> Result<()> {
    let missing = || programs.iter().copied().filter(|(program, _)| on_path(program).is_none());
    let packages: BTreeSet<_> = missing().map(|(_, package)| package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.iter().copied().collect::<Vec<_>>().join(" ");
    anyhow::ensure!(
        on_path("apt-get").is_some() && is_root(),
        "tests need {names}; install with `sudo apt-get install {names}`, or with your system's package manager"
    );
    steps.run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    steps.run(Command::new("apt-get").args(install).args(&packages).env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing().next() {
        Some((program, package)) => anyhow::bail!("{package} was installed but {program} is not on the PATH"),
        None => Ok(()),
    }
}

/// Makes sure that the npm packages of the tests are installed: those of `tests/npm`, in the versions of its lock file.
pub(crate) fn npm_packages(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let (named, here) = (workspace.root().join("tests/npm"), workspace.root().join("target/npm"));
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    let lock = read(named.join("package-lock.json"))?;
    // A copy of the lock is written last.
    if fs::read(here.join("fetched-lock.json")).is_ok_and(|fetched| fetched == lock) {
        return Ok(());
    }
    fs::create_dir_all(&here)?;
    for file in ["package.json", "package-lock.json"] {
        fs::write(here.join(file), read(named.join(file))?)?;
    }
    let fetch = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
    steps.run(Command::new("npm").args(fetch).arg(&here))?;
    Ok(fs::write(here.join("fetched-lock.json"), lock)?)
}

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_existing_program_is_found() {
        assert!(on_path("cargo").is_some());
        assert_eq!(on_path("there-is-no-such-program"), None);
    }
}
