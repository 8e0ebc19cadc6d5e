//! The workspace: where it is, what is in its folders, and how Cargo is called in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::lint;

/// The target that components are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The optimisation of the components and the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fully optimised, for use, benchmarks and figures under load. `spin.toml` names its files.
    Shipped,
    /// Compiled quickly, for tests and the demo.
    Quick,
}

impl Profile {
    /// The Cargo profile of components, which is also the folder of their files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shipped => "wasm",
            Self::Quick => "quick",
        }
    }

    /// The Cargo profile of programs, which run natively.
    pub(crate) fn native(self) -> &'static str {
        match self {
            Self::Shipped => "release",
            Self::Quick => "dev",
        }
    }

    /// The folder of programs.
    fn native_folder(self) -> &'static str {
        match self {
            Self::Shipped => "release",
            Self::Quick => "debug",
        }
    }
}

/// The workspace.
pub(crate) struct Workspace {
    root: PathBuf,
    /// Clippy's driver, if it compiles the workspace's native code.
    linter: Option<PathBuf>,
}

impl Workspace {
    /// The workspace that this program belongs to.
    pub(crate) fn find() -> Result<Self> {
        // Set by `cargo run`; without it, the current folder has to be the workspace.
        let root = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(own) => PathBuf::from(own).parent().context("xtask has no parent folder")?.to_owned(),
            None => env::current_dir()?,
        };
        anyhow::ensure!(root.join("components").is_dir(), "{} is not the workspace; use `cargo xtask`", root.display());
        Ok(Self { root, linter: None })
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The names of all components.
    pub(crate) fn components(&self) -> Result<Vec<String>> {
        packages(&self.root.join("components"))
    }

    /// The names of the guests that only tests use.
    pub(crate) fn guests(&self) -> Result<Vec<String>> {
        packages(&self.root.join("tests/guests"))
    }

    /// The path of a compiled component; its file has the name of the library.
    pub(crate) fn wasm(&self, name: &str, profile: Profile) -> PathBuf {
        let file = format!("{}.wasm", name.replace('-', "_"));
        self.root.join("target").join(WASM_TARGET).join(profile.name()).join(file)
    }

    /// The same workspace, whose native code is compiled by this driver of Clippy.
    pub(crate) fn with_linter(&self, driver: PathBuf) -> Self {
        Self { root: self.root.clone(), linter: Some(driver) }
    }

    /// True if its native code is compiled by Clippy's driver.
    pub(crate) fn has_linter(&self) -> bool {
        self.linter.is_some()
    }

    /// Cargo for native code. With a linter, its warnings are errors.
    pub(crate) fn native_cargo(&self) -> Command {
        let mut cargo = self.cargo();
        if let Some(driver) = &self.linter {
            lint::linting(&mut cargo, driver);
        }
        cargo
    }

    /// Cargo, run in the workspace. The output folder is fixed: `spin.toml` and tests name files in it.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", self.root.join("target"));
        cargo
    }

    /// A program of the workspace.
    pub(crate) fn program(&self, name: &str, profile: Profile) -> Command {
        let mut command = Command::new(self.program_path(name, profile));
        command.current_dir(&self.root);
        command
    }

    /// The path of a program of the workspace.
    pub(crate) fn program_path(&self, name: &str, profile: Profile) -> PathBuf {
        self.root.join("target").join(profile.native_folder()).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// The folders below `folder` that are packages, sorted.
pub(crate) fn package_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        found.extend(Some(entry?.path()).filter(|path| path.join("Cargo.toml").is_file()));
    }
    anyhow::ensure!(!found.is_empty(), "{} contains no packages", folder.display());
    found.sort();
    Ok(found)
}

/// The names of the packages below `folder`: those of their folders.
fn packages(folder: &Path) -> Result<Vec<String>> {
    let folders = package_folders(folder)?;
    Ok(folders.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect())
}
