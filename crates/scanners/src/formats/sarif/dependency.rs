//! Results that are known vulnerabilities of packages. SARIF has no field for a package, so it is read from rule ids
//! and messages, whose form the tools document.

use crate::reader::text::Filled;
use finding::{Finding, Package};

/// True if a rule id is that of an advisory: `CVE-2021-44228`, `GHSA-…`, `SNYK-…`, with or without a package after it.
pub(super) fn is_advisory(id: &str) -> bool {
    advisory(id).is_some()
}

/// The advisory at the beginning of an id, and the rest of the id.
fn advisory(id: &str) -> Option<(String, &str)> {
    let cve = |text: &str| -> Option<usize> {
        let rest = text.strip_prefix("CVE-")?;
        let (year, number) = rest.split_once('-')?;
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let valid = year.len() == 4 && year.bytes().all(|c| c.is_ascii_digit()) && digits >= 4;
        valid.then_some(4 + 5 + digits)
    };
    let ghsa = |text: &str| -> Option<usize> {
        const LENGTH: usize = "GHSA-xxxx-xxxx-xxxx".len();
        let whole = text.get(..LENGTH)?;
        whole.starts_with("GHSA-").then_some(LENGTH)
    };
    let word = |text: &str| -> Option<usize> {
        const VENDORS: [&str; 14] = [
            "SNYK-", "RUSTSEC-", "PYSEC-", "GO-", "DSA-", "DLA-", "ELSA-", "RHSA-", "ALAS", "USN-", "OSV-", "MAL-",
            "NSWG-", "BDSA-",
        ];
        let vendor = VENDORS.iter().any(|vendor| text.starts_with(vendor)) && text.bytes().any(|c| c.is_ascii_digit());
        vendor.then(|| text.find([' ', '(']).unwrap_or(text.len()))
    };
    let end = cve(id).or_else(|| ghsa(id)).or_else(|| word(id))?;
    let (advisory, rest) = id.split_at_checked(end)?;
    Some((advisory.to_owned(), rest))
}

/// Adds the advisory and the package: `component` if the report has it, else as the tool writes them.
pub(super) fn fill(finding: &mut Finding, component: Option<Package>, tool: &str) {
    let rule = finding.rule.clone();
    let mut suffix = "";
    if let Some((id, rest)) = advisory(&rule) {
        finding.advisories.push(id.clone());
        // `BDSA-2020-1001 (CVE-2020-11022)`: the other ids are in brackets.
        let others = rest.split(['(', ')', ',', ' ']).filter_map(|word| advisory(word.trim()).map(|(id, _)| id));
        finding.advisories.extend(others);
        // Checkov: `CVE-2019-19844_django@1.2`.
        if let Some(package) = rest.strip_prefix(['-', '_']) {
            suffix = package;
            // The tool adds the package to make rule ids unique; the id that both formats share is the advisory.
            finding.rule = id;
        }
    }
    finding.package = component.or_else(|| match tool {
        "trivy" => trivy_package(&finding.message),
        "grype" => grype_package(&finding.message, suffix),
        "osv-scanner" => osv_package(&finding.message),
        "checkov" => (!suffix.is_empty()).then(|| name_and_version(suffix)),
        _ => (!suffix.is_empty()).then(|| Package { name: suffix.to_owned(), ..Package::default() }),
    });
}

/// Trivy's message consists of lines: `Package: openssl`, `Installed Version: 1.1.1`, `Fixed Version: 1.1.1k`.
fn trivy_package(message: &str) -> Option<Package> {
    let field = |name: &str| {
        let value = message.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned()).filled()
    };
    Some(Package {
        name: field("Package")?,
        version: field("Installed Version"),
        fixed_versions: field("Fixed Version")
            .iter()
            .flat_map(|list| list.split(','))
            .map(|v| v.trim().to_owned())
            .collect(),
        ..Package::default()
    })
}

/// Grype's message: `A high vulnerability in deb package: libc6, version 2.31 was found at: /var/lib/dpkg/status`.
fn grype_package(message: &str, suffix: &str) -> Option<Package> {
    let (before, after) = message.split_once("package: ")?;
    let name = after.split([',', ' ']).next().filter(|name| !name.is_empty()).unwrap_or(suffix);
    let version = after.split_once("version ").and_then(|(_, rest)| rest.split_whitespace().next());
    Some(Package {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        ecosystem: before.split_whitespace().next_back().map(str::to_lowercase),
        ..Package::default()
    })
}

/// A package and its version: `lodash@4.17.15`.
fn name_and_version(package: &str) -> Package {
    let (name, version) = package.rsplit_once('@').filter(|(name, _)| !name.is_empty()).unwrap_or((package, ""));
    let version = version.to_owned().filled();
    Package { name: name.to_owned(), version, ..Package::default() }
}

/// OSV-Scanner's message: `Package 'lodash@4.17.15' is vulnerable to 'CVE-2020-8203'…`.
fn osv_package(message: &str) -> Option<Package> {
    let (_, rest) = message.split_once("Package '")?;
    let (package, _) = rest.split_once('\'')?;
    Some(name_and_version(package))
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::Kind;

    type Versioned = (String, Option<String>);

    fn filled(rule: &str, message: &str, tool: &str) -> (String, Vec<String>, Option<Versioned>) {
        let mut finding = Finding::new(Kind::Dependency, rule, "t", message);
        fill(&mut finding, None, tool);
        (finding.rule, finding.advisories, finding.package.map(|package| (package.name, package.version)))
    }

    #[test]
    fn advisories_and_packages_are_read_as_each_tool_writes_them() {
        let of = |name: &str, version: &str| Some((name.to_owned(), Some(version.to_owned())));
        let one = |id: &str| vec![id.to_owned()];
        let trivy = "Package: openssl\nInstalled Version: 1.1.1\nVulnerability CVE-2021-3711\nFixed Version: 1.1.1l";
        assert_eq!(
            filled("CVE-2021-3711", trivy, "trivy"),
            ("CVE-2021-3711".to_owned(), one("CVE-2021-3711"), of("openssl", "1.1.1"))
        );
        let grype = "A high vulnerability in deb package: libc6, version 2.31-13 was found at: /var/lib/dpkg/status";
        assert_eq!(
            filled("CVE-2021-3711-libc6", grype, "grype"),
            ("CVE-2021-3711".to_owned(), one("CVE-2021-3711"), of("libc6", "2.31-13"))
        );
        let osv = "Package '@types/a@1.0' is vulnerable to 'CVE-2020-8203'";
        assert_eq!(filled("CVE-2020-8203", osv, "osv-scanner").2, of("@types/a", "1.0"));
        let (_, ids, _) = filled("BDSA-2020-1001 (CVE-2020-11022)", "m", "x");
        assert_eq!(ids, ["BDSA-2020-1001", "CVE-2020-11022"]);
        let (rule, ids, _) = filled("GHSA-jfh8-c2jp-5v3q-log4j-core", "m", "grype");
        assert_eq!((rule.as_str(), ids), ("GHSA-jfh8-c2jp-5v3q", one("GHSA-jfh8-c2jp-5v3q")));
    }

    #[test]
    fn other_ids_are_not_advisories() {
        for id in ["B101", "CVE-20", "CVE-2021-x", "GO-lang", "javascript/Sqli", "", "GHSA-short"] {
            assert!(!is_advisory(id), "{id}");
        }
    }
}
