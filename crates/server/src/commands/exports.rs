//! Results as files for other tools: `--coco`, `--mot`, `--csv`, `results export`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
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
    /// Never replaced, whatever was asked for.
    precious: Vec<PathBuf>,
}

/// Frames that belong together: one input, model and run.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) input: String,
    pub(crate) model: String,
    pub(crate) run: u64,
    /// For people.
    pub(crate) title: String,
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

/// An input's name without its folder and ending.
fn stem(input: &str) -> String {
    Path::new(input).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into())
}

impl Target {
    /// Refuses an existing file unless it may be replaced, and the `precious` ones that are read in any case.
    pub(crate) fn new(
        format: ExportFormat,
        path: &Path,
        overwrite: bool,
        precious: &[PathBuf],
    ) -> Result<Self> {
        let shown = path.display();
        let template = path.to_str().with_context(|| format!("{shown} is not valid UTF-8"))?.to_owned();
        let target = Self { format, template, overwrite, precious: precious.to_vec() };
        if !target.has_places() {
            target.check(path)?;
        }
        Ok(target)
    }

    /// Refuses one name for what MOT holds in files of their own. `otherwise` helps where no placeholder does.
    pub(crate) fn for_sequences(self, sequences: &[Sequence], otherwise: &str) -> Result<Self> {
        let mut files: BTreeMap<PathBuf, &Sequence> = BTreeMap::new();
        for one in sequences.iter().filter(|_| self.format == ExportFormat::Mot) {
            let Some(other) = files.insert(self.path(&one.input, &one.model, one.run), one) else { continue };
            let differences = [
                ("{input}", stem(&one.input) != stem(&other.input)),
                ("{model}", one.model != other.model),
                ("{run}", one.run != other.run),
            ];
            let template = &self.template;
            let helps = |(place, differs): &(&str, bool)| *differs && !template.contains(place);
            let remedy = differences.iter().find(|difference| helps(difference));
            let remedy = remedy
                .map_or_else(|| otherwise.to_owned(), |(place, _)| format!("put {place} into its name"));
            let (one, other) = (&one.title, &other.title);
            bail!("a MOT file holds one sequence, and {template} would hold {other} and {one}; {remedy}");
        }
        Ok(self)
    }

    fn has_places(&self) -> bool {
        PLACES.iter().any(|place| self.template.contains(place))
    }

    fn check(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        let existing = path.try_exists().with_context(|| format!("cannot write {shown}"))?;
        if path.is_dir() {
            bail!("{shown} is a directory; name a file in it");
        }
        if self.precious.iter().any(|precious| aside::is_same(precious, path)) {
            bail!("{shown} is read by this command; name another file");
        }
        if existing && !self.overwrite {
            bail!("{shown} exists; name another file, or give --overwrite");
        }
        Ok(())
    }

    fn path(&self, input: &str, model: &str, run: u64) -> PathBuf {
        let path = self.template.replace("{input}", &stem(input)).replace("{model}", model);
        PathBuf::from(path.replace("{run}", &run.to_string()))
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
            let path = target.path(record.input, record.model, record.run);
            if !self.open.contains_key(&path) {
                self.open.insert(path.clone(), target.create(&path)?);
            }
            let export = self.open.get_mut(&path).expect("it was just made");
            export.writer.write(record).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Leaves nothing behind.
    pub(crate) fn abandon(self) {
        for export in self.open.into_values() {
            drop(fs::remove_file(&export.part));
        }
    }

    /// Ends every file and gives it its name. Errors say which are missing.
    pub(crate) fn finish(mut self) -> Vec<anyhow::Error> {
        // A file that was asked for is there, even with nothing in it.
        let mut failed = Vec::new();
        for target in self.targets.iter().filter(|target| !target.has_places()) {
            let path = PathBuf::from(&target.template);
            if let Entry::Vacant(place) = self.open.entry(path) {
                match target.create(place.key()) {
                    Ok(export) => drop(place.insert(export)),
                    Err(error) => failed.push(error),
                }
            }
        }
        let named = |(path, export): (PathBuf, Export)| {
            export.finish(&path).with_context(|| format!("no file {}", path.display())).err()
        };
        failed.extend(self.open.into_iter().filter_map(named));
        failed
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_made_is_told_even_with_nothing_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, failed) in [("there.csv", 0), ("no/folder.csv", 1)] {
            let path = folder.path().join(name);
            let exports = Exports::new(vec![Target::new(ExportFormat::Csv, &path, false, &[]).unwrap()]);
            assert_eq!(exports.finish().len(), failed, "{name}");
            assert_eq!(path.try_exists().unwrap(), failed == 0, "{name}");
        }
    }
}
