//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::network::Network;

/// Why an address is not an ordinary public one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This machine (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    Loopback,
    /// One cable or radio cell (RFC 3927, RFC 4291 section 2.5.6).
    LinkLocal,
    /// Where clouds hand out credentials to whoever asks from inside.
    Metadata,
    /// Many receivers at once, or all of them.
    Multicast,
    /// No address at all (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2).
    Unspecified,
    /// A home's or company's own (RFC 1918, RFC 4193), or a provider's (RFC 6598).
    Private,
    /// For documents, tests or the future (RFC 6890).
    Reserved,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Loopback => "this machine itself",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "no address of a machine",
            Self::Private => "a private address",
            Self::Reserved => "a reserved address",
        }
    }
}

/// An address that may not be connected to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{address} is {}, which is not allowed unless it is listed", why.words())]
pub struct Refused {
    /// The address.
    pub address: IpAddr,
    /// What it is.
    pub why: Why,
}

/// What is allowed beyond public addresses.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    private: bool,
    listed: Vec<Network>,
}

impl AddressPolicy {
    /// Public addresses only: for names that come from outside, such as those in a playlist of somebody else.
    pub fn public() -> Self {
        Self::default()
    }

    /// Public and private addresses: for what the operator of this machine names.
    pub fn operator() -> Self {
        Self { private: true, listed: Vec::new() }
    }

    /// Allows these ranges whatever they are.
    #[must_use]
    pub fn with(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.listed.extend(networks);
        self
    }

    /// Whether a connection to the address is allowed. An IPv4 address inside an IPv6 one is judged as what it is.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let inner = innermost(address);
        let listed = |network: &Network| network.contains(address) || network.contains(inner);
        match why(inner) {
            None => Ok(()),
            Some(Why::Private) if self.private => Ok(()),
            Some(_) if self.listed.iter().any(listed) => Ok(()),
            Some(why) => Err(Refused { address, why }),
        }
    }
}

/// The IPv4 address that routers would reach through an IPv6 one (mapped and compatible: RFC 4291 section 2.5.5; NAT64:
/// RFC 6052; 6to4: RFC 3056).
fn innermost(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match six.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if !six.is_loopback() && !six.is_unspecified() => {
            v4(high, low)
        }
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

/// What is special about an address; `None` for a public one.
fn why(address: IpAddr) -> Option<Why> {
    match address {
        IpAddr::V4(four) => why_v4(four),
        IpAddr::V6(six) => why_v6(six),
    }
}

fn why_v4(address: Ipv4Addr) -> Option<Why> {
    Some(match address.octets() {
        // Amazon, Google, Azure and most others; Alibaba; Oracle; Azure's host.
        [169, 254, 169, 254] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => Why::Metadata,
        [0, ..] => Why::Unspecified,
        [127, ..] => Why::Loopback,
        [169, 254, ..] => Why::LinkLocal,
        [224..=239, ..] | [255, 255, 255, 255] => Why::Multicast,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Why::Private,
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [240..=255, ..] => {
            Why::Reserved
        }
        _ => return None,
    })
}

fn why_v6(address: Ipv6Addr) -> Option<Why> {
    Some(match address.segments() {
        // Amazon; Google.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Why::Metadata,
        [0, 0, 0, 0, 0, 0, 0, 0] => Why::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Why::Loopback,
        [0xfe80..=0xfebf, ..] => Why::LinkLocal,
        [0xff00..=0xffff, ..] => Why::Multicast,
        // Unique local, and what it replaced (RFC 3879).
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Why::Private,
        // What is handed out so far begins with 001 (RFC 4291 section 2.4); of it, Teredo and others with a meaning of
        // their own (2001::/23) and those for documents (RFC 3849, RFC 9637).
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Why::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Why::Reserved,
    })
}

#[cfg(test)]
mod tests;
