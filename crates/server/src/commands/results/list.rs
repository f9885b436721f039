//! `ocelli results list`: detections, one line each.

use std::{collections::BTreeSet, io::Write};

use anyhow::{Result, bail};
use ocelli_store::{DetectionQuery, FrameQuery, StoredDetection};
use serde_json::json;

use super::select::{Selected, select, ticks};
use crate::{cli::ListResults, commands::window, ending::Ending, stores::ReadStore};

/// Rows fetched at once.
const PAGE: u32 = 1000;

pub(super) fn list(options: &ListResults) -> Result<Ending> {
    window::check(options.span)?;
    if options.confidence.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        bail!("--confidence is a number from 0 to 1");
    }
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let mut out = std::io::stdout().lock();
    let mut left = options.limit;
    let mut listed = BTreeSet::new();
    for one in select(&store, &options.selection)? {
        if left == 0 {
            break;
        }
        let counted = options.selection.fps.is_some();
        // Plans share their results: without one in particular, each result is listed once.
        if !counted && !listed.insert(one.ledger.series) {
            continue;
        }
        if !options.json {
            writeln!(out, "# {}", one.title(counted))?;
        }
        left = if counted {
            print_counted(&store, options, &one, left, &mut out)?
        } else {
            print(&store, options, &one, left, &mut out)?
        };
    }
    if left == options.limit && !options.json {
        writeln!(out, "no detection matches")?;
    }
    Ok(Ending::Whole)
}

/// Prints at most `left` rows; how many are still allowed.
fn print(
    store: &ReadStore,
    options: &ListResults,
    one: &Selected,
    mut left: u64,
    out: &mut impl Write,
) -> Result<u64> {
    let (from, to) = ticks(options.span, one.base());
    let mut query = DetectionQuery {
        run: one.run.id,
        analyzer: one.analyzer.id,
        label: options.class.clone(),
        confidence: options.confidence.unwrap_or(0.0),
        from,
        to,
        after: None,
        limit: PAGE,
    };
    while left > 0 {
        query.limit = PAGE.min(u32::try_from(left).unwrap_or(PAGE));
        let page = store.wait(store.results.detections(&query))?;
        for row in &page.rows {
            if options.json { json_line(one, row, out)? } else { line(one, row, out)? }
        }
        left -= page.rows.len() as u64;
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    Ok(left)
}

/// As `print`, of the frames that one plan chose.
fn print_counted(
    store: &ReadStore,
    options: &ListResults,
    one: &Selected,
    mut left: u64,
    out: &mut impl Write,
) -> Result<u64> {
    let (from, to) = ticks(options.span, one.base());
    let (series, ledger) = (one.ledger.series, Some(one.ledger.id));
    let mut query =
        FrameQuery { series, ledger, derivation: None, from, to, limit: PAGE, newest_first: false };
    loop {
        let page = store.wait(store.results.frames(&query))?;
        for frame in page.rows {
            for (ordinal, detection) in (0..).zip(frame.result.detections) {
                let meant = options.class.as_ref().is_none_or(|class| **class == *detection.label)
                    && detection.confidence >= options.confidence.unwrap_or(0.0);
                if meant && left > 0 {
                    let row = StoredDetection { pts: frame.pts, ordinal, detection };
                    if options.json {
                        json_line(one, &row, out)?;
                    } else {
                        line(one, &row, out)?;
                    }
                    left -= 1;
                }
            }
        }
        match page.next {
            Some(next) if left > 0 => query.from = next,
            _ => return Ok(left),
        }
    }
}

fn line(one: &Selected, row: &StoredDetection, out: &mut impl Write) -> Result<()> {
    let seconds = one.base().seconds(row.pts);
    let (detection, bbox) = (&row.detection, &row.detection.bbox);
    writeln!(
        out,
        "{seconds:>12.3} s  {:20} {:>5.1} %  x {:.4} y {:.4} w {:.4} h {:.4}",
        detection.label,
        detection.confidence * 100.0,
        bbox.x,
        bbox.y,
        bbox.width,
        bbox.height
    )?;
    Ok(())
}

fn json_line(one: &Selected, row: &StoredDetection, out: &mut impl Write) -> Result<()> {
    let (base, bbox) = (one.base(), &row.detection.bbox);
    let object = json!({
        "run": one.run.id.0,
        "input": one.name(),
        "model": one.analyzer.analyzer.model,
        "analyzer_version": one.analyzer.analyzer.version,
        "pts": row.pts,
        "time_base": base,
        "seconds": base.seconds(row.pts),
        "label": &*row.detection.label,
        "confidence": row.detection.confidence,
        "box": { "x": bbox.x, "y": bbox.y, "width": bbox.width, "height": bbox.height },
    });
    writeln!(out, "{object}")?;
    Ok(())
}
