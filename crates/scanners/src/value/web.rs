//! Addresses and HTML texts in reports of scanners that scan from outside.

use crate::reader::text::Filled;
use finding::Endpoint;

/// The parts of a URL. A user name and password in it are removed.
pub(crate) fn address(url: &str) -> Endpoint {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else {
        return Endpoint { url: url.to_owned().filled(), ..Endpoint::default() };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = host_and_port(authority);
    let scheme = scheme.to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    };
    Endpoint {
        url: Some(format!("{scheme}://{authority}{path}")),
        host,
        port: port.or(usual),
        protocol: Some(scheme),
        ..Endpoint::default()
    }
}

/// The host and the port in `host:port`, `[::1]:port` or `host` alone.
pub(crate) fn host_and_port(text: &str) -> (Option<String>, Option<u16>) {
    let filled = |host: &str| host.to_owned().filled();
    if let Some((host, after)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (filled(host), after.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match text.rsplit_once(':') {
        // More colons than one are an IPv6 address.
        Some((host, port)) if !host.contains(':') => (filled(host), port.parse().ok()),
        Some(_) | None => (filled(text), None),
    }
}

/// The text of a piece of HTML. Text without markup stays as it is.
pub(crate) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        if !after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            text.push('<');
            rest = after;
        } else if let Some((tag, after)) = after.split_once('>') {
            if is_block(tag) {
                text.push('\n');
            }
            rest = after;
        } else {
            // No tag ends after this position: the rest is text.
            text.push('<');
            text.push_str(after);
            rest = "";
        }
    }
    text.push_str(rest);
    for (entity, character) in [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        if text.contains(entity) {
            text = text.replace(entity, character);
        }
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// True if a tag begins or ends a line of text.
fn is_block(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    ["p", "br", "ul", "ol", "li", "div", "h1", "h2", "h3", "table", "tr", "pre"]
        .iter()
        .any(|block| block.eq_ignore_ascii_case(name))
}

/// The addresses in a text or HTML, each once.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\''));
    for part in parts.filter(|part| part.starts_with("http://") || part.starts_with("https://")) {
        let link = part.trim_end_matches([',', ';', '.']);
        let link = if link.contains('(') { link } else { link.trim_end_matches(')') };
        if !found.iter().any(|known| known == link) {
            found.push(link.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_and_its_password_removed() {
        let parts = |url: &str| {
            let Endpoint { url, host, port, protocol, .. } = address(url);
            (url.unwrap_or_default(), host.unwrap_or_default(), port, protocol.unwrap_or_default())
        };
        let of =
            |url: &str, host: &str, port, protocol: &str| (url.to_owned(), host.to_owned(), port, protocol.to_owned());
        let cases = [
            ("https://shop.example/a?b=c", of("https://shop.example/a?b=c", "shop.example", Some(443), "https")),
            ("HTTP://shop.example:8080", of("http://shop.example:8080", "shop.example", Some(8080), "http")),
            ("http://ann:hunter2@shop.example/", of("http://shop.example/", "shop.example", Some(80), "http")),
            ("https://[::1]:8443/x", of("https://[::1]:8443/x", "::1", Some(8443), "https")),
            ("ftp://shop.example", of("ftp://shop.example", "shop.example", None, "ftp")),
            ("/path", of("/path", "", None, "")),
            ("", of("", "", None, "")),
        ];
        for (url, expected) in cases {
            assert_eq!(parts(url), expected, "{url}");
        }
        assert_eq!(host_and_port("shop.example:99999"), (Some("shop.example".to_owned()), None));
        assert_eq!(host_and_port("2001:db8::1"), (Some("2001:db8::1".to_owned()), None));
    }

    #[test]
    fn html_becomes_text_and_text_stays_text() {
        let cases = [
            ("<p>One.</p><p>Two <b>words</b>.</p>", "One.\nTwo words."),
            ("a < b &amp;&amp; c &gt; d", "a < b && c > d"),
            ("list:<ul>\n<li>x</li><li>y</li></ul>", "list:\nx\ny"),
            ("<a<a<a", "<a<a<a"),
            ("&amp;lt;", "&lt;"),
            ("", ""),
        ];
        for (html, text) in cases {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    #[test]
    fn links_are_found_in_html_and_in_text() {
        let html =
            "<ul><li><a href=\"https://a.example/x\">A</a></li></ul> see http://b.example/y, https://a.example/x";
        assert_eq!(links(html), ["https://a.example/x", "http://b.example/y"]);
    }
}
