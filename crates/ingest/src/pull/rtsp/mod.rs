//! RTSP 1.0 (RFC 2326) over one TCP connection, media interleaved with it: H.264 (RFC 6184) and H.265 (RFC 7798), and
//! sound beside them: AAC (RFC 3640) and what needs no unpacking (RFC 3551).

mod alignment;
mod anchor;
mod connect;
mod error;
mod relay;
mod sound;
mod url;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use ocelli_media::{AccessUnit, AudioUnit, CodecParameters};
use ocelli_model::TimeBase;
use ocelli_net::AddressPolicy;
use retina::codec::{CodecItem, ParametersRef, VideoFrame};
use tokio::{runtime::Handle, time::timeout};

use self::{
    anchor::anchor as anchor_of,
    connect::{Connected, connect},
    sound::Sound,
};
pub use self::{error::RtspError, url::RtspUrl};
use super::driver::Driver;
use crate::{Source, SourceError, Stop, Transport, WallAnchor};

/// Ticks a second: both payload formats fix it.
const CLOCK: u32 = 90_000;
/// RTCP's packet type for the end of a stream (RFC 3550 section 6.6).
const BYE: u8 = 203;
/// How long the server has to answer our goodbye.
const TEARDOWN: Duration = Duration::from_secs(1);

/// How a stream is read.
#[derive(Clone, Debug)]
pub struct RtspOptions {
    /// Where connections may go.
    pub policy: AddressPolicy,
    /// From looking up the name to the server's promise to play.
    pub connect_timeout: Duration,
    /// Longest time without a whole picture. What else keeps the connection busy does not count.
    pub stall_timeout: Duration,
    /// How the server sends media. Datagrams are taken from its own address only.
    pub transport: Transport,
    /// Whether sound is asked for too. Cleared where a session with sound breaks the protocol, so that whoever
    /// tries again with the same options has its pictures.
    pub sound: Arc<AtomicBool>,
    /// Ends a wait from another thread.
    pub stop: Stop,
    /// Where the connection's timers and socket live; one of the source's own if `None`. Needs I/O and time enabled, and
    /// a thread that drives it; outlives the source.
    pub runtime: Option<Handle>,
}

impl RtspOptions {
    /// 10 s each for the connection and between pictures, with sound.
    pub fn new(policy: AddressPolicy) -> Self {
        let patience = Duration::from_secs(10);
        Self {
            policy,
            connect_timeout: patience,
            stall_timeout: patience,
            transport: Transport::Tcp,
            sound: Arc::new(AtomicBool::new(true)),
            stop: Stop::default(),
            runtime: None,
        }
    }

    fn hears(&self) -> bool {
        self.sound.load(Ordering::Relaxed)
    }

    /// A server that breaks the protocol may do so in its sound alone.
    fn judge<T>(&self, done: Result<T, SourceError>) -> Result<T, SourceError> {
        if matches!(done, Err(SourceError::Rtsp(RtspError::Protocol(_)))) {
            self.sound.store(false, Ordering::Relaxed);
        }
        done
    }
}

/// One connection to a camera or server. PTS are the RTP timestamps of the stream, continued past 32 bits: their start is
/// arbitrary, see [`Self::first_pts`]. No DTS: units come in decode order.
///
/// Sound is put on the pictures' timeline as sender reports of both say; before there are any, it begins where the newest
/// picture was when it arrived. It then goes on by its own clock and is moved only where it is more than 40 ms off. Sound before
/// the first picture is left out.
///
/// Nothing is read between calls: whoever takes units more slowly than they come slows the server down, and servers end
/// sessions of clients that say nothing for a minute.
///
/// Blocking, its drop too: the server is told that we leave. Not for asynchronous tasks.
pub struct RtspSource {
    /// `None` only while it is dropped.
    connected: Option<Connected>,
    url: RtspUrl,
    options: RtspOptions,
    parameters: Arc<CodecParameters>,
    /// Read when it was opened: parameters may come with it, and its time is where time counts from.
    first: Option<AccessUnit>,
    first_pts: i64,
    told: Told,
    /// Last: the others need it when they go.
    runtime: Driver,
}

impl RtspSource {
    /// Connects, and waits for the first picture.
    pub fn open(url: &RtspUrl, options: RtspOptions) -> Result<Self, SourceError> {
        let runtime = Driver::new(options.runtime.as_ref()).map_err(RtspError::Runtime)?;
        let connected = options.judge(runtime.wait(options.stop.unless(connect(url, &options))))?;
        let unset = CodecParameters::new(connected.codec.clone(), Bytes::new(), time_base());
        let mut source = Self {
            connected: Some(connected),
            url: url.clone(),
            options,
            parameters: Arc::new(unset),
            first: None,
            first_pts: 0,
            told: Told::default(),
            runtime,
        };
        let first = source.read()?.ok_or(RtspError::NoVideo)?;
        source.first_pts = first.pts;
        source.first = Some(first);
        Ok(source)
    }

    /// PTS of the first picture that was received.
    pub fn first_pts(&self) -> i64 {
        self.first_pts
    }

    fn read(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        let Self { connected, url, options, parameters, told, runtime, .. } = self;
        let Some(connected) = connected else { return Ok(None) };
        let next = next_unit(connected, url, parameters, told);
        let patient = async {
            let stalled = RtspError::Stalled(options.stall_timeout);
            timeout(options.stall_timeout, next).await.unwrap_or(Err(stalled))
        };
        options.judge(runtime.wait(options.stop.unless(patient)))
    }
}

/// What is known beside the pictures.
#[derive(Debug, Default)]
struct Told {
    /// Packets were lost.
    lossy: bool,
    anchor: Option<WallAnchor>,
    /// PTS of the picture that arrived last.
    newest: Option<i64>,
}

fn time_base() -> TimeBase {
    TimeBase::new(1, CLOCK).expect("neither is zero")
}

/// The next whole picture; `None` where the server says that it was the last.
async fn next_unit(
    connected: &mut Connected,
    url: &RtspUrl,
    parameters: &mut Arc<CodecParameters>,
    told: &mut Told,
) -> Result<Option<AccessUnit>, RtspError> {
    while let Some(item) = connected.demuxed.next().await {
        match item.map_err(|error| RtspError::of(&error, url))? {
            CodecItem::VideoFrame(frame) => {
                // Its loss is of what came before, and may be of its own beginning.
                told.lossy |= frame.loss() > 0;
                told.newest = Some(frame.timestamp().timestamp());
                if (frame.has_new_parameters() || parameters.extradata.is_empty())
                    && let Some(new) = read_parameters(connected)
                {
                    *parameters = Arc::new(new);
                }
                // Nobody can decode a picture of which nothing is known.
                if !parameters.extradata.is_empty() {
                    return Ok(Some(unit(frame, parameters)));
                }
            }
            CodecItem::AudioFrame(frame) => {
                if let (Some(sound), Some(picture)) = (&mut connected.sound, told.newest) {
                    sound.take(&frame, picture);
                }
            }
            CodecItem::Rtcp(packet) if packet.stream_id() == connected.index => {
                let report = anchor_of(&packet);
                told.anchor = report.or(told.anchor);
                if let (Some(sound), Some(report)) = (&mut connected.sound, report) {
                    sound.picture_report(report);
                }
                if packet.pkts().any(|packet| packet.payload_type() == BYE) {
                    return Ok(None);
                }
            }
            CodecItem::Rtcp(packet) => {
                if let (Some(sound), Some(report)) = (&mut connected.sound, anchor_of(&packet)) {
                    sound.report(report);
                }
            }
            _ => {}
        }
    }
    Err(RtspError::Broken("the server closed it".to_owned()))
}

/// What the stream's parameter sets say now.
fn read_parameters(connected: &Connected) -> Option<CodecParameters> {
    let stream = connected.demuxed.streams().get(connected.index)?;
    let Some(ParametersRef::Video(video)) = stream.parameters() else { return None };
    let extradata = Bytes::copy_from_slice(video.extra_data());
    let mut parameters = CodecParameters::new(connected.codec.clone(), extradata, time_base());
    (parameters.width, parameters.height) = video.pixel_dimensions();
    if let Some((seconds, parts)) = video.frame_rate().filter(|(seconds, _)| *seconds > 0) {
        parameters.frame_rate = f64::from(parts) / f64::from(seconds);
    }
    Some(parameters)
}

fn unit(frame: VideoFrame, parameters: &Arc<CodecParameters>) -> AccessUnit {
    let pts = frame.timestamp().timestamp();
    let (keyframe, damaged) = (frame.is_random_access_point(), frame.loss() > 0);
    let mut unit = AccessUnit::new(pts, Bytes::from(frame.into_data()), Arc::clone(parameters));
    unit.container_keyframe = keyframe;
    unit.damaged = damaged;
    unit
}

impl Source for RtspSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.read(),
        }
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.connected.as_mut()?.sound.as_mut().and_then(Sound::next)
    }

    fn zero(&self) -> i64 {
        self.first_pts
    }

    fn anchor(&self) -> Option<WallAnchor> {
        self.told.anchor
    }

    fn damage(&self) -> Option<&str> {
        self.told.lossy.then_some("the server or the network lost packets")
    }
}

impl Drop for RtspSource {
    fn drop(&mut self) {
        let Some(Connected { demuxed, sessions, relay, .. }) = self.connected.take() else { return };
        self.runtime.wait(async {
            // Starts a task that says goodbye on the same connection.
            drop(demuxed);
            // A server that does not answer finds the connection closed.
            timeout(TEARDOWN, sessions.await_teardown()).await.ok();
            // The goodbye goes through it.
            drop(relay);
        });
    }
}

impl fmt::Debug for RtspSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspSource")
            .field("url", &self.url)
            .field("first_pts", &self.first_pts)
            .finish_non_exhaustive()
    }
}
