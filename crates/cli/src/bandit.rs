//! The demo's reports: made by Bandit if it is installed, otherwise stored reports of the same program. A Bandit with
//! other findings is another version; then the stored reports are used, for the demo checks exact numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::failure::describe;

/// One state of the demo's program.
struct State {
    name: &'static str,
    sources: &'static [(&'static str, &'static str)],
    /// Bandit's report.
    report: &'static str,
}

macro_rules! state {
    ($name:literal, [$($file:literal),*]) => {
        State {
            name: $name,
            sources: &[$(($file, include_str!(concat!("../../../demo/", $name, "/", $file)))),*],
            report: include_str!(concat!("../../../demo/reports/", $name, ".json")),
        }
    };
}

const MAIN: State = state!("main", ["notes/__init__.py", "notes/accounts.py", "notes/storage.py"]);
const FEATURE: State = state!(
    "feature",
    ["notes/__init__.py", "notes/accounts.py", "notes/export.py", "notes/storage.py", "notes/templates.py"]
);

/// The reports of both states, and their origin.
pub(crate) struct Reports {
    pub(crate) main: String,
    pub(crate) feature: String,
    /// A sentence about the origin.
    pub(crate) origin: String,
}

/// Runs Bandit if it is installed. A failure of Bandit does not fail the demo.
pub(crate) fn reports() -> Reports {
    let stored = |origin| Reports { main: MAIN.report.to_owned(), feature: FEATURE.report.to_owned(), origin };
    let Some(bandit) = find("bandit") else {
        return stored("Bandit is not installed; the demo uses its stored reports of the same program.".to_owned());
    };
    let made = || -> Result<(String, String)> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        Ok((scan(&bandit, &MAIN, folder.path())?, scan(&bandit, &FEATURE, folder.path())?))
    };
    match made() {
        Ok((main, feature)) => Reports { main, feature, origin: "Bandit has just scanned the program.".to_owned() },
        Err(error) => stored(format!(
            "Bandit ran but its results could not be used ({}); the demo uses its stored reports of the same program.",
            describe(&error)
        )),
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Writes the sources of a state into a folder and runs Bandit on them.
fn scan(bandit: &Path, state: &State, folder: &Path) -> Result<String> {
    let folder = folder.join(state.name);
    for (name, text) in state.sources {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, text)?;
    }
    let arguments = ["-q", "-r", ".", "-f", "json"];
    let output = Command::new(bandit).args(arguments).current_dir(&folder).output().context("it can't be started")?;
    // 1 means that there are findings.
    anyhow::ensure!(matches!(output.status.code(), Some(0 | 1)), "it ended with {}", output.status);
    let report = String::from_utf8(output.stdout).context("its report is not UTF-8")?;
    let (found, expected) = (findings(&report)?, findings(state.report)?);
    anyhow::ensure!(found == expected, "this version finds {found:?} in {}, not {expected:?}", state.name);
    Ok(report)
}

/// Counts the findings of each test, with its severity.
fn findings(report: &str) -> Result<BTreeMap<String, usize>> {
    let report: serde_json::Value = serde_json::from_str(report).context("its report is not JSON")?;
    let results = report.get("results").and_then(serde_json::Value::as_array).context("its report has no results")?;
    let mut findings = BTreeMap::new();
    for result in results {
        let word = |name| result.get(name).and_then(serde_json::Value::as_str).unwrap_or("?");
        *findings.entry(format!("{} {}", word("test_id"), word("issue_severity"))).or_insert(0) += 1;
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_reports_have_the_numbers_that_the_demo_expects() {
        let numbers = |state: &State| {
            let findings = findings(state.report).unwrap();
            (findings.len(), findings.values().sum::<usize>())
        };
        assert_eq!(numbers(&MAIN), (2, 2));
        assert_eq!(numbers(&FEATURE), (5, 9));
    }

    #[test]
    fn the_sources_are_all_files_of_the_demos_folders() {
        for state in [&MAIN, &FEATURE] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo").join(state.name).join("notes");
            let mut in_folder: Vec<_> = fs::read_dir(folder)
                .unwrap()
                .map(|entry| format!("notes/{}", entry.unwrap().file_name().into_string().unwrap()))
                .filter(|name| name.ends_with(".py"))
                .collect();
            in_folder.sort();
            assert_eq!(state.sources.iter().map(|(name, _)| *name).collect::<Vec<_>>(), in_folder);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_not_bandit_is_an_error_and_exit_code_1_with_findings_is_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let bandit = folder.path().join("bandit");
        let check = |script: &str| {
            fs::write(&bandit, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&bandit, fs::Permissions::from_mode(0o755)).unwrap();
            scan(&bandit, &MAIN, folder.path()).map_err(|error| describe(&error))
        };
        assert!(check("exit 127").unwrap_err().starts_with("it ended with"));
        assert!(check("echo x").unwrap_err().starts_with("its report is not JSON"));
        assert!(check(r#"echo '{"results": []}'"#).unwrap_err().starts_with("this version finds {} in main"));
        fs::write(folder.path().join("stored.json"), MAIN.report).unwrap();
        assert_eq!(check("cat ../stored.json; exit 1").as_deref(), Ok(MAIN.report));
    }
}
