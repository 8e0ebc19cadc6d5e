//! Normalised addresses: the host on one side, the request on the other.

use finding::{Endpoint, Kind};

/// The length from which a part of a path with a digit is treated as an id.
const ID_CHARS_MIN: usize = 16;

/// The parts of an address.
#[derive(Debug, Default)]
pub(super) struct EndpointParts {
    /// Scheme, host and port of the URL, or the host.
    pub(super) origin: String,
    /// Method, path template and parameters.
    request: String,
    /// Port and protocol.
    port: String,
    /// Everything except the origin.
    pub(super) exactly: String,
}

impl EndpointParts {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let Endpoint { url, host, port, protocol, method, parameter } = endpoint;
        let url = url.as_deref().unwrap_or_default();
        let (origin, rest) = split(url);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = port.map(|port| port.to_string()).unwrap_or_default();
        let request = [word(method), template(path), parameters(query), word(parameter)].join("\0");
        let port = [number, word(protocol)].join("\0");
        let exactly = [word(method), rest.to_owned(), word(parameter), port.clone()].join("\0");
        let origin = if origin.is_empty() { host.as_deref().unwrap_or_default() } else { origin };
        Self { origin: origin.to_ascii_lowercase(), request, port, exactly }
    }

    /// Returns the name of the endpoint, which stays the same over time and on another host.
    pub(super) fn name(&self, kind: Kind) -> String {
        match kind {
            Kind::Host => self.port.clone(),
            Kind::Web | Kind::Code | Kind::Secret | Kind::Dependency | Kind::License | Kind::Infrastructure => {
                format!("{}\0{}", self.request, self.port)
            }
        }
    }
}

/// Splits a URL before its path. Text that is not a URL with a host is a path.
fn split(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or(url);
    let Some(start) = url.find("://").map(|at| at + 3) else { return ("", url) };
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| start + at);
    url.split_at_checked(end).unwrap_or((url, ""))
}

/// Replaces every part of a path that is a number or an id by `{}`, so that a page per customer is one page.
fn template(path: &str) -> String {
    let part = |part: &str| {
        let number = !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        let id = ID_CHARS_MIN <= part.len()
            && part.bytes().any(|c| c.is_ascii_digit())
            && part.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
        if number || id { "{}".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Returns the names of a query's parameters, sorted and without their values.
fn parameters(query: &str) -> String {
    let mut names: Vec<&str> =
        query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair)).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names.join("&")
}

/// Formats an address for people.
pub(super) fn text(endpoint: &Endpoint) -> String {
    let Endpoint { url, host, port, protocol, method, parameter } = endpoint;
    let port = port.map(|port| port.to_string());
    let network = [host, &port, protocol].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(":");
    let place = url.clone().unwrap_or(network);
    let parts = [method.as_deref(), Some(place.as_str()), parameter.as_deref()];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(url: &str) -> EndpointParts {
        EndpointParts::of(&Endpoint {
            url: Some(url.to_owned()),
            method: Some("GET".to_owned()),
            ..Endpoint::default()
        })
    }

    #[test]
    fn ids_and_values_are_masked_and_names_are_not() {
        let name = |url| seen(url).name(Kind::Web);
        let order = name("https://shop.example/orders/17?page=2&sort=up#top");
        assert_eq!(order, name("https://shop.example/orders/4711?sort=down&page=3"));
        assert_eq!(order, name("https://preview-7.example/orders/17?page=2&sort=up"));
        assert_ne!(order, name("https://shop.example/orders/17?page=2"));
        assert_ne!(order, name("https://shop.example/invoices/17?page=2&sort=up"));
        assert_eq!(
            name("https://a/x/0f8fad5b-d9cb-469f-a165-70867728950e"),
            name("https://a/x/7c9e6679-7425-40de-944b-e07fc1f90ae7")
        );
    }

    #[test]
    fn the_origin_ends_before_the_path() {
        let origins = ["https://Shop.example:8443/a", "https://shop.example:8443?a", "https://shop.example:8443"];
        for url in origins {
            assert_eq!(seen(url).origin, "https://shop.example:8443");
        }
        for odd in ["", "/a/b", "://", "ä://ö/ü", "no url"] {
            seen(odd);
        }
    }
}
