//! Signatures of occurrences: hashes of their location, code and message after normalisation.
//!
//! | kind | path | snippet | context |
//! |---|---|---|---|
//! | code, infrastructure without a resource | file | the code itself | the code with one line on either side |
//! | secret | file | the code, or that it is this secret | as code |
//! | dependency, license | file | the package | the package in its version |
//! | infrastructure | file | the resource | the resource and its code |
//! | web | origin | method, path template, parameters | method and whole URL |
//! | host | host | port and protocol | port, protocol and URL |
//!
//! A signature is an input of the matcher in [`tracking`](crate::tracking), never an id. It includes neither line
//! numbers nor the rule: occurrences are only compared within a family of issues.

mod code;
mod endpoint;
mod exact;
mod text;

pub use code::{containment, similarity};
pub use text::normal_path;

use crate::digest::Short;
use code::CodeParts;
use finding::{Finding, Kind};
use text::masked;

/// The number of characters of normalised code from which it is distinct enough to be matched in another file.
const DISTINCT_CHARS_MIN: usize = 12;
/// The length of an occurrence's code that is compared to detect an edit, in bytes.
const CODE_BYTES_MAX: usize = 400;
/// Fingerprints that say too little to replace code: a column number.
const NO_FINGERPRINTS: [&str; 1] = ["primaryLocationStartColumnFingerprint"];

/// The hashes by which the occurrences of two scans are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Signatures {
    /// The code or its replacement, with its surroundings. Absent if the report shows neither.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<Short>,
    /// The code or its replacement. Absent if the report shows neither.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snippet: Option<Short>,
    /// The scanner's message without the numbers of lines and columns.
    pub message: Short,
    /// The code of a resource. A reviewer sees it, although the resource is matched by its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub judged: Option<Short>,
    /// The code as a reviewer judged it, with the white space that means something; of a named thing that has code,
    /// too. Absent if the report shows no code, and in scans of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exact: Option<Short>,
    /// True if `snippet` is distinct enough to be matched in another file.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub distinct: bool,
    /// True if `snippet` is code, which may be edited, and not the name of a thing.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub code: bool,
}

/// A finding as the matcher reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparableFinding {
    /// The file, host or origin, which a rename changes. Empty if there is none.
    pub path: String,
    /// The hashes.
    pub signatures: Signatures,
    /// The hash of that file, if the upload included it.
    pub file: Option<Short>,
    /// The beginning of its normalised code.
    pub code: Option<String>,
    /// The name and value of the tool's fingerprint, if it replaces code that the report does not show.
    pub fingerprint: Option<(String, Short)>,
}

impl ComparableFinding {
    /// Computes the signatures of a finding.
    pub fn of(finding: &Finding) -> Self {
        let code = CodeParts::of(finding);
        let file = finding.location.as_ref().map(|location| normal_path(&location.path)).unwrap_or_default();
        let network = finding.endpoint.as_ref().map(endpoint::EndpointParts::of).unwrap_or_default();
        let path = match finding.kind {
            Kind::Web | Kind::Host if !network.origin.is_empty() => network.origin.clone(),
            Kind::Code | Kind::Secret | Kind::Dependency | Kind::License | Kind::Infrastructure if file.is_empty() => {
                network.origin.clone()
            }
            Kind::Web | Kind::Host | Kind::Code | Kind::Secret | Kind::Dependency | Kind::License => file,
            Kind::Infrastructure => file,
        };
        let named = NamedThing::of(finding, &network, code.as_ref());
        let signatures = match (&named, &code) {
            (Some(named), _) => named.signatures(finding, code.as_ref()),
            (None, Some(code)) => code_signatures(finding, code),
            (None, None) => Signatures { context: None, snippet: None, ..bare(finding) },
        };
        let fingerprint = signatures.snippet.is_none().then(|| fingerprint(finding)).flatten();
        let code = code.filter(|_| signatures.code).map(|code| {
            let end = code.statement.floor_char_boundary(CODE_BYTES_MAX);
            code.statement.get(..end).unwrap_or_default().to_owned()
        });
        let file = finding.file_sha256.as_ref().map(|hash| Short::derive("v2:signature:file", &[hash.as_bytes()]));
        Self { path, signatures, file, code, fingerprint }
    }
}

/// Returns the signatures that every finding has.
fn bare(finding: &Finding) -> Signatures {
    // Findings in packages or from outside are distinguished by location: their messages contain versions and times.
    let message = match finding.kind {
        Kind::Code | Kind::Secret => masked(&finding.message),
        Kind::Dependency | Kind::License | Kind::Web | Kind::Host | Kind::Infrastructure => String::new(),
    };
    Signatures {
        context: None,
        snippet: None,
        message: Short::derive("v2:signature:message", &[message.as_bytes()]),
        judged: None,
        exact: None,
        distinct: false,
        code: false,
    }
}

/// Returns the hash of the code as a reviewer judged it.
fn exact_signature(code: &CodeParts) -> Short {
    Short::derive("v1:signature:exact-code", &[code.exact.as_bytes()])
}

fn code_signatures(finding: &Finding, code: &CodeParts) -> Signatures {
    let [before, own, after] = [&code.before, &code.own, &code.after].map(|text| text.as_bytes());
    Signatures {
        context: Some(Short::derive("v2:signature:context", &[before, own, after])),
        snippet: Some(Short::derive("v2:signature:snippet", &[code.statement.as_bytes()])),
        distinct: DISTINCT_CHARS_MIN <= code.statement.chars().count(),
        code: true,
        exact: Some(exact_signature(code)),
        ..bare(finding)
    }
}

/// A named thing that a finding is about. It is matched by its name and not by code.
struct NamedThing {
    /// Its name.
    name: Vec<String>,
    /// Its details.
    exactly: Vec<String>,
}

impl NamedThing {
    fn of(finding: &Finding, network: &endpoint::EndpointParts, code: Option<&CodeParts>) -> Option<Self> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match finding.kind {
            Kind::Dependency | Kind::License => {
                let package = finding.package.as_ref()?;
                Some(Self { name: vec![package.name.clone()], exactly: vec![text(&package.version)] })
            }
            Kind::Web | Kind::Host if finding.endpoint.is_some() => {
                let resource = text(&finding.resource);
                let exactly = vec![network.exactly.clone(), resource.clone()];
                Some(Self { name: vec![network.name(finding.kind), resource], exactly })
            }
            Kind::Infrastructure => {
                let resource = finding.resource.as_ref().filter(|resource| !resource.is_empty())?;
                let exactly = code.map(|code| code.own.clone()).unwrap_or_default();
                Some(Self { name: vec![resource.clone()], exactly: vec![exactly] })
            }
            // A secret with a known digest is the same everywhere.
            Kind::Secret if code.is_none() && finding.secret.is_some() => {
                Some(Self { name: vec!["secret".to_owned()], exactly: vec![] })
            }
            Kind::Code | Kind::Secret | Kind::Web | Kind::Host => None,
        }
    }

    fn signatures(&self, finding: &Finding, shown: Option<&CodeParts>) -> Signatures {
        let bytes = |texts: &[String]| -> Vec<u8> {
            // Joined by a byte that no text contains.
            texts.iter().flat_map(|text| text.bytes().chain([0])).collect()
        };
        let (name, exactly) = (bytes(&self.name), bytes(&self.exactly));
        let code = finding.kind == Kind::Infrastructure && self.exactly.iter().any(|text| !text.is_empty());
        Signatures {
            judged: code.then(|| Short::derive("v2:signature:judged", &[&exactly])),
            exact: shown.filter(|_| code).map(exact_signature),
            context: Some(Short::derive("v2:signature:exactly", &[&name, &exactly])),
            snippet: Some(Short::derive("v2:signature:name", &[&name])),
            distinct: true,
            ..bare(finding)
        }
    }
}

/// Returns the fingerprint that replaces code which the report does not show. Of several it is the first by name: a
/// tool that adds a second version of its fingerprint still writes the first.
fn fingerprint(finding: &Finding) -> Option<(String, Short)> {
    if finding.kind != Kind::Code {
        return None;
    }
    let (name, value) = finding.fingerprints.iter().find(|(name, value)| {
        let base = name.split('/').next().unwrap_or(name);
        !value.trim().is_empty() && !NO_FINGERPRINTS.contains(&base)
    })?;
    Some((name.clone(), Short::derive("v2:signature:fingerprint", &[name.as_bytes(), value.as_bytes()])))
}

/// Returns the location of a finding for people, and for keys that have nothing better: the file, address, resource or
/// package.
pub fn place_text(finding: &Finding) -> String {
    let file = finding.location.as_ref().map(|location| normal_path(&location.path));
    let endpoint = finding.endpoint.as_ref().map(endpoint::text);
    // A file or image may have several packages with the same vulnerability; the key has the package's name.
    let parts = [file, endpoint, finding.resource.clone()];
    let text = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match (&finding.package, text.is_empty()) {
        (Some(package), true) => package.name.clone(),
        (Some(_), false) | (None, _) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    fn signatures(path: &str, line: u32, code: &[&str]) -> (String, Signatures) {
        let marks = ComparableFinding::of(&finding(0, "B1", path, line, code));
        (marks.path, marks.signatures)
    }

    #[test]
    fn moving_down_reformatting_and_requoting_change_no_signature() {
        let here = signatures("./src/a.c", 10, &["f() {", "  md5('x', y)", "  return"]);
        assert_eq!(here, signatures("src/a.c", 40, &["f() {", "    md5('x',y)", "return"]));
        let matched = |marks: (String, Signatures)| (marks.0, Signatures { exact: None, ..marks.1 });
        let here = matched(signatures("./src/a.py", 10, &["def f():", "  md5('x', y)", "  return"]));
        assert_eq!(here, matched(signatures("src/a.py", 40, &["def f():", "    md5(\"x\", y,)", "return"])));
    }

    #[test]
    fn white_space_that_means_something_is_in_the_exact_code_alone() {
        let (_, here) = signatures("a.py", 10, &["x", "run(\"rm -rf /tmp/x\")", "y"]);
        for other in ["run(\"rm -rf / tmp/x\")", "    run(\"rm -rf /tmp/x\")"] {
            let (_, other) = signatures("a.py", 10, &["x", other, "y"]);
            assert_ne!(other.exact, here.exact);
            assert_eq!(Signatures { exact: here.exact, ..other }, here);
        }
        let (_, neighbour) = signatures("a.py", 10, &["changed", "run(\"rm -rf /tmp/x\")", "y"]);
        assert_eq!(neighbour.exact, here.exact);
        assert_eq!(signatures("a.py", 10, &[]).1.exact, None);
    }

    #[test]
    fn other_code_and_other_neighbours_change_the_signature() {
        let (_, here) = signatures("a.py", 10, &["before", "md5(x)", "after"]);
        let (_, code) = signatures("a.py", 10, &["before", "md5(y)", "after"]);
        assert!(here.snippet != code.snippet && here.context != code.context && here.message == code.message);
        let (_, neighbour) = signatures("a.py", 10, &["changed", "md5(x)", "after"]);
        assert!(here.snippet == neighbour.snippet && here.context != neighbour.context);
        assert!(!here.distinct, "six characters may occur anywhere");
        assert!(signatures("a.py", 10, &["", "subprocess.run(x)", ""]).1.distinct);
    }

    #[test]
    fn without_code_the_signature_is_the_message() {
        let (_, bare) = signatures("a.py", 10, &[]);
        let (_, blank) = signatures("a.py", 10, &["x", "   ", "y"]);
        assert!(bare.snippet.is_none() && !bare.code);
        assert_eq!(blank, bare, "a blank line is not code to match");
    }

    #[test]
    fn a_statement_that_a_formatter_broke_into_lines_is_the_same_code() {
        let before = finding(0, "B1", "a.py", 10, &["x", "user = create(name, password='p')", "y"]);
        let mut after = finding(0, "B1", "a.py", 11, &["user = create(", "    name, password=\"p\"", ")"]);
        after.location.as_mut().unwrap().end_line = Some(12);
        let signatures = |finding: &Finding| ComparableFinding::of(finding).signatures;
        assert_ne!(signatures(&before).snippet, signatures(&after).snippet);
        after.statement_line = Some(10);
        assert_eq!(signatures(&before).snippet, signatures(&after).snippet);
        assert_ne!(signatures(&before).context, signatures(&after).context);
        // In a statement of a thousand lines, the reported line is compared too.
        after.statement_line = Some(1);
        assert!(ComparableFinding::of(&after).code.unwrap().contains("password"));
    }

    #[test]
    fn the_largest_line_numbers_do_not_overflow() {
        assert!(signatures("a.py", u32::MAX, &["a", "b", "c"]).1.snippet.is_some());
    }

    #[test]
    fn a_named_thing_is_matched_by_its_name_and_not_by_its_message() {
        let package = |version: &str, message: &str| Finding {
            package: Some(finding::Package {
                name: "p".to_owned(),
                version: Some(version.to_owned()),
                ..finding::Package::default()
            }),
            ..Finding::new(Kind::Dependency, "CVE-1", "t", message)
        };
        let [old, new] =
            [package("1", "one"), package("2", "two")].map(|finding| ComparableFinding::of(&finding).signatures);
        assert!(old.snippet == new.snippet && old.context != new.context && old.message == new.message);
        assert!(old.distinct && !old.code);
    }
}
