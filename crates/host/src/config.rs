//! The configuration of a server.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::limits::{Limits, Reuse};
use crate::manifest::Manifest;
use crate::outbound::Network;

/// The configuration of a server.
#[derive(Clone)]
pub struct Config {
    /// The application.
    pub app: AppSource,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address of the listener for health and metrics; none for no such listener. Port 0 takes a free one.
    pub admin_listen: Option<SocketAddr>,
    /// Proxies in front, which are believed about their clients' addresses in `X-Forwarded-For`.
    pub trusted_proxies: Vec<Network>,
    /// The folder of the default key-value store and of relative store paths. A runtime configuration may name another.
    pub state_dir: PathBuf,
    /// The folder of compiled code; none for [`default_cache_dir`].
    pub cache_dir: Option<PathBuf>,
    /// A runtime configuration file in Spin's format.
    pub runtime_config: Option<PathBuf>,
    /// Values of application variables; they win over the environment and the defaults.
    pub variables: BTreeMap<String, String>,
    /// Limits of requests and connections.
    pub limits: Limits,
    /// Limits of the reuse of an instance.
    pub reuse: Reuse,
    /// The offset of the application's clock, for tests and rehearsals.
    pub clock_offset: Duration,
}

impl Config {
    /// Serves `app` with standard limits on a free port of this machine alone, without a listener for health and
    /// metrics.
    pub fn new(app: AppSource, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            app,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: None,
            trusted_proxies: Vec::new(),
            state_dir: state_dir.into(),
            cache_dir: None,
            runtime_config: None,
            variables: BTreeMap::new(),
            limits: Limits::standard(),
            reuse: Reuse::standard(),
            clock_offset: Duration::ZERO,
        }
    }
}

/// Shows the names of variables and not their values.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("app", &self.app)
            .field("listen", &self.listen)
            .field("admin_listen", &self.admin_listen)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("state_dir", &self.state_dir)
            .field("cache_dir", &self.cache_dir)
            .field("runtime_config", &self.runtime_config)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("limits", &self.limits)
            .field("reuse", &self.reuse)
            .field("clock_offset", &self.clock_offset)
            .finish()
    }
}

/// The source of an application.
#[derive(Clone)]
pub enum AppSource {
    /// A `spin.toml`; the components' files are relative to it.
    Manifest(PathBuf),
    /// An application built into the program.
    Embedded {
        /// The text of its `spin.toml`.
        manifest: &'static str,
        /// The components' files, by the `source` that the manifest gives.
        components: &'static [(&'static str, &'static [u8])],
    },
}

impl fmt::Debug for AppSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(path) => f.debug_tuple("Manifest").field(path).finish(),
            Self::Embedded { .. } => f.debug_struct("Embedded").finish_non_exhaustive(),
        }
    }
}

/// The name of an embedded application's manifest in messages.
const EMBEDDED_NAME: &str = "spin.toml (built in)";

impl AppSource {
    /// Reads the manifest, for instance to see which variables it declares before a server is started.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not a manifest this host can serve.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        match self {
            Self::Manifest(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
                Ok(Manifest::parse(&path.display().to_string(), &text)?)
            }
            Self::Embedded { manifest, .. } => Ok(Manifest::parse(EMBEDDED_NAME, manifest)?),
        }
    }

    /// Reads the file of `component`, which the manifest calls `source`.
    pub(crate) fn read(&self, component: &str, source: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::Manifest(manifest) => {
                let path = manifest.parent().unwrap_or(Path::new("")).join(source);
                std::fs::read(&path).map_err(|source| Error::ReadComponent {
                    component: component.to_owned(),
                    path,
                    source,
                })
            }
            Self::Embedded { components, .. } => {
                let found = components.iter().find(|(name, _)| *name == source);
                found
                    .map(|(_, bytes)| bytes.to_vec())
                    .ok_or_else(|| Error::NotEmbedded { component: component.to_owned(), name: source.to_owned() })
            }
        }
    }
}

/// `gatehouse` in the user's cache directory, by the rules of the XDG base directories; none if the environment names
/// neither that nor a home.
pub fn default_cache_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("gatehouse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_not_in_debug_output() {
        let mut config = Config::new(AppSource::Embedded { manifest: "", components: &[] }, "state");
        config.variables.insert("token".to_owned(), "hunter2".to_owned());
        let shown = format!("{config:?}");
        assert!(shown.contains("token") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn an_embedded_component_is_found_by_its_source() {
        let app = AppSource::Embedded { manifest: "", components: &[("a/b.wasm", b"x")] };
        assert_eq!(app.read("b", "a/b.wasm").unwrap(), b"x");
        let error = app.read("b", "b.wasm").unwrap_err();
        assert_eq!(
            error.to_string(),
            "component \"b\" has the source \"b.wasm\", which is not built into this program"
        );
    }
}
