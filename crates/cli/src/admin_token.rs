//! The installation's first admin token: given by the operator, or generated once and stored in the data folder. It is
//! written only to a file that only its owner can read.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use api::auth::TOKEN_PREFIX;

use crate::failure::Hinted;
use crate::random;

/// The file in the data folder.
const FILE_NAME: &str = "admin-token";
/// The shortest token accepted from a file.
const TOKEN_BYTES_MIN: usize = 16;

/// A token from a data folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub(crate) token: String,
    /// The path of its file.
    pub(crate) path: PathBuf,
    /// True if it was generated just now.
    pub(crate) new: bool,
}

/// The token of a data folder, generated if it is missing.
pub(crate) fn load_or_generate(data: &Path) -> Result<StoredToken> {
    let path = data.join(FILE_NAME);
    if let Some(token) = read(&path)? {
        return Ok(StoredToken { token, path, new: false });
    }
    let token = generate()?;
    fs::create_dir_all(data).with_context(|| format!("cannot create the data folder {}", data.display()))?;
    let failed = || format!("cannot store the admin token in {}", path.display());
    // A temporary file is readable by its owner alone from the start; it gets its name once it is complete.
    let mut file = tempfile::NamedTempFile::new_in(data).with_context(failed)?;
    writeln!(file, "{token}").and_then(|()| file.as_file().sync_all()).with_context(failed)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(StoredToken { token, path, new: true }),
        // Another server on the same data was faster: its token is used.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            let token = read(&path)?.with_context(failed)?;
            Ok(StoredToken { token, path, new: false })
        }
        Err(error) => Err(error.error).with_context(failed),
    }
}

/// A new token in the server's format.
pub(crate) fn generate() -> Result<String> {
    Ok(format!("{TOKEN_PREFIX}{}", random::hex::<32>()?))
}

fn read(path: &Path) -> Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read the admin token in {}", path.display())),
    };
    let token = text.trim();
    if token.len() < TOKEN_BYTES_MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("{} does not contain a token", path.display());
        return Err(Hinted { message, hint: "remove the file to get a new token".to_owned() }.into());
    }
    Ok(Some(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_generated_once_and_stored() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("not/there/yet");
        let first = load_or_generate(&data).unwrap();
        assert!(first.new && first.token.starts_with("gate_") && first.token.len() == "gate_".len() + 64);
        assert_eq!(load_or_generate(&data).unwrap(), StoredToken { new: false, ..first });
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let stored = load_or_generate(folder.path()).unwrap();
        assert_eq!(fs::metadata(stored.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_stops_the_start_and_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "\n", "short", "two words and more of them"] {
            fs::write(folder.path().join(FILE_NAME), text).unwrap();
            let error = load_or_generate(folder.path()).unwrap_err().to_string();
            assert!(error.ends_with("does not contain a token"), "{error}");
            assert_eq!(fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(), text);
        }
    }

    #[test]
    fn two_tokens_differ() {
        assert_ne!(generate().unwrap(), generate().unwrap());
    }
}
