//! Who may publish to a stream.

use std::{fmt, net::IpAddr};

use ocelli_net::{Network, networks};
use serde::{Deserialize, Serialize};

/// Longest publish secret, in bytes.
const MOST_BYTES: usize = 128;

/// Whose media a stream takes that reads `publish:`. With neither a secret nor networks nobody may publish.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishSpec {
    /// Whoever knows it, as `<key>?secret=…` in place of the stream key.
    #[serde(default)]
    pub secret: Option<String>,
    /// Whoever calls from these ranges of addresses, separated by commas.
    #[serde(default)]
    pub networks: Option<String>,
    /// What becomes of a second publisher while there is one.
    #[serde(default)]
    pub second: SecondPublisher,
}

/// What becomes of a second publisher of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondPublisher {
    /// It is refused: the first one stays.
    #[default]
    Refuse,
    /// It takes over: an encoder that lost its connection need not wait until that is noticed here.
    TakeOver,
}

impl PublishSpec {
    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let plain =
            |secret: &str| secret.bytes().all(|byte| byte.is_ascii_graphic() && !b"&?#=".contains(&byte));
        if self
            .secret
            .as_ref()
            .is_some_and(|secret| !(8..=MOST_BYTES).contains(&secret.len()) || !plain(secret))
        {
            return Err("a publish secret has 8 to 128 printable ASCII characters without & ? # =".to_owned());
        }
        self.ranges().map(|_ranges| ())
    }

    /// Whether this publisher may. Takes the same time whatever the secret.
    pub fn admits(&self, secret: Option<&str>, peer: IpAddr) -> bool {
        let known = match (&self.secret, secret) {
            (Some(ours), Some(theirs)) => same(ours.as_bytes(), theirs.as_bytes()),
            _ => false,
        };
        known
            || self
                .ranges()
                .is_ok_and(|ranges| ranges.iter().any(|range| range.contains(peer.to_canonical())))
    }

    fn ranges(&self) -> Result<Vec<Network>, String> {
        networks(self.networks.as_deref().unwrap_or_default()).map_err(|error| error.to_string())
    }
}

/// Whether both are the same, without telling by the time it takes where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = |(one, other): (&u8, &u8)| one ^ other;
    one.len() == other.len() && one.iter().zip(other).map(differs).fold(0, |all, bits| all | bits) == 0
}

impl fmt::Debug for PublishSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishSpec")
            .field("secret", &self.secret.is_some())
            .field("networks", &self.networks)
            .field("second", &self.second)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_knows_the_secret_or_calls_from_a_named_network_may() {
        let here = IpAddr::from([127, 0, 0, 1]);
        let check = |secret: Option<&str>, networks: Option<&str>, given: Option<&str>, may: bool| {
            let [secret, networks] = [secret, networks].map(|word| word.map(str::to_owned));
            let spec = PublishSpec { secret, networks, second: SecondPublisher::Refuse };
            assert_eq!((spec.check(), spec.admits(given, here)), (Ok(()), may), "{spec:?} {given:?}");
        };
        check(None, None, None, false);
        check(None, None, Some(""), false);
        check(Some("long-enough"), None, Some("long-enough"), true);
        check(Some("long-enough"), None, Some("long-enougH"), false);
        check(Some("long-enough"), None, Some("long-enough1"), false);
        check(Some("long-enough"), None, None, false);
        check(None, Some("127.0.0.0/8"), None, true);
        check(None, Some("10.0.0.0/8, ::1"), None, false);
        check(Some("long-enough"), Some("127.0.0.1"), Some("wrong"), true);
        let mapped = PublishSpec { networks: Some("127.0.0.1".to_owned()), ..PublishSpec::default() };
        assert!(mapped.admits(None, "::ffff:127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_nothing_shows_the_secret() {
        for secret in ["short", "with blank in it", "query=in&it=0", &"x".repeat(129)] {
            PublishSpec { secret: Some(secret.to_owned()), ..PublishSpec::default() }.check().unwrap_err();
        }
        PublishSpec { networks: Some("here".to_owned()), ..PublishSpec::default() }.check().unwrap_err();
        let canary = PublishSpec { secret: Some("canary-canary".to_owned()), ..PublishSpec::default() };
        assert!(!format!("{canary:?}").contains("canary"));
    }
}
