//! As much of HTTP/1.1 as a player of this machine's server needs: a connection that stays, answers whose length is told.

use std::str::from_utf8;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// Longest head of an answer.
const LONGEST_HEAD: usize = 16 << 10;
/// Longest playlist.
const LONGEST_TEXT: usize = 4 << 20;

/// One connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        // Large reads: the players share two cores with what they measure.
        let stream = BufReader::with_capacity(64 << 10, stream);
        Ok(Self { stream, address: address.to_owned(), head: Vec::new(), body: Vec::new() })
    }

    /// A playlist.
    pub(crate) async fn text(&mut self, path: &str) -> Result<&str> {
        let length = self.ask(path).await?.with_context(|| format!("{path}: not found"))?;
        ensure!(length <= LONGEST_TEXT, "{path}: {length} bytes of text");
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await?;
        Ok(from_utf8(&self.body)?)
    }

    /// Reads media and throws it away; its length. Nothing where there is none of that name.
    pub(crate) async fn media(&mut self, path: &str) -> Result<Option<usize>> {
        let Some(length) = self.ask(path).await? else { return Ok(None) };
        let mut left = length;
        while left > 0 {
            let had = self.stream.fill_buf().await?.len().min(left);
            ensure!(had > 0, "{path}: the connection ended {left} bytes early");
            self.stream.consume(had);
            left -= had;
        }
        Ok(Some(length))
    }

    /// Length of the body, which must be read next. Nothing where nothing is found, its explanation thrown away.
    async fn ask(&mut self, path: &str) -> Result<Option<usize>> {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.stream.write_all(asked.as_bytes()).await?;
        self.head.clear();
        while !self.head.ends_with(b"\r\n\r\n") {
            let read = self.stream.read_until(b'\n', &mut self.head).await?;
            ensure!(read > 0, "{path}: the server closed the connection");
            ensure!(self.head.len() <= LONGEST_HEAD, "{path}: an endless head");
        }
        let (status, length) = read_head(from_utf8(&self.head)?).with_context(|| path.to_owned())?;
        match status {
            200 => Ok(Some(length)),
            404 => {
                ensure!(length <= LONGEST_TEXT, "{path}: {length} bytes of explanation");
                self.body.resize(length, 0);
                self.stream.read_exact(&mut self.body).await?;
                Ok(None)
            }
            _ => bail!("{path}: status {status}"),
        }
    }
}

/// Status, and length of the body.
fn read_head(head: &str) -> Result<(u16, usize)> {
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().to_owned())
    };
    let length = lines.find_map(field).context("the answer does not tell its length")?.parse()?;
    Ok((status, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_tell_status_and_length() {
        assert_eq!(
            read_head("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-Length: 12\r\n\r\n").unwrap(),
            (200, 12)
        );
        for bad in ["", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 x\r\nContent-Length: 1\r\n\r\n"] {
            assert!(read_head(bad).is_err(), "{bad:?}");
        }
    }
}
