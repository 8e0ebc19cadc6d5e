//! Fuzzing: every target for some time, starting with the fixtures. Needs a nightly compiler; CI does not run it, but
//! checks that the targets compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::setup::on_path;
use crate::step::Steps;
use crate::workspace::Workspace;

/// Time for each target, in seconds.
const SECONDS: &str = "120";
/// The longest input; longer ones are slower without finding more.
const INPUT_BYTES_MAX: &str = "16384";
/// Time limit for one input, in seconds.
const TIMEOUT: &str = "10";
/// The first byte that makes the target detect the format.
const ANY: u8 = u8::MAX;

/// Fuzzes every target, or the named one, for this many seconds each.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    let (named, seconds) = match arguments {
        [] => (None, SECONDS),
        [target] => (Some(*target), SECONDS),
        [target, seconds] => (Some(*target), *seconds),
        _ => anyhow::bail!("fuzz takes a target and a number of seconds, both optional"),
    };
    if on_path("cargo-fuzz").is_none() {
        steps.run(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    let nightly = Command::new("rustup").args(["run", "nightly", "rustc", "-V"]).output();
    let installed = nightly.is_ok_and(|output| output.status.success());
    anyhow::ensure!(installed, "fuzzing needs a nightly compiler: rustup toolchain install nightly");
    let targets = targets(workspace)?;
    let wanted: Vec<&String> = targets.iter().filter(|name| named.is_none_or(|named| named == *name)).collect();
    anyhow::ensure!(!wanted.is_empty(), "unknown target; expected one of {}", targets.join(", "));
    for target in wanted {
        let corpus = corpus(workspace, target)?;
        let mut fuzz = Command::new("cargo");
        fuzz.current_dir(workspace.root()).args(["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz", target]).arg(&corpus);
        fuzz.args(["--", &format!("-max_total_time={seconds}"), &format!("-max_len={INPUT_BYTES_MAX}")]);
        fuzz.args([&format!("-timeout={TIMEOUT}"), "-print_final_stats=1"]);
        // The workspace's toolchain is set by a file, so the one for fuzzing is named here.
        steps.run(fuzz.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO"))?;
    }
    Ok(())
}

/// Checks that the targets compile, without the fuzzing engine.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["check", "--manifest-path", "fuzz/Cargo.toml"]);
    // It is not linked, so any name works: the engine is C++, whose compiler may be missing.
    steps.run(cargo.env("CUSTOM_LIBFUZZER_PATH", workspace.root().join("fuzz/none.a")))
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root().join("fuzz/fuzz_targets");
    let mut names: Vec<String> = files(&folder)?
        .iter()
        .filter_map(|path| path.file_stem().and_then(|name| name.to_str()).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// Writes the target's first inputs: every fixture, and the inputs of earlier runs.
fn corpus(workspace: &Workspace, target: &str) -> Result<PathBuf> {
    let corpus = workspace.root().join("target/fuzz/corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    // Scanners are in the order of their folders; one of their tests checks that.
    let mut folders = files(&workspace.root().join("crates/scanners/fixtures"))?;
    folders.sort();
    for (choice, folder) in (0_u8..).zip(&folders) {
        for file in files(folder)? {
            let name = format!("{choice}-{}", file.file_name().and_then(|name| name.to_str()).unwrap_or("report"));
            let report = fs::read(&file)?;
            let choice = if target == "detected" { None } else { Some(choice) };
            fs::write(corpus.join(&name), choice.into_iter().chain(report).collect::<Vec<u8>>())?;
        }
    }
    for file in files(&workspace.root().join("fuzz/kept"))? {
        let input = fs::read(&file)?;
        let input = if target == "detected" { input.strip_prefix(&[ANY]).unwrap_or(&input).to_vec() } else { input };
        fs::write(corpus.join(file.file_name().unwrap_or_default()), input)?;
    }
    Ok(corpus)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.collect::<std::io::Result<Vec<_>>>()?.into_iter().map(|entry| entry.path()).collect())
}
