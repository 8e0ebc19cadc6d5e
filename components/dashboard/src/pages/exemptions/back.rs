//! Where a decision came from, and where it leads back to.

use super::base;
use crate::form::Form;

/// The page that a form came from, if it is one of the project's exemptions; else their list.
pub(super) fn of(project: &str, form: &Form) -> String {
    let (base, path) = (base(project), form.text("back"));
    if is_below(&base, path) { path.to_owned() } else { base }
}

fn is_below(base: &str, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(base) else { return false };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_page = match rest.strip_prefix('/') {
        None => rest.is_empty(),
        Some(id) => id.bytes().all(|c| c.is_ascii_alphanumeric()),
    };
    is_page && query.bytes().all(|c| c.is_ascii_graphic() && c != b'#')
}

/// The exemption whose own page this is; nothing if it is the list.
pub(super) fn id_in<'a>(project: &str, page: &'a str) -> Option<&'a str> {
    let (path, _) = page.split_once('?').unwrap_or((page, ""));
    path.strip_prefix(base(project).as_str())?.strip_prefix('/')
}

/// The query of a page.
pub(super) fn query(page: &str) -> &str {
    page.split_once('?').map_or("", |(_, query)| query)
}

/// The page, with what was done to be told on it.
pub(super) fn with_done(page: &str, word: &str) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let pairs =
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "done" && !name.starts_with("preview"));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).append_pair("done", word).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_leads_back_to_an_exemption_or_their_list_and_nowhere_else() {
        let back = |path: &str| {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair("back", path).finish();
            of("shop", &Form::parse(form.as_bytes()))
        };
        for good in [
            "/projects/shop/exemptions",
            "/projects/shop/exemptions/0a?x=1",
            "/projects/shop/exemptions?status=expired",
        ] {
            assert_eq!(back(good), good);
        }
        for bad in [
            "",
            "//evil.example",
            "https://evil.example/projects/shop/exemptions",
            "/projects/shop/exemptionsx",
            "/projects/shop/exemptions/../settings",
            "/projects/shop/exemptions/a/b",
            "/projects/other/exemptions",
            "/projects/shop/exemptions?a\r\nset-cookie: x",
            "/projects/shop/exemptions?a#b",
        ] {
            assert_eq!(back(bad), "/projects/shop/exemptions", "{bad}");
        }
    }

    #[test]
    fn what_was_done_is_told_once() {
        assert_eq!(with_done("/e", "approved"), "/e?done=approved");
        assert_eq!(with_done("/e?done=x&a=b+c&preview=approve", "rejected"), "/e?a=b+c&done=rejected");
        assert_eq!(id_in("shop", "/projects/shop/exemptions/0a?x"), Some("0a"));
        assert_eq!(id_in("shop", "/projects/shop/exemptions?x"), None);
    }
}
