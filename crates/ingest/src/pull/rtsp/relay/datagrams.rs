//! RTSP whose media comes in datagrams (RFC 2326 section 12.39), made interleaved.

use std::{future::poll_fn, io, net::IpAddr, task::Poll};

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
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

/// Streams that one client takes: pictures, and the sound beside them.
const MOST_LANES: usize = 2;

/// The server's side.
pub(super) struct Datagrams {
    server: TcpStream,
    local: IpAddr,
    peer: IpAddr,
    lanes: Vec<Lane>,
    /// Which lane is looked at first: a busy one must not keep the other waiting.
    turn: usize,
    /// What was asked and has no answer yet.
    asked: Option<Asked>,
    /// The client has read that media comes. What overtakes that word waits in the sockets: the client would not take it.
    plays: bool,
}

/// The sockets of one stream.
struct Lane {
    /// An even port, and the one after it.
    media: UdpSocket,
    reports: UdpSocket,
    order: Order,
    /// The first of the client's channels, once the server agreed.
    channel: Option<u8>,
}

enum Asked {
    /// For the channels from this one on, in the newest lane.
    Setup(u8),
    Play,
}

/// One thing that happened.
enum Event {
    FromClient(usize),
    FromServer(usize),
    /// In a lane: so many bytes from there.
    Media(usize, usize, IpAddr),
    Report(usize, usize, IpAddr),
    Late,
}

impl Datagrams {
    pub(super) fn new(server: TcpStream) -> io::Result<Self> {
        let (local, peer) = (server.local_addr()?.ip(), server.peer_addr()?.ip());
        Ok(Self { server, local, peer, lanes: Vec::new(), turn: 0, asked: None, plays: false })
    }

    /// Until either side leaves.
    pub(super) async fn run(mut self, mut client: TcpStream) -> io::Result<()> {
        let (mut from_client, mut from_server) = (BytesMut::new(), BytesMut::new());
        let mut datagram = vec![0; DATAGRAM];
        let mut out = Vec::new();
        loop {
            let late = async {
                match self.lanes.iter().filter_map(|lane| lane.order.deadline()).min() {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            self.turn = self.turn.wrapping_add(1);
            let event = tokio::select! {
                read = client.read_buf(&mut from_client) => Event::FromClient(read?),
                read = self.server.read_buf(&mut from_server) => Event::FromServer(read?),
                got = heard(&self.lanes, self.turn, &mut datagram), if self.plays => got?,
                () = late => Event::Late,
            };
            match event {
                Event::FromClient(0) | Event::FromServer(0) => return Ok(()),
                Event::FromClient(_) => self.forward(&mut from_client).await?,
                Event::FromServer(_) => self.answer(&mut from_server, &mut client).await?,
                Event::Media(lane, length, from) if from == self.peer => {
                    let packet = Bytes::copy_from_slice(&datagram[..length]);
                    self.lanes[lane].order.put(packet, Instant::now(), &mut out);
                    self.lanes[lane].hand_on_all(&mut out, &mut client).await?;
                }
                Event::Report(lane, length, from) if from == self.peer => {
                    self.lanes[lane].hand_on(1, &datagram[..length], &mut client).await?;
                }
                // Whoever that is.
                Event::Media(..) | Event::Report(..) => {}
                Event::Late => {
                    let now = Instant::now();
                    for lane in &mut self.lanes {
                        if lane.order.deadline().is_some_and(|deadline| deadline <= now) {
                            lane.order.late(now, &mut out);
                            lane.hand_on_all(&mut out, &mut client).await?;
                        }
                    }
                }
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
                let port = self.new_lane()?;
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

    /// The port of its media. A request that is made again, with credentials, has the lane of the first.
    fn new_lane(&mut self) -> io::Result<u16> {
        if self.lanes.last().is_none_or(|lane| lane.channel.is_some()) {
            if self.lanes.len() >= MOST_LANES {
                return Err(io::Error::other("more streams than are read"));
            }
            let (media, reports) = pair(self.local)?;
            self.lanes.push(Lane { media, reports, order: Order::default(), channel: None });
        }
        let lane = self.lanes.last().ok_or(io::ErrorKind::NotFound)?;
        Ok(lane.media.local_addr()?.port())
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
        let lane = self.lanes.last_mut()?;
        let ports = parameter(transport, "server_port").unwrap_or_default();
        if let Some(port) = ports.split('-').next().and_then(|port| port.parse::<u16>().ok()) {
            // To the address that was checked, whatever `source` says; nobody has to hear it.
            lane.media.send_to(&HELLO_MEDIA, (self.peer, port)).await.ok();
            lane.reports.send_to(&HELLO_REPORT, (self.peer, port.saturating_add(1))).await.ok();
        }
        lane.channel = Some(channel);
        let ssrc = parameter(transport, "ssrc").map_or_else(String::new, |ssrc| format!(";ssrc={ssrc}"));
        let second = channel.saturating_add(1);
        Some(format!("RTP/AVP/TCP;unicast;interleaved={channel}-{second}{ssrc}"))
    }
}

impl Lane {
    async fn hand_on_all(&self, out: &mut Vec<Bytes>, client: &mut TcpStream) -> io::Result<()> {
        for packet in out.drain(..) {
            self.hand_on(0, &packet, client).await?;
        }
        Ok(())
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

/// The next datagram of any lane.
async fn heard(lanes: &[Lane], turn: usize, datagram: &mut [u8]) -> io::Result<Event> {
    poll_fn(|context| {
        for step in 0..lanes.len() {
            let index = (turn + step) % lanes.len();
            let lane = &lanes[index];
            for (socket, is_media) in [(&lane.media, true), (&lane.reports, false)] {
                let kind = if is_media { Event::Media } else { Event::Report };
                let mut buffer = ReadBuf::new(datagram);
                match socket.poll_recv_from(context, &mut buffer) {
                    Poll::Ready(Ok(from)) => {
                        return Poll::Ready(Ok(kind(index, buffer.filled().len(), from.ip())));
                    }
                    // A refusal that our own packets met says nothing of what comes.
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        return Poll::Ready(Ok(kind(index, 0, IpAddr::from([0; 4]))));
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {}
                }
            }
        }
        Poll::Pending
    })
    .await
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
