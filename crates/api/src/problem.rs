//! Errors as `application/problem+json` (RFC 9457): a stable type, and a detail that says what to do.

use domain::journal::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;
use store::kv::KvError;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// The start of a problem's `type`; the code follows.
const TYPE_PREFIX: &str = "urn:gatehouse:problem:";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every kind of problem. The code is stable; titles and details may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// A short description of the kind of problem.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// A query parameter or a header is missing or invalid.
    InvalidParameter = "invalid-parameter", 400, "A parameter is missing or invalid";
    /// The parameter `scanner` is not a supported format.
    UnknownScanner = "unknown-scanner", 400, "Unknown scanner";
    /// The JSON body, or a field of it, is invalid.
    InvalidBody = "invalid-body", 400, "The request body is invalid";
    /// The report has no bytes.
    ReportEmpty = "report-empty", 400, "The report is empty";
    /// The report ends early.
    ReportTruncated = "report-truncated", 400, "The report is truncated";
    /// The report is not valid JSON, XML or another notation of its format.
    ReportMalformed = "report-malformed", 400, "The report cannot be parsed";
    /// The sidecar with code from the working tree cannot be parsed.
    SourceMalformed = "source-malformed", 400, "The sidecar cannot be parsed";
    /// The token is missing or unknown.
    Unauthenticated = "unauthenticated", 401, "A valid token is required";
    /// The token has expired.
    TokenExpired = "token-expired", 401, "The token has expired";
    /// The token does not permit the call.
    Forbidden = "forbidden", 403, "The token does not permit this";
    /// The named thing does not exist, or the token does not give access to it.
    NotFound = "not-found", 404, "Not found";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method-not-allowed", 405, "Method not allowed";
    /// The current state does not allow the change.
    Conflict = "conflict", 409, "The current state does not allow this";
    /// The change was made on a version that is not the present one: somebody else changed the same thing in between.
    ChangedMeanwhile = "changed-meanwhile", 412, "Somebody changed this in the meantime";
    /// The report is larger than the limit.
    ReportTooLarge = "report-too-large", 413, "The report is too large";
    /// The sidecar is larger than the limit.
    SourceTooLarge = "source-too-large", 413, "The sidecar is too large";
    /// The body decompresses to more than the permitted multiple of its size.
    CompressionBomb = "compression-bomb", 413, "The compression ratio is too high";
    /// The `Content-Encoding` is not supported.
    UnsupportedEncoding = "unsupported-encoding", 415, "Unsupported content encoding";
    /// The report has no known format.
    UnknownFormat = "unknown-format", 422, "Unknown report format";
    /// The report was written by another tool than the parameter `scanner` names.
    WrongTool = "wrong-tool", 422, "The report was written by another tool";
    /// The report is nested deeper than the limit.
    ReportTooDeep = "report-too-deep", 422, "The report is nested too deeply";
    /// The scan cannot be replayed.
    NotReplayable = "not-replayable", 422, "The scan cannot be replayed";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyMismatch = "idempotency-mismatch", 422, "The Idempotency-Key was used for another request";
    /// Too many requests with unknown tokens came from the client's network.
    TooManyAttempts = "too-many-attempts", 429, "Too many attempts with unknown tokens";
    /// A defect of Gatehouse.
    Internal = "internal", 500, "Internal error";
    /// The store or a component cannot be reached or did not answer in time.
    Unavailable = "unavailable", 503, "A part of Gatehouse is unavailable";
}

/// An error that is sent to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind of problem.
    pub code: Code,
    /// The explanation: what is wrong, where, and what to do about it.
    pub detail: String,
}

impl Problem {
    /// Makes a problem of this kind.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The problem of a parameter that is missing or invalid; `what` completes "parameter `name`: ".
    pub fn parameter(name: &str, what: impl fmt::Display) -> Self {
        Self::new(Code::InvalidParameter, format!("parameter `{name}`: {what}"))
    }

    /// The problem of a request that another person decided while the call was being answered.
    pub fn decided_meanwhile() -> Self {
        Self::new(Code::Conflict, "somebody has decided the request meanwhile")
    }

    /// The problem of something that does not exist.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(Code::NotFound, what)
    }

    /// The problem of a method that a path does not support; `allowed` lists the supported ones.
    pub fn not_allowed(method: &str, allowed: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("{method} is not allowed here; allowed: {allowed}"))
    }

    /// The problem of a defect of Gatehouse, which no caller can avoid.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Code::Internal, detail)
    }

    /// The document that is sent.
    pub fn document(&self) -> Document {
        Document {
            kind: format!("{TYPE_PREFIX}{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
        }
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Four strings and a number: serde_json has no way to fail on them.
        serde_json::to_vec(&self.document()).unwrap_or_default()
    }

    /// Parses a problem that another component answered with; absent if it is not a problem document.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let code = document.kind.strip_prefix(TYPE_PREFIX)?;
        let code = Code::ALL.iter().copied().find(|known| known.as_str() == code)?;
        Some(Self::new(code, document.detail))
    }
}

/// The JSON document of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Problem"))]
pub struct Document {
    /// A URI that names the kind of problem, `urn:gatehouse:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short description of the kind of problem.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The explanation of this case: what is wrong, where, and what to do about it.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = if refusal.stale { Code::ChangedMeanwhile } else { Code::Conflict };
        Self::new(code, refusal.reason)
    }
}

impl From<KvError> for Problem {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable { .. } | KvError::NotYetVisible { .. } => {
                Self::new(Code::Unavailable, format!("{error}; nothing is lost, retry the request"))
            }
            KvError::Unreadable { .. } | KvError::Missing { .. } | KvError::TooLarge { .. } => {
                Self::internal(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_kebab_case_and_have_an_error_status() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.as_str().bytes().all(|c| c.is_ascii_lowercase() || c == b'-'), "{code:?}");
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
    }

    #[test]
    fn a_problem_is_passed_on_between_components_unchanged() {
        let problem = Problem::parameter("target", "target is empty");
        assert_eq!(Problem::from_json(&problem.to_json()), Some(problem.clone()));
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"urn:gatehouse:problem:invalid-parameter","title":"A parameter is missing or invalid","status":400,"detail":"parameter `target`: target is empty"}"#
        );
        assert_eq!(Problem::from_json(b"{}"), None);
    }

    #[test]
    fn the_documentation_lists_exactly_these_codes() {
        let text = include_str!("../../../docs/problems.md");
        let documented: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## `"))
            .filter_map(|rest| rest.split_once('`'))
            .map(|(code, rest)| format!("{code} {}", rest.trim()))
            .collect();
        let known: BTreeSet<_> =
            Code::ALL.iter().map(|code| format!("{} ({})", code.as_str(), code.status())).collect();
        assert_eq!(documented, known);
    }
}
