//! The origin of a request: the address of the dashboard, and the site that a request comes from.

use api::Problem;
use guest::HttpRequest;

/// The address of the dashboard, made from the header `Host`. A host that could do harm in a shell command is not used.
pub(crate) fn of_host(host: Option<&str>, secure: bool) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '[' | ']');
    match host.filter(|host| !host.is_empty() && !host.starts_with('-') && host.chars().all(is_plain)) {
        Some(host) => format!("{}://{host}", if secure { "https" } else { "http" }),
        None => "https://gatehouse.example".to_owned(),
    }
}

/// True if the request comes from another site. Browsers without `Sec-Fetch-Site` send at least `Origin` (Fetch
/// Metadata Request Headers; RFC 6454, section 7).
pub(crate) fn is_cross_site(call: &HttpRequest, host: Option<&str>) -> Result<bool, Problem> {
    if let Some(site) = call.header("sec-fetch-site")? {
        return Ok(!matches!(site, "same-origin" | "none"));
    }
    let origin = call.header("origin")?;
    Ok(origin.is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != host))
}

/// True if the browser comes from a page of the dashboard. Only then does a page show a notice of the last action.
pub(crate) fn is_own_page(call: &HttpRequest, origin: &str) -> bool {
    match (call.header("sec-fetch-site"), call.header("referer")) {
        (Ok(Some(site)), _) => site == "same-origin",
        (Ok(None), Ok(Some(referer))) => referer.strip_prefix(origin).is_some_and(|path| path.starts_with('/')),
        (_, _) => false,
    }
}

/// True if the proxy in front says that the browser's connection uses TLS. A client that lies about this only changes
/// how its own cookie is sent.
pub(crate) fn is_over_tls(call: &HttpRequest) -> bool {
    // The first of several proxies is the one next to the browser.
    let first = |protocols: &str| protocols.split(',').next().unwrap_or_default().trim().eq_ignore_ascii_case("https");
    matches!(call.header("x-forwarded-proto"), Ok(Some(protocols)) if first(protocols))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_host_and_nothing_else() {
        assert_eq!(of_host(Some("127.0.0.1:4135"), false), "http://127.0.0.1:4135");
        assert_eq!(of_host(Some("gate.example.org"), true), "https://gate.example.org");
        for other in [None, Some(""), Some("a;rm -rf"), Some("$(id)"), Some("a\"b"), Some("-x"), Some("ü")] {
            assert_eq!(of_host(other, true), "https://gatehouse.example", "{other:?}");
        }
    }
}
