//! `ocelli health`: one question to a running server, for the health checks of containers and supervisors.

mod pinned;

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cli::Health,
    config::{Config, ConfigFlags},
    ending::{Ending, chain},
};

/// For each step: connecting, sending, every piece of the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A longer first line is no HTTP.
const MOST_LINE_BYTES: u64 = 256;

/// Where a server is, and what to ask it.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    address: SocketAddr,
    host: String,
    path: String,
    /// Its certificate, where it speaks TLS.
    cert: Option<PathBuf>,
}

pub(crate) fn health(options: &Health) -> Result<Ending> {
    let target = match &options.url {
        Some(url) => Target::of_url(url)?,
        None => match Config::load(&ConfigFlags::default()) {
            Ok(loaded) => Target::of_config(&loaded.config)?,
            Err(error) => return Ok(Ending::Unusable(error.lines())),
        },
    };
    let not_well = |why: String| Ending::Partial(vec![format!("{}{}: {why}", target.host, target.path)]);
    Ok(match target.ask() {
        Ok(200) => Ending::Whole,
        Ok(status) => not_well(format!("the server answers with status {status}")),
        Err(error) => not_well(chain(&error)),
    })
}

impl Target {
    fn of_url(url: &str) -> Result<Self> {
        let Some(rest) = url.strip_prefix("http://") else {
            bail!(
                "the URL does not begin with http://; without a URL the server of this configuration is asked, over TLS too"
            );
        };
        let (host, path) = rest.find('/').map_or((rest, "/healthz"), |at| rest.split_at(at));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || host.contains('@') || !plain(host) || !plain(path) {
            bail!("the URL names no host, or more than a host, a port and a path");
        }
        let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let mut found = with_port.to_socket_addrs().with_context(|| format!("cannot find {host}"))?;
        let address = found.next().with_context(|| format!("{host} has no address"))?;
        Ok(Self { address, host: host.to_owned(), path: path.to_owned(), cert: None })
    }

    fn of_config(config: &Config) -> Result<Self> {
        let first =
            config.server.listen.first().context("the configuration names no address to listen on")?;
        let mut address = first.0;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let cert = config.tls.cert.clone();
        Ok(Self { address, host: address.to_string(), path: "/healthz".to_owned(), cert })
    }

    /// The status code of the answer.
    fn ask(&self) -> Result<u16> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).context("cannot connect")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        match &self.cert {
            None => self.exchange(&mut stream),
            Some(cert) => {
                let mut session = pinned::session(self.address.ip(), cert)?;
                self.exchange(&mut rustls::Stream::new(&mut session, &mut stream))
            }
        }
    }

    fn exchange(&self, stream: &mut (impl Read + Write)) -> Result<u16> {
        let Self { host, path, .. } = self;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: */*\r\n\r\n");
        stream.write_all(request.as_bytes()).context("cannot ask")?;
        let mut line = Vec::new();
        BufReader::new(stream.take(MOST_LINE_BYTES)).read_until(b'\n', &mut line).context("no answer")?;
        status(&line).context("the answer is no HTTP")
    }
}

/// The code in the first line of an answer (RFC 9112 section 4).
fn status(line: &[u8]) -> Option<u16> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next().filter(|code| code.len() == 3)?.parse().ok()
}

#[cfg(test)]
mod tests;
