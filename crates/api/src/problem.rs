//! Errors as `application/problem+json` (RFC 9457): a stable type, and a detail that says what to do.

use serde::{Deserialize, Serialize};
use std::fmt;
use store::kv::KvError;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// What stands before a code in a problem's `type`.
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

            /// What it is, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// A parameter is missing or not legal.
    InvalidParameter = "invalid-parameter", 400, "A parameter is missing or not legal";
    /// The named scanner is not supported.
    UnknownScanner = "unknown-scanner", 400, "The scanner is not known";
    /// A JSON body is not what the call takes.
    InvalidBody = "invalid-body", 400, "The body is not what this call takes";
    /// The report has no bytes.
    ReportEmpty = "report-empty", 400, "The report is empty";
    /// The report was cut off.
    ReportTruncated = "report-truncated", 400, "The report was cut off";
    /// The report is not written in its notation.
    ReportMalformed = "report-malformed", 400, "The report can't be read";
    /// The sidecar with code from the working tree is not one.
    SourceMalformed = "source-malformed", 400, "The code sent beside the report can't be read";
    /// There is no token, or it is not known.
    Unauthenticated = "unauthenticated", 401, "A valid token is needed";
    /// The token's time is over.
    TokenExpired = "token-expired", 401, "The token has expired";
    /// The token's role is not enough.
    Forbidden = "forbidden", 403, "The token's role does not allow this";
    /// What was named is not there, or not visible to the token.
    NotFound = "not-found", 404, "Not found";
    /// The path has no such method.
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here";
    /// The state of the thing does not allow it.
    Conflict = "conflict", 409, "The present state does not allow this";
    /// The body is too large.
    ReportTooLarge = "report-too-large", 413, "The report is too large";
    /// The sidecar is too large.
    SourceTooLarge = "source-too-large", 413, "The code sent beside the report is too large";
    /// The body decompresses to far more than it is.
    CompressionBomb = "compression-bomb", 413, "The report is compressed beyond belief";
    /// The body is compressed in a way that is not read.
    UnsupportedEncoding = "unsupported-encoding", 415, "The content encoding is not supported";
    /// The report is of no known format.
    UnknownFormat = "unknown-format", 422, "No known scanner writes reports like this";
    /// The report is another tool's.
    WrongTool = "wrong-tool", 422, "The report is not of the named scanner";
    /// The report is nested too deep.
    ReportTooDeep = "report-too-deep", 422, "The report is nested too deep";
    /// The scan cannot be replayed.
    NotReplayable = "not-replayable", 422, "The scan can't be replayed";
    /// The `Idempotency-Key` was used for something else.
    IdempotencyMismatch = "idempotency-mismatch", 422, "The Idempotency-Key was used for another request";
    /// Too many unknown tokens came from where the request comes from.
    TooManyAttempts = "too-many-attempts", 429, "Too many unknown tokens were tried";
    /// Our fault.
    Internal = "internal", 500, "Something went wrong inside Gatehouse";
    /// The store, or a stage, could not be reached or did not answer in time.
    Unavailable = "unavailable", 503, "A part of Gatehouse is not available";
}

/// An error as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// What exactly, whose fault it is and what to do.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// A parameter that is missing or not legal.
    pub fn parameter(name: &str, what: impl fmt::Display) -> Self {
        Self::new(Code::InvalidParameter, format!("parameter `{name}`: {what}"))
    }

    /// Something that is not there.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(Code::NotFound, what)
    }

    /// A method that a path does not have.
    pub fn not_allowed(method: &str, allowed: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("{method} is not allowed here; allowed: {allowed}"))
    }

    /// A failure that no caller can help.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Code::Internal, detail)
    }

    /// The problem as its document.
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

    /// Reads back a problem that another component answered with.
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
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This problem: what, where, whose fault, and what to do.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<KvError> for Problem {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable { .. } | KvError::NotYetVisible { .. } => {
                Self::new(Code::Unavailable, format!("{error}; nothing is lost: send the request again"))
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
    fn a_problem_survives_the_way_between_components() {
        let problem = Problem::parameter("target", "target is empty");
        assert_eq!(Problem::from_json(&problem.to_json()), Some(problem.clone()));
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"urn:gatehouse:problem:invalid-parameter","title":"A parameter is missing or not legal","status":400,"detail":"parameter `target`: target is empty"}"#
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
