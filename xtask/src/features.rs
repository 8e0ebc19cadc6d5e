//! The rule that tests run the shipped program: each package has the same features in the tested graph as in the
//! shipped one. Cargo unifies the features of everything that it compiles together, so a dependency of a test can
//! enable a feature of a shipped crate; then another program is tested, and the crate and its dependents are compiled
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::rules::host;
use crate::test::PURE;
use crate::workspace::{WASM_TARGET, Workspace};

/// Packages whose features may differ when the pure crates are tested inside Wasm: `zip` links a source of randomness
/// but never calls it; proptest calls it.
const MAY_DIFFER: [&str; 1] = ["getrandom"];

/// The feature sets that each package is compiled with, by name and version.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Compares the graphs, natively and in Wasm.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let host = host()?;
    let native = |edges| tree(workspace, &["--workspace", "--edges", edges, "--target", &host]);
    let wasm = |names: &[&str], edges: &str| {
        let edges = format!("{edges},no-proc-macro");
        let names = names.iter().flat_map(|name| ["-p", name]);
        tree(workspace, &names.chain(["--edges", &edges, "--target", WASM_TARGET]).collect::<Vec<_>>())
    };
    let components = workspace.components()?;
    let in_wasm = wasm(&components.iter().map(String::as_str).collect::<Vec<_>>(), "normal")?;
    // The pure crates use only some of the shipped packages; packages that only their tests use may have any features.
    let mut used_by_pure = in_wasm.clone();
    let pure = wasm(&PURE, "normal")?;
    used_by_pure.retain(|package, _| pure.contains_key(package));
    let (excused, compared): (Features, Features) =
        used_by_pure.into_iter().partition(|(package, _)| MAY_DIFFER.contains(&name(package)));
    let pure_tested = wasm(&PURE, "normal,dev")?;

    let mut differences = differences(&native("normal,build")?, &native("normal,build,dev")?);
    differences.extend(self::differences(&compared, &pure_tested));
    let needless = MAY_DIFFER.iter().filter(|excuse| {
        !excused
            .iter()
            .any(|(package, _)| name(package) == **excuse && pure_tested.get(package) != excused.get(package))
    });
    differences.extend(needless.map(|name| format!("{name} does not differ; remove it from MAY_DIFFER")));
    anyhow::ensure!(
        differences.is_empty(),
        "tests would not run the shipped program:\n{}\nname the features in [workspace.dependencies] if they may ship, or keep the \
         dependency of the tests out of this workspace",
        differences.join("\n")
    );
    Ok(())
}

fn tree(workspace: &Workspace, arguments: &[&str]) -> Result<Features> {
    let mut cargo = workspace.cargo();
    let output = cargo.args(["tree", "--prefix", "none", "--format", "{p}|{f}"]).args(arguments).output();
    let output = output.context("cannot run cargo")?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim());
    let features = parse(&String::from_utf8(output.stdout)?)?;
    anyhow::ensure!(features.len() > 1, "cargo tree lists no packages");
    Ok(features)
}

/// Parses lines of `name version (where)|features`; a line of a package that came before ends with ` (*)`.
fn parse(text: &str) -> Result<Features> {
    let mut all = Features::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line = line.strip_suffix(" (*)").unwrap_or(line);
        let (package, features) = line.split_once('|').with_context(|| format!("cargo tree printed `{line}`"))?;
        let package = package.split(' ').take(2).collect::<Vec<_>>().join(" ");
        all.entry(package).or_default().insert(features.to_owned());
    }
    Ok(all)
}

/// The name in `name version`.
fn name(package: &str) -> &str {
    package.split(' ').next().unwrap_or(package)
}

/// Describes each feature set of a shipped package that only the tested graph has.
fn differences(shipped: &Features, tested: &Features) -> Vec<String> {
    let mut differences = Vec::new();
    for (package, shipped) in shipped {
        for features in tested.get(package).into_iter().flatten().filter(|features| !shipped.contains(*features)) {
            let shipped = shipped.iter().map(String::as_str).collect::<Vec<_>>().join("` or `");
            differences.push(format!("{package} ships with the features `{shipped}` and is tested with `{features}`"));
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_tests_enable_is_found() {
        let shipped = parse("a v1.0.0 (/x/a)|\nb v2.0.0|std\n").unwrap();
        let same = parse("a v1.0.0 (/x/a)|\nb v2.0.0|std\nb v2.0.0|std (*)\nc v1.0.0|all\n").unwrap();
        assert_eq!(differences(&shipped, &same), Vec::<String>::new());
        let other = parse("a v1.0.0 (/x/a)|\nb v2.0.0|std\nb v2.0.0|alloc,std\n").unwrap();
        let expected = "b v2.0.0 ships with the features `std` and is tested with `alloc,std`";
        assert_eq!(differences(&shipped, &other), [expected]);
        // Another version is another crate.
        assert_eq!(differences(&shipped, &parse("b v3.0.0|alloc").unwrap()), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_features_is_an_error() {
        assert!(parse("a v1.0.0").is_err());
    }
}
