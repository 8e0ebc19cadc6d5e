//! Package URLs, and the names and messages of vulnerable packages.

use finding::{Cvss, Package};
use std::collections::BTreeSet;

/// The package that a package URL names, <https://github.com/package-url/purl-spec>: `pkg:npm/%40babel/core@7.1.2`.
pub(crate) fn from_purl(purl: &str) -> Option<Package> {
    let rest = purl.trim().strip_prefix("pkg:")?.trim_start_matches('/');
    let bare = rest.split(['?', '#']).next()?;
    let (ecosystem, path) = bare.split_once('/')?;
    // A version contains no `/`, so that the `@` of an unescaped scope does not begin one.
    let (path, version) = match path.rsplit_once('@') {
        Some((path, version)) if !path.is_empty() && !version.contains('/') => (path, Some(decoded(version))),
        Some(_) | None => (path, None),
    };
    let name = match path.trim_matches('/').rsplit_once('/') {
        Some((group, name)) => named(ecosystem, Some(&decoded(group)), &decoded(name)),
        None => decoded(path.trim_matches('/')),
    };
    (!name.is_empty()).then(|| Package {
        name,
        version: version.filter(|version| !version.is_empty()),
        ecosystem: Some(ecosystem.to_ascii_lowercase()),
        purl: Some(purl.trim().to_owned()),
        fixed_versions: vec![],
    })
}

/// The name of a package in the form of its ecosystem. For packages of an operating system the group is the
/// distribution, which is not part of the name.
pub(crate) fn named(ecosystem: &str, group: Option<&str>, name: &str) -> String {
    match (ecosystem.to_ascii_lowercase().as_str(), group.filter(|group| !group.is_empty())) {
        (_, None) | ("deb" | "rpm" | "apk" | "alpm" | "oci" | "docker" | "generic", _) => name.to_owned(),
        ("maven", Some(group)) => format!("{group}:{name}"),
        (_, Some(group)) => format!("{group}/{name}"),
    }
}

/// The type in a package URL, in lower case.
pub(crate) fn ecosystem(purl: Option<&str>) -> Option<String> {
    let (ecosystem, _) = purl?.trim().strip_prefix("pkg:")?.trim_start_matches('/').split_once('/')?;
    Some(ecosystem.to_ascii_lowercase())
}

/// The text with escapes like `%40` decoded. Invalid escapes stay as they are.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.split_at_checked(2)).flatten();
        let byte = escape
            .and_then(|(digits, after)| Some((u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?, after)));
        let (byte, after) = byte.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The message of a finding: the package, its version, the vulnerability and the fixed versions.
pub(crate) fn message(id: &str, package: &Package) -> String {
    let version = package.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let fixed = match package.fixed_versions.as_slice() {
        [] => String::new(),
        versions => format!(", fixed in {}", versions.join(", ")),
    };
    format!("{}{version}: {id}{fixed}", package.name)
}

/// The texts, each once, in order.
pub(crate) fn unique(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

/// Removes all but the first of equal ratings.
pub(crate) fn remove_duplicates(ratings: &mut Vec<Cvss>) {
    let mut seen = BTreeSet::new();
    ratings.retain(|cvss| seen.insert((cvss.version.clone(), cvss.vector.clone(), cvss.score)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_gives_the_name_in_the_form_of_the_ecosystem() {
        let cases = [
            ("pkg:maven/org.dom4j/dom4j@2.1.1", "maven org.dom4j:dom4j 2.1.1"),
            ("pkg:npm/%40babel/core@7.1.2?a=b#c", "npm @babel/core 7.1.2"),
            ("pkg:npm/@babel/core", "npm @babel/core -"),
            ("pkg:deb/debian/tar@1.30%2Bdfsg-6?arch=amd64", "deb tar 1.30+dfsg-6"),
            ("pkg:golang/github.com/a/b@v1.0.0", "golang github.com/a/b v1.0.0"),
            ("pkg:pypi/django@3.2", "pypi django 3.2"),
            ("pkg:nuget/%ZZ@1", "nuget %ZZ 1"),
        ];
        for (purl, expected) in cases {
            let package = from_purl(purl).unwrap();
            let version = package.version.as_deref().unwrap_or("-");
            assert_eq!(format!("{} {} {version}", package.ecosystem.unwrap(), package.name), expected, "{purl}");
        }
        for nothing in ["", "cpe:/a:b", "pkg:npm", "pkg:npm/", "pkg:npm/@1"] {
            assert!(from_purl(nothing).is_none_or(|package| !package.name.is_empty()), "{nothing}");
        }
    }

    #[test]
    fn a_message_names_the_package_and_the_fixed_versions() {
        let mut package = Package { name: "tar".to_owned(), ..Package::default() };
        assert_eq!(message("CVE-1", &package), "tar: CVE-1");
        package.version = Some("1.30".to_owned());
        package.fixed_versions = vec!["1.31".to_owned(), "2.0".to_owned()];
        assert_eq!(message("CVE-1", &package), "tar 1.30: CVE-1, fixed in 1.31, 2.0");
    }
}
