//! Submitted forms.

use api::Problem;
use api::problem::Code;
use guest::Body;

/// The largest form, in bytes: enough for a hundred selected exemptions and the longest text.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// The fields of a form, in order. A name may occur several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// The form is too large, or the connection broke.
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

    /// Parses a form.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let owned = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            (name.into_owned(), value.into_owned())
        };
        Self { fields: form_urlencoded::parse(bytes).map(owned).collect() }
    }

    /// The form as it is sent, without the fields of these names.
    pub(crate) fn encoded_without(&self, names: &[&str]) -> String {
        let kept = self.fields.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }

    /// Adds a field.
    #[cfg(test)]
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// The field with this name, without surrounding spaces; empty if it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The field with this name; `None` if it is missing or empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// All fields with this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number; `None` if the field is missing or empty.
    ///
    /// # Errors
    /// The field is not a number, or it does not fit the type.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let number = |text: &str| {
            text.parse().map_err(|_| {
                let detail =
                    format!("field `{name}`: expected a whole number in range, found `{}`", text.escape_default());
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
