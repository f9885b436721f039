//! The name under which somebody publishes: a key, and perhaps a secret.

/// Longest name, in bytes.
const LONGEST: usize = 1024;

/// `KEY?secret=…`, taken apart. Not for logs. Taken as it is written: encoders send what was typed, with nothing encoded.
pub(super) struct Name<'a> {
    pub(super) key: &'a str,
    pub(super) secret: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn of(name: &'a str) -> Option<Self> {
        if name.len() > LONGEST {
            return None;
        }
        // Some encoders write the kind of file before names that end like one; no key holds a colon.
        let name = name
            .split_once(':')
            .filter(|(kind, _)| matches!(*kind, "mp4" | "flv"))
            .map_or(name, |(_, name)| name);
        let (key, query) = name.split_once('?').unwrap_or((name, ""));
        let secret = query.split('&').find_map(|pair| pair.strip_prefix("secret="));
        Some(Self { key, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_key_and_a_secret() {
        let cases = [
            ("cam1", "cam1", None),
            ("cam1?secret=s3", "cam1", Some("s3")),
            ("cam1?secret=", "cam1", Some("")),
            ("cam1?a=b&secret=a%2Fb+/=?&secret=c", "cam1", Some("a%2Fb+/=?")),
            ("cam1?secrets=x", "cam1", None),
            ("mp4:cam1.mp4?secret=x", "cam1.mp4", Some("x")),
            ("flv:cam1", "cam1", None),
            ("x:cam1", "x:cam1", None),
            ("cam1&secret=x", "cam1&secret=x", None),
            ("?secret=x", "", Some("x")),
            ("", "", None),
        ];
        for (name, key, secret) in cases {
            let read = Name::of(name).unwrap();
            assert_eq!((read.key, read.secret), (key, secret), "{name}");
        }
        assert!(Name::of(&"x".repeat(LONGEST + 1)).is_none());
    }
}
