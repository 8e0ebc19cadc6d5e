//! The runtime configuration: where the key-value stores are, in the format of Spin's `--runtime-config-file`.
//!
//! Reads `state_dir` and `[key_value_store.<label>]` of the types `spin` (SQLite) and `redis`. Everything else that
//! Spin would read is refused by name, so that nobody believes a setting to be in force that is not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::toml_file::{self, TomlError};

/// A runtime configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    /// The folder of the state; overrides [`Config::state_dir`](crate::Config::state_dir).
    pub state_dir: Option<PathBuf>,
    /// The stores, by label.
    #[serde(default, rename = "key_value_store")]
    pub key_value_stores: BTreeMap<String, KeyValueStore>,
}

/// One `[key_value_store.<label>]`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum KeyValueStore {
    /// A SQLite file.
    Spin {
        /// The file, relative to the state directory; none for the default file, `sqlite_key_value.db`.
        path: Option<PathBuf>,
    },
    /// A Redis server.
    Redis {
        /// The server, as `redis://[user:password@]host[:port][/database]`.
        url: String,
    },
}

/// Shows no URL, because a URL can hold a password.
impl std::fmt::Debug for KeyValueStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spin { path } => f.debug_struct("Spin").field("path", path).finish(),
            Self::Redis { .. } => f.debug_struct("Redis").finish_non_exhaustive(),
        }
    }
}

impl RuntimeConfig {
    /// Reads a runtime configuration. `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// Whatever is not TOML, and any key or store type that this host does not know: the operator's to fix.
    pub fn parse(file: &str, text: &str) -> Result<Self, TomlError> {
        toml_file::parse(file, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_of_both_types_are_read() {
        let text = "state_dir = \"s\"\n[key_value_store.default]\ntype = \"spin\"\npath = \"a.db\"\n\
                    [key_value_store.other]\ntype = \"redis\"\nurl = \"redis://h\"\n[key_value_store.bare]\ntype = \"spin\"";
        let config = RuntimeConfig::parse("r.toml", text).unwrap();
        assert_eq!(config.state_dir, Some("s".into()));
        assert_eq!(config.key_value_stores["default"], KeyValueStore::Spin { path: Some("a.db".into()) });
        assert_eq!(config.key_value_stores["other"], KeyValueStore::Redis { url: "redis://h".to_owned() });
        assert_eq!(config.key_value_stores["bare"], KeyValueStore::Spin { path: None });
        assert_eq!(RuntimeConfig::parse("r.toml", "").unwrap(), RuntimeConfig::default());
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (text, named) in [
            ("log_dir = \"x\"", "log_dir"),
            ("[sqlite_database.default]\ntype = \"spin\"", "sqlite_database"),
            ("[[variables_provider]]\ntype = \"vault\"", "variables_provider"),
            ("[key_value_store.a]\ntype = \"azure_cosmos\"", "azure_cosmos"),
            ("[key_value_store.a]\ntype = \"spin\"\nmode = \"x\"", "mode"),
            ("[key_value_store.a]\ntype = \"redis\"", "url"),
        ] {
            let message = RuntimeConfig::parse("r.toml", text).unwrap_err().to_string();
            assert!(message.starts_with("r.toml:") && message.contains(named), "{message}");
        }
    }

    #[test]
    fn a_password_is_in_no_output() {
        let text = "[key_value_store.a]\ntype = \"redis\"\nurl = \"redis://u:hunter2@h\"";
        assert!(!format!("{:?}", RuntimeConfig::parse("r.toml", text).unwrap()).contains("hunter2"));
        let error = RuntimeConfig::parse("r.toml", &format!("{text}\nmode = 1")).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
