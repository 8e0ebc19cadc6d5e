//! The application: the one built into this program, or another from a `spin.toml`. It starts nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use host::AppSource;

use crate::failure::Hinted;

/// The application that `build.rs` found.
struct Application {
    manifest: &'static str,
    components: &'static [(&'static str, &'static [u8])],
}

const BUILT_IN: Option<Application> = include!(concat!(env!("OUT_DIR"), "/application.rs"));

/// The application to serve: the one at `app`, a `spin.toml` or the folder of one, or the built-in one.
pub(crate) fn source(app: Option<&Path>) -> Result<AppSource> {
    if let Some(path) = app {
        return Ok(AppSource::Manifest(manifest_at(path)));
    }
    let built_in = BUILT_IN.map(|Application { manifest, components }| AppSource::Embedded { manifest, components });
    built_in.context(Hinted {
        message: "this binary was built without the application".to_owned(),
        hint: "build it with `cargo xtask build`, or pass `--app spin.toml`".to_owned(),
    })
}

fn manifest_at(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("spin.toml") } else { path.to_owned() }
}
