//! The request headers by which a component learns how it was reached, as Spin sets them
//! (its `trigger-http/src/headers.rs`).
//!
//! A component trusts these, so whatever the caller sent under their names is removed first.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::routes::Match;

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const ALL: [HeaderName; 7] =
    [PATH_INFO, FULL_URL, MATCHED_ROUTE, BASE_PATH, RAW_COMPONENT_ROUTE, COMPONENT_ROUTE, CLIENT_ADDR];
const PATH_MATCH: &str = "spin-path-match-";

/// The client address of a call from another component.
pub(crate) const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// The route on which a request reached its component.
pub(crate) struct Arrival<'a> {
    pub(crate) uri: &'a Uri,
    pub(crate) client: SocketAddr,
    /// The route's pattern.
    pub(crate) route: &'a str,
    /// The pattern without `/...`.
    pub(crate) prefix: &'a str,
    /// The part of the path that `/...` matched.
    pub(crate) rest: &'a str,
    /// The part of the path that each `:name` matched.
    pub(crate) params: &'a [(&'a str, &'a str)],
}

impl<'a> Arrival<'a> {
    /// A request that came by `matched`.
    pub(crate) fn by_route<T>(matched: &'a Match<'a, T>, uri: &'a Uri, client: SocketAddr) -> Self {
        Self {
            uri,
            client,
            route: &matched.route.raw,
            prefix: matched.route.prefix(),
            rest: &matched.rest,
            params: &matched.params,
        }
    }

    /// A call from another component, which by Spin's rule looks like a match of `/...`.
    pub(crate) fn chained(uri: &'a Uri) -> Self {
        Self { uri, client: CHAINED_CLIENT, route: "/...", prefix: "", rest: uri.path(), params: &[] }
    }

    /// Replaces the headers in question by the true ones.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        let forged: Vec<HeaderName> =
            headers.keys().filter(|name| name.as_str().starts_with(PATH_MATCH)).cloned().collect();
        for name in forged.iter().chain(&ALL) {
            headers.remove(name);
        }
        let full_url = self.uri.to_string();
        let client = self.client.to_string();
        let values = [self.rest, &full_url, self.route, "/", self.route, self.prefix, &client];
        for (name, value) in ALL.into_iter().zip(values) {
            insert(headers, name, value);
        }
        for (param, value) in self.params {
            let name = format!("{PATH_MATCH}{}", param.to_ascii_lowercase());
            if let Ok(name) = HeaderName::try_from(name) {
                insert(headers, name, value);
            }
        }
    }
}

/// Paths and routes consist of what a URI allows, all of which a header value allows.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Router;

    fn get<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn a_component_sees_how_it_was_reached_and_nothing_forged() {
        let router = Router::new([("/foo/:userId/...".to_owned(), ())]).unwrap();
        let uri: Uri = "http://example.org/foo/42/bar/?k=v".parse().unwrap();
        let matched = router.find(uri.path()).unwrap();
        let client: SocketAddr = "127.0.0.1:8777".parse().unwrap();
        let mut headers = HeaderMap::new();
        for forged in ["spin-client-addr", "spin-path-match-userid", "spin-path-match-admin", "spin-full-url"] {
            headers.append(forged, HeaderValue::from_static("forged"));
            headers.append(forged, HeaderValue::from_static("forged"));
        }
        headers.insert("spin-other", HeaderValue::from_static("kept"));
        Arrival::by_route(&matched, &uri, client).apply(&mut headers);
        for (name, expected) in [
            ("spin-path-info", "/bar/"),
            ("spin-full-url", "http://example.org/foo/42/bar/?k=v"),
            ("spin-matched-route", "/foo/:userId/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/foo/:userId/..."),
            ("spin-component-route", "/foo/:userId"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-path-match-userid", "42"),
            ("spin-other", "kept"),
        ] {
            assert_eq!(get(&headers, name), [expected], "{name}");
        }
        assert!(get(&headers, "spin-path-match-admin").is_empty());
    }

    #[test]
    fn a_chained_call_looks_like_a_match_of_everything() {
        let uri: Uri = "http://ledger.spin.internal/append?x=1".parse().unwrap();
        let mut headers = HeaderMap::new();
        Arrival::chained(&uri).apply(&mut headers);
        for (name, expected) in [
            ("spin-path-info", "/append"),
            ("spin-matched-route", "/..."),
            ("spin-component-route", ""),
            ("spin-client-addr", "0.0.0.0:0"),
        ] {
            assert_eq!(get(&headers, name), [expected], "{name}");
        }
    }
}
