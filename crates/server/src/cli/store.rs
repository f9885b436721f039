//! Commands that read the store.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ocelli_model::SamplingPlan;

use super::Span;

/// What of the store is meant.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The store's folder [default: `$OCELLI_STORE`, else `store` in the data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Only this run, by its number in `ocelli runs`
    #[arg(long, value_name = "N")]
    pub(crate) run: Option<i64>,
    /// Only runs of this input: its name as it was analysed, or the end of it after a slash
    #[arg(long, value_name = "NAME")]
    pub(crate) input: Option<String>,
    /// Only this model, by its id, or by the first digits of an analyzer version (at least 4)
    #[arg(long, value_name = "ID|VERSION")]
    pub(crate) model: Option<String>,
    /// Only results of this sampling plan
    #[arg(long)]
    pub(crate) fps: Option<SamplingPlan>,
}

const RUNS_EXAMPLES: &str = "\
Examples:
  What was analysed, with which models, how completely:
    ocelli runs --store seen
  The same for programs, one JSON object per run:
    ocelli runs --store seen --json

A run is one unbroken piece of an input: a file has one, or several where its media time steps. It is open while a process works on it, whole when it was read to its end, partial when that was broken off, and unclean when that died (said once the store is next written; until then it stays open). The same `ocelli analyze` again goes on where it ended.";

#[derive(Debug, Args)]
#[command(after_help = RUNS_EXAMPLES)]
pub(crate) struct Runs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Print JSON, one object per run
    #[arg(long)]
    pub(crate) json: bool,
}

const LEDGER_EXAMPLES: &str = "\
Examples:
  What was due in each 10 s of a video, and what became of it:
    ocelli ledger --store seen --input street.mp4
  Does everything balance? Exit code 0 only if it does:
    ocelli ledger --store seen > /dev/null

Due are the slots of the sampling plan (with `all`, the pictures). Each has one verdict: analysed; gated (nothing moved); dropped (overload); failed (damaged, with the reason); empty (no picture in it); lost (never received).";

#[derive(Debug, Args)]
#[command(after_help = LEDGER_EXAMPLES)]
pub(crate) struct Ledger {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Print JSON, one object per ledger
    #[arg(long)]
    pub(crate) json: bool,
}

const RESULTS_EXAMPLES: &str = "\
Examples:
  Where are people, between one and two minutes?
    ocelli results list --store seen --class person --start 60 --end 120
  What does one model see that the other does not?
    ocelli results diff ssdlite-mobilenet-v2 yolox-nano --store seen";

#[derive(Debug, Args)]
#[command(after_help = RESULTS_EXAMPLES)]
pub(crate) struct Results {
    #[command(subcommand)]
    pub(crate) command: ResultsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResultsCommand {
    /// Print detections, one per line, in order of media time
    List(ListResults),
    /// Write results to a file: JSON Lines as `analyze` prints them, COCO, MOT or CSV
    Export(ExportResults),
    /// Print which detections appeared, went or moved between two analyzer versions
    Diff(DiffResults),
}

#[derive(Debug, Args)]
pub(crate) struct ListResults {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only this class
    #[arg(long, value_name = "NAME")]
    pub(crate) class: Option<String>,
    /// Only detections of at least this confidence
    #[arg(long, value_name = "0..1")]
    pub(crate) confidence: Option<f32>,
    #[command(flatten)]
    pub(crate) span: Span,
    /// Most lines
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    pub(crate) limit: u64,
    /// Print JSON, one object per detection
    #[arg(long)]
    pub(crate) json: bool,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  For annotation tools and pycocotools:
    ocelli results export --format coco --out street.json --store seen --input street.mp4
  Tracks for MOT tools, one file per input and model:
    ocelli results export --format mot --out '{input}-{model}.txt' --store seen

{input}, {model} and {run} in the file's name stand for the input's name without its folder and ending, the model's id, and the part of an input whose media time steps. A MOT file holds one sequence, the others any number.";

#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportResults {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// The file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object per frame, as `ocelli analyze` prints it
    Jsonl,
    /// COCO object detection, one JSON object
    Coco,
    /// `MOTChallenge` text: frame, id, left, top, width, height, confidence
    Mot,
    /// A table with a header, one line per detection
    Csv,
}

const DIFF_NOTES: &str = "\
Frames that both looked at are compared. Two boxes of one class that overlap by at least half (intersection over union) are the same object: the same place from 0.9, else moved. Others are gone (only in the first) or appeared (only in the second).";

#[derive(Debug, Args)]
#[command(after_help = DIFF_NOTES)]
pub(crate) struct DiffResults {
    /// The one: a model's id, or the first digits of an analyzer version (at least 4)
    pub(crate) first: String,
    /// The other
    pub(crate) second: String,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) span: Span,
    /// Print only the table of counts
    #[arg(long)]
    pub(crate) summary: bool,
    /// Print JSON, one object per difference
    #[arg(long, conflicts_with = "summary")]
    pub(crate) json: bool,
}

const STORE_EXAMPLES: &str = "\
Examples:
  Is everything in it whole, and does every ledger balance? Exit code 0 only if so:
    ocelli store check --store seen";

#[derive(Debug, Args)]
#[command(after_help = STORE_EXAMPLES)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read all of the store and say what does not fit together
    Check(CheckStore),
}

#[derive(Debug, Args)]
pub(crate) struct CheckStore {
    /// The store's folder [default: `$OCELLI_STORE`, else `store` in the data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}
