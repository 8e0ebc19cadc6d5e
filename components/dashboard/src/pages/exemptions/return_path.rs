//! The page that a decision was made on, and that it leads back to.

use crate::address;
use crate::form::Form;

/// The page of a form, if it is a page of the project's exemptions; otherwise their list.
pub(super) fn of_form(project: &str, form: &Form) -> String {
    let (list, path) = (address::exemptions(project), form.text("back"));
    if is_below(&list, path) { path.to_owned() } else { list }
}

fn is_below(list: &str, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(list) else { return false };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_page = match rest.strip_prefix('/') {
        None => rest.is_empty(),
        Some(id) => id.bytes().all(|c| c.is_ascii_alphanumeric()),
    };
    is_page && query.bytes().all(|c| c.is_ascii_graphic() && c != b'#')
}

/// The exemption whose page this is; `None` for the list.
pub(super) fn exemption_id<'a>(project: &str, page: &'a str) -> Option<&'a str> {
    let (path, _) = page.split_once('?').unwrap_or((page, ""));
    path.strip_prefix(address::exemptions(project).as_str())?.strip_prefix('/')
}

/// The query of a page.
pub(super) fn query(page: &str) -> &str {
    page.split_once('?').map_or("", |(_, query)| query)
}

/// The page with a notice ([`crate::view::notice`]). `count`: the number of exemptions decided in bulk.
pub(super) fn with_notice(page: &str, notice: &str, count: Option<usize>) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let is_kept = |name: &str| name != "done" && name != "count" && !name.starts_with("preview");
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| is_kept(name));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).append_pair("done", notice);
    if let Some(count) = count {
        query.append_pair("count", &count.to_string());
    }
    format!("{path}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_leads_back_only_to_an_exemption_or_the_list() {
        let back = |path: &str| {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair("back", path).finish();
            of_form("shop", &Form::parse(form.as_bytes()))
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
    fn a_notice_replaces_the_one_before() {
        assert_eq!(with_notice("/e", "approved", None), "/e?done=approved");
        let page = "/e?done=x&count=3&a=b+c&preview=approve";
        assert_eq!(with_notice(page, "rejected", None), "/e?a=b+c&done=rejected");
        assert_eq!(with_notice(page, "rejected", Some(2)), "/e?a=b+c&done=rejected&count=2");
        assert_eq!(exemption_id("shop", "/projects/shop/exemptions/0a?x"), Some("0a"));
        assert_eq!(exemption_id("shop", "/projects/shop/exemptions?x"), None);
    }
}
