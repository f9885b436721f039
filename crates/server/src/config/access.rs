//! Who is let in, as far as it follows from the configuration alone.

use super::Config;

/// Nobody could be told from anybody else.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} can be reached from other machines, and nothing says who may use the server; make a token (ocelli token create), \
     set [access.jwt], or name the clients that need none ([[access.anonymous]])"
)]
pub(crate) struct OpenToAll(String);

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
