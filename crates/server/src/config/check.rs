//! What must hold between keys.

use std::{collections::HashSet, path::Path};

use super::{Config, origin::Source, reader::Reader, words::JwtAlgorithm};

/// A shorter secret can be guessed from a token (RFC 7518 section 3.2).
const LEAST_SECRET_BYTES: usize = 32;
/// More are a mistake.
const MOST_LISTENERS: usize = 16;

/// Notes what does not go together in a configuration whose values are right one by one.
pub(super) fn whole(config: &Config, reader: &mut Reader<'_>, warnings: &mut Vec<String>) {
    listen(config, reader);
    tls(config, reader);
    jwt(config, reader);
    folders(config, reader);
    playlists(config, reader);
    if reader.is_sound("engine") && config.engine.backoff_min > config.engine.backoff_max {
        reader.object("engine.backoff_min", "it is longer than engine.backoff_max; make it at most as long");
    }
    if reader.is_sound("server") && config.is_beyond_loopback() && config.tls.cert.is_none() {
        warnings.push(
            "server.listen leaves this machine without TLS: tokens can be read on the way; set [server.tls], or put a \
             proxy with TLS in front"
                .to_owned(),
        );
    }
}

fn listen(config: &Config, reader: &mut Reader<'_>) {
    let addresses = &config.server.listen;
    if !reader.is_sound("server") {
        return;
    }
    let fixed: Vec<_> =
        addresses.iter().map(|listen| listen.0).filter(|address| address.port() != 0).collect();
    let different: HashSet<_> = fixed.iter().collect();
    if addresses.is_empty() {
        reader.object("server.listen", "no address; leave the key out for 127.0.0.1:8002");
    } else if addresses.len() > MOST_LISTENERS {
        reader.object("server.listen", format!("more than {MOST_LISTENERS} addresses"));
    } else if different.len() < fixed.len() {
        reader.object("server.listen", "an address is named twice");
    }
}

fn tls(config: &Config, reader: &mut Reader<'_>) {
    let (given, missing) = match (&config.tls.cert, &config.tls.key) {
        (Some(_), None) => ("server.tls.cert", "server.tls.key"),
        (None, Some(_)) => ("server.tls.key", "server.tls.cert"),
        _ => return,
    };
    if reader.is_sound("server.tls") {
        reader.object(given, format!("{missing} is missing; give both, or neither for plain HTTP"));
    }
}

fn jwt(config: &Config, reader: &mut Reader<'_>) {
    let jwt = &config.jwt;
    if !reader.is_sound("access.jwt") {
        return;
    }
    let given = [
        ("access.jwt.secret", jwt.secret.is_some()),
        ("access.jwt.secret_file", jwt.secret_file.is_some()),
        ("access.jwt.key_file", jwt.key_file.is_some()),
        ("access.jwt.issuer", jwt.issuer.is_some()),
        ("access.jwt.audience", jwt.audience.is_some()),
    ];
    let secrets = usize::from(jwt.secret.is_some()) + usize::from(jwt.secret_file.is_some());
    match jwt.algorithm {
        None => {
            for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
                reader
                    .object(key, "without access.jwt.algorithm it means nothing; give HS256, RS256 or ES256");
            }
        }
        Some(JwtAlgorithm::Hs256) => {
            if secrets != 1 {
                reader.object("access.jwt.algorithm", "HS256 takes one of secret and secret_file");
            }
            if jwt.key_file.is_some() {
                reader.object(
                    "access.jwt.key_file",
                    "HS256 has a secret, and no key; give secret_file instead",
                );
            }
            if jwt.secret.as_ref().is_some_and(|secret| secret.expose().len() < LEAST_SECRET_BYTES) {
                reader.object("access.jwt.secret", format!("it is shorter than {LEAST_SECRET_BYTES} bytes"));
            }
        }
        Some(JwtAlgorithm::Rs256 | JwtAlgorithm::Es256) => {
            if jwt.key_file.is_none() {
                reader
                    .object("access.jwt.algorithm", "RS256 and ES256 take key_file, the issuer's public key");
            }
            for (key, _) in given.into_iter().take(2).filter(|(_, is_given)| *is_given) {
                reader.object(key, "RS256 and ES256 have a public key, and no secret; take it out");
            }
        }
    }
}

/// Emptying a stream's folder of frames must not take anything else along.
fn folders(config: &Config, reader: &mut Reader<'_>) {
    if !reader.is_sound("media") || !reader.is_sound("store") {
        return;
    }
    let frames = &config.media.frames;
    let nested = |other: &Path| frames.starts_with(other) || other.starts_with(frames);
    for (key, other) in [("media.uploads", &config.media.uploads), ("store.path", &config.store.path)] {
        if nested(other) {
            // Whoever named neither has no mistake to look for there.
            let is_default = reader.sources.get(key) == Some(&Source::Default);
            let named = if is_default { "media.frames" } else { key };
            reader.object(named, format!("{key} and media.frames lie in one another; keep them apart"));
        }
    }
    if config.server.home.starts_with(frames) {
        reader.object("media.frames", "the data directory lies in it; give the frames a folder of their own");
    }
}

/// Players are told these as they are.
fn playlists(config: &Config, reader: &mut Reader<'_>) {
    if !reader.is_sound("analyzer") {
        return;
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\?#".contains(&byte));
    let base = config.analyzer.hls_base_url.as_deref();
    let is_web = |base: &str| base.starts_with("http://") || base.starts_with("https://");
    if base.is_some_and(|base| !plain(base) || !is_web(base)) {
        reader.object("analyzer.hls_base_url", "it is no URL; write one such as https://video.example.org");
    }
    if !plain(&config.analyzer.hls_path) {
        reader.object("analyzer.hls_path", "it is no path; write one such as /streaming");
    }
    let host = config.analyzer.rtmp_host.as_deref();
    if host.is_some_and(|host| !plain(host) || host.contains('/')) {
        reader.object("analyzer.rtmp_host", "it is no host; write a name or an address, without a port");
    }
}
