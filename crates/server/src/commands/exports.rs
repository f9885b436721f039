//! Results as files for other tools: `--coco`, `--mot`, `--csv`, `results export`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use ocelli_sinks::{CocoWriter, CsvWriter, ExportError, FrameRecord, JsonLines, MotWriter};

use super::aside;
use crate::cli::ExportFormat;

/// Words in a file's name that stand for what differs from sequence to sequence.
const PLACES: [&str; 3] = ["{input}", "{model}", "{run}"];

/// Where one format goes: a name, perhaps with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    format: ExportFormat,
    template: String,
    overwrite: bool,
}

/// The files of one call. Each is written aside and takes its name when it is whole.
#[derive(Debug)]
pub(crate) struct Exports {
    targets: Vec<Target>,
    open: BTreeMap<PathBuf, Export>,
}

#[derive(Debug)]
struct Export {
    part: PathBuf,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    Coco(Box<CocoWriter<BufWriter<File>>>),
    Mot(MotWriter<BufWriter<File>>),
    Csv(Box<CsvWriter<BufWriter<File>>>),
    Lines(JsonLines<File>),
}

impl Target {
    /// Refuses an existing file unless it may be replaced.
    pub(crate) fn new(format: ExportFormat, path: &Path, overwrite: bool) -> Result<Self> {
        let shown = path.display();
        let template = path.to_str().with_context(|| format!("{shown} is not valid UTF-8"))?.to_owned();
        let target = Self { format, template, overwrite };
        if !target.has_places() {
            target.check(path)?;
        }
        Ok(target)
    }

    /// Refuses one name for what MOT holds in files of their own.
    pub(crate) fn for_sequences(self, inputs: usize, models: usize) -> Result<Self> {
        for (count, what, place) in [(inputs, "inputs", "{input}"), (models, "models", "{model}")] {
            if self.format == ExportFormat::Mot && count > 1 && !self.template.contains(place) {
                let template = &self.template;
                bail!(
                    "a MOT file holds one sequence, and there are {count} {what}: put {place} into {template}"
                );
            }
        }
        Ok(self)
    }

    fn has_places(&self) -> bool {
        PLACES.iter().any(|place| self.template.contains(place))
    }

    fn check(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        let existing = path.try_exists().with_context(|| format!("cannot write {shown}"))?;
        if existing && !self.overwrite {
            bail!("{shown} exists; name another file, or give --overwrite");
        }
        if path.is_dir() {
            bail!("{shown} is a directory; name a file in it");
        }
        Ok(())
    }

    fn path(&self, record: &FrameRecord<'_>) -> PathBuf {
        let stem =
            Path::new(record.input).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
        let path = self.template.replace("{input}", &stem).replace("{model}", record.model);
        PathBuf::from(path.replace("{run}", &record.run.to_string()))
    }

    fn create(&self, path: &Path) -> Result<Export> {
        let shown = || format!("cannot write {}", path.display());
        self.check(path)?;
        let part = aside::name(path)?;
        let file = aside::create(&part).with_context(shown)?;
        let folder = part.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let writer = match self.format {
            ExportFormat::Coco => {
                let coco = CocoWriter::new(BufWriter::new(file), folder).with_context(shown)?;
                Writer::Coco(Box::new(coco))
            }
            ExportFormat::Mot => Writer::Mot(MotWriter::new(BufWriter::new(file))),
            ExportFormat::Csv => Writer::Csv(Box::new(CsvWriter::new(BufWriter::new(file)))),
            ExportFormat::Jsonl => Writer::Lines(JsonLines::new(file)),
        };
        Ok(Export { part, writer })
    }
}

impl Exports {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        Self { targets, open: BTreeMap::new() }
    }

    /// Adds a frame to each file that it belongs to.
    pub(crate) fn write(&mut self, record: &FrameRecord<'_>) -> Result<()> {
        for target in &self.targets {
            let path = target.path(record);
            if !self.open.contains_key(&path) {
                self.open.insert(path.clone(), target.create(&path)?);
            }
            let export = self.open.get_mut(&path).expect("it was just made");
            export.writer.write(record).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Ends every file and gives it its name. Errors say which are missing.
    pub(crate) fn finish(mut self) -> Vec<anyhow::Error> {
        // A file that was asked for is there, even with nothing in it.
        for target in self.targets.iter().filter(|target| !target.has_places()) {
            let path = PathBuf::from(&target.template);
            if !self.open.contains_key(&path)
                && let Ok(export) = target.create(&path)
            {
                self.open.insert(path, export);
            }
        }
        let named = |(path, export): (PathBuf, Export)| {
            export.finish(&path).with_context(|| format!("no file {}", path.display())).err()
        };
        self.open.into_iter().filter_map(named).collect()
    }
}

impl Export {
    fn finish(self, path: &Path) -> Result<()> {
        let finished = match self.writer {
            Writer::Coco(writer) => writer.finish().and_then(sync),
            Writer::Mot(writer) => writer.finish().and_then(sync),
            Writer::Csv(writer) => writer.finish().and_then(sync),
            Writer::Lines(_) => Ok(()),
        };
        match finished {
            Ok(()) => Ok(fs::rename(&self.part, path)?),
            Err(error) => {
                // Cut short it is no file of its format.
                drop(fs::remove_file(&self.part));
                Err(error.into())
            }
        }
    }
}

/// Bytes that were buffered reach the disk, or an error does the user.
fn sync(writer: BufWriter<File>) -> Result<(), ExportError> {
    let file = writer.into_inner().map_err(|error| ExportError::Write(error.into_error()))?;
    file.sync_all().map_err(ExportError::Write)
}

impl Writer {
    fn write(&mut self, record: &FrameRecord<'_>) -> Result<()> {
        match self {
            Self::Coco(writer) => writer.write(record).map(drop)?,
            Self::Csv(writer) => writer.write(record).map(drop)?,
            Self::Lines(writer) => writer.write(record).map(drop)?,
            Self::Mot(writer) => match writer.write(record) {
                Err(error @ ExportError::OtherSequence { .. }) => {
                    return Err(error).context("put {input}, {model} or {run} into its name");
                }
                written => written.map(drop)?,
            },
        }
        Ok(())
    }
}
