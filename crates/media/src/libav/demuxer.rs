//! Containers to access units: one video stream of whatever the system's libavformat reads, and the sound beside it for
//! whoever wants it.

use std::{ffi::CStr, io, ptr, sync::Arc};

use bytes::Bytes;
use ffi::{AVDiscard::AVDISCARD_ALL, AVMediaType::AVMEDIA_TYPE_VIDEO};
use ffmpeg_sys_next as ffi;
use ocelli_model::TimeBase;

use super::{
    AvError,
    io::{Input, Io},
    log::{self, Lines},
    open::open_context,
    packet::Packet,
    parameters::{self, NativeParameters},
    route_logs,
    side_data::SideData,
    sound::Sound,
    times::Times,
};
use crate::{AccessUnit, AudioUnit, Codec, CodecParameters};

/// Unreadable packets in a row before the rest of a file is given up.
const MOST_ERRORS_IN_A_ROW: u32 = 64;

/// Largest numerator of a time base: beyond it, times overflow when they are counted in slots.
const LONGEST_TICK: u32 = 1_000_000;

/// Why a container could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DemuxError {
    /// The reader itself failed.
    #[error("cannot read the input")]
    Read(#[source] io::Error),
    /// Nothing here that libavformat knows.
    #[error("not a video file that FFmpeg can read ({0})")]
    NotMedia(AvError),
    /// Of a known format, but it cannot even be opened: cut short before its index, for one.
    #[error("the file is damaged ({0})")]
    Broken(String),
    /// Recognised, but unusable.
    #[error("the file holds no video")]
    NoVideo,
    /// Times that cannot be counted.
    #[error("the video has an unusable time base")]
    TimeBase(#[source] ocelli_model::TimeBaseError),
    /// Times that overflow when they are counted.
    #[error("the video has an unusable time base ({num}/{den} s)")]
    Ticks {
        /// As the container says.
        num: u32,
        /// As the container says.
        den: u32,
    },
    /// Pictures without presentation times that would have to be guessed.
    #[error(
        "its pictures are reordered and carry no times (a raw stream?); wrap it with a tool that works them out, such as mkvmerge or MP4Box"
    )]
    NoTimes,
    /// A codec without a decoder in this build of FFmpeg.
    #[error("this FFmpeg has no decoder for {0}")]
    NoDecoder(String),
    /// Too many errors in a row.
    #[error("the file is damaged beyond reading on ({0})")]
    Damaged(AvError),
}

/// A unit, and its PTS if the container gives one.
type TimedUnit = (AccessUnit, Option<i64>);

/// Reads one video stream. Blocking; never opens a file or a socket by itself.
#[derive(Debug)]
pub struct Demuxer {
    context: *mut ffi::AVFormatContext,
    io: Io<dyn Input>,
    stream: usize,
    parameters: Arc<CodecParameters>,
    times: Times,
    packet: Packet,
    damage: Option<String>,
    /// A transport stream whose last packet is not whole.
    cut_short: bool,
    /// Read ahead where the input is cut short.
    last: Option<TimedUnit>,
    /// The newest palette.
    palette: Option<Bytes>,
    sound: Option<Sound>,
    /// Where the input breaks off inside its sound, pictures may still follow.
    hears: bool,
    /// Added to all times; known with the first.
    lift: Option<i64>,
}

// SAFETY: libavformat contexts have no thread affinity; every call goes through `&mut self`.
unsafe impl Send for Demuxer {}

impl Demuxer {
    /// Probes the input and selects its best video stream.
    pub fn open(input: Box<dyn Input>) -> Result<Self, DemuxError> {
        route_logs();
        let mut io = Io::reader(input).map_err(DemuxError::NotMedia)?;
        log::forget(Lines::Container);
        let context = open_context(&io).map_err(|error| match (io.take_error(), log::take_errors()) {
            (Some(cause), _) => DemuxError::Read(cause),
            // Only a demuxer that knows the format complains of what is in it.
            (None, Some(line)) if error == AvError::INVALID => DemuxError::Broken(line),
            (None, _) => DemuxError::NotMedia(error),
        })?;
        io.begin_anew();
        let packet = Packet::new().map_err(DemuxError::NotMedia)?;
        let unselected = CodecParameters::new(Codec::Other(String::new()), Bytes::new(), TimeBase::SECOND);
        let times = Times::new(&unselected);
        let parameters = Arc::new(unselected);
        let mut demuxer = Self {
            context,
            io,
            stream: 0,
            parameters,
            times,
            packet,
            damage: None,
            cut_short: false,
            last: None,
            palette: None,
            sound: None,
            hears: false,
            lift: None,
        };
        demuxer.cut_short = demuxer.ends_inside_a_packet();
        demuxer.select_video()?;
        demuxer.times = Times::new(&demuxer.parameters);
        Ok(demuxer)
    }

    /// The same with its best sound beside the pictures: see [`Self::next_audio`].
    pub fn open_with_audio(input: Box<dyn Input>) -> Result<Self, DemuxError> {
        let mut demuxer = Self::open(input)?;
        demuxer.sound = Sound::beside(demuxer.context, demuxer.stream);
        demuxer.hears = demuxer.sound.is_some();
        Ok(demuxer)
    }

    /// Sound that was read on the way to the last unit, oldest first. At most 2 s and 1 MiB wait.
    pub fn next_audio(&mut self) -> Option<AudioUnit> {
        self.sound.as_mut()?.next()
    }

    /// libavformat's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub fn format(&self) -> &'static str {
        // SAFETY: an open context has its format, a constant with a zero-ended name.
        let name = unsafe { CStr::from_ptr((*(*self.context).iformat).name) };
        name.to_str().unwrap_or("unknown")
    }

    /// What a decoder must know at the start.
    pub fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    /// The next unit in decode order, or the end of the file.
    pub fn next_unit(&mut self) -> Result<Option<AccessUnit>, DemuxError> {
        loop {
            if let Some(unit) = self.times.next() {
                return Ok(Some(unit));
            }
            if let Some((unit, pts)) = self.read_whole_unit()? {
                self.times.push(unit, pts)?;
            } else {
                self.times.end();
                return Ok(self.times.next());
            }
        }
    }

    /// A transport stream does not say where a unit ends, only where the next begins: in one that is cut inside a
    /// packet the last unit is damaged, which decoders of H.265 do not notice.
    fn read_whole_unit(&mut self) -> Result<Option<TimedUnit>, DemuxError> {
        if !self.cut_short {
            return self.read_unit();
        }
        let last = match self.last.take() {
            None => self.read_unit()?,
            last => last,
        };
        self.last = self.read_unit()?;
        Ok(last.map(|(mut unit, pts)| {
            if self.last.is_none() {
                unit.damaged = true;
                self.damage.get_or_insert_with(|| "it ends inside a transport packet".to_owned());
            }
            (unit, pts)
        }))
    }

    /// The next unit with its PTS if the container gives one.
    fn read_unit(&mut self) -> Result<Option<TimedUnit>, DemuxError> {
        let mut errors = 0;
        loop {
            self.packet.clear();
            log::forget(Lines::Container);
            // SAFETY: context and packet are valid; the packet is empty.
            let read = AvError::check(unsafe { ffi::av_read_frame(self.context, self.packet.as_mut_ptr()) });
            if let Some(cause) = self.io.take_error() {
                return Err(DemuxError::Read(cause));
            }
            if let Some(line) = log::take_errors() {
                self.damage.get_or_insert(line);
            }
            if read.is_ok() {
                self.unwrap_times();
            }
            match read {
                Ok(_) if self.packet.get().stream_index as usize == self.stream => {
                    if let Some(unit) = self.take_unit()? {
                        self.io.allow_another_unit();
                        return Ok(Some(unit));
                    }
                }
                Ok(_) => self.take_sound(),
                Err(AvError::END) if !self.stops_hearing() => return Ok(None),
                Err(AvError::END) => errors = 0,
                Err(error) => {
                    self.damage.get_or_insert_with(|| error.to_string());
                    errors += 1;
                    if errors >= MOST_ERRORS_IN_A_ROW {
                        if !self.stops_hearing() {
                            return Err(DemuxError::Damaged(error));
                        }
                        errors = 0;
                    }
                }
            }
        }
    }

    fn take_sound(&mut self) {
        if let Some(sound) = &mut self.sound
            && sound.is_of(&self.packet)
        {
            sound.take(&mut self.packet);
        }
    }

    /// Goes on without sound; false where it did already. Pictures must not depend on whether anybody listens: an input
    /// that breaks off does so where the next packet lies, be it sound.
    fn stops_hearing(&mut self) -> bool {
        if let Some(sound) = &self.sound {
            sound.leave_out(self.context);
        }
        std::mem::take(&mut self.hears)
    }

    /// What libavformat first said about damage to the container, such as a file cut short.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn ends_inside_a_packet(&self) -> bool {
        let mut packet = 0;
        // SAFETY: the context is open; only a demuxer of transport streams is asked for the size of its packets: 188
        // bytes, 192 with a time code, 204 with error correction.
        let (found, bytes) = unsafe {
            let (options, name) = ((*self.context).priv_data, c"ts_packetsize".as_ptr());
            let is_transport = CStr::from_ptr((*(*self.context).iformat).name) == c"mpegts";
            let found = is_transport && ffi::av_opt_get_int(options, name, 0, &raw mut packet) == 0;
            (found, ffi::avio_size((*self.context).pb))
        };
        found && packet > 0 && bytes > 0 && bytes % packet != 0
    }

    fn select_video(&mut self) -> Result<(), DemuxError> {
        // SAFETY: the context is open; the index returned is checked and within `nb_streams`.
        let stream = unsafe {
            let best = ffi::av_find_best_stream(self.context, AVMEDIA_TYPE_VIDEO, -1, -1, ptr::null_mut(), 0);
            if (*self.context).nb_streams == 0 {
                return Err(DemuxError::Broken("there is nothing in it".to_owned()));
            }
            let index = usize::try_from(best).map_err(|_negative| DemuxError::NoVideo)?;
            self.stream = index;
            for other in 0..(*self.context).nb_streams as usize {
                if other != index {
                    (**(*self.context).streams.add(other)).discard = AVDISCARD_ALL;
                }
            }
            *(*self.context).streams.add(index)
        };
        // SAFETY: a stream of the open context, and its parameters, both always valid; read field by field, for some
        // hold numbers that a Rust enumeration may not.
        let (disposition, native, time_base, rate) = unsafe {
            ((*stream).disposition, (*stream).codecpar, (*stream).time_base, (*stream).avg_frame_rate)
        };
        if disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0 {
            return Err(DemuxError::NoVideo);
        }
        // SAFETY: as above.
        let (id, width, height, delay, extradata) = unsafe {
            let extradata = parameters::extradata(native);
            (parameters::id_of(native), (*native).width, (*native).height, (*native).video_delay, extradata)
        };
        if parameters::decoder(id).is_null() {
            return Err(DemuxError::NoDecoder(format!("{:?}", parameters::codec(id))));
        }
        let part = |value: i32| u32::try_from(value).unwrap_or(0);
        self.parameters = Arc::new(CodecParameters {
            codec: parameters::codec(id),
            extradata,
            width: part(width),
            height: part(height),
            rotation: parameters::rotation(stream),
            time_base: countable(part(time_base.num), part(time_base.den))?,
            reorder_hint: part(delay),
            frame_rate: if rate.den > 0 { f64::from(rate.num) / f64::from(rate.den) } else { 0.0 },
            duration: self.duration(stream),
            native: Some(Arc::new(NativeParameters::copy_of(native).map_err(DemuxError::NotMedia)?)),
        });
        Ok(())
    }

    /// The stream's own duration, else the container's, in ticks of the stream.
    fn duration(&self, stream: *const ffi::AVStream) -> Option<i64> {
        // SAFETY: the context is open and the stream its own; the rescaling is arithmetic.
        let ticks = unsafe {
            if (*stream).duration > 0 {
                return Some((*stream).duration);
            }
            let micros = (*self.context).duration;
            let base = ffi::AVRational { num: 1, den: ffi::AV_TIME_BASE };
            if micros > 0 { ffi::av_rescale_q(micros, base, (*stream).time_base) } else { 0 }
        };
        (ticks > 0).then_some(ticks)
    }

    /// Times of 33 bits, as MPEG has them, may wrap soon after the first picture. libavformat makes those before the wrap negative; they stay as
    /// they stand in the file, and what comes after the wrap goes on from there. Whether it does is seen at the first picture.
    fn unwrap_times(&mut self) {
        const BITS: i32 = 33;
        let packet = self.packet.get();
        let is_picture = packet.stream_index as usize == self.stream;
        if self.lift.is_none() && is_picture && packet.pts != ffi::AV_NOPTS_VALUE {
            // SAFETY: the context is open, and the stream one of its own.
            let bits = unsafe { (**(*self.context).streams.add(self.stream)).pts_wrap_bits };
            self.lift = Some(if bits == BITS && packet.pts < 0 { 1 << BITS } else { 0 });
        }
        if let Some(lift @ 1..) = self.lift {
            self.packet.shift(lift);
        }
    }

    fn take_unit(&mut self) -> Result<Option<TimedUnit>, DemuxError> {
        self.follow_parameters()?;
        let packet = self.packet.get();
        let known = |time: i64| (time != ffi::AV_NOPTS_VALUE).then_some(time);
        let (pts, dts) = (known(packet.pts), known(packet.dts));
        let flags = packet.flags;
        if packet.size <= 0 {
            return Ok(None);
        }
        let mut side = SideData::of(&self.packet);
        side.follow(&mut self.palette);
        let unit = AccessUnit {
            pts: pts.unwrap_or_default(),
            dts,
            data: self.packet.take_data().map_err(DemuxError::Damaged)?,
            container_keyframe: flags & ffi::AV_PKT_FLAG_KEY != 0,
            damaged: flags & ffi::AV_PKT_FLAG_CORRUPT != 0,
            presentable: flags & ffi::AV_PKT_FLAG_DISCARD == 0,
            parameters: Arc::clone(&self.parameters),
            side,
        };
        Ok(Some((unit, pts)))
    }

    /// Containers may announce other parameter sets in mid-stream (MP4 with several sample entries).
    fn follow_parameters(&mut self) -> Result<(), DemuxError> {
        let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA;
        let mut size = 0;
        // SAFETY: valid packet; the bytes live as long as the packet and are copied at once.
        let extradata = unsafe {
            let bytes = ffi::av_packet_get_side_data(self.packet.get(), kind, &raw mut size);
            if bytes.is_null() || size == 0 {
                return Ok(());
            }
            Bytes::copy_from_slice(std::slice::from_raw_parts(bytes, size))
        };
        if extradata == self.parameters.extradata {
            return Ok(());
        }
        let mut changed = (*self.parameters).clone();
        let native = changed.native().map(|native| native.with_extradata(&extradata)).transpose();
        changed.native = native.map_err(DemuxError::Damaged)?.map(Arc::new);
        changed.extradata = extradata;
        self.parameters = Arc::new(changed);
        Ok(())
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        // SAFETY: opened by us; our own I/O context is freed by its owner afterwards.
        unsafe { ffi::avformat_close_input(&raw mut self.context) };
    }
}

fn countable(num: u32, den: u32) -> Result<TimeBase, DemuxError> {
    if num > LONGEST_TICK {
        Err(DemuxError::Ticks { num, den })
    } else {
        Ok(TimeBase::new(num, den).map_err(DemuxError::TimeBase)?)
    }
}
