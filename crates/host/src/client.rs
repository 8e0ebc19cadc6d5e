//! The client of a request: its address, seen through proxies that the operator trusts, and the network it counts with.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::outbound::Network;

/// The header to which each proxy adds the address that it saw. `Forwarded` (RFC 7239) is not read: a proxy that adds
/// to one of the two passes the other on as the client wrote it, so only one can be believed.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network of a client: an IPv4 address or an IPv6 /64, which is the least that one customer has of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientNetwork(u128);

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() >> 64 << 64),
        }
    }
}

/// The proxies whose word about their clients is believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<Network>);

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Self {
        Self(trusted)
    }

    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client of a request from `peer`: the last address on its way that is no trusted proxy's. An address that
    /// cannot be read ends the search at the proxy that passed it on. The port is 0 where only a proxy saw it.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        if !self.trust(peer.ip()) {
            return client;
        }
        let lists = headers.get_all(FORWARDED_FOR).into_iter().rev();
        for list in lists {
            let Ok(list) = list.to_str() else { return client };
            for address in list.rsplit(',') {
                let Some(address) = parse(address.trim()) else { return client };
                client = SocketAddr::new(address, 0);
                if !self.trust(address) {
                    return client;
                }
            }
        }
        client
    }
}

/// Reads an address, which may have a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn network(address: &str) -> ClientNetwork {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_client_has_an_ipv4_address_or_an_ipv6_network() {
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
    }

    fn client(peer: &str, lists: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(list).unwrap());
        }
        headers.append("forwarded", HeaderValue::from_static("for=192.0.2.99"));
        Proxies::new(trusted.to_vec()).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("192.0.2.1:9", &["192.0.2.7"], "192.0.2.1:9"),
            ("10.0.0.1:9", &["192.0.2.7"], "192.0.2.7:0"),
            ("[::ffff:10.0.0.1]:9", &["192.0.2.7"], "192.0.2.7:0"),
            ("[fd00::1]:9", &["[2001:db8::7]:80"], "[2001:db8::7]:0"),
            ("10.0.0.1:9", &["192.0.2.7:80"], "192.0.2.7:0"),
            // What a client writes itself comes first, and is not reached.
            ("10.0.0.1:9", &["192.0.2.66, 192.0.2.7, 10.9.9.9"], "192.0.2.7:0"),
            ("10.0.0.1:9", &["192.0.2.66", "192.0.2.7, 10.9.9.9"], "192.0.2.7:0"),
            ("10.0.0.1:9", &["10.1.1.1"], "10.1.1.1:0"),
            ("10.0.0.1:9", &[], "10.0.0.1:9"),
            ("10.0.0.1:9", &["unknown"], "10.0.0.1:9"),
            ("10.0.0.1:9", &["192.0.2.7, unknown, 10.9.9.9"], "10.9.9.9:0"),
        ];
        for (peer, lists, expected) in cases {
            assert_eq!(client(peer, lists), *expected, "{peer} {lists:?}");
        }
    }
}
