use super::*;
use crate::network::networks;

const REFUSED: [(&str, Why); 50] = [
    ("0.0.0.0", Why::Unspecified),
    ("0.1.2.3", Why::Unspecified),
    ("127.0.0.1", Why::Loopback),
    ("127.255.255.254", Why::Loopback),
    ("169.254.0.1", Why::LinkLocal),
    ("169.254.169.254", Why::Metadata),
    ("100.100.100.200", Why::Metadata),
    ("192.0.0.192", Why::Metadata),
    ("168.63.129.16", Why::Metadata),
    ("224.0.0.1", Why::Multicast),
    ("239.255.255.255", Why::Multicast),
    ("255.255.255.255", Why::Multicast),
    ("10.0.0.1", Why::Private),
    ("172.16.0.1", Why::Private),
    ("172.31.255.255", Why::Private),
    ("192.168.1.1", Why::Private),
    ("100.64.0.1", Why::Private),
    ("100.127.255.255", Why::Private),
    ("192.0.0.1", Why::Reserved),
    ("192.0.2.1", Why::Reserved),
    ("198.18.0.1", Why::Reserved),
    ("198.19.255.255", Why::Reserved),
    ("198.51.100.7", Why::Reserved),
    ("203.0.113.7", Why::Reserved),
    ("240.0.0.1", Why::Reserved),
    ("255.255.255.254", Why::Reserved),
    ("::", Why::Unspecified),
    ("::1", Why::Loopback),
    ("fe80::1", Why::LinkLocal),
    ("febf::1", Why::LinkLocal),
    ("fec0::1", Why::Private),
    ("fc00::1", Why::Private),
    ("fdff::1", Why::Private),
    ("fd00:ec2::254", Why::Metadata),
    ("fd20:ce::254", Why::Metadata),
    ("ff02::1", Why::Multicast),
    ("2001:db8::1", Why::Reserved),
    ("3fff:fff::1", Why::Reserved),
    ("2001::1", Why::Reserved),
    ("100::1", Why::Reserved),
    ("64:ff9b:1::1", Why::Reserved),
    ("4000::1", Why::Reserved),
    // IPv4 inside IPv6.
    ("::ffff:127.0.0.1", Why::Loopback),
    ("::ffff:169.254.169.254", Why::Metadata),
    ("::ffff:10.0.0.1", Why::Private),
    ("::127.0.0.1", Why::Loopback),
    ("::0.0.0.2", Why::Unspecified),
    ("64:ff9b::7f00:1", Why::Loopback),
    ("64:ff9b::10.0.0.1", Why::Private),
    ("2002:7f00:1::", Why::Loopback),
];

const PUBLIC: [&str; 17] = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "198.17.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860::8888",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_is_not_public_is_refused_with_its_reason() {
    for (text, why) in REFUSED {
        let address = address(text);
        let refused = Refused { address, why };
        assert!(refused.to_string().contains(&address.to_string()));
        assert_eq!(AddressPolicy::public().check(address), Err(refused), "{text}");
        let by_operator = AddressPolicy::operator().check(address);
        assert_eq!(by_operator.is_ok(), why == Why::Private, "{text}: {by_operator:?}");
    }
    for text in PUBLIC {
        assert_eq!(AddressPolicy::public().check(address(text)), Ok(()), "{text}");
    }
}

#[test]
fn what_is_listed_is_allowed_and_nothing_beside_it() {
    let check = |list: &str, allowed: &[&str], refused: &[&str]| {
        let policy = AddressPolicy::public().with(networks(list).unwrap());
        for text in allowed {
            assert_eq!(policy.check(address(text)), Ok(()), "{list}: {text}");
        }
        for text in refused {
            assert!(policy.check(address(text)).is_err(), "{list}: {text}");
        }
    };
    check("127.0.0.1", &["127.0.0.1", "::ffff:127.0.0.1", "1.1.1.1"], &["127.0.0.2", "::1", "10.0.0.1"]);
    check("10.0.0.0/9, ::1", &["10.127.0.1", "::1"], &["10.128.0.1", "::", "127.0.0.1"]);
    check("169.254.169.254", &["169.254.169.254"], &["169.254.169.253"]);
    check("fe80::/10", &["fe80::1", "febf::1"], &["fec0::1"]);
    check("0.0.0.0/0", &["127.0.0.1", "255.255.255.255", "::ffff:10.0.0.1"], &["::1", "fe80::1"]);
    check("::/0", &["::1", "ff02::1", "::ffff:10.0.0.1"], &["127.0.0.1"]);
    check("", &[], &["127.0.0.1"]);
}

#[test]
fn ranges_are_read_strictly() {
    assert_eq!(networks(" ,, ").unwrap(), []);
    assert_eq!(networks("10.0.0.0/8").unwrap()[0].to_string(), "10.0.0.0/8");
    assert_eq!(networks("::1").unwrap()[0].to_string(), "::1/128");
    for wrong in [
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10/8",
        "localhost",
        "1.1.1.1/8/8",
        "[::1]",
    ] {
        let error = networks(wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("{wrong:?}")), "{error}");
    }
}
