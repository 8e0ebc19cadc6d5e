//! The parameters and headers of an upload.

use api::Problem;
use api::internal::AUTO;
use api::problem::Code;
use api::query::Query;
use domain::ids::{PipelineName, ProjectId, ScannerId, TargetName, VariantName};
use domain::scan::ScanRequest;
use domain::target::TargetType;
use domain::threshold::Threshold;
use guest::HttpRequest;

/// The parameters and headers of an upload.
pub struct UploadRequest {
    /// The parameters of the scan.
    pub scan: ScanRequest,
    /// The value of the header `Idempotency-Key`, if the request has one: a retry has the same value.
    pub idempotency_key: Option<String>,
}

impl UploadRequest {
    /// Reads the parameters and headers of an HTTP request. Unknown parameters are refused before.
    ///
    /// # Errors
    /// A parameter or header is missing or not valid.
    pub(crate) fn read(request: &mut HttpRequest, project: ProjectId) -> Result<Self, Problem> {
        let idempotency_key = request.idempotency_key()?;
        Self::from_query(project, &mut request.query, idempotency_key)
    }

    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter is missing or not valid.
    pub fn from_query(project: ProjectId, query: &mut Query, idempotency_key: Option<String>) -> Result<Self, Problem> {
        let name: String = query.required("scanner")?;
        let id = find_scanner(&name)?;
        let scan = ScanRequest {
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
            attempt: query.optional::<PipelineName>("attempt")?,
        };
        Ok(Self { scan, idempotency_key })
    }
}

/// Finds a scanner by its name: the id of a format, or `auto`. Returns the id or `auto`, in lower case.
///
/// # Errors
/// There is no format with this name.
pub(crate) fn find_scanner(name: &str) -> Result<&'static str, Problem> {
    match (name.eq_ignore_ascii_case(AUTO), scanners::find(name)) {
        (true, _) => Ok(AUTO),
        (false, Some(scanner)) => Ok(scanner.id),
        (false, None) => {
            let known: Vec<_> = scanners::ALL.iter().map(|scanner| scanner.id).collect();
            let (name, known) = (name.escape_default(), known.join(", "));
            let detail = format!("unknown scanner `{name}`; use `{AUTO}`, or one of {known}");
            Err(Problem::new(Code::UnknownScanner, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ScanRequest, String> {
        let read = UploadRequest::from_query("shop".parse().unwrap(), &mut Query::parse(query).unwrap(), None);
        read.map(|upload| upload.scan).map_err(|problem| format!("{}: {}", problem.code.as_str(), problem.detail))
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
                "invalid-parameter: parameter `fail_on_severity`: `severe` is not a severity; expected one of critical, high, medium, low, info, none (upper or lower case)",
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(read(&query).unwrap_err(), expected);
        }
        let unknown = read("scanner=foo&target=a&variant=b").unwrap_err();
        assert!(unknown.starts_with("unknown-scanner: unknown scanner `foo`; use `auto`, or one of "), "{unknown}");
        assert!(unknown.contains("bandit"), "{unknown}");
    }
}
