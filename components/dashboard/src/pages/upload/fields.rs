//! The fields of the upload form before the file.

use crate::session::{self, Session};
use api::problem::{Code, Problem};
use api::query::Query;
use guest::form::{Multipart, Part};

/// The name of the file's field.
pub(crate) const REPORT: &str = "report";
/// The fields that become query parameters of the upload with the same name.
pub(crate) const PARAMETERS: [&str; 9] = [
    "scanner",
    "target",
    "target_type",
    "variant",
    "fail_on_severity",
    "fail_on_new",
    "fail_on_new_occurrences",
    "pipeline",
    "execution",
];
/// The longest value of a field, in bytes; the API's limits are lower.
const FIELD_BYTES_MAX: usize = 4 * 1024;

/// The values of the fields that were filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    values: Vec<(&'static str, String)>,
}

impl Fields {
    /// The fields that the query of the page fills in.
    pub(crate) fn of_query(query: &Query) -> Self {
        let mut query = query.clone();
        let mut value = |name| query.optional::<String>(name).ok().flatten().map(|value| (name, value));
        Self { values: PARAMETERS.into_iter().filter_map(&mut value).collect() }
    }

    /// The value of a field; empty if it was not filled in.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Sets the value of a field.
    ///
    /// # Errors
    /// The field is unknown, or was set before.
    pub(crate) fn fill(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let Some(known) = PARAMETERS.into_iter().find(|known| *known == name) else {
            return Err(invalid(&format!("unknown field `{}`", name.escape_default())));
        };
        if self.values.iter().any(|(filled, _)| *filled == known) {
            return Err(invalid(&format!("duplicate field `{known}`")));
        }
        if !value.is_empty() {
            self.values.push((known, value.to_owned()));
        }
        Ok(())
    }

    /// The query of the upload.
    pub(crate) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.values).finish()
    }
}

/// Reads the fields up to the file. The file is not read before the CSRF token is checked.
///
/// # Errors
/// The form belongs to another session, has no file, or has unexpected fields.
pub(crate) async fn read(form: &mut Multipart, fields: &mut Fields, session: &Session) -> Result<Part, Problem> {
    let mut is_own = false;
    while let Some(mut part) = form.next().await? {
        match part.name().unwrap_or_default().to_owned().as_str() {
            REPORT if is_own => return Ok(part),
            REPORT => break,
            "csrf" => is_own = session.has_csrf(&text("csrf", &mut part).await?),
            name => fields.fill(name, text(name, &mut part).await?.trim())?,
        }
    }
    if is_own {
        return Err(invalid("the report is missing; select a file"));
    }
    Err(session::foreign_form())
}

async fn text(name: &str, part: &mut Part) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(more) = part.next().await? {
        bytes.extend_from_slice(&more);
        if FIELD_BYTES_MAX < bytes.len() {
            let name = name.escape_default();
            return Err(invalid(&format!("field `{name}` is longer than {FIELD_BYTES_MAX} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid(&format!("field `{}` is not UTF-8", name.escape_default())))
}

/// The problem of a form that the page cannot have sent.
pub(super) fn invalid(what: &str) -> Problem {
    Problem::new(Code::InvalidBody, format!("invalid form: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session;
    use bytes::Bytes;
    use domain::role::Role;
    use futures::executor::block_on;
    use futures::stream;

    /// Reads a form with these fields; returns the query and the content of the file.
    fn reading(parts: &[(&str, &str)]) -> Result<(String, Vec<u8>), Problem> {
        let part = |(name, value): &(&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let text: String = parts.iter().map(part).chain(["--b--\r\n".to_owned()]).collect();
        let pieces: Vec<_> = text.into_bytes().chunks(100).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        block_on(async {
            let mut form = Multipart::open("multipart/form-data; boundary=b", stream::iter(pieces))?;
            let mut fields = Fields::default();
            let mut file = read(&mut form, &mut fields, &session(Role::Developer)).await?;
            let mut content = Vec::new();
            while let Some(bytes) = file.next().await? {
                content.extend_from_slice(&bytes);
            }
            Ok((fields.query(), content))
        })
    }

    #[test]
    fn fields_become_parameters_and_empty_ones_are_absent() {
        let csrf = "c".repeat(32);
        let read = reading(&[
            ("csrf", &csrf),
            ("scanner", "auto"),
            ("target", " a/b & c "),
            ("pipeline", ""),
            ("report", "{\"x\": 1}"),
        ]);
        assert_eq!(read, Ok(("scanner=auto&target=a%2Fb+%26+c".to_owned(), b"{\"x\": 1}".to_vec())));
    }

    #[test]
    fn a_form_of_another_session_is_refused_before_its_file() {
        for parts in [
            vec![("report", "x")],
            vec![("csrf", "wrong"), ("report", "x")],
            vec![("report", "x"), ("csrf", "cccccccccccccccccccccccccccccccc")],
            vec![("target", "web")],
        ] {
            assert_eq!(reading(&parts).unwrap_err().code, Code::Conflict, "{parts:?}");
        }
    }

    #[test]
    fn a_manipulated_form_is_refused() {
        let (csrf, long) = ("c".repeat(32), "x".repeat(1 << 20));
        let detail = |parts: &[(&str, &str)]| {
            let parts = [&[("csrf", csrf.as_str())], parts].concat();
            reading(&parts).unwrap_err().detail
        };
        assert!(detail(&[("target", "web")]).contains("the report is missing"));
        assert!(detail(&[("accept_missing", "true"), ("report", "x")]).contains("unknown field `accept_missing`"));
        assert!(detail(&[("target", "a"), ("target", "b"), ("report", "x")]).contains("duplicate field `target`"));
        assert!(detail(&[("target", &long), ("report", "x")]).contains("longer than 4096 bytes"));
    }
}
