//! Files: the workspace, its built programs, and the store of an application.

use std::path::{Path, PathBuf};

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The `gatehouse` command, compiled with the profile of the running program.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // Tests and benchmarks are in the folder `deps` of their profile's folder.
    let folder = own.parent().unwrap();
    let folder = if folder.ends_with("deps") { folder.parent().unwrap() } else { folder };
    let path = folder.join(format!("gatehouse{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: run `cargo xtask test`", path.display());
    path
}

/// The folder where all suites cache compiled code, so that each component is compiled once.
pub(crate) fn cache() -> PathBuf {
    let path = target().join("tmp").join("gatehouse-cache");
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The file of a component, by its `source` in `spin.toml`: the one of the tests' profile, unless the suites run on
/// Spin.
pub fn component(source: &str) -> PathBuf {
    let shipped = workspace().join(source);
    let path = if crate::app::spin().is_some() {
        shipped
    } else {
        target().join("wasm32-wasip2/quick").join(shipped.file_name().unwrap())
    };
    assert!(path.exists(), "{} is missing: run `cargo xtask test`", path.display());
    path
}

/// The folder of large data that an environment variable names; fails if it is not set.
pub fn data(variable: &str) -> PathBuf {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| panic!("{variable} is not set; `cargo xtask test --data` sets it"));
    assert!(folder.is_dir(), "{variable} names {}, which is not a folder", folder.display());
    folder
}

/// The folder that Cargo builds into.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => workspace().join(target),
        None => workspace().join("target"),
    }
}

/// The SQLite file of an application. Write to it only while the application is stopped.
pub struct StoreFile {
    connection: rusqlite::Connection,
}

impl StoreFile {
    pub(crate) fn open(path: &Path) -> Self {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = rusqlite::Connection::open_with_flags(path, flags)
            .unwrap_or_else(|error| panic!("{} cannot be opened: {error}", path.display()));
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        Self { connection }
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        let mut statement = self.connection.prepare("SELECT key FROM spin_key_value ORDER BY key").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// The values of all keys with this prefix, as text.
    pub fn values(&self, beginning: &str) -> Vec<String> {
        let sql = "SELECT value FROM spin_key_value WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
        let mut statement = self.connection.prepare(sql).unwrap();
        let values = statement.query_map([beginning], |row| row.get::<_, Vec<u8>>(0)).unwrap().map(Result::unwrap);
        values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
    }

    /// Writes a value.
    pub fn set(&self, key: &str, value: &[u8]) {
        let sql = "INSERT OR REPLACE INTO spin_key_value (store, key, value) VALUES ('default', ?1, ?2)";
        self.connection.execute(sql, (key, value)).unwrap();
    }
}
