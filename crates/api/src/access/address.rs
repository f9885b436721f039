//! The address of a client, behind proxies that we were told to trust.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ocelli_net::Network;

/// What proxies add to requests that they pass on.
const FORWARDED: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// The address that asked. Each proxy appends the address it saw to `X-Forwarded-For`: read from the end, the first that
/// is no trusted proxy is the client; what stands before it, the client may have written itself. Whoever is no trusted
/// proxy is the client, whatever it sends.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let lines = headers.get_all(FORWARDED[0]).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    for hop in hops {
        if !is_trusted(client) {
            break;
        }
        // A word that is no address hides who is behind it: the proxy that passed it on answers for it.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
    }
    client
}

/// An address, perhaps with a port, as proxies write it.
fn address(word: &str) -> Option<IpAddr> {
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr = match bare.parse() {
        Ok(address) => address,
        Err(_) => word.parse::<std::net::SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

/// Whether somebody passed the request on.
pub(crate) fn was_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// What counts as one client in rates: an IPv6 customer has 2^64 addresses or more (RFC 6177).
pub(crate) fn customer(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ocelli_net::networks("10.0.0.0/8, ::1").unwrap();
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let found = client(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        };
        check("203.0.113.9", &[], "203.0.113.9");
        check("203.0.113.9", &["127.0.0.1"], "203.0.113.9");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["127.0.0.1, 203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1", "203.0.113.9,10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9");
        check("::1", &["[2001:db8::1]:4711"], "2001:db8::1");
        check("::1", &["2001:db8::1"], "2001:db8::1");
        check("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1");
        check("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &[""], "10.0.0.1");
    }

    #[test]
    fn a_customer_of_ipv6_is_one_client() {
        let customer = |word: &str| customer(word.parse().unwrap()).to_string();
        assert_eq!(customer("203.0.113.9"), "203.0.113.9");
        assert_eq!(customer("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
