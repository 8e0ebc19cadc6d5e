//! Compresses the static files with the best level, and names each by a hash of its content, so that browsers cache it
//! forever.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a build script reads files and the environment"
)]

use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// The files: constant, name, media type.
const ASSETS: [(&str, &str, &str); 4] = [
    ("STYLE", "style.css", "text/css; charset=utf-8"),
    ("SCRIPT", "app.js", "text/javascript; charset=utf-8"),
    ("HTMX", "htmx.min.js", "text/javascript; charset=utf-8"),
    ("ICON", "icon.svg", "image/svg+xml"),
];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("the variable OUT_DIR is missing"))?;
    let (folder, out) = (Path::new("assets"), Path::new(&out));
    let mut code = String::new();
    for (constant, name, media_type) in ASSETS {
        let file = folder.join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        let bytes = fs::read(&file)?;
        let digest: String = Sha256::digest(&bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let compressed = out.join(format!("{name}.gz"));
        let mut encoder = GzBuilder::new().mtime(0).write(fs::File::create(&compressed)?, Compression::best());
        encoder.write_all(&bytes)?;
        encoder.finish()?;
        let path = format!("/assets/{digest}/{name}");
        let (raw, compressed) = (fs::canonicalize(&file)?, fs::canonicalize(&compressed)?);
        writeln!(
            code,
            "/// `{name}`.\npub(crate) const {constant}: Asset = Asset {{ path: {path:?}, media_type: {media_type:?}, \
             raw: include_bytes!({raw:?}), compressed: include_bytes!({compressed:?}) }};"
        )
        .map_err(io::Error::other)?;
    }
    let all: Vec<_> = ASSETS.iter().map(|(constant, ..)| *constant).collect();
    writeln!(code, "/// All of them.\nconst ALL: [&Asset; {}] = [&{}];", all.len(), all.join(", &"))
        .map_err(io::Error::other)?;
    fs::write(out.join("assets.rs"), code)
}
