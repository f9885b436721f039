//! Who is let in: what follows from the configuration, and the files that it names.

use std::{io, path::Path};

use super::{Config, Jwt, check::LEAST_SECRET_BYTES, layers::read_file, words::Secret};

/// What tokens of an identity provider are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JwtKey {
    /// Of HS256.
    Secret(Secret),
    /// A public key in PEM.
    Pem(String),
}

/// Nobody could be told from anybody else.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} can be reached from other machines, and nothing says who may use the server; make a token (ocelli token create), \
     set [access.jwt], or name the clients that need none ([[access.anonymous]])"
)]
pub(crate) struct OpenToAll(String);

/// Why there is no key to check tokens with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JwtKeyError {
    /// Its file cannot be read.
    #[error("access.jwt: cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// What is in the file is too short.
    #[error("access.jwt.secret_file: the secret is shorter than {LEAST_SECRET_BYTES} bytes")]
    Short,
}

impl Config {
    /// Whether other machines can reach the server: then every request needs a credential or a rule.
    pub(crate) fn is_beyond_loopback(&self) -> bool {
        self.server.listen.iter().any(|listen| !listen.0.ip().to_canonical().is_loopback())
    }

    /// Refuses to be open to everybody; `tokens` is how many there are.
    pub(crate) fn refuse_open(&self, tokens: usize) -> Result<(), OpenToAll> {
        let known = tokens > 0 || self.jwt.algorithm.is_some() || !self.access.anonymous.is_empty();
        let open = self.server.listen.iter().find(|listen| !listen.0.ip().to_canonical().is_loopback());
        open.filter(|_| !known).map_or(Ok(()), |listen| Err(OpenToAll(listen.0.to_string())))
    }
}

impl Jwt {
    /// Reads the key; `None` where no such tokens are used.
    pub(crate) fn load_key(&self) -> Result<Option<JwtKey>, JwtKeyError> {
        if let Some(secret) = &self.secret {
            return Ok(Some(JwtKey::Secret(secret.clone())));
        }
        if let Some(path) = &self.secret_file {
            let secret = read(path)?.trim().to_owned();
            let long = secret.len() >= LEAST_SECRET_BYTES;
            return if long {
                Ok(Some(JwtKey::Secret(Secret::new(secret))))
            } else {
                Err(JwtKeyError::Short)
            };
        }
        self.key_file.as_deref().map(|path| Ok(JwtKey::Pem(read(path)?))).transpose()
    }
}

fn read(path: &Path) -> Result<String, JwtKeyError> {
    read_file(path).map_err(|source| JwtKeyError::Read { path: path.display().to_string(), source })
}
