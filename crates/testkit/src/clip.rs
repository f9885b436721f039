//! Synthetic clips: what to draw, how to encode it, what to wrap it in.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    path::{Path, PathBuf},
};

use ocelli_model::TimeBase;

mod encode;

/// Encoders, each chosen for being fast and independent of our code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClipCodec {
    /// H.264 by x264, preset veryfast; `params` are x264's.
    X264,
    /// H.265 by x265, preset ultrafast; `params` are x265's.
    X265,
    /// MPEG-4 part 2; no `params`, use `options` such as `-bf 2`.
    Mpeg4,
    /// Motion JPEG, full range; no `params`.
    Mjpeg,
    /// MPEG-2; standard constant rates only, no `params`.
    Mpeg2,
    /// VP8 by libvpx; no `params`.
    Vp8,
    /// VP9 by libvpx; no `params`.
    Vp9,
    /// AV1 by libaom, with its hidden reference frames; no `params`.
    Av1,
}

/// File formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// Time base = the clip's own, exact.
    Mp4,
    /// As [`Self::Mp4`], with brand `qt`.
    Mov,
    /// Milliseconds, rounded.
    Mkv,
    /// Milliseconds, rounded; VP8, VP9 and AV1 only.
    WebM,
    /// 1/90000, rounded. Clips start at 1.4 s unless told otherwise, which leaves room for a DTS before the first PTS.
    Ts,
    /// Frame numbers for PTS: constant rate, no B-frames.
    Avi,
    /// Annex B or an IVF-like raw stream: no timestamps at all.
    Raw,
}

/// Bumped whenever [`crate::paint`] or the fixed encoder options change what a clip looks like.
const CLIP_VERSION: u32 = 2;

/// A clip to be made; see the crate's tests for examples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clip {
    width: usize,
    height: usize,
    frames: u32,
    first_number: u32,
    rate: (u32, u32),
    start_pts: Option<i64>,
    timestamps: Option<(u32, Vec<i64>)>,
    codec: ClipCodec,
    container: Container,
    params: Vec<String>,
    options: Vec<String>,
    pixel_format: String,
    rotate: Option<u32>,
    audio: bool,
}

impl Clip {
    /// 60 frames at 30 fps of H.264 with x264's own GOP structure, in MP4.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            frames: 60,
            first_number: 0,
            rate: (30, 1),
            start_pts: None,
            timestamps: None,
            codec: ClipCodec::X264,
            container: Container::Mp4,
            params: Vec::new(),
            options: Vec::new(),
            pixel_format: "yuv420p".to_owned(),
            rotate: None,
            audio: false,
        }
    }

    /// How many frames.
    #[must_use]
    pub fn frames(mut self, frames: u32) -> Self {
        self.frames = frames;
        self
    }

    /// The number painted into the first frame; 0 by default.
    #[must_use]
    pub fn first_number(mut self, number: u32) -> Self {
        self.first_number = number;
        self
    }

    /// Constant rate `num/den`; the clip's time base becomes `1/num`, with `den` ticks a frame.
    #[must_use]
    pub fn rate(mut self, num: u32, den: u32) -> Self {
        (self.rate, self.timestamps) = ((num, den), None);
        self
    }

    /// One PTS for each frame, strictly increasing, in ticks of `1/ticks_per_second`: any variable rate. Sets the number of
    /// frames. MPEG-4 takes at most 65535 ticks per second; MPEG-2 and AVI none of this.
    #[must_use]
    pub fn timestamps(mut self, ticks_per_second: u32, pts: &[i64]) -> Self {
        assert!(pts.is_sorted_by(|a, b| a < b), "timestamps must increase");
        self.frames = pts.len() as u32;
        self.timestamps = Some((ticks_per_second, pts.to_vec()));
        self
    }

    /// Added to every PTS, in the clip's own ticks. 0 by default, 1.4 s in a transport stream.
    #[must_use]
    pub fn start_pts(mut self, pts: i64) -> Self {
        self.start_pts = Some(pts);
        self
    }

    /// Which encoder.
    #[must_use]
    pub fn codec(mut self, codec: ClipCodec) -> Self {
        self.codec = codec;
        self
    }

    /// Which file format.
    #[must_use]
    pub fn container(mut self, container: Container) -> Self {
        self.container = container;
        self
    }

    /// `name=value:name=value` for x264 or x265; repeated calls add up, later ones win.
    #[must_use]
    pub fn params(mut self, params: &str) -> Self {
        let x26x = matches!(self.codec, ClipCodec::X264 | ClipCodec::X265);
        assert!(x26x, "{:?} takes options, not params", self.codec);
        self.params.push(params.to_owned());
        self
    }

    /// Further output options of `ffmpeg`, e.g. `["-g", "30", "-bf", "2"]`; they win over the defaults.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// Pixel format to encode, in ffmpeg's words; `yuv420p` by default.
    #[must_use]
    pub fn pixel_format(mut self, name: &str) -> Self {
        name.clone_into(&mut self.pixel_format);
        self
    }

    /// Display matrix of an MP4 (which a MOV becomes): the picture is to be shown turned clockwise by so many degrees.
    #[must_use]
    pub fn rotate(mut self, degrees: u32) -> Self {
        let fits = matches!(self.container, Container::Mp4 | Container::Mov);
        assert!(fits, "only MP4 holds a display matrix");
        self.rotate = Some(degrees);
        self
    }

    /// Adds a second stream, a 440 Hz tone as long as the pictures at a constant rate.
    #[must_use]
    pub fn audio(mut self) -> Self {
        self.audio = true;
        self
    }

    /// Number painted into the frame at index `n` in output order.
    pub fn number(&self, n: u32) -> u32 {
        self.first_number + n
    }

    /// Frames in the clip.
    pub fn len(&self) -> u32 {
        self.frames
    }

    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Time base of the pictures in the file.
    pub fn time_base(&self) -> TimeBase {
        let (num, den) = match self.container {
            Container::Mp4 | Container::Mov => (1, self.ticks_per_second()),
            Container::Mkv | Container::WebM => (1, 1000),
            Container::Ts => (1, 90_000),
            Container::Avi => (self.rate.1, self.rate.0),
            Container::Raw => (1, 1_200_000),
        };
        TimeBase::new(num, den).expect("rates and time bases of clips are positive")
    }

    /// PTS in the file of the frame at index `n` in output order, in [`Self::time_base`]. Panics for raw streams, which have none.
    pub fn pts(&self, n: u32) -> i64 {
        assert!(self.container != Container::Raw, "a raw stream has no timestamps");
        let base = self.time_base();
        let scale = i128::from(self.ticks_per_second()) * i128::from(base.num());
        // As libavformat does: to the nearest, halves away from zero.
        let ticks = i128::from(self.own_pts(n)) * i128::from(base.den());
        let rounded = (2 * ticks.abs() + scale) / (2 * scale);
        (rounded * ticks.signum()) as i64
    }

    /// Makes the clip in `dir`, or finds it there: the name holds a hash of everything that shapes it.
    pub fn write(&self, dir: &Path) -> PathBuf {
        let mut hash = DefaultHasher::new();
        (CLIP_VERSION, self).hash(&mut hash);
        let path = dir.join(format!("{:?}-{:016x}.{}", self.codec, hash.finish(), self.extension()));
        let found = path.try_exists().expect("the clip folder can be read");
        if !found {
            // Test processes share the folder: a name of one's own, then a rename.
            let aside = tempfile::tempdir_in(dir).expect("the clip folder can be written");
            let partial = aside.path().join("clip");
            encode::encode(self, &partial);
            std::fs::rename(&partial, &path).expect("a file can be renamed within its folder");
        }
        path
    }

    /// [`Self::write`] into a folder below the build directory that outlives the test process.
    pub fn cached(&self) -> PathBuf {
        self.write(&cache_dir())
    }

    fn ticks_per_second(&self) -> u32 {
        self.timestamps.as_ref().map_or(self.rate.0, |(ticks, _)| *ticks)
    }

    /// In ticks of the clip, start included.
    fn own_pts(&self, n: u32) -> i64 {
        let start = self.start_pts.unwrap_or_else(|| match self.container {
            Container::Ts => i64::from(self.ticks_per_second()) * 7 / 5,
            _ => 0,
        });
        start
            + match &self.timestamps {
                Some((_, pts)) => pts[n as usize],
                None => i64::from(n) * i64::from(self.rate.1),
            }
    }

    fn extension(&self) -> &'static str {
        match (self.container, self.codec) {
            (Container::Mp4, _) => "mp4",
            (Container::Mov, _) => "mov",
            (Container::Mkv, _) => "mkv",
            (Container::WebM, _) => "webm",
            (Container::Ts, _) => "ts",
            (Container::Avi, _) => "avi",
            (Container::Raw, ClipCodec::X264) => "h264",
            (Container::Raw, ClipCodec::X265) => "h265",
            (Container::Raw, ClipCodec::Mpeg4) => "m4v",
            (Container::Raw, ClipCodec::Mpeg2) => "m2v",
            (Container::Raw, ClipCodec::Mjpeg) => "mjpeg",
            (Container::Raw, ClipCodec::Av1) => "obu",
            (Container::Raw, ClipCodec::Vp8 | ClipCodec::Vp9) => "ivf",
        }
    }
}

/// `<target>/testkit`, where clips stay between test runs; `./dev` or `cargo clean` may remove it at any time.
pub fn cache_dir() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let dir = target.join("testkit");
    std::fs::create_dir_all(&dir).expect("the build directory can be written");
    dir
}

/// A file with sound and no picture: one second of a tone in MP4.
pub fn audio_only(dir: &Path) -> PathBuf {
    let path = dir.join("audio-only.mp4");
    encode::tone(&path);
    path
}

/// `source` remuxed to MP4 from `seconds` on: with pictures before it hidden by an edit list.
pub fn trimmed(source: &Path, seconds: f64, dir: &Path) -> PathBuf {
    let path = dir.join(format!("trimmed-{seconds}.mp4"));
    encode::trim(source, seconds, &path);
    path
}
