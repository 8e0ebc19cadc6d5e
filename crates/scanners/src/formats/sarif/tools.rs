//! Tools by their driver's name, and what is special about the SARIF of some.

use crate::value::rating::Words;
use finding::Kind;

/// A tool whose SARIF holds more than the format says.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) tool: &'static str,
    /// What its results are where neither rule nor result tell.
    pub(super) kind: Kind,
    /// The tool's own words for severities, where its SARIF has them in `properties.issue_severity` or they can be told
    /// from its levels (see [`own::word`](super::own::word)).
    pub(super) words: Option<Words>,
}

const fn known_as(tool: &'static str, kind: Kind) -> Known {
    Known { tool, kind, words: None }
}

const fn with_words(tool: &'static str, kind: Kind, words: Words) -> Known {
    Known { tool, kind, words: Some(words) }
}

/// Tools whose results are not code, or that have words of their own.
const KNOWN: &[Known] = &[
    with_words("bandit", Kind::Code, crate::formats::bandit::WORDS),
    with_words("checkov", Kind::Infrastructure, crate::formats::checkov::WORDS),
    known_as("dependency-check", Kind::Dependency),
    known_as("dockle", Kind::Infrastructure),
    known_as("gitleaks", Kind::Secret),
    known_as("grype", Kind::Dependency),
    known_as("hadolint", Kind::Infrastructure),
    known_as("kics", Kind::Infrastructure),
    known_as("kubescape", Kind::Infrastructure),
    known_as("osv-scanner", Kind::Dependency),
    with_words("semgrep", Kind::Code, crate::formats::semgrep::WORDS),
    known_as("snyk", Kind::Dependency),
    known_as("terrascan", Kind::Infrastructure),
    known_as("tfsec", Kind::Infrastructure),
    known_as("trivy", Kind::Dependency),
    known_as("trufflehog", Kind::Secret),
    known_as("zap", Kind::Web),
];

/// Driver names that do not become the tool's name by themselves.
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

/// The tool of a driver: a known one's name, else the driver's in lower case with `-` for everything else.
pub(super) fn tool_of(driver: &str) -> String {
    let Some(slug) = crate::value::slug::of(driver) else { return "sarif".to_owned() };
    if let Some((_, tool)) = DRIVERS.iter().find(|(driver, _)| *driver == slug) {
        return (*tool).to_owned();
    }
    crate::find(&slug).map_or(slug, |scanner| scanner.tool.to_owned())
}

/// What is special about a tool.
pub(super) fn known(tool: &str) -> Option<&'static Known> {
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
