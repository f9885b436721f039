//! Names, numbers and secrets of streams that are created here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ocelli_model::StreamId;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Letters of a name that go into its key.
const MOST_OF_NAME: usize = 40;
/// Letters that tell streams of one name apart, also from those that were deleted: their results stay.
const APART: usize = 6;
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A key for a stream of this name: `Front door` becomes `front-door-k3v9qx`. `otherwise` stands for a name without such letters.
pub(super) fn key(name: &str, otherwise: &str) -> Result<StreamId, Failure> {
    let mut plain = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter.to_ascii_lowercase());
        } else if !plain.is_empty() && !plain.ends_with('-') {
            plain.push('-');
        }
        if plain.len() >= MOST_OF_NAME {
            break;
        }
    }
    let plain = Some(plain.trim_end_matches('-')).filter(|plain| !plain.is_empty()).unwrap_or(otherwise);
    let random = random::<APART>()?;
    let end: String = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    format!("{plain}-{end}").parse().map_err(Failure::invalid)
}

/// 32 letters that nobody can guess, with nothing among them that means something in a URL.
pub(super) fn secret() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<24>()?))
}

/// The number of a stream without one of its own: 31 bits of its key's hash, never 0. `attempt` finds another where that is taken.
pub(super) fn number(key: &StreamId, attempt: u32) -> u64 {
    let hash = Sha256::new().chain_update(key.as_str()).chain_update([0]).chain_update(attempt.to_be_bytes());
    let hash = hash.finalize();
    let bytes = hash.first_chunk::<4>().expect("32 bytes");
    u64::from(u32::from_be_bytes(*bytes) >> 1).max(1)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Failure> {
    let mut bytes = [0; BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_unspecified| Failure::unavailable("the operating system gives no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_tell_their_name_and_are_never_the_same() {
        let check = |name: &str, expected: &str| {
            let key = key(name, "rtmp").unwrap();
            let (plain, end) = key.as_str().rsplit_once('-').unwrap();
            assert_eq!((plain, end.len()), (expected, APART), "{name}");
        };
        check("Front door", "front-door");
        check("  --Ünïcode & co.  ", "n-code-co");
        check("../../etc/passwd", "etc-passwd");
        check("日本", "rtmp");
        check("", "rtmp");
        check(&"x".repeat(500), &"x".repeat(MOST_OF_NAME));
        let all: HashSet<_> = (0..100).map(|_| key("a", "rtmp").unwrap()).collect();
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn secrets_are_long_and_plain() {
        let secret = secret().unwrap();
        assert_eq!(secret.len(), 32);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{secret}");
    }

    #[test]
    fn numbers_are_of_the_key_and_fit_everywhere() {
        let key: StreamId = "cam1".parse().unwrap();
        assert_eq!(number(&key, 0), number(&key, 0));
        let some: HashSet<_> = (0..1000).map(|attempt| number(&key, attempt)).collect();
        assert!(some.len() == 1000 && some.iter().all(|number| (1..=i32::MAX as u64).contains(number)));
    }
}
