//! What storing costs, how long a result waits until it is durable, and how long a page of an answer takes.
//!
//! `store FOLDER [quick]` works in FOLDER, which it empties, and prints one JSON object. Each part stands alone:
//! - `write`: results with 5 detections each, from 8 tasks, as fast as they become durable; beside it the floor, which is
//!   the same rows by the same engine in one transaction of prepared inserts, a row each.
//! - `pace`: 2,500 results a second; how long from appending to durable; beside it bare appending of as many bytes, synced.
//! - `query`: the first page of one class in one hour.
//! - `weeks`: a stream at 5 fps for weeks: an append then and in the first minutes; 1,000 streams; the removal of old results.

mod fill;
mod floor;
mod query;
mod weeks;
mod write;

use std::{fs, path::Path};

use anyhow::{Result, bail};
use serde::Serialize;

/// Figures of all parts.
#[derive(Serialize)]
struct Figures {
    quick: bool,
    write: write::Sustained,
    write_floor: floor::Plain,
    pace: write::Paced,
    pace_floor: floor::Synced,
    query: query::Queried,
    weeks: weeks::Weeks,
}

/// How much of each.
struct Size {
    /// Results written flat out.
    results: i64,
    /// Seconds at 2,500 a second.
    seconds: u64,
    /// Results in the database that is queried, 5 detections each, over 50 runs.
    stored: i64,
    /// Slots of the stream that ran for weeks, and appends that are timed.
    weeks: (i64, i64),
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, quick) = match arguments.as_slice() {
        [folder] => (Path::new(folder), false),
        [folder, quick] if quick == "quick" => (Path::new(folder), true),
        _ => bail!("usage: store FOLDER [quick]"),
    };
    let size = if quick {
        Size { results: 10_000, seconds: 4, stored: 200_000, weeks: (200_000, 1_000) }
    } else {
        Size { results: 100_000, seconds: 20, stored: 2_000_000, weeks: (2_000_000, 3_000) }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let figures = runtime.block_on(measure(folder, &size, quick))?;
    serde_json::to_writer(std::io::stdout().lock(), &figures)?;
    Ok(())
}

async fn measure(folder: &Path, size: &Size, quick: bool) -> Result<Figures> {
    let empty = |name: &str| -> Result<_> {
        let path = folder.join(name);
        if path.try_exists()? {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(path)
    };
    let write = write::sustained(&empty("write")?, size.results).await?;
    let write_floor = floor::plain(&empty("floor")?, size.results).await?;
    let pace = write::paced(&empty("pace")?, size.seconds).await?;
    let pace_floor = floor::synced(&empty("synced")?, size.seconds)?;
    let query = query::measure(&empty("query")?, size.stored).await?;
    let weeks = weeks::measure(&empty("weeks")?, size.weeks.0, size.weeks.1).await?;
    for name in ["write", "floor", "pace", "synced", "query", "weeks"] {
        fs::remove_dir_all(folder.join(name))?;
    }
    Ok(Figures { quick, write, write_floor, pace, pace_floor, query, weeks })
}
