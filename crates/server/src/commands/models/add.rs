//! `ocelli models add`: a user's own model, from a file or a URL.

use std::{
    fs::File,
    io::{IsTerminal as _, Read as _, Write as _, stderr},
    ops::ControlFlow,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ocelli_analyze::{
    catalogue::{Adding, Family, MOST_MODEL_BYTES, NewModel},
    detector::{Labels, MOST_LABEL_FILE_BYTES},
};
use ocelli_engine::Watch;
use ocelli_ingest::pull::Stop;
use ocelli_net::{Client, Limits};

use crate::{
    cli::{AddModel, KindName},
    ending::Ending,
    home::home,
    network,
    signals::stop_on_signal,
};

const LIMITS: Limits =
    Limits { most_bytes: MOST_MODEL_BYTES, idle: Duration::from_secs(30), total: Duration::from_hours(1) };

pub(super) fn add(options: &AddModel) -> Result<Ending> {
    let scheme = options.from.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.is_some() && options.sha256.is_none() {
        bail!("--sha256 is required for a URL: it says which file is meant");
    }
    let model = NewModel {
        family: match options.kind {
            KindName::Yolox => Family::Yolox,
            KindName::Ssd => Family::Ssd,
        },
        labels: labels(&options.labels)?,
        licence: options.licence.clone(),
        description: options.description.clone(),
        sha256: options.sha256.clone(),
    };
    let watch = Arc::new(Watch::default());
    stop_on_signal(&watch, &Stop::default())?;
    let mut adding = Adding::begin(&home(), &options.id, options.replace)?;
    if scheme.is_some() {
        fetch(&options.from, &mut adding, &watch)?;
    } else {
        adding.copy(Path::new(&options.from))?;
    }
    if watch.is_stopped() {
        bail!("stopped; nothing was added");
    }
    let added = adding.keep(&model).with_context(|| format!("model {} was not added", options.id))?;
    let mut out = std::io::stdout().lock();
    let (tried, entry) = (&added.tried, &added.entry);
    writeln!(
        out,
        "added {}: {:.1} MB, {}x{} pixels, {} classes, tried on {} in {}",
        entry.id,
        added.bytes as f64 / 1e6,
        tried.width,
        tried.height,
        entry.labels.len(),
        tried.runtime.name.title(),
        tried.precision,
    )?;
    writeln!(out, "sha256 {}", entry.sha256.concat())?;
    Ok(Ending::Whole)
}

fn labels(path: &Path) -> Result<Labels> {
    let shown = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(shown)?;
    file.take(MOST_LABEL_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(shown)?;
    if bytes.len() as u64 > MOST_LABEL_FILE_BYTES {
        bail!("{} is no list of labels: larger than {MOST_LABEL_FILE_BYTES} bytes", path.display());
    }
    Labels::parse(&bytes).with_context(shown)
}

fn fetch(url: &str, adding: &mut Adding, watch: &Watch) -> Result<()> {
    let policy = network::policy()?;
    let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("fetching [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}");
    bar.set_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
    let mut progress = |bytes: u64, all: Option<u64>| {
        bar.set_length(all.unwrap_or(bytes));
        bar.set_position(bytes);
        if watch.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let done = Client::new(policy)?.download_blocking(url, LIMITS, adding.out(), &mut progress);
    bar.finish_and_clear();
    done?;
    Ok(())
}
