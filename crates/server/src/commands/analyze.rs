//! `ocelli analyze`: detections as JSON Lines, and drawn on a video.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use ocelli_analyze::{DetectorConfig, DetectorModel, Upstream, cpu_features, load};
use ocelli_engine::{AnalyzeWork, Report, Seen, Settings, Watch, run};
use ocelli_ingest::{Source as _, pull::FileSource};
use ocelli_media::{
    CodecParameters,
    libav::codec_library_version,
    sampler::{SAMPLER_VERSION, Window},
};
use ocelli_model::AnalyzerVersion;
use ocelli_sinks::{FrameRecord, JsonLines, JsonLinesError, Outcome, Timing};

use super::{annotate::Annotated, summary::Summary, verdict, window};
use crate::{
    cli::Analyze,
    ending::{Ending, chain},
    home::home,
    progress::Progress,
    signals::stop_on_signal,
};

type Analysed = Seen<ocelli_engine::Analysis>;

pub(crate) fn analyze(options: &Analyze) -> Result<Ending> {
    window::check(options.span)?;
    if options.annotate.is_some() && options.inputs.len() > 1 {
        bail!("--annotate takes one input: each video needs a file of its own");
    }
    // Opened before the model is loaded: a wrong name should not take half a second to say so.
    let mut opened = Vec::new();
    let mut endings = Vec::new();
    for input in &options.inputs {
        match FileSource::open(input).with_context(|| input.display().to_string()) {
            Ok(source) => opened.push((input.as_path(), source)),
            Err(error) => endings.push(Ending::unusable(&error)),
        }
    }
    if opened.is_empty() {
        return Ok(Ending::all(endings));
    }
    let annotated = match (&options.annotate, options.inputs.first()) {
        (Some(path), Some(input)) => Some(Annotated::create(path, options.overwrite, input)?),
        _ => None,
    };
    let watch = Arc::new(Watch::default());
    stop_on_signal(&watch)?;
    let model = detector(options)?;
    let version = model.version().clone();
    let id = model.entry().id;
    let mut call = Call {
        options,
        workers: Workers::new(model, options)?,
        watch,
        outputs: Outputs {
            version,
            model: id,
            lines: JsonLines::new(std::io::stdout()),
            annotated,
            summary: Summary::default(),
        },
    };
    for (input, source) in opened {
        let ending = call.input(input, source);
        let gone = call.watch.is_stopped();
        endings.push(ending.unwrap_or_else(|error| Ending::unusable(&error)));
        if gone {
            break;
        }
    }
    call.finish(endings)
}

fn detector(options: &Analyze) -> Result<DetectorModel> {
    let config = DetectorConfig {
        model: options.model.clone(),
        confidence: options.confidence,
        classes: options.classes.clone(),
        precision: options.precision.map(Into::into),
    };
    let decoder = codec_library_version();
    let upstream = Upstream { sampler: SAMPLER_VERSION, decoder: &decoder };
    Ok(load(&config, &home(), upstream)?)
}

/// One model instance per worker thread, kept from input to input.
struct Workers(Vec<AnalyzeWork>);

impl Workers {
    fn new(mut model: DetectorModel, options: &Analyze) -> Result<Self> {
        let instances = options.instances.map_or_else(|| cpu_features().cores, usize::from).max(1);
        let annotate = options.annotate.is_some();
        let worker = |_| Ok(AnalyzeWork::new(model.instance()?, annotate));
        Ok(Self((0..instances).map(worker).collect::<Result<_>>()?))
    }
}

/// What all inputs of one call share.
struct Call<'a> {
    options: &'a Analyze,
    workers: Workers,
    watch: Arc<Watch>,
    outputs: Outputs,
}

/// Where results go.
struct Outputs {
    version: AnalyzerVersion,
    model: &'static str,
    lines: JsonLines<std::io::Stdout>,
    annotated: Option<Annotated>,
    summary: Summary,
}

/// Why results could not be handed on.
enum Handed {
    Lines(JsonLinesError),
    Video(anyhow::Error),
}

impl Call<'_> {
    fn input(&mut self, input: &Path, mut source: FileSource) -> Result<Ending> {
        let name = input.display().to_string();
        let parameters = Arc::clone(source.parameters());
        let base = parameters.time_base;
        let settings =
            Settings { window: window::window(self.options.span, base), ..Settings::new(self.options.fps) };
        if let Some(annotated) = &mut self.outputs.annotated {
            annotated.start(base)?;
        }
        let progress = Progress::new(&name, &self.watch, base, parameters.duration);
        let mut failed = None;
        let mut handed_on = 0_u64;
        let watch = Arc::clone(&self.watch);
        let Self { workers, outputs, .. } = self;
        let window = settings.window;
        let report = run(&mut source, settings, &mut workers.0, &watch, |event| {
            let Some(seen) = event.into_frame() else { return ControlFlow::Continue(()) };
            failed = progress.around(|| outputs.hand_on(&name, &seen)).err();
            if failed.is_some() {
                return ControlFlow::Break(());
            }
            handed_on += 1;
            progress.frame();
            ControlFlow::Continue(())
        })
        .with_context(|| name.clone())?;
        let took = progress.finish();
        self.outputs.summary.input(&report, analysed_seconds(&report, window, &parameters), took);
        Ok(match failed {
            None => verdict::ending(input, &report, base, "results"),
            Some(failed) => Self::cut_short(&name, failed, handed_on),
        })
    }

    fn cut_short(name: &str, failed: Handed, before: u64) -> Ending {
        Ending::Partial(match failed {
            // Whoever reads has seen enough, as `head` does.
            Handed::Lines(JsonLinesError::Closed) => Vec::new(),
            Handed::Lines(error) => {
                let error = chain(&anyhow::Error::new(error));
                vec![format!("{name}: {error}; {before} results before it are whole")]
            }
            Handed::Video(error) => vec![format!("{name}: {}; results so far are valid", chain(&error))],
        })
    }

    fn finish(mut self, mut endings: Vec<Ending>) -> Result<Ending> {
        if let Some(annotated) = self.outputs.annotated.take()
            && let Err(error) = annotated.finish()
        {
            // The results are there even where the video is not.
            endings.extend([Ending::Partial(vec![chain(&error)]), Ending::Whole]);
        }
        if self.options.summary {
            self.outputs.summary.print(&mut std::io::stderr().lock())?;
        }
        Ok(Ending::all(endings))
    }
}

impl Outputs {
    /// One result: its line, its place in the summary, its picture in the annotated video.
    fn hand_on(&mut self, name: &str, seen: &Analysed) -> Result<(), Handed> {
        let outcome = match &seen.result {
            Ok(analysis) => Outcome::Analysed {
                width: analysis.width,
                height: analysis.height,
                detections: &analysis.detections,
                tracks: &[],
                timing: Timing { analyze: analysis.took },
            },
            Err(failure) => Outcome::Failed { reason: &failure.reason },
        };
        let line = FrameRecord {
            input: name,
            run: u64::from(seen.place.run),
            pts: seen.place.pts,
            time_base: seen.place.time_base,
            slot: seen.place.slot,
            model: self.model,
            analyzer_version: &self.version,
            outcome,
        };
        self.lines.write(&line).map_err(Handed::Lines)?;
        let Ok(analysis) = &seen.result else { return Ok(()) };
        self.summary.frame(&analysis.detections);
        if let (Some(video), Some(picture)) = (&mut self.annotated, &analysis.annotated) {
            video.write(seen.place, picture).map_err(Handed::Video)?;
        }
        Ok(())
    }
}

/// Media time that was looked at: what was read, within the window, with the last picture's own duration.
fn analysed_seconds(report: &Report, window: Window, parameters: &CodecParameters) -> f64 {
    let Some((first, last)) = report.covered else { return 0.0 };
    let (first, last) = (first.max(window.start), last.min(window.end));
    let picture = if parameters.frame_rate > 0.0 { 1.0 / parameters.frame_rate } else { 0.0 };
    parameters.time_base.seconds(last.saturating_sub(first).max(0)) + picture
}
