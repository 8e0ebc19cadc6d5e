//! A form that was sent without a session, or with an ended one: the page for signing in carries its fields along, and
//! the form is shown again afterwards. Nothing of it is saved on the way.

use crate::form::Form;
use maud::{Markup, html};

/// The largest form that is kept, in bytes. In the form for signing in it is encoded once more.
const KEPT_BYTES_MAX: usize = 64 * 1024;
/// The names of the hidden fields.
const PATH: &str = "kept_path";
const FIELDS: &str = "kept";
/// Fields that are never kept: the word of the ended session, and a token.
const LEFT_OUT: [&str; 2] = ["csrf", "token"];

/// A form that was not processed, and the path that it was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptForm {
    path: String,
    fields: String,
}

impl KeptForm {
    /// Keeps a form; `None` if it is too large.
    pub(crate) fn new(path: &str, form: &Form) -> Option<Self> {
        let fields = form.encoded_without(&LEFT_OUT);
        (fields.len() <= KEPT_BYTES_MAX).then(|| Self { path: path.to_owned(), fields })
    }

    /// The kept form in the form for signing in, if it has one for a page of this site.
    pub(crate) fn in_sign_in(form: &Form) -> Option<Self> {
        let path = form.optional(PATH).filter(|path| is_page(path))?;
        Self::new(path, &Form::parse(form.text(FIELDS).as_bytes()))
    }

    /// The hidden fields that carry it along.
    pub(crate) fn inputs(&self) -> Markup {
        html! {
            input type="hidden" name=(PATH) value=(self.path);
            input type="hidden" name=(FIELDS) value=(self.fields);
        }
    }

    /// The path that the form was sent to.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The form.
    pub(crate) fn form(&self) -> Form {
        Form::parse(self.fields.as_bytes())
    }
}

/// True for the path of a page with forms; signing in and out are none.
pub(crate) fn is_page(path: &str) -> bool {
    (path.starts_with("/projects") || path.starts_with("/account/")) && path.bytes().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in(kept: &KeptForm) -> Option<KeptForm> {
        let mut form = Form::parse(b"token=gate_x");
        form.push("kept_path", &kept.path);
        form.push("kept", &kept.fields);
        KeptForm::in_sign_in(&form)
    }

    #[test]
    fn a_form_survives_signing_in_without_its_secrets() {
        let form = Form::parse(b"csrf=abc&text=a+%26+b%0d%0ac&occurrence=1&occurrence=2&token=gate_y");
        let kept = KeptForm::new("/projects/shop/settings", &form).unwrap();
        let inputs = kept.inputs().into_string();
        assert!(!inputs.contains("abc") && !inputs.contains("gate_y"), "{inputs}");
        let again = signed_in(&kept).unwrap();
        assert_eq!((again.path(), &again.form()), ("/projects/shop/settings", &kept.form()));
        assert_eq!((again.form().text("text"), again.form().all("occurrence").count()), ("a & b\r\nc", 2));
    }

    #[test]
    fn only_forms_of_pages_are_kept_and_no_large_ones() {
        let form = Form::parse(b"a=b");
        for other in
            ["/sign-out", "/sign-out-everywhere", "//evil.example", "https://evil.example", "/projects\r\nx", ""]
        {
            assert_eq!(signed_in(&KeptForm::new(other, &form).unwrap()), None, "{other}");
        }
        let mut large = Form::default();
        large.push("text", &"x".repeat(KEPT_BYTES_MAX));
        assert_eq!(KeptForm::new("/projects", &large), None);
    }
}
