//! RTSP whose media comes in datagrams (RFC 2326 section 12.39), made interleaved.

use std::{io, net::IpAddr};

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::{Instant, sleep_until},
};

use super::{
    message::{Message, field, parameter, take, with_field},
    order::Order,
};

/// What the system is asked to hold while nobody reads; it may give less.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Largest datagram.
const DATAGRAM: usize = 65_536;
/// Tries for a pair of ports; each fails only where somebody has the second.
const TRIES: usize = 20;
/// Opens the way through firewalls that let in what follows what went out: a packet of media without content, and a
/// report of nobody (RFC 3550 sections 5.1 and 6.4.2).
const HELLO_MEDIA: [u8; 12] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const HELLO_REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 0];

/// The server's side, with sockets for one stream of media.
pub(super) struct Datagrams {
    server: TcpStream,
    peer: IpAddr,
    /// An even port, and the one after it.
    media: UdpSocket,
    reports: UdpSocket,
    order: Order,
    /// What was asked and has no answer yet.
    asked: Option<Asked>,
    /// The first of the client's channels.
    channel: Option<u8>,
    /// The client has read that media comes. What overtakes that word waits in the sockets: the client would not take it.
    plays: bool,
}

enum Asked {
    /// For the channels from this one on.
    Setup(u8),
    Play,
}

/// One thing that happened.
enum Event {
    FromClient(usize),
    FromServer(usize),
    Media(usize, IpAddr),
    Report(usize, IpAddr),
    Late,
}

impl Datagrams {
    pub(super) fn new(server: TcpStream) -> io::Result<Self> {
        let (local, peer) = (server.local_addr()?.ip(), server.peer_addr()?.ip());
        let (media, reports) = pair(local)?;
        let order = Order::default();
        Ok(Self { server, peer, media, reports, order, asked: None, channel: None, plays: false })
    }

    /// Until either side leaves.
    pub(super) async fn run(mut self, mut client: TcpStream) -> io::Result<()> {
        let (mut from_client, mut from_server) = (BytesMut::new(), BytesMut::new());
        let (mut media, mut report) = (vec![0; DATAGRAM], vec![0; 2048]);
        let mut out = Vec::new();
        loop {
            let late = async {
                match self.order.deadline() {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                read = client.read_buf(&mut from_client) => Event::FromClient(read?),
                read = self.server.read_buf(&mut from_server) => Event::FromServer(read?),
                got = self.media.recv_from(&mut media), if self.plays => received(got, Event::Media)?,
                got = self.reports.recv_from(&mut report), if self.plays => received(got, Event::Report)?,
                () = late => Event::Late,
            };
            match event {
                Event::FromClient(0) | Event::FromServer(0) => return Ok(()),
                Event::FromClient(_) => self.forward(&mut from_client).await?,
                Event::FromServer(_) => self.answer(&mut from_server, &mut client).await?,
                Event::Media(length, from) if from == self.peer => {
                    self.order.put(Bytes::copy_from_slice(&media[..length]), Instant::now(), &mut out);
                }
                Event::Report(length, from) if from == self.peer => {
                    self.hand_on(1, &report[..length], &mut client).await?;
                }
                // Whoever that is.
                Event::Media(..) | Event::Report(..) => {}
                Event::Late => self.order.late(Instant::now(), &mut out),
            }
            for packet in out.drain(..) {
                self.hand_on(0, &packet, &mut client).await?;
            }
        }
    }

    /// Requests, to the server. It is told our ports instead of channels.
    async fn forward(&mut self, buffer: &mut BytesMut) -> io::Result<()> {
        while let Some(message) = take(buffer)? {
            // Packets of the client's own: it sends none that anybody misses.
            let Message::Text(mut head, body) = message else { continue };
            let channels =
                field(&head, "Transport").and_then(|transport| parameter(transport, "interleaved"));
            if head.starts_with("SETUP ")
                && let Some(first) = channels.and_then(|channels| channels.split('-').next()?.parse().ok())
            {
                self.asked = Some(Asked::Setup(first));
                let port = self.media.local_addr()?.port();
                let transport = format!("RTP/AVP;unicast;client_port={port}-{}", port + 1);
                head = with_field(&head, "Transport", &transport);
            } else if head.starts_with("PLAY ") {
                self.asked = Some(Asked::Play);
            }
            self.server.write_all(head.as_bytes()).await?;
            self.server.write_all(&body).await?;
        }
        Ok(())
    }

    /// Responses, and what a server interleaves all the same, to the client.
    async fn answer(&mut self, buffer: &mut BytesMut, client: &mut TcpStream) -> io::Result<()> {
        while let Some(message) = take(buffer)? {
            match message {
                Message::Packet(packet) => client.write_all(&packet).await?,
                Message::Text(mut head, body) => {
                    // Requests of servers are not answers.
                    let asked = if head.starts_with("RTSP/") { self.asked.take() } else { None };
                    if let Some(Asked::Setup(channel)) = asked
                        && let Some(transport) = self.settle(&head, channel).await
                    {
                        head = with_field(&head, "Transport", &transport);
                    }
                    self.plays |= matches!(asked, Some(Asked::Play));
                    client.write_all(head.as_bytes()).await?;
                    client.write_all(&body).await?;
                }
            }
        }
        Ok(())
    }

    /// The channels as the client asked for them, where the server agreed to send datagrams.
    async fn settle(&mut self, head: &str, channel: u8) -> Option<String> {
        let agreed = head.split(' ').nth(1) == Some("200");
        let transport =
            field(head, "Transport").filter(|transport| agreed && !transport.contains("interleaved="))?;
        let ports = parameter(transport, "server_port").unwrap_or_default();
        if let Some(port) = ports.split('-').next().and_then(|port| port.parse::<u16>().ok()) {
            // To the address that was checked, whatever `source` says; nobody has to hear it.
            self.media.send_to(&HELLO_MEDIA, (self.peer, port)).await.ok();
            self.reports.send_to(&HELLO_REPORT, (self.peer, port.saturating_add(1))).await.ok();
        }
        self.channel = Some(channel);
        let ssrc = parameter(transport, "ssrc").map_or_else(String::new, |ssrc| format!(";ssrc={ssrc}"));
        let second = channel.saturating_add(1);
        Some(format!("RTP/AVP/TCP;unicast;interleaved={channel}-{second}{ssrc}"))
    }

    /// To the client, as a packet of a channel.
    async fn hand_on(&self, kind: u8, packet: &[u8], client: &mut TcpStream) -> io::Result<()> {
        let (Some(channel), Ok(length)) = (self.channel, u16::try_from(packet.len())) else { return Ok(()) };
        let [high, low] = length.to_be_bytes();
        let mut framed = Vec::with_capacity(4 + packet.len());
        framed.extend([b'$', channel.saturating_add(kind), high, low]);
        framed.extend_from_slice(packet);
        client.write_all(&framed).await
    }
}

/// A refusal that our own packets met says nothing of what comes.
fn received(
    got: io::Result<(usize, std::net::SocketAddr)>,
    kind: fn(usize, IpAddr) -> Event,
) -> io::Result<Event> {
    match got {
        Ok((length, from)) => Ok(kind(length, from.ip())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(kind(0, IpAddr::from([0; 4]))),
        Err(error) => Err(error),
    }
}

/// Two sockets on ports that follow each other, the first even (RFC 3550 section 11).
fn pair(local: IpAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let bind = |port| {
        let socket = std::net::UdpSocket::bind((local, port))?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        UdpSocket::from_std(socket)
    };
    let mut failed = io::ErrorKind::AddrInUse.into();
    let mut kept = Vec::new();
    for _ in 0..TRIES {
        let one = bind(0)?;
        let port = one.local_addr()?.port();
        let other = if port % 2 == 0 { port.checked_add(1) } else { port.checked_sub(1) };
        match other.map(bind) {
            Some(Ok(other)) => return Ok(if port % 2 == 0 { (one, other) } else { (other, one) }),
            Some(Err(error)) => failed = error,
            None => {}
        }
        // Held, so that the next try gets another.
        kept.push(one);
    }
    Err(failed)
}
