//! Changes that may lose a finding or a severity, because the changed report says something else.

use super::{Change, Mutant};

/// Changes of one place that are not faults.
pub(super) struct Exception {
    /// The format, or `*`.
    pub(super) format: &'static str,
    /// The ends of the paths; `*` stands for any name.
    pub(super) paths: &'static [&'static str],
    /// The changes; empty for all.
    changes: &'static [Change],
    /// True for a loss of a finding too; false for one of a severity alone.
    findings: bool,
    #[expect(dead_code, reason = "for readers")]
    reason: &'static str,
}

impl Exception {
    pub(super) fn covers(&self, format: &str, mutant: &Mutant, lost: &str) -> bool {
        (self.format == "*" || self.format == format)
            && (self.changes.is_empty() || self.changes.contains(&mutant.change))
            && (self.findings || lost == "severity")
            && self.paths.iter().any(|path| ends_with(&mutant.path, path))
    }
}

/// True if a path ends with a pattern; `*` in it stands for any text without `.` and `/`.
fn ends_with(path: &str, pattern: &str) -> bool {
    let Some((before, last)) = pattern.rsplit_once('*') else { return path.ends_with(pattern) };
    let Some(rest) = path.strip_suffix(last) else { return false };
    let cut = rest.rfind(['.', '/']).map_or(0, |at| at + 1);
    rest.get(..cut).is_some_and(|rest| ends_with(rest, before))
}

/// Words in the names of fields that rate a result.
const RATES: [&str; 18] = [
    "severity",
    "cvss",
    "score",
    "vector",
    "priority",
    "level",
    "risk",
    "rating",
    "criticality",
    "threat",
    "impact",
    "probability",
    "likelihood",
    "confidence",
    "exploit",
    "rank",
    "metric",
    "validity",
];

/// True if a path is that of one of the severity's own fields.
pub(super) fn is_rated(format: &str, path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    RATES.iter().any(|word| lower.contains(word))
        || OWN.iter().any(|(own, fields)| *own == format && fields.iter().any(|field| ends_with(path, field)))
}

/// Further fields from which the severity of a format follows, and objects that contain nothing else of results.
const OWN: &[(&str, &[&str])] = &[
    // The enrichments are CVSS scores.
    ("clair", &["enrichments"]),
    // Fortify's priority order, in the words of its template.
    ("fortify", &["Friority"]),
    // A secret that is active and public is critical.
    ("github-secret-scanning", &["publicly_leaked"]),
    // A finding is high if the vulnerable function is called, and low if its package is only imported.
    ("govulncheck", &["Vulns[].ImportSink", "finding.trace[].function", "finding.trace[].package"]),
    // Only items with a number of OSVDB's or a CVE id among the references are weaknesses.
    ("nikto", &["vulnerabilities[].OSVDB", "vulnerabilities[].references"]),
    // Scripts print the CVSS scores of a port's software.
    ("nmap", &["port/script", "script/table", "table/table", "table/elem", "table/elem#", "table/elem@key"]),
    // The glossary's entry is the severity of its detections.
    ("qualys", &["VULN_DETAILS_LIST/VULN_DETAILS"]),
    // Dependency-Check's plugin writes the score into the message; the rule says that the plugin wrote it.
    ("sonarqube", &["issues[].message", "issues[].rule"]),
    // A verified secret is critical.
    ("trufflehog", &["Verified"]),
    (
        "sarif",
        &[
            // `open` and `review` have no level.
            "results[].kind",
            // The level of a rule.
            "rules[].defaultConfiguration",
            // The `security-severity` of a rule or a result.
            "rules[].properties",
            "results[].properties",
            // Levels that an invocation sets.
            "runs[].invocations",
            "runs[].invocations[]",
            "ruleConfigurationOverrides",
            "ruleConfigurationOverrides[].configuration",
            "ruleConfigurationOverrides[].descriptor",
            "ruleConfigurationOverrides[].descriptor.id",
        ],
    ),
];

const ANY: &[Change] = &[];
const NULL: &[Change] = &[Change::Null];
const REMOVE: &[Change] = &[Change::Remove];
const ABSENT: &[Change] = &[Change::Null, Change::Remove];
const ABSENT_OR_RENAMED: &[Change] = &[Change::Null, Change::Remove, Change::Rename];

const fn row(
    format: &'static str,
    paths: &'static [&'static str],
    changes: &'static [Change],
    reason: &'static str,
) -> Exception {
    Exception { format, paths, changes, findings: true, reason }
}

pub(super) const EXCEPTIONS: &[Exception] = &[
    row("*", &[""], &[Change::Empty], "an empty list or object is how a report without results looks"),
    // A result that is removed as a whole, or what contains it: another report, and no fault of this one.
    row("burp", &["issues/issue"], REMOVE, "a report with one issue less"),
    row("checkmarx", &["CxXMLResults/Query", "Query/Result"], REMOVE, "a report with one query or result less"),
    row("clair", &["package_vulnerabilities.*"], REMOVE, "an object of packages, with one package less"),
    row(
        "clair",
        &["Vulnerabilities.*"],
        ABSENT,
        "klar writes a severity without vulnerabilities as null, or not at all",
    ),
    row(
        "cyclonedx",
        &["vulnerabilities/vulnerability", "affects/target"],
        REMOVE,
        "a document with one vulnerability or component less",
    ),
    row(
        "cyclonedx",
        &["vulnerability/affects", "affects/target"],
        ANY,
        "a vulnerability that names no component is one result, which stays, instead of one per component",
    ),
    row(
        "dependency-check",
        &["dependencies/dependency", "dependency/vulnerabilities", "vulnerabilities/vulnerability"],
        REMOVE,
        "a dependency without known vulnerabilities has no list of them",
    ),
    row(
        "detect-secrets",
        &["results.app/settings.py", "results.app/deploy.cfg", "results.app/keys.d/notes.pem"],
        REMOVE,
        "an object of files, with one file less",
    ),
    row("fortify", &["Vulnerabilities/Vulnerability", "Issues/Issue"], REMOVE, "a report with one vulnerability less"),
    row(
        "mobsf",
        &[
            "findings.*",
            "files.*",
            "files.example/notes/Share.java",
            "files.example/notes/Store.java",
            "results.*",
            "binary_analysis[].*",
            "permissions.android.permission.READ_CONTACTS",
            "permissions.NSCameraUsageDescription",
            "macho_analysis.*",
        ],
        REMOVE,
        "an object of rules, files, checks or permissions, with one less",
    ),
    row("nmap", &["nmaprun/host", "ports/port"], REMOVE, "a report with one host or port less"),
    row("nmap", &["host/ports"], REMOVE, "a host whose ports were not scanned has no list of them"),
    row("npm-audit", &["advisories.*"], REMOVE, "an object of advisories, with one less"),
    row("npm-audit-7", &["vulnerabilities.*"], REMOVE, "an object of packages, with one less"),
    row("yarn-audit", &["advisories.*"], REMOVE, "an object of advisories, with one less"),
    row(
        "qualys",
        &["HOST_LIST/HOST", "HOST/VULN_INFO_LIST", "VULN_INFO_LIST/VULN_INFO", "SCAN/IP"],
        REMOVE,
        "a report with one host less, or a host without detections",
    ),
    row(
        "qualys",
        &["IP/INFOS", "INFOS/CAT", "CAT/INFO", "IP/VULNS", "VULNS/CAT", "CAT/VULN"],
        REMOVE,
        "a host has only the lists in which it has detections",
    ),
    row("sarif", &["suppressions[].status"], ABSENT_OR_RENAMED, "a suppression without a status is accepted (3.35.4)"),
    row("spotbugs", &["BugCollection/BugInstance"], REMOVE, "a report with one bug less"),
    row("tenable", &["Report/ReportHost", "ReportHost/ReportItem"], REMOVE, "a report with one host or item less"),
    row(
        "veracode",
        &[
            "detailedreport/severity",
            "severity/category",
            "cwe/dynamicflaws",
            "dynamicflaws/flaw",
            "cwe/staticflaws",
            "staticflaws/flaw",
        ],
        REMOVE,
        "a report has only the categories, kinds and flaws that it found",
    ),
    row(
        "veracode",
        &[
            "detailedreport/software_composition_analysis",
            "vulnerable_components/component",
            "vulnerabilities/vulnerability",
        ],
        REMOVE,
        "a report has the composition analysis only if that was done",
    ),
    row(
        "wpscan",
        &["config_backups.*", "config_backups.https://blog.example/wp-config.php.bak", "plugins.*"],
        REMOVE,
        "an object of files or plugins, with one less",
    ),
    row(
        "zap",
        &["OWASPZAPReport/site", "alerts/alertitem", "instances/instance"],
        REMOVE,
        "a report with one site, alert or instance less",
    ),
    row(
        "checkmarx",
        &["scanResults.kics", "scanResults.sast", "scanResults.sca", "scanResults", "scanResults.resultsList"],
        ABSENT,
        "a report has the parts of the engines that ran",
    ),
    // Null for an empty list.
    row("dockle", &["details"], NULL, "Go writes null for an empty list, and clean reports of the tool have it"),
    row("govulncheck", &["Vulns"], NULL, "Go writes null for an empty list, and clean reports of the tool have it"),
    row("grype", &["matches"], NULL, "Go writes null for an empty list, and clean reports of older versions have it"),
    row("horusec", &["analysisVulnerabilities"], NULL, "Go writes null for an empty list, and clean reports have it"),
    row("kube-bench", &["tests", "results"], NULL, "Go writes null for an empty list of groups or tests"),
    row("osv-scanner", &["results"], NULL, "Go writes null for an empty list"),
    row("tfsec", &["results"], NULL, "Go writes null for an empty list, and clean reports of the tool have it"),
    row(
        "trivy",
        &["Results", "Misconfigurations", "Licenses", "Secrets", "Vulnerabilities"],
        ABSENT,
        "Trivy writes null for an empty list, or omits it",
    ),
    row("wiz", &["vulnerabilities", "matches"], NULL, "wizcli writes null for an empty list"),
    // Parts that exist only if the tool was asked for them, or found something.
    row(
        "cargo-audit",
        &["warnings", "warnings.*"],
        ABSENT,
        "versions before 0.11 have no warnings, and later ones only the kinds that they found",
    ),
    row(
        "mobsf",
        &["_analysis", "network_security", "permissions", "secrets"],
        ABSENT,
        "a report has the sections of the analyses that were done; null is one that was not",
    ),
    row(
        "mobsf",
        &["certificate_analysis.certificate_findings"],
        REMOVE,
        "a certificate that MobSF cannot read has no findings",
    ),
    row(
        "mobsf",
        &["certificate_analysis", "file_analysis", "permissions", "secrets"],
        &[Change::Rename],
        "MobSF has over a hundred parts of facts, and entries of these sections have no field that tells them from facts",
    ),
    row(
        "osv-scanner",
        &["license_violations"],
        ABSENT_OR_RENAMED,
        "a package has the list only if licences were checked; its elements are plain texts",
    ),
    row(
        "retirejs",
        &["results[].vulnerabilities"],
        ABSENT_OR_RENAMED,
        "a verbose report lists every library, and one without known vulnerabilities has no list",
    ),
    row("snyk", &["applications"], ABSENT, "only images have applications"),
    row("snyk", &["vulnerabilities"], ABSENT, "a report of infrastructure as code has no list of vulnerabilities"),
    row(
        "sslyze",
        &["scan_result.*"],
        &[Change::Remove, Change::Rename],
        "a report has the commands that were run; newer versions have commands that are not known",
    ),
    row("tenable", &["Accept Risk Comment"], &[Change::Retype], "a comment in this column accepts the risk"),
    row(
        "wiz",
        &["result.libraries", "result.ruleMatches", "result.secrets"],
        ABSENT,
        "wizcli writes null for a list that is empty or that was not asked for",
    ),
    row(
        "wpscan",
        &["config_backups", "interesting_findings", "main_theme", "plugins", "version"],
        ABSENT,
        "a report has what was enumerated, and null for a version or theme that WPScan did not find",
    ),
    row(
        "zap",
        &["alertitem/instances", "alerts[].instances"],
        ABSENT,
        "an alert without instances is one result, which stays",
    ),
    Exception {
        format: "sarif",
        paths: &["driver.name"],
        changes: &[Change::Retype],
        findings: false,
        reason: "a number is a name too, of a tool without severity words of its own",
    },
    Exception {
        format: "sarif",
        paths: &["driver", "driver.rules", "tool.extensions", "extensions[].rules"],
        changes: ABSENT_OR_RENAMED,
        findings: false,
        reason: "a run may have no rules at all; its results have SARIF's default level (3.27.10)",
    },
];
