//! The command line. Its help is the first documentation most users read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ocelli_analyze::runtime::Precision;
use ocelli_model::SamplingPlan;

const EXIT_CODES: &str = "\
Exit codes: 0 everything that was due has its result; 1 partial, the reason is on standard error; 2 the input cannot be used, or the command line is wrong; 130 a second Ctrl-C ended it at once.

Environment: OCELLI_HOME is the folder of models and runtimes (default: $XDG_DATA_HOME/ocelli, else ~/.local/share/ocelli); OCELLI_LOG sets what is logged to standard error, such as info or ocelli_engine=debug (default: warn).";

/// Looks at video: decodes exactly the frames that are worth it, and says what is on them.
#[derive(Debug, Parser)]
#[command(name = "ocelli", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write frames of a video as numbered JPEG files
    Extract(Extract),
    /// Detect objects and print one JSON object per analysed frame
    Analyze(Analyze),
    /// Show the models, or check their files
    Models(Models),
    /// Say what this machine has, what is missing, and how to get it
    Doctor(Doctor),
}

const EXTRACT_EXAMPLES: &str = "\
Examples:
  One frame a second, as frame_0001.jpg, frame_0002.jpg, ...:
    ocelli extract street.mp4 --fps 1 --out frames
  One frame every ten seconds of the second minute:
    ocelli extract street.mp4 --fps 0.1 --start 60 --end 120 --out frames
  Every picture, replacing the frames of an earlier call:
    ocelli extract street.mp4 --fps all --out frames --overwrite

Each JPEG carries its media time in a comment segment. Frames are chosen before decoding, a keyframe where there is one, so that low rates cost a fraction of a full decode.";

#[derive(Debug, Args)]
#[command(after_help = EXTRACT_EXAMPLES)]
pub(crate) struct Extract {
    /// Video file; any that the system's FFmpeg reads
    pub(crate) input: PathBuf,
    /// Frames per second of media time: a number, a fraction such as 30000/1001, or `all`
    #[arg(long, default_value = "1")]
    pub(crate) fps: SamplingPlan,
    /// Folder for the frames; made if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Remove `frame_*.jpg` from a folder that is not empty; nothing else is touched
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// JPEG quality, 1 to 100
    #[arg(long, default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: u8,
    #[command(flatten)]
    pub(crate) span: Span,
}

const ANALYZE_EXAMPLES: &str = "\
Examples:
  What is on a video, five times a second:
    ocelli analyze street.mp4 > results.jsonl
  People and cars only, with a table at the end:
    ocelli analyze street.mp4 --classes person,car --confidence 0.5 --summary > results.jsonl
  Boxes drawn on every frame:
    ocelli analyze street.mp4 --fps all --annotate seen.mp4 > results.jsonl

Each line holds input, run, pts, time_base, seconds, slot, model, verdict, width, height, detections (label, confidence, box in fractions of the picture, box_px in pixels), analyzer_version and timing_ms. A frame that is damaged has the verdict \"failed\" and a reason in place of its size and detections. Lines are in order of media time.";

#[derive(Debug, Args)]
#[command(after_help = ANALYZE_EXAMPLES)]
pub(crate) struct Analyze {
    /// Video files; any that the system's FFmpeg reads
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Frames per second of media time: a number, a fraction such as 30000/1001, or `all`
    #[arg(long, default_value = "5")]
    pub(crate) fps: SamplingPlan,
    /// Model to look with: an id of `ocelli models list`, or the path of such a model's file
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) model: Option<String>,
    /// Lowest confidence to report, above 0 and at most 1 [default: 0.4]
    #[arg(long, value_name = "0..1")]
    pub(crate) confidence: Option<f32>,
    /// Only these classes, comma-separated
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) classes: Option<Vec<String>>,
    /// Arithmetic of the model [default: as models.lock.json beside the models says]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<PrecisionName>,
    /// Model instances, one thread each [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) instances: Option<u16>,
    /// Also write the analysed frames, with boxes, as an MP4 video at their own media times; takes one INPUT
    #[arg(long, value_name = "FILE.mp4")]
    pub(crate) annotate: Option<PathBuf>,
    /// Replace an existing annotated video
    #[arg(long, requires = "annotate")]
    pub(crate) overwrite: bool,
    /// Print a table of what was seen to standard error at the end
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Span {
    /// Start at this media time: what players show, plus the video's own start time where that is not 0. The file is
    /// read from its beginning, but decoded only from here
    #[arg(long, value_name = "SECONDS")]
    pub(crate) start: Option<f64>,
    /// Stop before this media time
    #[arg(long, value_name = "SECONDS")]
    pub(crate) end: Option<f64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PrecisionName {
    /// 32-bit floating point
    F32,
    /// Brain floating point, where the CPU has it
    Bf16,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F32 => Self::F32,
            PrecisionName::Bf16 => Self::Bf16,
        }
    }
}

const MODELS_EXAMPLES: &str = "\
Examples:
  Which models there are, which are here, under which licence:
    ocelli models list
  After a copy or a doubt: check the files; exit code 0 only if all are intact:
    ocelli models verify";

#[derive(Debug, Args)]
#[command(after_help = MODELS_EXAMPLES)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List known models and whether their files are here
    List,
    /// Check the files against their checksums; fails where one is damaged or the default model is missing
    Verify,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  What is here, what is missing, how to get it; exit code 0 if nothing is missing:
    ocelli doctor
  The same for another data directory:
    OCELLI_HOME=/srv/ocelli ocelli doctor";

#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct Doctor {}
