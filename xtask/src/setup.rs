//! What has to be on the machine: found, installed where that is possible without asking, or named with the way to
//! install it. A missing tool is never a skipped test.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::step::Steps;
use crate::workspace::WASM_TARGET;

/// Programs that tests start; their Debian packages have the same names.
const PROGRAMS: [&str; 1] = ["redis-server"];

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

/// Makes sure that the programs which tests start are there.
pub(crate) fn test_programs(steps: &mut Steps) -> Result<()> {
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|program| on_path(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    anyhow::ensure!(
        on_path("apt-get").is_some() && is_root(),
        "tests need {packages}; install with `sudo apt-get install {packages}`, or what your system has for it"
    );
    steps.run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    steps.run(Command::new("apt-get").args(install).args(&missing).env("DEBIAN_FRONTEND", "noninteractive"))?;
    match PROGRAMS.into_iter().find(|program| on_path(program).is_none()) {
        Some(program) => anyhow::bail!("{program} was installed but is not on the PATH"),
        None => Ok(()),
    }
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
    fn a_program_is_found_or_not() {
        assert!(on_path("cargo").is_some());
        assert_eq!(on_path("there-is-no-such-program"), None);
    }
}
