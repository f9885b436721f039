//! `ocelli extract`: frames as numbered JPEG files.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use ocelli_engine::{JpegWork, Seen, Settings, Watch, run};
use ocelli_ingest::{Source as _, pull::Stop};
use ocelli_sinks::{Existing, FrameFolder};

use super::{aside, hwaccel, verdict, window};
use crate::{
    cli::Extract,
    ending::{Ending, chain},
    progress::{Bars, Progress},
    signals::stop_on_signal,
};

pub(crate) fn extract(options: &Extract) -> Result<Ending> {
    window::check(options.span)?;
    let name = options.input.name();
    let (watch, waiting) = (Arc::new(Watch::default()), Stop::default());
    stop_on_signal(&watch, &waiting)?;
    let mut source = options.input.open(&waiting)?;
    let parameters = Arc::clone(source.parameters());
    let path = options.input.path();
    let stem = path.and_then(Path::file_stem).and_then(|stem| stem.to_str());
    let framed = stem.is_some_and(|stem| stem.starts_with("frame_"));
    if framed && path.and_then(Path::parent).is_some_and(|parent| aside::is_same(parent, &options.out)) {
        bail!("{name} is the input itself, and a frame of {}; name another folder", options.out.display());
    }
    let existing = if options.overwrite { Existing::Overwrite } else { Existing::Refuse };
    let mut folder = FrameFolder::create(&options.out, existing)?;
    let base = parameters.time_base;
    let acceleration =
        hwaccel::settle(options.hardware.hwaccel, std::slice::from_ref(&options.input), &waiting);
    let window = window::window(options.span, base, source.zero());
    let settings = Settings { window, acceleration, ..Settings::new(options.fps) };
    let mut worker = JpegWork::new(options.quality).context("cannot make JPEG files")?;
    let progress = Progress::new(&name, &Bars::default(), &watch, base, parameters.duration);
    let mut failed = None;
    let report = run(&mut source, settings, std::slice::from_mut(&mut worker), &watch, |notice| {
        // Failed pictures are in the report.
        let Some(Seen { result: Ok(jpeg), .. }) = notice.into_frame() else {
            return ControlFlow::Continue(());
        };
        if let Err(error) = folder.write(&jpeg) {
            failed = Some(anyhow::Error::new(error));
            return ControlFlow::Break(());
        }
        progress.frame();
        ControlFlow::Continue(())
    })
    .with_context(|| name.clone())?;
    let took = progress.finish();
    tracing::info!(frames = folder.count(), seconds = took.as_secs_f64(), "extracted");
    if let Some(error) = failed {
        let kept = folder.count();
        return Ok(Ending::Partial(vec![format!("{}; {kept} frames before it are whole", chain(&error))]));
    }
    Ok(verdict::ending(&options.input, source.zero(), &report, base, "frames so far are valid"))
}
