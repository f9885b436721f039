//! From a URL to a stream that plays.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ocelli_media::Codec;
use ocelli_net::{AddressPolicy, Tls};
use retina::{
    client::{
        Demuxed, Described, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session,
        SessionGroup, SessionOptions, SetupOptions, TcpTransportOptions,
    },
    codec::FrameFormat,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};
use url::Url;

use super::{RtspError, RtspOptions, RtspUrl, relay::Relay, sound::Sound};
use crate::Transport;

/// A stream that plays.
pub(super) struct Connected {
    pub(super) demuxed: Demuxed,
    /// Which of the server's streams.
    pub(super) index: usize,
    pub(super) codec: Codec,
    pub(super) sound: Option<Sound>,
    /// Knows when the server has heard of the end.
    pub(super) sessions: Arc<SessionGroup>,
    /// What the connection goes through, if anything.
    pub(super) relay: Option<Relay>,
}

/// Resolves once, checks, and connects to a checked address: the library is never given a name. TLS and datagrams go
/// through a relay of ours.
pub(super) async fn connect(url: &RtspUrl, options: &RtspOptions) -> Result<Connected, RtspError> {
    if url.is_tls() && options.transport == Transport::Udp {
        return Err(RtspError::Url("datagrams are not encrypted; leave rtsps to its own connection"));
    }
    let whole = options.connect_timeout;
    let deadline = Instant::now() + whole;
    let addresses = within(deadline, whole, resolve(url, &options.policy)).await?;
    let mut left = addresses.len() as u32;
    let mut failed = RtspError::NoAnswer(whole);
    for address in addresses {
        // Equal shares of what is left: an address that swallows everything leaves time for the next.
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / left;
        left -= 1;
        match within(share, whole, reach(url, address, options)).await {
            Ok(described) => return within(deadline, whole, play(url, described, options.hears())).await,
            Err(error @ (RtspError::Unreachable(_) | RtspError::NoAnswer(_))) => failed = error,
            Err(error) => return Err(error),
        }
    }
    Err(failed)
}

async fn within<T>(
    deadline: Instant,
    whole: Duration,
    work: impl Future<Output = Result<T, RtspError>>,
) -> Result<T, RtspError> {
    timeout_at(deadline, work).await.unwrap_or(Err(RtspError::NoAnswer(whole)))
}

async fn resolve(url: &RtspUrl, policy: &AddressPolicy) -> Result<Vec<SocketAddr>, RtspError> {
    let (mut allowed, mut refused) = (Vec::new(), None);
    for address in lookup_host(url.target()).await.map_err(RtspError::Resolve)? {
        match policy.check(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        _ if !allowed.is_empty() => Ok(allowed),
        Some(refused) => Err(RtspError::Address(refused)),
        None => Err(RtspError::Resolve(std::io::ErrorKind::NotFound.into())),
    }
}

/// What a server has, and the way to it.
struct Reached {
    session: Session<Described>,
    sessions: Arc<SessionGroup>,
    relay: Option<Relay>,
}

/// Asks the server at a checked address.
async fn reach(url: &RtspUrl, address: SocketAddr, options: &RtspOptions) -> Result<Reached, RtspError> {
    let unreachable = |error: io::Error| RtspError::Unreachable(url.clean(&error.to_string()));
    let relay = if url.is_tls() {
        let server = TcpStream::connect(address).await.map_err(unreachable)?;
        let tls = Tls::new().map_err(RtspError::Certificates)?;
        let relay = Relay::encrypted(&tls, url.target().0, server).await;
        Some(relay.map_err(|error| RtspError::of_tls(&error, url))?)
    } else if options.transport == Transport::Udp {
        let server = TcpStream::connect(address).await.map_err(unreachable)?;
        Some(Relay::with_datagrams(server).await.map_err(unreachable)?)
    } else {
        None
    };
    let (session, sessions) =
        describe(url, url.at(relay.as_ref().map_or(address, |relay| relay.address))?).await?;
    Ok(Reached { session, sessions, relay })
}

async fn describe(url: &RtspUrl, checked: Url) -> Result<(Session<Described>, Arc<SessionGroup>), RtspError> {
    let sessions = Arc::new(SessionGroup::default());
    let options = SessionOptions::default()
        .creds(url.credentials())
        .user_agent(concat!("ocelli/", env!("CARGO_PKG_VERSION")).to_owned())
        .session_group(Arc::clone(&sessions));
    let session = Session::describe(checked, options).await.map_err(|error| RtspError::of(&error, url))?;
    // Towards these the library would make new connections of its own at the end, to whatever address the server's
    // answer names: past the address policy, and with our credentials.
    if session.tool().is_some_and(retina::client::Tool::has_live555_tcp_bug) {
        return Err(RtspError::TooOld);
    }
    Ok((session, sessions))
}

async fn play(url: &RtspUrl, reached: Reached, hears: bool) -> Result<Connected, RtspError> {
    let Reached { mut session, sessions, relay } = reached;
    let (index, codec) = video(url, &session)?;
    let of = |error| RtspError::of(&error, url);
    session.setup(index, interleaved()).await.map_err(of)?;
    let mut sound = Sound::of(&session).filter(|_| hears);
    if let Some(wanted) = &sound
        && let Err(error) = session.setup(wanted.index, interleaved()).await
    {
        match RtspError::of(&error, url) {
            // It has a say in what it sends; pictures are what we came for.
            RtspError::Status(status) => {
                tracing::debug!(status, "the server gives no sound");
                sound = None;
            }
            error => return Err(error),
        }
    }
    // Cameras announce sequence numbers and times that they then do not use; what was lost before the first packet is not
    // missed.
    let options = PlayOptions::default()
        .initial_seq(InitialSequenceNumberPolicy::Ignore)
        .initial_timestamp(InitialTimestampPolicy::Ignore);
    let demuxed = session.play(options).await.map_err(of)?.demuxed().map_err(of)?;
    Ok(Connected { demuxed, index, codec, sound, sessions, relay })
}

fn interleaved() -> SetupOptions {
    let transport = retina::client::Transport::Tcp(TcpTransportOptions::default());
    SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4)
}

/// The first video that we can read.
fn video(url: &RtspUrl, session: &Session<Described>) -> Result<(usize, Codec), RtspError> {
    let mut other = None;
    for (index, stream) in
        session.streams().iter().enumerate().filter(|(_, stream)| stream.media() == "video")
    {
        match stream.encoding_name() {
            "h264" => return Ok((index, Codec::H264)),
            "h265" => return Ok((index, Codec::H265)),
            name => other = other.or(Some(url.clean(name))),
        }
    }
    Err(other.map_or(RtspError::NoVideo, RtspError::Codec))
}
