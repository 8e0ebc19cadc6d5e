//! Data from the scanned working tree that comes with an upload: its revision, and for each finding the hash of its
//! file and, if the report shows no code, the lines.

use crate::ids::{CommitId, VariantName};
use finding::{BlindSpot, Excerpt, Finding, Reach};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The maximum length of a remote's address, in characters.
const REMOTE_CHARS_MAX: usize = 1024;

/// The scanned revision of a repository, as git reports it. Unknown values are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The commit that was checked out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<CommitId>,
    /// The branch that was checked out, or the one that a CI system names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub branch: Option<VariantName>,
    /// The address of the repository.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote: Option<RemoteUrl>,
}

impl Revision {
    /// True if nothing is known.
    pub fn is_empty(&self) -> bool {
        let Self { commit, branch, remote } = self;
        commit.is_none() && branch.is_none() && remote.is_none()
    }
}

/// The address of a remote without credentials: no password, token or query. Parsing removes them, so no value of this
/// type contains any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RemoteUrl(String);

/// An error in the address of a remote. It does not contain the text, which may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteUrlError {
    /// It is empty.
    #[error("the remote is empty")]
    Empty,
    /// It is too long.
    #[error("the remote has more than {REMOTE_CHARS_MAX} characters")]
    TooLong,
    /// It has a control character.
    #[error("the remote has a control character")]
    Control,
    /// It seems to contain a password, but the end of the password is unclear.
    #[error("the remote may contain a password whose end is unclear; escape it or leave it out")]
    Unclear,
}

impl FromStr for RemoteUrl {
    type Err = RemoteUrlError;

    fn from_str(text: &str) -> Result<Self, RemoteUrlError> {
        let text = text.trim();
        if text.chars().count() > REMOTE_CHARS_MAX {
            return Err(RemoteUrlError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(RemoteUrlError::Control);
        }
        let address = without_credentials(text)?;
        if address.is_empty() { Err(RemoteUrlError::Empty) } else { Ok(Self(address)) }
    }
}

impl TryFrom<String> for RemoteUrl {
    type Error = RemoteUrlError;

    fn try_from(text: String) -> Result<Self, RemoteUrlError> {
        text.parse()
    }
}

impl From<RemoteUrl> for String {
    fn from(remote: RemoteUrl) -> String {
        remote.0
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Removes user and password, query and fragment from an address. A user without a password stays in addresses of SSH,
/// where it is not a token.
fn without_credentials(text: &str) -> Result<String, RemoteUrlError> {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = text.split_once("://") else {
        // `git@host:path`, or a path of this machine. A colon before the `@` means a password.
        let before = text.split('/').next().unwrap_or_default();
        return match before.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => Ok(text.get(user.len() + 1..).unwrap_or_default().to_owned()),
            None if before.contains(':') && text.contains('@') => Err(RemoteUrlError::Unclear),
            Some(_) | None => Ok(text.to_owned()),
        };
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    // A password with an unescaped `/` starts where the port would be, and ends inside what looks like the path.
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map(|(_, port)| port);
    let is_port = |port: &str| port.bytes().all(|c| c.is_ascii_digit()) && (user.is_some() || !path.contains('@'));
    if !port.is_none_or(is_port) {
        return Err(RemoteUrlError::Unclear);
    }
    let ssh = scheme.eq_ignore_ascii_case("ssh") || scheme.to_ascii_lowercase().ends_with("+ssh");
    let user = user.filter(|_| ssh).and_then(|user| user.split(':').next()).filter(|user| !user.is_empty());
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    Ok(format!("{scheme}://{user}{host}{path}"))
}

/// The part of the working tree that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceView {
    /// The file's path, as the report writes it.
    pub path: String,
    /// The finding's first line.
    pub line: Option<u32>,
    /// SHA-256 of the whole file, 64 hexadecimal digits.
    pub sha256: String,
    /// The finding's lines and the lines around them.
    pub code: Option<Excerpt>,
}

/// The effect of adding a source view to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAdded {
    /// The finding got its code.
    Code,
    /// The finding only got the hash of its file: it already has code, must not get any, or the view has none.
    HashAlone,
    /// The view is of another location than the finding, and was not used.
    Mismatched,
}

/// Adds data of the working tree to a finding. Never replaces data of the report.
pub fn add_source(finding: &mut Finding, view: SourceView) -> SourceAdded {
    let Some(location) = finding.location.as_ref() else { return SourceAdded::Mismatched };
    if location.path != view.path || location.line != view.line {
        return SourceAdded::Mismatched;
    }
    let shows = |code: &Excerpt| {
        let lines = u32::try_from(code.lines.len()).unwrap_or(u32::MAX);
        let range = code.first_line..code.first_line.saturating_add(lines);
        location.line.is_some_and(|line| range.contains(&line))
    };
    if view.code.as_ref().is_some_and(|code| !shows(code)) {
        return SourceAdded::Mismatched;
    }
    finding.file_sha256 = Some(view.sha256);
    match view.code.filter(|_| finding.may_take_code()) {
        None => SourceAdded::HashAlone,
        Some(code) => {
            finding.code = Some(code);
            SourceAdded::Code
        }
    }
}

/// The maximum length of the root of a checkout, in bytes.
const ROOT_BYTES_MAX: usize = 4096;

/// The root of a checkout: an absolute path, as Unix or Windows writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckoutRoot(String);

/// An error in the root of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`root` must be an absolute path of at most {ROOT_BYTES_MAX} bytes, such as /builds/shop or C:\\builds\\shop")]
pub struct CheckoutRootError;

impl TryFrom<String> for CheckoutRoot {
    type Error = CheckoutRootError;

    fn try_from(text: String) -> Result<Self, CheckoutRootError> {
        let path = with_slashes(&text);
        let is_absolute = path.starts_with('/') || path.as_bytes().get(1..3) == Some(b":/");
        if !is_absolute || ROOT_BYTES_MAX < text.len() || text.chars().any(char::is_control) {
            return Err(CheckoutRootError);
        }
        Ok(Self(path.trim_end_matches('/').to_owned()))
    }
}

impl From<CheckoutRoot> for String {
    fn from(root: CheckoutRoot) -> Self {
        // The root of a file system has no other name.
        if root.0.is_empty() { "/".to_owned() } else { root.0 }
    }
}

impl CheckoutRoot {
    /// Makes the paths of a finding relative to the root, where they are below it. Other paths stay as they are.
    pub fn shorten_paths(&self, finding: &mut Finding) {
        for location in finding.location.iter_mut().chain(&mut finding.other_locations) {
            if let Some(relative) = self.relative(&location.path) {
                location.path = relative;
            }
        }
    }

    /// Does the same with the path of a blind spot. The root itself becomes `.`.
    pub fn shorten_path(&self, spot: &mut BlindSpot) {
        if let Reach::File(path) | Reach::Folder(path) = &mut spot.reach {
            let is_root = with_slashes(path).trim_end_matches('/') == self.0;
            let relative = if is_root { Some(".".to_owned()) } else { self.relative(path) };
            *path = relative.unwrap_or_else(|| path.clone());
        }
    }

    fn relative(&self, path: &str) -> Option<String> {
        let path = with_slashes(path);
        let local = path.strip_prefix("file://").unwrap_or(&path);
        // `file:///C:/x` has a slash before the drive.
        let bare = local.strip_prefix('/').filter(|_| !self.0.starts_with('/')).unwrap_or(local);
        let rest = bare.strip_prefix(self.0.as_str())?.strip_prefix('/')?;
        (!self.0.is_empty() && !rest.is_empty()).then(|| rest.to_owned())
    }
}

fn with_slashes(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_root_of_the_checkout_become_relative() {
        let cases = [
            ("/builds/shop", "/builds/shop/src/a.py", "src/a.py"),
            ("/builds/shop/", "file:///builds/shop/src/a.py", "src/a.py"),
            ("C:\\builds\\shop", "C:\\builds\\shop\\src\\a.cs", "src/a.cs"),
            ("C:\\builds\\shop", "file:///C:/builds/shop/src/a.cs", "src/a.cs"),
            ("/builds/shop", "/builds/shop2/src/a.py", "/builds/shop2/src/a.py"),
            ("/builds/shop", "/builds/shop", "/builds/shop"),
            ("/builds/shop", "src/a.py", "src/a.py"),
            ("/builds/shop", "src\\a.py", "src\\a.py"),
            ("/", "/etc/passwd", "/etc/passwd"),
        ];
        for (root, path, expected) in cases {
            let root = CheckoutRoot::try_from(root.to_owned()).unwrap();
            let mut one = finding(0, "B1", path, 1, &[]);
            one.other_locations = vec![finding::Location::file(path)];
            root.shorten_paths(&mut one);
            assert_eq!(one.location.unwrap().path, expected, "{root:?}");
            assert_eq!(one.other_locations[0].path, expected, "{root:?}");
        }
        for invalid in ["", "builds/shop", "./x", "C:", "/a\nb", &format!("/{}", "a".repeat(ROOT_BYTES_MAX))] {
            assert_eq!(CheckoutRoot::try_from(invalid.to_owned()), Err(CheckoutRootError), "{invalid}");
        }
    }
    use crate::testing::finding;
    use finding::Kind;

    #[test]
    fn a_remote_is_read_without_its_credentials() {
        let cases = [
            ("https://github.com/shop/web.git", "https://github.com/shop/web.git"),
            ("https://me:hunter2@github.com/shop/web.git", "https://github.com/shop/web.git"),
            ("https://ghp_token@github.com/shop/web.git", "https://github.com/shop/web.git"),
            ("https://x-access-token:ghs_a@b@github.com/shop/web", "https://github.com/shop/web"),
            ("https://host:8443/web?private_token=hunter2#x", "https://host:8443/web"),
            ("https://me:hunter2@[::1]:8443/web", "https://[::1]:8443/web"),
            ("https://[::1]/web", "https://[::1]/web"),
            ("HTTPS://me:hunter2@host", "HTTPS://host"),
            ("https://host/@scope/web", "https://host/@scope/web"),
            ("ssh://git@host:22/web", "ssh://git@host:22/web"),
            ("ssh://git:hunter2@host/web", "ssh://git@host/web"),
            ("git@github.com:shop/web.git", "git@github.com:shop/web.git"),
            ("me:hunter2@host:web", "host:web"),
            ("/srv/git/web.git", "/srv/git/web.git"),
            (" ../web ", "../web"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<RemoteUrl>().map(String::from).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_bad_address_or_one_with_a_password_is_refused_without_repeating_it() {
        let long = format!("https://host/{}", "x".repeat(REMOTE_CHARS_MAX));
        for (text, expected) in [
            ("", RemoteUrlError::Empty),
            ("?token=hunter2", RemoteUrlError::Empty),
            (long.as_str(), RemoteUrlError::TooLong),
            ("https://host/\u{1b}[31m", RemoteUrlError::Control),
            ("https://me:hun/ter2@host/web", RemoteUrlError::Unclear),
            ("https://me:12/34@host/web", RemoteUrlError::Unclear),
            ("me:hun/ter2@host:web", RemoteUrlError::Unclear),
        ] {
            assert_eq!(text.parse::<RemoteUrl>(), Err(expected));
            assert!(!expected.to_string().contains("hun"));
        }
        let at_limit = &long[..REMOTE_CHARS_MAX];
        assert_eq!(at_limit.parse::<RemoteUrl>().map(String::from).as_deref(), Ok(at_limit));
    }

    #[test]
    fn the_stored_form_of_a_revision_is_pinned_and_bad_parts_are_refused() {
        let text = r#"{"commit":"abc1234","branch":"feature/x","remote":"https://me:pw@host/web"}"#;
        let revision: Revision = serde_json::from_str(text).unwrap();
        insta::assert_json_snapshot!(revision, @r#"
        {
          "commit": "abc1234",
          "branch": "feature/x",
          "remote": "https://host/web"
        }
        "#);
        assert!(!revision.is_empty() && Revision::default().is_empty());
        for bad in [r#"{"commit": "main"}"#, r#"{"branch": ""}"#, r#"{"branch": "a\nb"}"#, r#"{"tag": "v1"}"#] {
            assert!(serde_json::from_str::<Revision>(bad).is_err(), "{bad}");
        }
    }

    fn view(path: &str, line: u32, first_line: u32, lines: &[&str]) -> SourceView {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let code = Some(Excerpt { first_line, lines }).filter(|code| !code.lines.is_empty());
        SourceView { path: path.to_owned(), line: Some(line), sha256: "a".repeat(64), code }
    }

    #[test]
    fn only_a_finding_without_code_gets_code_from_a_sidecar() {
        let mut bare = finding(0, "B1", "a.py", 12, &[]);
        assert_eq!(add_source(&mut bare, view("a.py", 12, 11, &["x", "md5()", "y"])), SourceAdded::Code);
        assert_eq!(bare.code, Some(Excerpt { first_line: 11, lines: ["x", "md5()", "y"].map(str::to_owned).to_vec() }));
        assert_eq!(bare.file_sha256.as_deref(), Some("a".repeat(64).as_str()));
        let mut shown = finding(0, "B1", "a.py", 12, &["own"]);
        assert_eq!(add_source(&mut shown, view("a.py", 12, 12, &["other"])), SourceAdded::HashAlone);
        assert_eq!(shown.code.unwrap().lines, ["own"]);
        assert!(shown.file_sha256.is_some());
    }

    #[test]
    fn a_row_without_lines_gives_only_the_hash() {
        let mut bare = finding(0, "B1", "a.py", 12, &[]);
        assert_eq!(add_source(&mut bare, view("a.py", 12, 1, &[])), SourceAdded::HashAlone);
        assert!(bare.code.is_none() && bare.file_sha256.is_some());
    }

    #[test]
    fn a_row_for_another_location_changes_nothing() {
        let here = || finding(0, "B1", "a.py", 12, &[]);
        let unplaced = Finding { location: None, ..here() };
        for (mut finding, view) in [
            (here(), view("b.py", 12, 12, &["x"])),
            (here(), view("a.py", 13, 13, &["x"])),
            (here(), view("a.py", 12, 13, &["behind the finding"])),
            (here(), view("a.py", 12, 11, &["before the finding"])),
            (here(), SourceView { line: None, ..view("a.py", 12, 12, &["x"]) }),
            (unplaced, view("a.py", 12, 12, &["x"])),
        ] {
            let before = finding.clone();
            assert_eq!(add_source(&mut finding, view), SourceAdded::Mismatched);
            assert_eq!(finding, before);
        }
        assert_eq!(
            add_source(&mut finding(0, "B1", "a.py", u32::MAX, &[]), view("a.py", u32::MAX, 1, &["x"])),
            SourceAdded::Mismatched
        );
    }

    #[test]
    fn no_code_is_added_to_a_secret() {
        let mut secret = Finding { kind: Kind::Secret, ..finding(0, "S1", "a.py", 12, &[]) };
        assert_eq!(add_source(&mut secret, view("a.py", 12, 12, &["password = 'hunter2'"])), SourceAdded::HashAlone);
        assert!(secret.code.is_none());
    }
}
