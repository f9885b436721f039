//! The command line. Its help is the first documentation most users read.

mod operate;
mod store;
mod token;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use ocelli_analyze::runtime::{Precision, RuntimeName};
use ocelli_media::libav::Acceleration;
use ocelli_model::SamplingPlan;

pub(crate) use self::{
    operate::{
        Archive, ArchiveCommand, CheckArchive, CheckConfig, Config, ConfigCommand, Health, Serve, ShowConfig,
    },
    store::{
        DiffResults, ExportFormat, ExportResults, Ledger, ListResults, Results, ResultsCommand, Runs,
        Selection, Store, StoreCommand,
    },
    token::{CreateToken, Lifetime, ListTokens, RevokeToken, Token, TokenCommand, TokenPlace},
};
use crate::input::Input;

const EXIT_CODES: &str = "\
Exit codes: 0 everything that was due has its result; 1 partial, the reason is on standard error; 2 the input cannot be used, or the command line is wrong; 130 a second Ctrl-C ended it at once.

Environment: OCELLI_HOME is the folder of models and runtimes (default: $XDG_DATA_HOME/ocelli, else ~/.local/share/ocelli); OCELLI_STORE is the store that reading commands look into; OCELLI_NET_ALLOW lists addresses that a URL may lead to although they are this machine's or a cloud's own, such as 127.0.0.1,169.254.0.0/16; OCELLI_LOG sets what is logged to standard error, such as info or ocelli_engine=debug (default: warn).";

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
    /// Show what the store holds: inputs, their runs, which models looked at them
    Runs(Runs),
    /// List, export or compare results of the store
    Results(Results),
    /// Show what was due and what became of it, and whether that balances
    Ledger(Ledger),
    /// Check the store
    Store(Store),
    /// Check recordings, and mend them
    Archive(Archive),
    /// Run the server: streams for weeks, frames on a shared volume, live results
    Serve(Serve),
    /// Show the configuration of the server, or check one
    Config(Config),
    /// Ask a running server whether it is well; for health checks of containers
    Health(Health),
    /// Say who may use the server: make, list and end tokens
    Token(Token),
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
  A minute of a camera, one frame every five seconds:
    ocelli extract rtsp://user:password@camera/stream --fps 1/5 --end 60 --out frames

Each JPEG carries its media time in a comment segment. Frames are chosen before decoding, a keyframe where there is one, so that low rates cost a fraction of a full decode.";

#[derive(Debug, Args)]
#[command(after_help = EXTRACT_EXAMPLES)]
pub(crate) struct Extract {
    /// Video file, any that the system's FFmpeg reads; or a stream: `rtsp://user:password@host/path`, `rtsps://`, `http://`, `https://`, `synthetic:`
    pub(crate) input: Input,
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
    pub(crate) hardware: HardwareDecoding,
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
  Two models at once, results kept in the folder `seen`; run again after a crash, it goes on where it was:
    ocelli analyze street.mp4 --model ssdlite-mobilenet-v2 --model yolox-nano --store seen > results.jsonl

Each line holds input, run, pts, time_base, seconds, slot, model, verdict, width, height, detections (label, confidence, box in fractions of the picture, box_px in pixels, track where it is part of one), analyzer_version and timing_ms. A frame that is damaged has the verdict \"failed\" and a reason in place of its size and detections. Lines are in order of media time.";

#[derive(Debug, Args)]
#[command(after_help = ANALYZE_EXAMPLES)]
#[command(group = ArgGroup::new("files").args(["annotate", "coco", "mot", "csv"]).multiple(true))]
pub(crate) struct Analyze {
    /// Video files, any that the system's FFmpeg reads; or streams: `rtsp://user:password@host/path`, `rtsps://`, `http://`, `https://`, `synthetic:`
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<Input>,
    /// Frames per second of media time: a number, a fraction such as 30000/1001, or `all`
    #[arg(long, default_value = "5")]
    pub(crate) fps: SamplingPlan,
    /// Model to look with: an id of `ocelli models list`, or the path of such a model's file. Given again, the next model
    /// looks at the same decoded frames
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) model: Vec<String>,
    /// Lowest confidence to report, above 0 and at most 1 [default: 0.4]
    #[arg(long, value_name = "0..1")]
    pub(crate) confidence: Option<f32>,
    /// Only these classes, comma-separated
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) classes: Option<Vec<String>>,
    /// Arithmetic of the model [default: as models.lock.json beside the models says]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<PrecisionName>,
    /// What runs the models [default: as models.lock.json says]
    #[arg(long, value_name = "openvino|onnxruntime")]
    pub(crate) runtime: Option<RuntimeName>,
    /// Workers, one thread each with an instance of every model [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) instances: Option<u16>,
    /// Inputs at once; they share the workers. Lines of several inputs then alternate [default: 1; with streams, all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Keep results, ledger and tracks in this folder, made if missing. What it holds already is not analysed again, and a
    /// line is printed when its result is durable
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Do not follow objects from frame to frame
    #[arg(long)]
    pub(crate) no_tracks: bool,
    /// Also write the analysed frames, with boxes, as an MP4 video at their own media times; takes one INPUT
    #[arg(long, value_name = "FILE.mp4")]
    pub(crate) annotate: Option<PathBuf>,
    /// Also write all detections as a COCO file, for pycocotools and annotation tools
    #[arg(long, value_name = "FILE.json")]
    pub(crate) coco: Option<PathBuf>,
    /// Also write tracks as a `MOTChallenge` text file. `{input}`, `{model}` and `{run}` in the name make a file of each
    #[arg(long, value_name = "FILE.txt")]
    pub(crate) mot: Option<PathBuf>,
    /// Also write all detections as a table, one line each
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "files")]
    pub(crate) overwrite: bool,
    /// Print a table of what was seen to standard error at the end
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) hardware: HardwareDecoding,
    #[command(flatten)]
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct HardwareDecoding {
    /// Decode on hardware: `cuda` (NVIDIA), `qsv` (Intel) or `vaapi` (Intel, AMD). Where it is not there or does not
    /// decode every input, a warning says why and software decodes
    #[arg(long, value_name = "cuda|qsv|vaapi")]
    pub(crate) hwaccel: Option<Acceleration>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Span {
    /// Start at this media time: what players show, plus the video's own start time where that is not 0. The file is
    /// read from its beginning, but decoded only from here. Of a stream: seconds after its first picture
    #[arg(long, value_name = "SECONDS")]
    pub(crate) start: Option<f64>,
    /// Stop before this media time. Of a stream: seconds after its first picture; without it, Ctrl-C ends
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
  Which models there are, which are here, and how each runs:
    ocelli models list
  After a copy or a doubt: check the files; exit code 0 only if all are intact:
    ocelli models verify
  A detector of your own, with a text file that names its classes, one on each line:
    ocelli models add hats.onnx --id hats --kind yolox --labels hats.txt
    ocelli analyze street.mp4 --model hats > results.jsonl
  Which runtime and precision is fastest on this machine; the choice is written down:
    ocelli models bench";

#[derive(Debug, Args)]
#[command(after_help = MODELS_EXAMPLES)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List known models, whether their files are here, and how they run
    List,
    /// Check the files against their checksums; fails where one is damaged or the default model is missing
    Verify,
    /// Take in an ONNX model of your own, after a trial
    Add(AddModel),
    /// Forget a model that was added, and remove its file
    Remove(RemoveModel),
    /// Measure each model on each runtime and precision, and write the fastest into models.lock.json
    Bench(BenchModels),
}

const ADD_EXAMPLES: &str = "\
Examples:
  A YOLOX of any size, as its own exporter writes it (boxes not decoded):
    ocelli models add yolox_s.onnx --id yolox-s --kind yolox --labels coco80.txt --licence Apache-2.0
  From the network, pinned by its checksum:
    ocelli models add https://example.org/yolox_tiny.onnx --sha256 427cc366... --id yolox-tiny --kind yolox --labels coco80.txt
  A newer file under the same name:
    ocelli models add hats-2.onnx --id hats --kind yolox --labels hats.txt --replace

The model must have one input `1 x 3 x height x width` of 32-bit floats. yolox: sides that are multiples of 32, pictures letterboxed at the top left on grey 114, BGR 0 to 255, one output `1 x rows x (5 + classes)`. ssd: pictures stretched, RGB -1 to 1, outputs `scores` (1 x anchors x classes, sigmoid applied) and `boxes` (1 x anchors x 1 x 4: top, left, bottom, right in fractions).

The list of labels has one name on each line, in the order of the model's classes; `n/a` stands for a class that is never reported.

It is taken in only after a trial: it loads, its tensors fit, it has as many classes as there are labels, and it runs on a picture. Otherwise nothing changes, and the exit code is 2.

Environment: OCELLI_NET_ALLOW lists addresses that a URL may lead to although they are this machine's or a cloud's own, such as 127.0.0.1,169.254.0.0/16.";

#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
pub(crate) struct AddModel {
    /// ONNX file, or an http or https URL of one
    #[arg(value_name = "FILE|URL")]
    pub(crate) from: String,
    /// Name to call it by: lowercase letters, digits, - and .
    #[arg(long)]
    pub(crate) id: String,
    /// How its input is made and its outputs are read
    #[arg(long, value_enum)]
    pub(crate) kind: KindName,
    /// Text file with the names of its classes, one on each line
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: PathBuf,
    /// Checksum that the file must have; required for a URL
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
    /// Its licence, as an SPDX identifier
    #[arg(long, value_name = "SPDX", default_value = "unknown")]
    pub(crate) licence: String,
    /// One line for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) description: String,
    /// Replace a model of that id which was added before
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindName {
    /// YOLOX: nano, tiny, s, m, l, x
    Yolox,
    /// Single-shot detectors with scores and boxes per anchor
    Ssd,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveModel {
    /// Its id, as in `ocelli models list`
    pub(crate) id: String,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  Every model that is here:
    ocelli models bench
  One of them, thoroughly, to look only:
    ocelli models bench yolox-nano --seconds 20 --dry-run

Times are CPU milliseconds a picture on one thread, without decoding. A precision other than f32 is chosen only where it finds at least 98 % of what f32 finds on real pictures (those that `./dev setup` fetches). Nothing is written while the machine is busy with other things.";

#[derive(Debug, Args)]
#[command(after_help = BENCH_EXAMPLES)]
pub(crate) struct BenchModels {
    /// Ids of models [default: all that are here]
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// How long each combination is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) seconds: u16,
    /// Measure only; leave models.lock.json as it is
    #[arg(long)]
    pub(crate) dry_run: bool,
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
