//! Where pages are. The API's calls are at the same paths behind [`api`], wherever a page shows what a call answers.

use ::api::path::segment;
use std::fmt::Display;

/// A project's pages; its own is the overview.
pub(crate) fn project(project: &str) -> String {
    format!("/projects/{}", segment(project))
}

/// A project's scans.
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

/// A scan beside another.
pub(crate) fn compared(of: &str, scan: impl Display, other: impl Display) -> String {
    format!("{}/compare/{}", self::scan(of, scan), segment(&other.to_string()))
}

/// The run of a pipeline.
pub(crate) fn execution(of: &str, pipeline: &str, execution: &str) -> String {
    format!("{}/pipelines/{}/executions/{}", project(of), segment(pipeline), segment(execution))
}

/// A project's targets.
pub(crate) fn targets(of: &str) -> String {
    format!("{}/targets", project(of))
}

/// A target.
pub(crate) fn target(of: &str, target: &str) -> String {
    format!("{}/{}", targets(of), segment(target))
}

/// A project's exemptions.
pub(crate) fn exemptions(of: &str) -> String {
    format!("{}/exemptions", project(of))
}

/// An exemption.
pub(crate) fn exemption(of: &str, exemption: impl Display) -> String {
    format!("{}/{}", exemptions(of), segment(&exemption.to_string()))
}

/// A project's form to upload with.
pub(crate) fn upload(of: &str) -> String {
    format!("{}/upload", project(of))
}

/// The API's call at this path.
pub(crate) fn api(path: &str) -> String {
    format!("/api/v1{path}")
}

/// The path with these parameters; those that are empty are left out.
pub(crate) fn with_query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    match query(pairs).strip_prefix('&') {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// Parameters for behind others, each behind a `&`; those that are empty are left out.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| format!("&{name}={}", segment(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_segments_whatever_they_hold() {
        assert_eq!(target("shop", "a/b"), "/projects/shop/targets/a%2Fb");
        assert_eq!(api(&issue("shop", 1, "?x")), "/api/v1/projects/shop/scans/1/issues/%3Fx");
    }

    #[test]
    fn what_is_empty_stands_in_no_query() {
        assert_eq!(with_query("/p", [("a", "1 2"), ("b", ""), ("c", "&")]), "/p?a=1%202&c=%26");
        assert_eq!(with_query("/p", [("b", "")]), "/p");
        assert_eq!(query([("a", "1"), ("b", "2")]), "&a=1&b=2");
    }
}
