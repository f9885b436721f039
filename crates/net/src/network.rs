//! Ranges of addresses as an operator writes them.

use std::{fmt, net::IpAddr, str::FromStr};

/// All addresses that share their first bits with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A word that is no range of addresses.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no address range; write 127.0.0.1, 10.0.0.0/8 or fd00::/8")]
pub struct NetworkError(String);

/// The ranges of a comma-separated list; empty parts are skipped.
pub fn networks(list: &str) -> Result<Vec<Network>, NetworkError> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

impl Network {
    /// Whether the address is in the range. IPv4 and IPv6 are kept apart.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32 - self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128 - self.prefix),
            _ => false,
        }
    }
}

/// Whether two numbers are equal but for their `free` lowest bits.
fn same(one: u128, other: u128, free: u8) -> bool {
    (one ^ other).checked_shr(free.into()).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NetworkError;

    /// An address, or an address, a slash and a count of leading bits (RFC 4632, RFC 4291 section 2.3).
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_error| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let digits = |prefix: &&str| !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            None => bits,
            Some(prefix) => {
                Some(prefix).filter(digits).and_then(|prefix| prefix.parse().ok()).ok_or_else(wrong)?
            }
        };
        if prefix <= bits { Ok(Self { address, prefix }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
