//! Coded pictures on their way from a container to the sampler.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_model::TimeBase;

use crate::libav::{NativeParameters, SideData};

/// How a video stream is coded. `Other` holds libav's name of a codec whose pictures this crate does not read itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// ITU-T H.264, MPEG-4 part 10.
    H264,
    /// ITU-T H.265, HEVC.
    H265,
    /// MPEG-4 part 2, also as DivX and Xvid.
    Mpeg4,
    /// Every picture a JPEG.
    Mjpeg,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
    /// Anything else that libav decodes.
    Other(String),
}

impl Codec {
    /// Those that this crate reads, with libavcodec's names.
    const NAMED: [(Self, &str); 7] = [
        (Self::H264, "h264"),
        (Self::H265, "hevc"),
        (Self::Mpeg4, "mpeg4"),
        (Self::Mjpeg, "mjpeg"),
        (Self::Vp8, "vp8"),
        (Self::Vp9, "vp9"),
        (Self::Av1, "av1"),
    ];

    /// libavcodec's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => Self::NAMED.iter().find(|(codec, _)| codec == known).map_or("", |(_, name)| name),
        }
    }

    /// The codec of that name, which need not be one that libavcodec knows.
    pub fn named(name: &str) -> Self {
        let known = Self::NAMED.iter().find(|(_, known)| *known == name);
        known.map_or_else(|| Self::Other(name.to_owned()), |(codec, _)| codec.clone())
    }
}

/// Clockwise turn that makes a coded picture upright, from the container's display matrix. Mirroring is not followed:
/// of a mirrored matrix only the turn is done, so that pictures are upright, left and right as coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// As coded.
    #[default]
    None,
    /// 90 degrees clockwise.
    Clockwise,
    /// 180 degrees.
    Half,
    /// 90 degrees counterclockwise.
    Counterclockwise,
}

/// What a decoder must know before the first access unit.
#[derive(Clone, Debug)]
pub struct CodecParameters {
    /// How pictures are coded.
    pub codec: Codec,
    /// Out-of-band parameter sets as the container keeps them: `avcC`, `hvcC`, Annex B, or empty.
    pub extradata: Bytes,
    /// Coded size before rotation; 0 where the container does not say.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Turn to make pictures upright.
    pub rotation: Rotation,
    /// Seconds per tick of every PTS and DTS.
    pub time_base: TimeBase,
    /// Pictures a decoder may hold back, as the container or libav's probe says. Codecs whose streams declare it
    /// themselves (H.264, H.265) do not use this.
    pub reorder_hint: u32,
    /// Average frames per second, 0 where unknown; for people only.
    pub frame_rate: f64,
    /// Duration in ticks where the container says, for progress; never for decisions.
    pub duration: Option<i64>,
    /// libav's own form, where libav read the container.
    pub(crate) native: Option<Arc<NativeParameters>>,
}

impl CodecParameters {
    /// Parameters of a stream that no container describes.
    pub fn new(codec: Codec, extradata: Bytes, time_base: TimeBase) -> Self {
        Self {
            codec,
            extradata,
            width: 0,
            height: 0,
            rotation: Rotation::None,
            time_base,
            reorder_hint: 0,
            frame_rate: 0.0,
            duration: None,
            native: None,
        }
    }
}

/// One coded picture with its times in the stream's time base.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    /// When it is shown.
    pub pts: i64,
    /// When it is decoded, where the container says.
    pub dts: Option<i64>,
    /// The coded bytes, in the container's framing (length-prefixed or Annex B).
    pub data: Bytes,
    /// The container calls it a keyframe. Used only for codecs whose pictures we do not read.
    pub container_keyframe: bool,
    /// The transport lost or damaged bytes of it (MPEG-TS continuity).
    pub damaged: bool,
    /// False for pictures that an edit list cuts away: needed as references, never shown, never chosen.
    pub presentable: bool,
    /// What its decoder must know; a new allocation where the container announces a change.
    pub parameters: Arc<CodecParameters>,
    /// What the container says beside the bytes.
    pub side: SideData,
}

impl AccessUnit {
    /// A shown, undamaged unit of a stream that no container describes.
    pub fn new(pts: i64, data: Bytes, parameters: Arc<CodecParameters>) -> Self {
        Self {
            pts,
            dts: None,
            data,
            container_keyframe: false,
            damaged: false,
            presentable: true,
            parameters,
            side: SideData::default(),
        }
    }
}
