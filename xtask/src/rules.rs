//! Rules about dependencies, checked on Cargo's metadata: packages that must not depend on others. A name in a rule
//! that is not a package fails the check, because a rule about a misspelt package would never be broken.

pub(crate) mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::workspace::Workspace;

/// None of `of` may depend on any of `never`, directly or indirectly.
pub(crate) struct Rule {
    of: &'static [&'static str],
    never: &'static [&'static str],
}

/// The pure crates do no I/O, and the core and the parsers know nothing of each other.
const RULES: &[Rule] = &[
    Rule { of: &["domain", "finding", "scanners"], never: &["spin-sdk", "wasmtime", "tokio", "hyper"] },
    Rule { of: &["domain"], never: &["scanners"] },
    Rule { of: &["scanners"], never: &["domain"] },
];

/// Checks the workspace.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let host = host()?;
    let metadata = ["metadata", "--format-version", "1", "--filter-platform", &host];
    let output = workspace.cargo().args(metadata).output().context("cannot run cargo")?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let violations = violations(&serde_json::from_slice(&output.stdout)?, RULES)?;
    anyhow::ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// The platform that native code is compiled for.
pub(crate) fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not name its host")?;
    Ok(host.to_owned())
}

/// Names and normal dependencies of all packages, by id.
struct Graph<'a> {
    names: BTreeMap<&'a str, &'a str>,
    dependencies: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Describes each broken rule, with the path from one package to the other.
fn violations(metadata: &Value, rules: &[Rule]) -> Result<Vec<String>> {
    let graph = Graph::read(metadata).context("cargo metadata is not as expected")?;
    let known: BTreeSet<&str> = graph.names.values().copied().collect();
    let mut violations = Vec::new();
    for rule in rules {
        for name in rule.of.iter().chain(rule.never).filter(|name| !known.contains(*name)) {
            violations.push(format!("a rule names {name}, which is not a package; correct the name or remove it"));
        }
        for start in graph.names.keys().filter(|id| rule.of.contains(&graph.name(id))) {
            violations
                .extend(graph.way(start, rule.never).map(|way| format!("{}: this is not allowed", way.join(" -> "))));
        }
    }
    Ok(violations)
}

impl<'a> Graph<'a> {
    fn read(metadata: &'a Value) -> Option<Self> {
        let text = |value: &'a Value, name| value.get(name).and_then(Value::as_str);
        let mut names = BTreeMap::new();
        for package in metadata.get("packages")?.as_array()? {
            names.insert(text(package, "id")?, text(package, "name")?);
        }
        let mut dependencies = BTreeMap::new();
        for node in metadata.get("resolve")?.get("nodes")?.as_array()? {
            let mut normal = Vec::new();
            for dependency in node.get("deps")?.as_array()? {
                // A normal dependency has no kind; `dev` and `build` ones are not part of the program.
                let kinds = dependency.get("dep_kinds")?.as_array()?;
                if kinds.iter().any(|kind| kind.get("kind").is_some_and(Value::is_null)) {
                    normal.push(text(dependency, "pkg")?);
                }
            }
            dependencies.insert(text(node, "id")?, normal);
        }
        Some(Self { names, dependencies })
    }

    fn name(&self, id: &str) -> &'a str {
        self.names.get(id).copied().unwrap_or("?")
    }

    /// The names on a shortest path from a package to a forbidden one.
    fn way(&self, start: &'a str, never: &[&str]) -> Option<Vec<&'a str>> {
        let mut seen = BTreeSet::from([start]);
        let mut ways = std::collections::VecDeque::from([vec![start]]);
        while let Some(way) = ways.pop_front() {
            let end = way.last()?;
            for next in self.dependencies.get(end).into_iter().flatten() {
                let longer = || way.iter().copied().chain([*next]);
                if never.contains(&self.name(next)) {
                    return Some(longer().map(|id| self.name(id)).collect());
                }
                if seen.insert(next) {
                    ways.push_back(longer().collect());
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A package's name, and its dependencies with their kinds.
    type Package<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

    /// Metadata of these packages.
    fn metadata(packages: &[Package]) -> Value {
        let dependency = |(name, kind): &(&str, Option<&str>)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        json!({
            "packages": packages.iter().map(|(name, _)| json!({"id": name, "name": name})).collect::<Vec<_>>(),
            "resolve": {"nodes": packages.iter().map(|(name, dependencies)| {
                json!({"id": name, "deps": dependencies.iter().map(dependency).collect::<Vec<_>>()})
            }).collect::<Vec<_>>()},
        })
    }

    const RULE: &[Rule] = &[Rule { of: &["core"], never: &["net"] }];

    #[test]
    fn a_dependency_is_found_at_any_distance() {
        let found = |metadata: &Value| violations(metadata, RULE).unwrap();
        let good = metadata(&[("core", &[("a", None)]), ("a", &[("core", None)]), ("net", &[])]);
        assert_eq!(found(&good), Vec::<String>::new());
        let direct = metadata(&[("core", &[("net", None)]), ("net", &[])]);
        assert_eq!(found(&direct), ["core -> net: this is not allowed"]);
        let far = metadata(&[("core", &[("a", None)]), ("a", &[("b", None)]), ("b", &[("net", None)]), ("net", &[])]);
        assert_eq!(found(&far), ["core -> a -> b -> net: this is not allowed"]);
    }

    #[test]
    fn dependencies_of_tests_and_build_scripts_are_allowed() {
        let packages =
            metadata(&[("core", &[("net", Some("dev")), ("a", Some("build"))]), ("a", &[("net", None)]), ("net", &[])]);
        assert_eq!(violations(&packages, RULE).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_misspelt_name_on_either_side_fails() {
        let packages = metadata(&[("core", &[]), ("net", &[])]);
        let rules = [Rule { of: &["coer"], never: &["net"] }, Rule { of: &["core"], never: &["nett"] }];
        let expected = ["coer", "nett"]
            .map(|name| format!("a rule names {name}, which is not a package; correct the name or remove it"));
        assert_eq!(violations(&packages, &rules).unwrap(), expected);
    }

    #[test]
    fn invalid_metadata_is_an_error() {
        for value in
            [json!({}), json!({"packages": [], "resolve": null}), json!({"packages": [{}], "resolve": {"nodes": []}})]
        {
            assert!(violations(&value, RULE).is_err(), "{value}");
        }
    }
}
