//! Builds the application into the program: the workspace's `spin.toml` and the Wasm file of each component it names.
//!
//! `cargo xtask build` compiles the components before it compiles this. `GATEHOUSE_EMBED` names the Cargo profile whose
//! components are taken, and makes a missing file an error. Without it the files that `spin.toml` names are taken; if
//! one is missing, the program contains no application, and `gatehouse up` says so.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a build script reads files and the environment"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The environment variable that names the profile.
const PROFILE: &str = "GATEHOUSE_EMBED";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={PROFILE}");
    let profile = env::var(PROFILE).ok();
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let code = match application(&root, profile.as_deref()) {
        Ok(code) => code,
        Err(missing) if profile.is_some() => return Err(format!("{missing}; run `cargo xtask build`").into()),
        Err(_) => "None".to_owned(),
    };
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("application.rs"), code)?;
    Ok(())
}

/// The application as an expression of type `Option<Application>`. A file that is missing counts as changed for Cargo,
/// so this runs again until all of them exist.
fn application(root: &Path, profile: Option<&str>) -> Result<String, Box<dyn Error>> {
    let manifest = root.join("spin.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let text = fs::read_to_string(&manifest).map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
    let mut files = String::new();
    for source in sources(&text)? {
        let path = root.join(of_profile(&source, profile)?);
        println!("cargo::rerun-if-changed={}", path.display());
        if !path.is_file() {
            return Err(format!("{} is missing", path.display()).into());
        }
        write!(files, "({source:?}, include_bytes!({:?}).as_slice()),", path.display().to_string())?;
    }
    let manifest = manifest.display().to_string();
    Ok(format!("Some(Application {{ manifest: include_str!({manifest:?}), components: &[{files}] }})"))
}

/// The file of a component as this profile builds it: each profile has its own folder.
fn of_profile(source: &str, profile: Option<&str>) -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new(source);
    let Some(profile) = profile else { return Ok(path.to_owned()) };
    let parts = (path.parent().and_then(Path::parent), path.file_name());
    let (Some(target), Some(file)) = parts else { return Err(format!("{source} is not below a target folder").into()) };
    Ok(target.join(profile).join(file))
}

/// The `source` of each component.
fn sources(manifest: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let table: toml::Table = manifest.parse()?;
    let components = table.get("component").and_then(toml::Value::as_table).ok_or("spin.toml has no components")?;
    let source =
        |(id, component): (&String, &toml::Value)| match component.get("source").and_then(|source| source.as_str()) {
            Some(source) => Ok(source.to_owned()),
            None => Err(format!("component {id} in spin.toml has no file as its source").into()),
        };
    components.iter().map(source).collect()
}
