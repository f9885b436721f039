//! `ocelli models bench`: each model on each runtime and precision, and the fastest written down.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::Duration,
};

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use ocelli_analyze::{
    DetectorError, LockEntry,
    catalogue::{Catalogue, ModelFile, ModelStatus},
    cpu_features, locked_choice, note_choice,
    runtime::{LoadError, Precision, RuntimeName},
};
use ocelli_model::Detection;

use super::{
    choice::{Agreement, Measured, choose},
    measure::Subject,
    pictures,
};
use crate::{
    cli::BenchModels,
    ending::{Ending, chain},
    home::home,
};

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

pub(super) fn bench(options: &BenchModels) -> Result<Ending> {
    let home = home();
    let catalogue = Catalogue::open(&home)?;
    let models = models(&catalogue, &options.models)?;
    let real = pictures::real(&home);
    let timed = real.get(real.len() / 2).cloned().unwrap_or_else(pictures::synthetic);
    let mut out = std::io::stdout().lock();
    if real.is_empty() {
        writeln!(
            out,
            "no footage in {}: times are of a synthetic picture, and only f32 can be chosen; './dev setup' fetches it",
            home.display()
        )?;
    }
    writeln!(
        out,
        "{:24} {:12} {:9} {:>9} {:>9} {:>9}  finds",
        "model", "runtime", "precision", "CPU ms", "p95", "wall/CPU"
    )?;
    let time = Duration::from_secs(u64::from(options.seconds));
    let mut endings = Vec::new();
    for (word, file) in &models {
        let subject =
            Subject { home: &home, model: word, id: &file.entry.id, real: &real, timed: &timed, time };
        let measured = table(&subject, &mut out)?;
        endings.push(decide(options, &catalogue, file, &measured, &mut out)?);
    }
    Ok(Ending::all(endings))
}

/// The files that these words name, or those of all models that are here.
fn models(catalogue: &Catalogue, words: &[String]) -> Result<Vec<(String, ModelFile)>> {
    let here = || {
        let present = |status: &ModelStatus| matches!(status, ModelStatus::Present { .. });
        catalogue
            .list()
            .into_iter()
            .filter(|(_, status)| present(status))
            .map(|(entry, _)| entry.id.clone())
            .collect()
    };
    let words: Vec<String> = if words.is_empty() { here() } else { words.to_vec() };
    if words.is_empty() {
        bail!("no model is in {}; './dev setup' fetches the default one", catalogue.folder().display());
    }
    let found = |word: String| Ok(catalogue.find(&word).map(|file| (word, file))?);
    words.into_iter().map(found).collect()
}

/// Measures every way there is, a line each as it is done.
fn table(subject: &Subject<'_>, out: &mut impl std::io::Write) -> Result<Vec<Measured>> {
    let bar = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let mut measured = Vec::new();
    for runtime in RuntimeName::ALL {
        let mut reference: Option<Vec<Vec<Detection>>> = None;
        for precision in PRECISIONS {
            bar.set_message(format!("measuring {} on {} in {precision}", subject.id, runtime.title()));
            bar.tick();
            let line = format!("{:24} {runtime:12} {precision:9}", subject.id);
            let done = subject.measure(runtime, precision, reference.as_deref());
            bar.suspend(|| match done {
                Ok((one, found)) => {
                    writeln!(out, "{line} {}", shown(&one))?;
                    measured.push(one);
                    reference = reference.take().or(Some(found));
                    Ok(())
                }
                Err(error) => writeln!(out, "{line} {}", why_not(&error)),
            })?;
        }
    }
    bar.finish_and_clear();
    Ok(measured)
}

fn shown(one: &Measured) -> String {
    let finds = match one.agreement {
        Agreement::Reference => "(reference)".to_owned(),
        Agreement::Found(found, of) => format!("{found} of {of}"),
    };
    let (median, p95, load) = (one.median(), one.percentile(0.95), one.load());
    format!("{median:9.2} {p95:9.2} {load:9.2}  {finds}")
}

fn why_not(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(DetectorError::Load(LoadError::RuntimeMissing { .. })) => "not installed".to_owned(),
        Some(DetectorError::Load(LoadError::Precision { .. })) => "not on this CPU".to_owned(),
        _ => chain(error),
    }
}

/// Writes the choice down, unless that would write down chance.
fn decide(
    options: &BenchModels,
    catalogue: &Catalogue,
    file: &ModelFile,
    measured: &[Measured],
    out: &mut impl std::io::Write,
) -> Result<Ending> {
    let id = &file.entry.id;
    let locked = locked_choice(catalogue.folder(), &file.sha256)?;
    let before = locked.as_ref().and_then(|entry| Some((entry.runtime.parse().ok()?, entry.precision)));
    let Some(chosen) = choose(measured, before) else {
        return Ok(Ending::Unusable(vec![format!("model {id} could not be run")]));
    };
    let choice = format!("{} in {}", chosen.runtime.title(), chosen.precision);
    if measured.iter().any(Measured::is_disturbed) {
        let advice =
            "the machine was busy while it was measured; nothing is written, try again when it is idle";
        return Ok(Ending::Partial(vec![format!("model {id}: {advice} (fastest now: {choice})")]));
    }
    if before == Some((chosen.runtime, chosen.precision)) {
        writeln!(out, "{id}: stays on {choice}")?;
        return Ok(Ending::Whole);
    }
    let was = locked.map_or_else(
        || "nothing was chosen before".to_owned(),
        |entry| format!("was {} in {}", entry.runtime, entry.precision),
    );
    if options.dry_run {
        writeln!(out, "{id}: would run on {choice} ({was})")?;
        return Ok(Ending::Whole);
    }
    let entry = LockEntry {
        model: id.clone(),
        runtime: chosen.runtime.to_string(),
        runtime_version: chosen.runtime_version.clone(),
        precision: chosen.precision,
        cpu_class: cpu_features().class(),
    };
    note_choice(catalogue.folder(), &file.sha256, entry)?;
    writeln!(out, "{id}: runs on {choice} from now on ({was}); its results get another analyzer version")?;
    Ok(Ending::Whole)
}
