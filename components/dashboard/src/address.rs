//! The addresses of the pages. Most pages have the path of the API's call that they show, without `/api/v1` ([`api`]).

use ::api::path::segment;
use std::fmt::Display;

/// The names that identify an issue of a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IssueIds<'a> {
    pub(crate) project: &'a str,
    pub(crate) scan: &'a str,
    pub(crate) issue: &'a str,
}

impl IssueIds<'_> {
    /// The path of the issue's page.
    pub(crate) fn path(&self) -> String {
        issue(self.project, self.scan, self.issue)
    }

    /// The path of the scan's page.
    pub(crate) fn scan_path(&self) -> String {
        scan(self.project, self.scan)
    }
}

/// The overview of a project; all other pages of the project are below it.
pub(crate) fn project(project: &str) -> String {
    format!("/projects/{}", segment(project))
}

/// The scans of a project.
pub(crate) fn scans(of: &str) -> String {
    format!("{}/scans", project(of))
}

/// A scan.
pub(crate) fn scan(of: &str, scan: impl Display) -> String {
    format!("{}/{}", scans(of), segment(&scan.to_string()))
}

/// An issue of a scan.
pub(crate) fn issue(of: &str, scan: impl Display, issue: impl Display) -> String {
    format!("{}/issues/{}", self::scan(of, scan), segment(&issue.to_string()))
}

/// The comparison of a scan with another.
pub(crate) fn comparison(of: &str, scan: impl Display, other: impl Display) -> String {
    format!("{}/compare/{}", self::scan(of, scan), segment(&other.to_string()))
}

/// An execution of a pipeline.
pub(crate) fn execution(of: &str, pipeline: &str, execution: &str) -> String {
    format!("{}/pipelines/{}/executions/{}", project(of), segment(pipeline), segment(execution))
}

/// The targets of a project.
pub(crate) fn targets(of: &str) -> String {
    format!("{}/targets", project(of))
}

/// A target.
pub(crate) fn target(of: &str, target: &str) -> String {
    format!("{}/{}", targets(of), segment(target))
}

/// The exemptions of a project.
pub(crate) fn exemptions(of: &str) -> String {
    format!("{}/exemptions", project(of))
}

/// An exemption.
pub(crate) fn exemption(of: &str, exemption: impl Display) -> String {
    format!("{}/{}", exemptions(of), segment(&exemption.to_string()))
}

/// The settings of a project.
pub(crate) fn settings(of: &str) -> String {
    format!("{}/settings", project(of))
}

/// The form to upload a report.
pub(crate) fn upload(of: &str) -> String {
    format!("{}/upload", project(of))
}

/// The tokens of a project, or those of account admins.
pub(crate) fn tokens(of: Option<&str>) -> String {
    of.map_or_else(|| "/account/tokens".to_owned(), |of| format!("{}/tokens", project(of)))
}

/// The audit log of a project, or of the account.
pub(crate) fn audit(of: Option<&str>) -> String {
    of.map_or_else(|| "/account/audit".to_owned(), |of| format!("{}/audit", project(of)))
}

/// The API's call for [`tokens`].
pub(crate) fn tokens_api(of: Option<&str>) -> String {
    of.map_or_else(|| api("/tokens"), |of| api(&tokens(Some(of))))
}

/// The API's call for [`audit`].
pub(crate) fn audit_api(of: Option<&str>) -> String {
    of.map_or_else(|| api("/audit"), |of| api(&audit(Some(of))))
}

/// The API's call at this path.
pub(crate) fn api(path: &str) -> String {
    format!("/api/v1{path}")
}

/// The path with these query parameters; empty ones are left out.
pub(crate) fn with_query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    match query(pairs).strip_prefix('&') {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// Further query parameters, each after a `&`; empty ones are left out.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| format!("&{name}={}", segment(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        assert_eq!(target("shop", "a/b"), "/projects/shop/targets/a%2Fb");
        assert_eq!(api(&issue("shop", 1, "?x")), "/api/v1/projects/shop/scans/1/issues/%3Fx");
    }

    #[test]
    fn empty_parameters_are_left_out() {
        assert_eq!(with_query("/p", [("a", "1 2"), ("b", ""), ("c", "&")]), "/p?a=1%202&c=%26");
        assert_eq!(with_query("/p", [("b", "")]), "/p");
        assert_eq!(query([("a", "1"), ("b", "2")]), "&a=1&b=2");
    }
}
