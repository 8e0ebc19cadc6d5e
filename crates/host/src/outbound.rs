//! Outbound calls: the hosts that a component may reach, and the way to them.
//!
//! Patterns are Spin's (its `outbound-networking-config`): `scheme://host:port`, where the scheme may be `*`, the host
//! `*` or `*.domain` or an address with prefix length, and the port `*` or a range `a..b`. On top of that, a host that
//! is allowed only by a wildcard is reached only at public addresses: otherwise whoever controls a name under the
//! wildcard could point it at the operator's own network. Lists in braces, `self` and the old `insecure:allow-all` are
//! refused.

mod address;
mod hooks;
mod send;

use http::Uri;

pub use self::address::{Network, NotANetwork};
pub(crate) use self::hooks::Hooks;

/// The domain of calls to other components.
const CHAINING_SUFFIX: &str = ".spin.internal";

/// The hosts a component may reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedHost>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct AllowedHost {
    scheme: Scheme,
    host: Host,
    port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Any,
    One(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// Any name that ends in this, which starts with a dot.
    Below(String),
    One(String),
    Network(Network),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Port {
    Any,
    /// From the first to just before the second.
    Range(u16, u16),
    One(u16),
}

/// The list's answer for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Denied,
    /// Allowed by a wildcard: only at public addresses.
    PublicAddresses,
    /// Allowed by name or address.
    AnyAddress,
}

/// A pattern that cannot be used: the fault of the manifest's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not an allowed outbound host: {reason}")]
pub struct Error {
    /// The pattern.
    pub pattern: String,
    /// The reason.
    pub reason: &'static str,
}

impl AllowedHosts {
    pub(crate) fn parse(patterns: impl IntoIterator<Item = String>) -> Result<Self, Error> {
        let parse = |pattern: String| AllowedHost::parse(&pattern).map_err(|reason| Error { pattern, reason });
        patterns.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn permits(&self, uri: &Uri) -> Permission {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return Permission::Denied };
        let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else { return Permission::Denied };
        let host = host.to_ascii_lowercase();
        let permissions = self.0.iter().map(|allowed| allowed.permits(scheme, &host, port));
        permissions.fold(Permission::Denied, |best, next| match (best, next) {
            (Permission::AnyAddress, _) | (_, Permission::AnyAddress) => Permission::AnyAddress,
            (Permission::PublicAddresses, _) | (_, Permission::PublicAddresses) => Permission::PublicAddresses,
            (Permission::Denied, Permission::Denied) => Permission::Denied,
        })
    }
}

impl AllowedHost {
    fn parse(pattern: &str) -> Result<Self, &'static str> {
        let pattern = pattern.trim();
        if pattern.contains(['{', '}']) {
            return Err("lists in braces are not supported");
        }
        let Some((scheme, rest)) = pattern.split_once("://") else {
            return Err("it must have the form scheme://host:port, where each may be *");
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an address in brackets are not a port's.
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let scheme = match scheme {
            "*" => Scheme::Any,
            name if !name.is_empty() && name.chars().all(|char| char.is_ascii_alphabetic()) => {
                Scheme::One(name.to_ascii_lowercase())
            }
            _ => return Err("the scheme must be * or a name"),
        };
        let port = match (port, &scheme) {
            (Some(port), _) => Port::parse(port)?,
            (None, Scheme::One(name)) => Port::One(default_port(name).ok_or("a port must be given for this scheme")?),
            (None, Scheme::Any) => return Err("a port must be given when the scheme is *"),
        };
        Ok(Self { scheme, host: Host::parse(host)?, port })
    }

    fn permits(&self, scheme: &str, host: &str, port: u16) -> Permission {
        let scheme_fits = match &self.scheme {
            Scheme::Any => true,
            Scheme::One(name) => name == scheme,
        };
        let port_fits = match self.port {
            Port::Any => true,
            Port::Range(first, end) => (first..end).contains(&port),
            Port::One(one) => one == port,
        };
        if !(scheme_fits && port_fits) {
            return Permission::Denied;
        }
        let permission = |fits, permission| if fits { permission } else { Permission::Denied };
        match &self.host {
            Host::Any => Permission::PublicAddresses,
            Host::Below(suffix) => permission(host.ends_with(suffix), Permission::PublicAddresses),
            Host::One(name) => permission(host == name, Permission::AnyAddress),
            Host::Network(network) => permission(network.contains_host(host), Permission::AnyAddress),
        }
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, &'static str> {
        match host {
            "" => return Err("the host is missing"),
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Err("requests to the application's own routes are not supported"),
            _ => {}
        }
        if let Some(network) = Network::parse(host) {
            return Ok(Self::Network(network));
        }
        if host.contains('/') {
            return Err("a path is not allowed");
        }
        match host.strip_prefix("*.") {
            Some(domain) if !domain.contains('*') && !domain.is_empty() => {
                Ok(Self::Below(format!(".{}", domain.to_ascii_lowercase())))
            }
            None if !host.contains('*') => Ok(Self::One(host.to_ascii_lowercase())),
            Some(_) | None => Err("a wildcard replaces a whole host or its first labels"),
        }
    }
}

impl Port {
    fn parse(port: &str) -> Result<Self, &'static str> {
        let number = |text: &str| text.parse().map_err(|_| "the port must be *, a number or a range a..b");
        match port.split_once("..") {
            _ if port == "*" => Ok(Self::Any),
            Some((first, end)) => Ok(Self::Range(number(first)?, number(end)?)),
            None => number(port).map(Self::One),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The component a URL is addressed to, if it is a call to a component.
fn chaining_target(uri: &Uri) -> Option<&str> {
    uri.host()?.strip_suffix(CHAINING_SUFFIX)
}

/// True if `host`, which may have a port, names a component of the application.
pub(crate) fn is_chaining_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.to_ascii_lowercase().ends_with(CHAINING_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], url: &str, expected: Permission) {
        let allowed = AllowedHosts::parse(patterns.iter().map(|pattern| (*pattern).to_owned())).unwrap();
        assert_eq!(allowed.permits(&url.parse().unwrap()), expected, "{patterns:?} {url}");
    }

    #[test]
    fn patterns_allow_what_they_say() {
        use Permission::{AnyAddress, Denied, PublicAddresses};
        for (pattern, url, expected) in [
            ("https://example.com", "https://example.com/x", AnyAddress),
            ("https://example.com", "https://EXAMPLE.com:443/x", AnyAddress),
            ("https://example.com/", "https://example.com/x", AnyAddress),
            ("https://example.com", "https://example.com:444/x", Denied),
            ("https://example.com", "http://example.com/x", Denied),
            ("https://example.com", "https://sub.example.com/x", Denied),
            ("https://example.com", "https://example.com.evil.org/x", Denied),
            ("https://*.example.com", "https://a.example.com/", PublicAddresses),
            ("https://*.example.com", "https://a.b.example.com/", PublicAddresses),
            ("https://*.example.com", "https://example.com/", Denied),
            ("https://*.example.com", "https://evilexample.com/", Denied),
            ("*://*:*", "http://anything:81/", PublicAddresses),
            ("http://*", "http://a/", PublicAddresses),
            ("http://*", "http://a:81/", Denied),
            ("http://a:80..90", "http://a:89/", AnyAddress),
            ("http://a:80..90", "http://a:90/", Denied),
            ("http://10.0.0.0/8", "http://10.1.2.3/", AnyAddress),
            ("http://10.0.0.0/8", "http://11.1.2.3/", Denied),
            ("http://10.0.0.0/8", "http://ten.example/", Denied),
            ("http://127.0.0.1:*", "http://127.0.0.1:5/", AnyAddress),
            ("http://[::1]:8080", "http://[::1]:8080/", AnyAddress),
            ("http://*.spin.internal", "http://ledger.spin.internal/", PublicAddresses),
            ("http://ledger.spin.internal", "http://gate.spin.internal/", Denied),
        ] {
            check(&[pattern], url, expected);
        }
        check(&[], "http://a/", Denied);
        check(&["http://*", "http://a"], "http://a/", AnyAddress);
        check(&["http://a", "http://*"], "http://a/", AnyAddress);
    }

    #[test]
    fn bad_patterns_are_named() {
        for (pattern, reason) in [
            ("example.com", "it must have the form scheme://host:port, where each may be *"),
            ("insecure:allow-all", "it must have the form scheme://host:port, where each may be *"),
            ("*://example.com", "a port must be given when the scheme is *"),
            ("redis://example.com", "a port must be given for this scheme"),
            ("http://a:b", "the port must be *, a number or a range a..b"),
            ("http://a/b", "a path is not allowed"),
            ("http://a.*.b", "a wildcard replaces a whole host or its first labels"),
            ("http://self", "requests to the application's own routes are not supported"),
            ("http://", "the host is missing"),
            ("{http,https}://a", "lists in braces are not supported"),
        ] {
            let error = AllowedHosts::parse([pattern.to_owned()]).unwrap_err();
            assert_eq!(error, Error { pattern: pattern.to_owned(), reason });
        }
    }

    #[test]
    fn calls_to_components_are_recognised() {
        assert_eq!(chaining_target(&"http://a-b.spin.internal/x".parse().unwrap()), Some("a-b"));
        assert_eq!(chaining_target(&"http://spin.internal/x".parse().unwrap()), None);
        for (host, inside) in [("a.spin.internal", true), ("A.Spin.Internal:80", true), ("spin.internal.x", false)] {
            assert_eq!(is_chaining_host(host), inside, "{host}");
        }
    }
}
