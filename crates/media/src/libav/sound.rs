//! The sound beside the pictures of a container.

use std::{ffi::c_int, ptr, sync::Arc};

use bytes::Bytes;
use ffi::{AVCodecID as Id, AVDiscard::AVDISCARD_ALL, AVMediaType::AVMEDIA_TYPE_AUDIO};
use ffmpeg_sys_next as ffi;
use ocelli_model::TimeBase;

use super::{packet::Packet, parameters};
use crate::{AudioCodec, AudioParameters, AudioQueue, AudioUnit, audio::Adts};

/// One stream of sound: which, and what of it waits.
#[derive(Debug)]
pub(super) struct Sound {
    stream: usize,
    parameters: Arc<AudioParameters>,
    /// AAC that says how it is coded before each unit instead of once.
    headed: bool,
    waiting: AudioQueue,
}

impl Sound {
    /// The best beside a picture stream, if there is one whose times can be counted; its packets are read from here on.
    pub(super) fn beside(context: *mut ffi::AVFormatContext, pictures: usize) -> Option<Self> {
        // SAFETY: the caller's context is open; the index is checked; parameters of a stream are always valid, and read
        // field by field, for some hold numbers that a Rust enumeration may not.
        let (index, id, rate, channels, extradata, base) = unsafe {
            let best = ffi::av_find_best_stream(
                context,
                AVMEDIA_TYPE_AUDIO,
                -1,
                pictures as c_int,
                ptr::null_mut(),
                0,
            );
            let index = usize::try_from(best).ok().filter(|index| *index < (*context).nb_streams as usize)?;
            let stream = *(*context).streams.add(index);
            (*stream).discard = ffi::AVDiscard::AVDISCARD_DEFAULT;
            let native = (*stream).codecpar;
            let channels = (*native).ch_layout.nb_channels;
            let base = (*stream).time_base;
            let extradata = parameters::extradata(native);
            (index, parameters::id_of(native), (*native).sample_rate, channels, extradata, base)
        };
        let known = |codec: Id| id == codec as c_int;
        let headed = known(Id::AV_CODEC_ID_AAC) && extradata.is_empty();
        let codec = match id {
            _ if known(Id::AV_CODEC_ID_AAC) => AudioCodec::Aac,
            _ if known(Id::AV_CODEC_ID_OPUS) => AudioCodec::Opus,
            _ => AudioCodec::Other(parameters::name(id)),
        };
        let time_base = TimeBase::new(u32::try_from(base.num).ok()?, u32::try_from(base.den).ok()?).ok()?;
        let parameters = AudioParameters {
            codec,
            extradata,
            sample_rate: u32::try_from(rate).ok()?,
            channels: u16::try_from(channels).ok()?,
            time_base,
        };
        Some(Self { stream: index, parameters: Arc::new(parameters), headed, waiting: AudioQueue::default() })
    }

    pub(super) fn is_of(&self, packet: &Packet) -> bool {
        usize::try_from(packet.get().stream_index).is_ok_and(|index| index == self.stream)
    }

    /// Takes what the packet holds. Damage to sound is not damage to pictures: what cannot be used is left out.
    pub(super) fn take(&mut self, packet: &mut Packet) {
        let (pts, flags) = (packet.get().pts, packet.get().flags);
        // Without a time, or cut away by an edit list.
        if pts == ffi::AV_NOPTS_VALUE || flags & (ffi::AV_PKT_FLAG_DISCARD | ffi::AV_PKT_FLAG_CORRUPT) != 0 {
            return;
        }
        let Ok(mut data) = packet.take_data() else { return };
        if self.headed {
            let Some(adts) = Adts::read(&data) else { return };
            self.follow(adts);
            data = adts.unit(&data);
        }
        if !data.is_empty() {
            self.waiting.push(AudioUnit { pts, data, parameters: Arc::clone(&self.parameters) });
        }
    }

    pub(super) fn next(&mut self) -> Option<AudioUnit> {
        self.waiting.pop()
    }

    /// Reads no more of it; what waits can still be taken.
    pub(super) fn leave_out(&self, context: *mut ffi::AVFormatContext) {
        // SAFETY: the caller's context is the one in which the stream was found; streams stay until it is closed.
        unsafe { (**(*context).streams.add(self.stream)).discard = AVDISCARD_ALL };
    }

    fn follow(&mut self, adts: Adts) {
        if self.parameters.extradata[..] == adts.config {
            return;
        }
        self.parameters = Arc::new(AudioParameters {
            extradata: Bytes::copy_from_slice(&adts.config),
            sample_rate: adts.sample_rate,
            channels: adts.channels,
            ..(*self.parameters).clone()
        });
    }
}
