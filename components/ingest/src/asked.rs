//! What an upload asks for: its parameters and headers.

use api::Problem;
use api::problem::Code;
use api::query::Query;
use domain::ids::{PipelineName, ProjectId, ScannerId, TargetName, VariantName};
use domain::scan::ScanRequest;
use domain::target::TargetType;
use domain::threshold::Threshold;
use guest::Call;
use scanners::Expected;

/// The name that stands for whichever scanner the report's content shows.
const AUTO: &str = "auto";

/// An upload's parameters.
pub struct Asked {
    /// What is asked for.
    pub request: ScanRequest,
    /// Whose report it is said to be.
    pub expected: Expected,
    /// The key under which the same upload may be sent again.
    pub idempotency_key: Option<String>,
}

impl Asked {
    /// Takes them from a request whose parameters are known to be an upload's.
    ///
    /// # Errors
    /// A parameter is missing or not legal.
    pub fn take(call: &mut Call, project: ProjectId) -> Result<Self, Problem> {
        let idempotency_key = call.idempotency_key()?;
        let (request, expected) = Self::read(project, &mut call.query)?;
        Ok(Self { request, expected, idempotency_key })
    }

    /// Reads the parameters alone.
    ///
    /// # Errors
    /// A parameter is missing or not legal.
    pub fn read(project: ProjectId, query: &mut Query) -> Result<(ScanRequest, Expected), Problem> {
        let named: String = query.required("scanner")?;
        let (id, expected) = scanner(&named)?;
        let request = ScanRequest {
            project,
            target: query.required::<TargetName>("target")?,
            target_type: query.optional::<TargetType>("target_type")?.unwrap_or(TargetType::Repository),
            variant: query.required::<VariantName>("variant")?,
            scanner: id.parse::<ScannerId>().map_err(|error| Problem::internal(error.to_string()))?,
            fail_on_severity: query.optional::<Threshold>("fail_on_severity")?.unwrap_or_default(),
            fail_on_new: query.optional::<Threshold>("fail_on_new")?.unwrap_or_default(),
            fail_on_new_occurrences: query.optional::<Threshold>("fail_on_new_occurrences")?.unwrap_or_default(),
            accept_missing: query.optional::<bool>("accept_missing")?.unwrap_or_default(),
            pipeline: query.optional::<PipelineName>("pipeline")?,
            execution: query.optional::<PipelineName>("execution")?,
        };
        Ok((request, expected))
    }
}

/// Whose report it is said to be, by the name of a format or `auto`.
///
/// # Errors
/// There is no format of this name.
pub(crate) fn scanner(named: &str) -> Result<(&'static str, Expected), Problem> {
    match (named.eq_ignore_ascii_case(AUTO), scanners::find(named)) {
        (true, _) => Ok((AUTO, Expected::Any)),
        (false, Some(scanner)) => Ok((scanner.id, Expected::Tool(scanner))),
        (false, None) => {
            let known: Vec<_> = scanners::ALL.iter().map(|scanner| scanner.id).collect();
            let (named, known) = (named.escape_default(), known.join(", "));
            let detail = format!("`{named}` is not known; use `{AUTO}`, or one of {known}");
            Err(Problem::new(Code::UnknownScanner, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ScanRequest, String> {
        let read = Asked::read("shop".parse().unwrap(), &mut Query::parse(query).unwrap());
        read.map(|(request, _)| request).map_err(|problem| format!("{}: {}", problem.code.as_str(), problem.detail))
    }

    #[test]
    fn parameters_have_sensible_defaults() {
        let request = read("scanner=bandit&target=dvpwa&variant=master").unwrap();
        assert_eq!(request.target_type, TargetType::Repository);
        assert_eq!(request.fail_on_severity, Threshold::none());
        assert_eq!((request.fail_on_new, request.fail_on_new_occurrences), (Threshold::none(), Threshold::none()));
        let new = read("scanner=bandit&target=a&variant=b&fail_on_new=High&fail_on_new_occurrences=low").unwrap();
        assert_eq!((new.fail_on_new.as_written(), new.fail_on_new_occurrences.as_written()), ("High", "low"));
        let scanner = |name: &str| read(&format!("scanner={name}&target=a&variant=b")).unwrap().scanner.to_string();
        assert_eq!([scanner("Bandit"), scanner("AUTO")], ["bandit", "auto"]);
    }

    #[test]
    fn each_bad_parameter_is_named() {
        let good = "scanner=bandit&target=dvpwa&variant=master";
        let cases = [
            ("target=a&variant=b".to_owned(), "invalid-parameter: parameter `scanner`: it is missing"),
            (
                format!("{good}&target_type=vm"),
                "invalid-parameter: parameter `target_type`: `vm` is not a target type; expected one of `repository`, `container`, `instance`, `configuration`",
            ),
            (
                format!("{good}&fail_on_severity=severe"),
                "invalid-parameter: parameter `fail_on_severity`: `severe` is no severity; use one of critical, high, medium, low, info, none (upper or lower case)",
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(read(&query).unwrap_err(), expected);
        }
        let unknown = read("scanner=foo&target=a&variant=b").unwrap_err();
        assert!(unknown.starts_with("unknown-scanner: `foo` is not known; use `auto`, or one of "), "{unknown}");
        assert!(unknown.contains("bandit"), "{unknown}");
    }
}
