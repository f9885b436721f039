//! `ocelli analyze`: what is on videos, printed, drawn, exported and kept.

mod annotate;
mod input;
mod models;
mod outputs;
mod summary;

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    thread,
};

use anyhow::{Context as _, Result, bail};
use ocelli_analyze::{TrackerConfig, cpu_features};
use ocelli_engine::{AnalyzeWork, Pass, Watch};
use ocelli_ingest::pull::Stop;

use self::{annotate::Annotated, input::Job, models::Models, outputs::Outputs};
use super::{
    exports::{Exports, Sequence, Target},
    hwaccel, window,
};
use crate::{
    cli::{Analyze, ExportFormat},
    clock::now_ms,
    ending::{Ending, chain},
    input::{Input, Opened},
    progress::Bars,
    signals::stop_on_signal,
    stores::OpenStore,
};

pub(crate) fn analyze(options: &Analyze) -> Result<Ending> {
    window::check(options.span)?;
    if options.annotate.is_some() && options.inputs.len() > 1 {
        bail!("--annotate takes one input: each video needs a file of its own");
    }
    check_streams(options)?;
    let (watch, waiting) = (Arc::new(Watch::default()), Stop::default());
    stop_on_signal(&watch, &waiting)?;
    // Opened before the model is loaded: a wrong name should not take half a second to say so.
    let mut opened = VecDeque::new();
    let mut endings: Vec<Option<Ending>> = Vec::new();
    for (index, input) in options.inputs.iter().enumerate() {
        endings.push(
            input
                .open(&waiting)
                .map(|source| opened.push_back((index, source)))
                .err()
                .map(|e| Ending::unusable(&e)),
        );
    }
    if opened.is_empty() {
        return Ok(Ending::all(endings.into_iter().flatten().collect()));
    }
    let annotated = match (&options.annotate, options.inputs.first()) {
        (Some(path), Some(input)) => Some(Annotated::create(path, options.overwrite, input.path())?),
        _ => None,
    };
    let exports = targets(options)?;
    let store = options.store.as_deref().map(OpenStore::for_writing).transpose()?;
    let acceleration = hwaccel::settle(options.hardware.hwaccel, &options.inputs, &waiting);
    let mut models = Models::load(options, acceleration)?;
    let (jobs, instances) = shares(options, opened.len());
    let pass = Pass {
        plan: options.fps,
        analyzers: models.facts(),
        tracker: (!options.no_tracks).then(TrackerConfig::default),
        now_ms: now_ms(),
    };
    let job = Job {
        options,
        watch: &watch,
        pass: &pass,
        acceleration,
        store: store.as_ref(),
        bars: Bars::default(),
        outputs: Mutex::new(Outputs::new(models.names(), annotated, Exports::new(exports))),
        closed: AtomicBool::new(false),
        runs: Mutex::default(),
    };
    let mut teams = Vec::new();
    for _ in 0..jobs {
        teams.push(models.workers(instances, options.annotate.is_some())?);
    }
    run_jobs(&job, teams, opened, &mut endings)?;
    let begun = endings.into_iter().enumerate();
    let mut endings: Vec<Ending> =
        begun.map(|(index, ending)| ending.unwrap_or_else(|| job.not_begun(index))).collect();
    let runs = job.runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ended = job.outputs.into_inner().unwrap_or_else(PoisonError::into_inner).finish(options.summary)?;
    if let (Some(store), Some(path), true) = (&store, &options.annotate, ended.is_empty()) {
        store.annotated(&runs, path)?;
    }
    // The results are there even where a video or a file of them is not.
    endings.extend(ended.into_iter().flat_map(|error| [Ending::Partial(vec![chain(&error)]), Ending::Whole]));
    // What a store could not take was told with the input that it was of.
    if let Some(Err(error)) = store.map(OpenStore::close)
        && endings.iter().all(|ending| matches!(ending, Ending::Whole))
    {
        return Err(error);
    }
    Ok(Ending::all(endings))
}

/// Streams are not kept so far, and read at once.
fn check_streams(options: &Analyze) -> Result<()> {
    let streams = options.inputs.iter().any(Input::is_stream);
    if streams && options.store.is_some() {
        bail!("--store keeps results of files only, so far: streams cannot be named with it");
    }
    if let (true, Some(jobs)) = (streams, options.jobs)
        && usize::from(jobs) < options.inputs.len()
    {
        bail!("streams do not wait: give --jobs {}, or leave it out", options.inputs.len());
    }
    Ok(())
}

/// The files of other formats that were asked for.
fn targets(options: &Analyze) -> Result<Vec<Target>> {
    let asked = [
        (ExportFormat::Coco, &options.coco),
        (ExportFormat::Mot, &options.mot),
        (ExportFormat::Csv, &options.csv),
    ];
    let asked = asked.into_iter().filter_map(|(format, path)| path.as_deref().map(|path| (format, path)));
    let asked: Vec<(ExportFormat, &Path)> = asked.collect();
    let mut names: BTreeSet<&Path> = options.annotate.as_deref().into_iter().collect();
    if let Some((_, twice)) = asked.iter().find(|(_, path)| !names.insert(path)) {
        bail!("{} is named for two outputs; each needs a file of its own", twice.display());
    }
    let sequences = sequences(options);
    let precious: Vec<PathBuf> =
        options.inputs.iter().filter_map(Input::path).map(Path::to_path_buf).collect();
    let target = |(format, path)| {
        let target = Target::new(format, path, options.overwrite, &precious)?;
        target.for_sequences(&sequences, "inputs of one name need calls of their own")
    };
    asked.into_iter().map(target).collect()
}

/// What is known of the sequences before the models are loaded: their names as given, and nothing of steps in time.
fn sequences(options: &Analyze) -> Vec<Sequence> {
    let inputs = options.inputs.iter().map(Input::name);
    let models =
        if options.model.is_empty() { vec!["the default model".to_owned()] } else { options.model.clone() };
    let of = |input: String| {
        let with = move |model: &String| Sequence {
            title: format!("{input} with {model}"),
            input: input.clone(),
            model: model.clone(),
            run: 0,
        };
        models.iter().map(with).collect::<Vec<_>>()
    };
    inputs.flat_map(of).collect()
}

/// Inputs at once, and model instances for each: together as many instances as were asked for, at least one each.
fn shares(options: &Analyze, inputs: usize) -> (usize, usize) {
    let instances = options.instances.map_or_else(|| cpu_features().cores, usize::from).max(1);
    let streams = options.inputs.iter().any(Input::is_stream);
    let jobs = options.jobs.map_or(if streams { inputs } else { 1 }, usize::from).clamp(1, inputs);
    (jobs, (instances / jobs).max(1))
}

/// Each team takes the next input until there is none, or the end was asked for.
fn run_jobs(
    job: &Job<'_>,
    teams: Vec<Vec<AnalyzeWork>>,
    opened: VecDeque<(usize, Opened)>,
    endings: &mut [Option<Ending>],
) -> Result<()> {
    let queue = Mutex::new(opened);
    let ended = Mutex::new(Vec::new());
    let work = |mut team: Vec<AnalyzeWork>| {
        while !job.watch.is_stopped() {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((index, source)) = next else { return };
            let ending = job.run(index, source, &mut team).unwrap_or_else(|error| Ending::unusable(&error));
            ended.lock().unwrap_or_else(PoisonError::into_inner).push((index, ending));
        }
    };
    thread::scope(|scope| -> Result<()> {
        let mut teams = teams.into_iter();
        let first = teams.next();
        for (index, team) in teams.enumerate() {
            let builder = thread::Builder::new().name(format!("job-{}", index + 1));
            builder.spawn_scoped(scope, || work(team)).context("cannot start a thread")?;
        }
        first.map(work);
        Ok(())
    })?;
    for (index, ending) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        endings[index] = Some(ending);
    }
    Ok(())
}
