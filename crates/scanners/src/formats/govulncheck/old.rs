//! The single object that govulncheck wrote before version 1.

use super::{Level, advisory, rate, raw_fields};
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::value::advisory::or_default;
use crate::value::osv::Entry;
use finding::{Finding, Package};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Versions of modules, by the old format's number and by path.
#[derive(Default)]
pub(super) struct ModuleVersions {
    by_number: BTreeMap<u64, String>,
    by_path: BTreeMap<String, String>,
}

pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut modules = ModuleVersions::default();
    json::walk(input, &["Requires.Modules{}", "Modules[]"], &mut |item| {
        if let Ok(RawModule { path, version: Some(version), .. }) = item.read::<RawModule>() {
            if let Ok(number) = item.name(0).parse() {
                modules.by_number.insert(number, version.clone());
            }
            modules.by_path.insert(path, version);
        }
        Ok(())
    })?;
    let seen = json::walk(input, &["Vulns~[]"], &mut |item| {
        collector.result(item.read::<RawVulnerability>().and_then(|vulnerability| vulnerability.into_finding(&modules)))
    })?;
    seen.require(collector, &[0], "an old report of govulncheck is an object with the list `Vulns`")
}

/// An entry of the old format: for one symbol (`ModPath`, `PkgPath`, `Symbol`), later for several modules (`Modules`).
#[derive(Deserialize)]
pub(super) struct RawVulnerability {
    #[serde(rename = "OSV", alias = "osv")]
    osv: Entry,
    #[serde(default, rename = "Symbol", deserialize_with = "or_default")]
    symbol: Option<String>,
    #[serde(default, rename = "PkgPath", deserialize_with = "or_default")]
    package: Option<String>,
    #[serde(default, rename = "ModPath", deserialize_with = "or_default")]
    module: Option<String>,
    #[serde(default, rename = "CallSink", deserialize_with = "or_default")]
    call_sink: u64,
    #[serde(default, rename = "ImportSink", deserialize_with = "or_default")]
    import_sink: u64,
    #[serde(default, rename = "RequireSink", deserialize_with = "or_default")]
    require_sink: u64,
    #[serde(default, rename = "Modules", alias = "modules", deserialize_with = "or_default")]
    modules: Vec<RawModule>,
}

#[derive(Deserialize)]
struct RawModule {
    #[serde(rename = "Path", alias = "path")]
    path: String,
    #[serde(
        default,
        rename = "Version",
        alias = "FoundVersion",
        alias = "found_version",
        deserialize_with = "or_default"
    )]
    version: Option<String>,
    #[serde(default, rename = "FixedVersion", alias = "fixed_version", deserialize_with = "or_default")]
    fixed: Option<String>,
    #[serde(default, rename = "Packages", alias = "packages", deserialize_with = "or_default")]
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    #[serde(rename = "Path", alias = "path")]
    path: String,
    #[serde(
        default,
        rename = "CallStacks",
        alias = "callstacks",
        alias = "call_stacks",
        deserialize_with = "or_default"
    )]
    stacks: Vec<RawStack>,
}

#[derive(Deserialize)]
struct RawStack {
    #[serde(default, rename = "Symbol", alias = "symbol", deserialize_with = "or_default")]
    symbol: Option<String>,
    #[serde(default, rename = "Summary", alias = "summary", deserialize_with = "or_default")]
    summary: Option<String>,
}

impl RawVulnerability {
    pub(super) fn into_finding(self, versions: &ModuleVersions) -> Result<Finding, String> {
        let module = self.modules.first();
        let name = module.map(|module| module.path.clone()).or(self.module);
        let name = name.or_else(|| self.osv.package().map(str::to_owned));
        let Some(name) = name else { return Err(format!("the module of `{}` is missing", self.osv.id)) };
        let packages = || self.modules.iter().flat_map(|module| &module.packages);
        let stack = packages().flat_map(|package| &package.stacks).next();
        let level = if stack.is_some() || self.call_sink != 0 {
            Level::Symbol
        } else if packages().next().is_some() || self.import_sink != 0 {
            Level::Package
        } else {
            Level::Module
        };
        let package = self.package.or_else(|| packages().next().map(|package| package.path.clone()));
        let symbol = self.symbol.or_else(|| stack.and_then(|stack| stack.symbol.clone()));
        let message = match (level, stack.and_then(|stack| stack.summary.clone()), &package) {
            (_, Some(summary), _) => summary,
            (Level::Symbol, None, _) => format!("calls {}", symbol.as_deref().unwrap_or(&name)),
            (Level::Package, None, Some(package)) => format!("imports {package}"),
            (Level::Package | Level::Module, None, _) => format!("requires {name}"),
        };
        let found = module.and_then(|module| module.version.clone());
        let version = found.or_else(|| versions.by_number.get(&self.require_sink).cloned());
        let fixed = module.and_then(|module| module.fixed.clone()).filled();
        let fixed_versions = fixed.map_or_else(|| self.osv.fixed_versions(&name), |version| vec![version]);
        let mut finding = Finding {
            raw: raw_fields([("package", package), ("symbol", symbol)]),
            package: Some(Package {
                version: version.or_else(|| versions.by_path.get(&name).cloned()),
                name,
                ecosystem: Some("go".to_owned()),
                purl: None,
                fixed_versions,
            }),
            ..advisory(&self.osv.id, &self.osv, message)
        };
        rate(&mut finding, &self.osv, level, false);
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SCANNER;
    use crate::tests::findings;

    #[test]
    fn the_old_formats_are_read() {
        let flat = r#"{"Calls": {}, "Imports": {}, "Vulns": [{"OSV": {"id": "GO-2022-0969"}, "Symbol": "Serve", "PkgPath": "net/http",
            "ModPath": "stdlib", "CallSink": 0, "ImportSink": 7, "RequireSink": 1}],
            "Requires": {"Modules": {"1": {"ID": 1, "Path": "stdlib", "Version": "v1.19.0"}}}}"#;
        let nested = r#"{"Vulns": [{"OSV": {"id": "GO-2022-0969"}, "Modules": [{"Path": "stdlib", "FoundVersion": "v1.19.0",
            "FixedVersion": "v1.19.1", "Packages": [{"Path": "net/http", "CallStacks": [{"Symbol": "Serve", "Summary": "main calls Serve"}]}]}]}]}"#;
        for (text, message, score) in [(flat, "imports net/http", 550), (nested, "main calls Serve", 800)] {
            let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!((findings[0].rule.as_str(), findings[0].message.as_str()), ("GO-2022-0969", message));
            assert_eq!(findings[0].package.as_ref().unwrap().version.as_deref(), Some("v1.19.0"));
            assert_eq!(findings[0].score.unwrap().score.hundredths(), score);
        }
    }
}
