//! Maps driver names to tools, and describes the tools whose SARIF needs special treatment.

use crate::value::rating::Words;
use finding::Kind;

/// A tool whose SARIF needs special treatment.
#[derive(Debug)]
pub(super) struct KnownTool {
    pub(super) tool: &'static str,
    /// The kind of its results, unless the rule or the result determines it.
    pub(super) kind: Kind,
    /// The tool's own words for severities, if its SARIF has them in `properties.issue_severity` or they follow from
    /// its levels, see [`severity_word`](super::tool_specific::severity_word).
    pub(super) words: Option<Words>,
}

const fn with_kind(tool: &'static str, kind: Kind) -> KnownTool {
    KnownTool { tool, kind, words: None }
}

const fn with_words(tool: &'static str, kind: Kind, words: Words) -> KnownTool {
    KnownTool { tool, kind, words: Some(words) }
}

/// Tools whose results are not code, or that have their own words for severities.
const KNOWN: &[KnownTool] = &[
    with_words("bandit", Kind::Code, crate::formats::bandit::SCANNER.severity_words),
    with_words("checkov", Kind::Infrastructure, crate::formats::checkov::SCANNER.severity_words),
    with_kind("dependency-check", Kind::Dependency),
    with_kind("dockle", Kind::Infrastructure),
    with_kind("gitleaks", Kind::Secret),
    with_kind("grype", Kind::Dependency),
    with_kind("hadolint", Kind::Infrastructure),
    with_kind("kics", Kind::Infrastructure),
    with_kind("kubescape", Kind::Infrastructure),
    with_kind("osv-scanner", Kind::Dependency),
    with_words("semgrep", Kind::Code, crate::formats::semgrep::SCANNER.severity_words),
    with_kind("snyk", Kind::Dependency),
    with_kind("terrascan", Kind::Infrastructure),
    with_kind("tfsec", Kind::Infrastructure),
    with_kind("trivy", Kind::Dependency),
    with_kind("trufflehog", Kind::Secret),
    with_kind("zap", Kind::Web),
];

/// Driver names, as slugs, that differ from the tool's name.
const DRIVERS: &[(&str, &str)] = &[
    ("aqua-trivy", "trivy"),
    ("bridgecrew", "checkov"),
    ("codeql-command-line-toolchain", "codeql"),
    ("dependency-check-core", "dependency-check"),
    ("keeping-infrastructure-as-code-secure", "kics"),
    ("nodejsscan", "njsscan"),
    ("opengrep", "semgrep"),
    ("opengrep-oss", "semgrep"),
    ("owasp-dependency-check", "dependency-check"),
    ("owasp-zap", "zap"),
    ("semgrep-oss", "semgrep"),
    ("semgrep-pro", "semgrep"),
    ("snyk-code", "snyk-code"),
    ("snyk-container", "snyk"),
    ("snyk-iac", "snyk"),
    ("snyk-open-source", "snyk"),
    ("snykcode", "snyk-code"),
    ("zap-by-checkmarx", "zap"),
];

/// The tool of a driver: the known tool, else the driver's name as a slug.
pub(super) fn tool_of(driver: &str) -> String {
    let Some(slug) = crate::value::slug::of(driver) else { return "sarif".to_owned() };
    if let Some((_, tool)) = DRIVERS.iter().find(|(driver, _)| *driver == slug) {
        return (*tool).to_owned();
    }
    crate::find(&slug).map_or(slug, |scanner| scanner.tool.to_owned())
}

/// Returns the entry of a tool that needs special treatment.
pub(super) fn known_tool(tool: &str) -> Option<&'static KnownTool> {
    KNOWN.iter().find(|known| known.tool == tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_find_their_tools() {
        let cases = [
            ("Bandit", "bandit"),
            ("Semgrep OSS", "semgrep"),
            ("CodeQL", "codeql"),
            ("CodeQL command-line toolchain", "codeql"),
            ("SnykCode", "snyk-code"),
            ("Snyk Open Source", "snyk"),
            ("My Own  Tool (v2)", "my-own-tool-v2"),
            ("", "sarif"),
            ("€", "sarif"),
        ];
        for (driver, tool) in cases {
            assert_eq!(tool_of(driver), tool, "{driver}");
        }
        assert!(tool_of(&"x".repeat(5000)).len() <= 60);
    }
}
