//! The version that a change is made on, in the header `If-Match` (RFC 9110, section 13.1.1), and `ETag` in answers.

use crate::request::{HttpRequest, Reply};
use api::problem::Problem;

const IF_MATCH: &str = "if-match";

impl HttpRequest {
    /// The version in the header `If-Match`, if the request has one. `*` means any version.
    ///
    /// # Errors
    /// The header has another form than `"<version>"`: to ignore it could do something that the client did not want.
    pub fn version(&self) -> Result<Option<u64>, Problem> {
        self.header(IF_MATCH)?.map_or(Ok(None), read)
    }

    /// The version of a change, from the header or from the body.
    ///
    /// # Errors
    /// Both name one, and they differ; or the header has another form than `"<version>"`.
    pub fn version_or(&self, of_body: Option<u64>) -> Result<Option<u64>, Problem> {
        match (self.version()?, of_body) {
            (Some(header), Some(body)) if header != body => {
                let reason = format!("it is \"{header}\", but `version` in the body is {body}; send one of them");
                Err(Problem::parameter(IF_MATCH, reason))
            }
            (header, body) => Ok(header.or(body)),
        }
    }

    /// Refuses the header `If-Match` in a call that has no version.
    ///
    /// # Errors
    /// The request has the header.
    pub fn refuse_version(&self, instead: &str) -> Result<(), Problem> {
        match self.header(IF_MATCH)? {
            Some(_) => Err(Problem::parameter(IF_MATCH, format!("this call does not take the header; {instead}"))),
            None => Ok(()),
        }
    }
}

impl Reply {
    /// Adds the version of the answer as its `ETag`.
    pub fn with_version(mut self, version: u64) -> Self {
        self.headers.push(("etag", tag(version)));
        self
    }
}

/// A version as an entity tag.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

fn read(header: &str) -> Result<Option<u64>, Problem> {
    if header.trim() == "*" {
        return Ok(None);
    }
    let version = header.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = version.filter(|version| version.bytes().all(|c| c.is_ascii_digit()));
    let version = digits.and_then(|version| version.parse().ok()).ok_or_else(|| {
        let found = header.escape_default();
        Problem::parameter(IF_MATCH, format!("expected one version in double quotes, as in \"7\", found `{found}`"))
    })?;
    Ok(Some(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_in_quotes() {
        assert_eq!(read("\"17\"").unwrap(), Some(17));
        assert_eq!((read(" * ").unwrap(), read(&tag(0)).unwrap()), (None, Some(0)));
        for other in ["", "17", "\"\"", "\"+1\"", "W/\"17\"", "\"1\", \"2\"", "\"x\"", "\"99999999999999999999\""] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
