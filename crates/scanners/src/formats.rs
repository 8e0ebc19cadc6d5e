//! The formats, one file each, and the list of all.

mod anchore;
mod bandit;
mod blackduck;
mod brakeman;
mod bundler_audit;
mod burp;
mod cargo_audit;
mod checkmarx;
mod checkov;
mod clair;
mod custom;
mod cyclonedx;
mod dependency_check;
mod detect_secrets;
mod dockle;
mod eslint;
mod fortify;
mod generic;
mod generic_csv;
mod github;
mod github_code_scanning;
mod github_dependabot;
mod github_secret_scanning;
mod gitlab;
mod gitlab_container_scanning;
mod gitlab_dependency_scanning;
mod gitlab_sast;
mod gitlab_secret_detection;
mod gitleaks;
mod gosec;
mod govulncheck;
mod grype;
mod hadolint;
mod horusec;
mod kics;
mod kube_bench;
mod kubescape;
mod mobsf;
mod nikto;
mod nmap;
mod npm_audit;
mod npm_audit_7;
mod nuclei;
mod openvas;
mod osv_scanner;
mod pip_audit;
mod pmd;
mod prowler;
mod prowler_v2;
mod prowler_v3;
mod qualys;
mod retirejs;
pub(crate) mod sarif;
mod semgrep;
mod semgrep_pro;
mod snyk;
mod snyk_code;
mod sonarqube;
mod spotbugs;
mod sslyze;
mod tenable;
mod testssl;
mod tfsec;
mod trivy;
mod trufflehog;
mod trufflehog3;
mod veracode;
mod wiz;
mod wpscan;
mod yarn_audit;
mod zap;

use crate::Scanner;

/// Every format, sorted by id. The only list of formats.
pub const ALL: &[Scanner] = &[
    anchore::SCANNER,
    bandit::SCANNER,
    blackduck::SCANNER,
    brakeman::SCANNER,
    bundler_audit::SCANNER,
    burp::SCANNER,
    cargo_audit::SCANNER,
    checkmarx::SCANNER,
    checkov::SCANNER,
    clair::SCANNER,
    custom::SCANNER,
    cyclonedx::SCANNER,
    dependency_check::SCANNER,
    detect_secrets::SCANNER,
    dockle::SCANNER,
    eslint::SCANNER,
    fortify::SCANNER,
    generic::SCANNER,
    generic_csv::SCANNER,
    github_code_scanning::SCANNER,
    github_dependabot::SCANNER,
    github_secret_scanning::SCANNER,
    gitlab_container_scanning::SCANNER,
    gitlab_dependency_scanning::SCANNER,
    gitlab_sast::SCANNER,
    gitlab_secret_detection::SCANNER,
    gitleaks::SCANNER,
    gosec::SCANNER,
    govulncheck::SCANNER,
    grype::SCANNER,
    hadolint::SCANNER,
    horusec::SCANNER,
    kics::SCANNER,
    kube_bench::SCANNER,
    kubescape::SCANNER,
    mobsf::SCANNER,
    nikto::SCANNER,
    nmap::SCANNER,
    npm_audit::SCANNER,
    npm_audit_7::SCANNER,
    nuclei::SCANNER,
    openvas::SCANNER,
    osv_scanner::SCANNER,
    pip_audit::SCANNER,
    pmd::SCANNER,
    prowler::SCANNER,
    prowler_v2::SCANNER,
    prowler_v3::SCANNER,
    qualys::SCANNER,
    retirejs::SCANNER,
    sarif::SCANNER,
    semgrep::SCANNER,
    semgrep_pro::SCANNER,
    snyk::SCANNER,
    snyk_code::SCANNER,
    sonarqube::SCANNER,
    spotbugs::SCANNER,
    sslyze::SCANNER,
    tenable::SCANNER,
    testssl::SCANNER,
    tfsec::SCANNER,
    trivy::SCANNER,
    trufflehog::SCANNER,
    trufflehog3::SCANNER,
    veracode::SCANNER,
    wiz::SCANNER,
    wpscan::SCANNER,
    yarn_audit::SCANNER,
    zap::SCANNER,
];
