//! What a browser sends when a form is submitted.

use api::Problem;
use api::problem::Code;
use guest::Body;

/// The longest form, in bytes: a hundred chosen exemptions, and the longest text several times over.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// The fields of a form, in their order; one name may be there several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// It is too large, or the connection broke.
    pub(crate) async fn read(body: &mut Body) -> Result<Self, Problem> {
        let mut bytes = Vec::new();
        while let Some(more) = body.next().await? {
            bytes.extend_from_slice(&more);
            if bytes.len() > FORM_BYTES_MAX {
                let detail = format!("the form is larger than {FORM_BYTES_MAX} bytes");
                return Err(Problem::new(Code::InvalidBody, detail));
            }
        }
        Ok(Self::parse(&bytes))
    }

    /// The form in these bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let own = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            (name.into_owned(), value.into_owned())
        };
        Self { fields: form_urlencoded::parse(bytes).map(own).collect() }
    }

    /// The field of this name, without the spaces around it; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The field of this name, unless it is empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// All fields of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number, unless the field is empty.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let number = |text: &str| {
            text.parse().map_err(|_| {
                let detail = format!("field `{name}`: `{}` is no whole number that fits", text.escape_default());
                Problem::new(Code::InvalidBody, detail)
            })
        };
        self.optional(name).map(number).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let form = Form::parse(b"a=+x%20&b=&c=1&c=2&n=7");
        assert_eq!((form.text("a"), form.optional("b"), form.text("none")), ("x", None, ""));
        assert_eq!(form.all("c").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.number::<u32>("n").unwrap(), Some(7));
        assert_eq!(form.number::<u32>("b").unwrap(), None);
        assert!(form.number::<u8>("a").is_err());
    }
}
