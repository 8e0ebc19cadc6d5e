//! Facts about a checkout from git and the CI system. All are optional: without git there are none, and no error.

use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use domain::source::Revision;

/// Variables with the branch in CI systems, which check out a commit, so that git does not know the branch: GitHub
/// (for a pull request, then for anything else), GitLab, Jenkins.
const BRANCH_VARIABLES: [&str; 4] = ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME"];

/// The revision of the checkout that a folder is in.
pub(crate) fn revision(folder: &Path, variable: impl Fn(&str) -> Option<String>) -> Revision {
    let named = git(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"]);
    let by_ci = || BRANCH_VARIABLES.iter().find_map(|name| variable(name).filter(|branch| !branch.is_empty()));
    Revision {
        commit: git(folder, &["rev-parse", "--verify", "--quiet", "HEAD"]).and_then(legal),
        branch: named.or_else(by_ci).and_then(legal),
        remote: git(folder, &["config", "--get", "remote.origin.url"]).and_then(legal),
    }
}

/// Parses a text; an illegal one counts as unknown.
fn legal<T: FromStr>(text: String) -> Option<T> {
    text.parse().ok()
}

/// Runs git and returns its output, if it succeeds.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim_end_matches(['\n', '\r']).to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs git, which must succeed.
    fn run(folder: &Path, arguments: &[&str]) {
        let settings = ["-c", "user.name=dev", "-c", "user.email=dev@host.example", "-c", "commit.gpgsign=false"];
        let status = Command::new("git").arg("-C").arg(folder).args(settings).args(arguments).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    fn parts(folder: &Path, variables: &[(&str, &str)]) -> [Option<String>; 3] {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let Revision { commit, branch, remote } = revision(folder, variable);
        [commit.map(String::from), branch.map(String::from), remote.map(String::from)]
    }

    #[test]
    fn a_checkout_has_a_commit_a_branch_and_a_remote_without_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        run(path, &["init", "--quiet", "--initial-branch", "feature/x"]);
        assert_eq!(parts(path, &[]), [None, Some("feature/x".to_owned()), None], "before the first commit");
        run(path, &["commit", "--quiet", "--allow-empty", "--message", "first"]);
        run(path, &["remote", "add", "origin", "https://me:hunter2@host.example/web.git"]);
        let [commit, branch, remote] = parts(path, &[("GITHUB_REF_NAME", "other")]);
        assert_eq!(commit.map(|commit| commit.len()), Some(40));
        assert_eq!(branch.as_deref(), Some("feature/x"), "what git knows needs no variable");
        assert_eq!(remote.as_deref(), Some("https://host.example/web.git"));
    }

    #[test]
    fn a_detached_checkout_has_the_branch_that_ci_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        run(path, &["init", "--quiet", "--initial-branch", "main"]);
        run(path, &["commit", "--quiet", "--allow-empty", "--message", "first"]);
        run(path, &["checkout", "--quiet", "--detach"]);
        let branch = |variables: &[(&str, &str)]| parts(path, variables)[1].clone();
        assert_eq!(branch(&[]), None);
        for name in BRANCH_VARIABLES {
            assert_eq!(branch(&[(name, "feature/y")]).as_deref(), Some("feature/y"), "{name}");
        }
        let pull_request = [("GITHUB_HEAD_REF", "feature/y"), ("GITHUB_REF_NAME", "12/merge")];
        assert_eq!(branch(&pull_request).as_deref(), Some("feature/y"));
        assert_eq!(branch(&[("GITHUB_HEAD_REF", ""), ("GITHUB_REF_NAME", "main")]).as_deref(), Some("main"));
        assert_eq!(branch(&[("BRANCH_NAME", "a\nb")]), None, "a text that is not a branch is ignored");
    }

    #[test]
    fn a_folder_outside_git_has_no_revision() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(parts(&folder.path().join("none"), &[]), [None, None, None]);
    }
}
