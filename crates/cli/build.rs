//! Builds the application into the program: the workspace's `spin.toml` and the Wasm file of each component it names.
//!
//! It builds no component itself: `cargo xtask build` does, before it builds this. Without the files the program has
//! no application and says so when asked to serve it, unless `GATEHOUSE_EMBED=required`, which makes it an error here.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let code = match application(&root) {
        Ok(code) => code,
        Err(missing) if env::var("GATEHOUSE_EMBED").as_deref() == Ok("required") => {
            return Err(format!("{missing}, and GATEHOUSE_EMBED=required; run `cargo xtask build`").into());
        }
        Err(_) => "None".to_owned(),
    };
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("application.rs"), code)?;
    Ok(())
}

/// The application as an expression of type `Option<Application>`. A file that is missing counts as changed for Cargo,
/// so this runs again until all of them are there.
fn application(root: &Path) -> Result<String, Box<dyn Error>> {
    let manifest = root.join("spin.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let text = fs::read_to_string(&manifest).map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
    let mut files = String::new();
    for source in sources(&text)? {
        let path = root.join(&source);
        println!("cargo::rerun-if-changed={}", path.display());
        if !path.is_file() {
            return Err(format!("{} is not there", path.display()).into());
        }
        write!(files, "({source:?}, include_bytes!({:?}).as_slice()),", path.display().to_string())?;
    }
    let manifest = manifest.display().to_string();
    Ok(format!("Some(Application {{ manifest: include_str!({manifest:?}), components: &[{files}] }})"))
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
