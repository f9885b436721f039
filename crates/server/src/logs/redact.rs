//! What looks like a secret is not written.
//!
//! The last line of defence: it errs on the side of masking too much. What no rule knows passes, so that types which do
//! not show their secrets remain the first.

use regex::Regex;

/// Stands where a secret was.
const MASK: &str = "***";

/// Names of values that are secret whatever they hold.
const NAMES: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "private_key",
];

/// Each with what stays in place of what it finds. In their order: later ones see what earlier ones left.
const RULES: [(&str, &str); 9] = [
    // PEM (RFC 7468).
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", MASK),
    // Headers, to the end of what is known of them.
    (r#"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(\\*["']?\s*[:=,]\s*)[^\r\n]+"#, "$1$2***"),
    // Credentials in URLs (RFC 3986 section 3.2.1). Passwords hold @ and / that should have been escaped.
    (r"(?i)([a-z][a-z0-9+.-]*:\\*/\\*/)\S*@", "$1***@"),
    // The same with spaces in the password.
    (r"(?i)([a-z][a-z0-9+.-]*:\\*/\\*/)[^\s/@:]+:[^/@\r\n]{1,128}@", "$1***@"),
    // Schemes of RFC 9110 section 11.6.
    (r"(?i)\b(bearer|basic)(\s+|%20|\+)[a-z0-9._~+/=%-]{6,}", "$1$2***"),
    // Digest's parts are many (RFC 7616 section 3.4).
    (r"(?i)\b(digest)(\s+)(?:username|realm|nonce|response)=[^\r\n]+", "$1$2***"),
    // Our tokens, and JSON Web Tokens (RFC 7519): the first part begins with {" in base64.
    (r"\bocl_[A-Za-z0-9_-]+|\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*", MASK),
    // Names and values: JSON, Rust's debug output, query strings, forms, command lines.
    (
        r#"(?ix)
        ([a-z0-9_.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|signature|credentials?)
            (?:\\*["'])?\s*(?:[:=]|%3d)\s*(?:Some\()?)
        (?: "(?:[^"\\]|\\[\s\S])*"? | '(?:[^'\\]|\\[\s\S])*'? | \\+"(?:[^"\\]|\\{2,}"|\\+[^"\\])*(?:\\?")? | [^\s&;,)}\]"']+ )"#,
        "$1***",
    ),
    // Short names that mean secrets in query strings.
    (r"(?i)([?&](?:pass|key|auth|sig|pin|pw|code)=)[^\s&#]+", "$1***"),
];

/// Finds and masks.
#[derive(Debug)]
pub(crate) struct Redactor {
    rules: Vec<(Regex, &'static str)>,
}

impl Redactor {
    pub(crate) fn new() -> Self {
        let rules = RULES.into_iter().map(|(rule, mask)| (Regex::new(rule).expect("a rule of ours"), mask));
        Self { rules: rules.collect() }
    }

    /// Whether a value of this name is secret: its name is one of those, or ends with one after `_` or `.`.
    pub(crate) fn is_secret(name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let ends = |known: &str| {
            name.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '.', '-']))
        };
        NAMES.iter().any(|known| ends(known))
    }

    /// The value of a field without its secrets.
    pub(crate) fn masked(&self, name: &str, value: String) -> String {
        if Self::is_secret(name) { MASK.to_owned() } else { self.words(value) }
    }

    /// Words without their secrets.
    pub(crate) fn words(&self, mut words: String) -> String {
        for (rule, mask) in &self.rules {
            // Nearly always nothing is found, and nothing copied.
            if let std::borrow::Cow::Owned(masked) = rule.replace_all(&words, *mask) {
                words = masked;
            }
        }
        words
    }
}
