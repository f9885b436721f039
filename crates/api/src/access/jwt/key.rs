//! Keys that JWTs are checked with.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use ring::{hmac, signature};
use tokio_rustls::rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};

use super::{JwtAlgorithm, JwtConfig};

/// Least bytes of a shared secret (RFC 7518 section 3.2).
const LEAST_SECRET: usize = 32;
/// The algorithm identifiers of public keys (RFC 3279 section 2.3.1, RFC 5480 section 2.1), as DER without tag and length.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Checks signatures.
pub(super) enum Key {
    Shared(hmac::Key),
    Public(signature::UnparsedPublicKey<Vec<u8>>),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum JwtKeyError {
    /// Neither or both of the two ways to give it.
    #[error("access.jwt needs a key: set {0}")]
    Missing(&'static str),
    /// The file cannot be read.
    #[error("cannot read the key of access.jwt from {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A secret that can be guessed.
    #[error(
        "the secret of access.jwt has fewer than {LEAST_SECRET} bytes; make one with `openssl rand -base64 48`"
    )]
    Short,
    /// Not the key that the algorithm takes.
    #[error("{} holds no {wanted}; {remedy}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What is needed.
        wanted: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(super) fn open(config: &JwtConfig) -> Result<Self, JwtKeyError> {
        match (config.algorithm, &config.secret, &config.key_file) {
            (JwtAlgorithm::HS256, Some(secret), None) => Self::shared(secret.reveal().as_bytes()),
            (JwtAlgorithm::HS256, None, Some(path)) => Self::shared(read(path)?.trim_ascii()),
            (JwtAlgorithm::HS256, ..) => {
                Err(JwtKeyError::Missing("either secret or key_file (algorithm HS256)"))
            }
            (algorithm, None, Some(path)) => Self::public(algorithm, path),
            (..) => Err(JwtKeyError::Missing("key_file, the issuer's public key, and no secret")),
        }
    }

    fn shared(secret: &[u8]) -> Result<Self, JwtKeyError> {
        let long = secret.len() >= LEAST_SECRET;
        if long {
            Ok(Self::Shared(hmac::Key::new(hmac::HMAC_SHA256, secret)))
        } else {
            Err(JwtKeyError::Short)
        }
    }

    fn public(algorithm: JwtAlgorithm, path: &Path) -> Result<Self, JwtKeyError> {
        let wanted = if algorithm == JwtAlgorithm::ES256 {
            "public key on the curve P-256"
        } else {
            "public RSA key of 2048 to 8192 bits"
        };
        let wrong = |remedy| JwtKeyError::Kind { path: path.to_owned(), wanted, remedy };
        let remedy = "write it with `openssl pkey -in private.pem -pubout`, or `openssl x509 -pubkey -noout` from a certificate";
        let key = SubjectPublicKeyInfoDer::from_pem_slice(&read(path)?);
        let key = key.map_err(|_error| wrong(remedy))?;
        let parsed = if algorithm == JwtAlgorithm::ES256 { p256(&key) } else { rsa(&key) };
        parsed.ok_or_else(|| wrong("it is a key of another kind or size"))
    }

    /// Whether the signature is of this message by this key. Comparing takes the same time wherever they differ.
    pub(super) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Shared(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify(message, signature).is_ok(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, JwtKeyError> {
    fs::read(path).map_err(|source| JwtKeyError::File { path: path.to_owned(), source })
}

/// `SEQUENCE { SEQUENCE { OID rsaEncryption, NULL }, BIT STRING { SEQUENCE { INTEGER n, INTEGER e } } }`.
fn rsa(der: &[u8]) -> Option<Key> {
    let (algorithm, key) = subject_public_key(der)?;
    let (oid, _null) = value(0x06, algorithm)?;
    let (modulus, _exponent) = value(0x02, value(0x30, key)?.0)?;
    // A zero before the modulus says that it is not negative.
    let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
    let fits = oid == RSA && (2048..=8192).contains(&bits);
    let verify = &signature::RSA_PKCS1_2048_8192_SHA256;
    fits.then(|| Key::Public(signature::UnparsedPublicKey::new(verify, key.to_vec())))
}

/// `SEQUENCE { SEQUENCE { OID ecPublicKey, OID prime256v1 }, BIT STRING { 4, x, y } }`.
fn p256(der: &[u8]) -> Option<Key> {
    let (algorithm, key) = subject_public_key(der)?;
    let (oid, curve) = value(0x06, algorithm)?;
    let fits = oid == EC && value(0x06, curve)?.0 == P256 && key.len() == 65 && key[0] == 4;
    let verify = &signature::ECDSA_P256_SHA256_FIXED;
    fits.then(|| Key::Public(signature::UnparsedPublicKey::new(verify, key.to_vec())))
}

/// Algorithm and key of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
fn subject_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (algorithm, rest) = value(0x30, value(0x30, der)?.0)?;
    // The first byte of a bit string counts the bits at its end that are none.
    let (unused, key) = value(0x03, rest)?.0.split_first()?;
    (*unused == 0).then_some((algorithm, key))
}

/// The content of the DER value at the start, which must have this tag, and what comes after it.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = digits
                .iter()
                .try_fold(0_usize, |all, digit| all.checked_mul(256).map(|all| all + usize::from(*digit)))?;
            (length, rest)
        }
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}
