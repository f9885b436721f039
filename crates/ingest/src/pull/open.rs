//! Opens whatever a stream reads.

mod sounds;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{self, File},
    io,
    net::IpAddr,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use ocelli_net::{AddressPolicy, Client};
use tokio::runtime::Handle;

use self::sounds::Sounds;
use super::{
    device::DeviceSource,
    file::{FileSource, open_regular},
    hls::HlsSource,
    http::{HttpError, HttpOptions, HttpSource},
    paced::Paced,
    rtsp::{RtspOptions, RtspSource},
    synthetic::SyntheticSource,
};
use crate::{
    OpenSource, Pace, Source, SourceError, SourceKind, SourceSpec, Stop,
    push::{FrameHub, FrameSource, FramesError, PublishError, PublishHub},
    url::Place,
};

/// Reads files that nobody vouches for, in a process without rights.
pub trait OpenUntrusted: Send + Sync + fmt::Debug {
    /// Reads an open file of an allowed folder: by its name it could be another by now. Blocking; `stop` ends waits, now and of the source's
    /// later calls. Failures of its own are [`SourceError::Child`].
    fn open(&self, file: File, stop: &Stop) -> Result<Box<dyn Source>, SourceError>;
}

/// What sources may reach, and how patiently they are read.
#[derive(Clone, Debug)]
pub struct OpenerOptions {
    /// Where connections may go.
    pub policy: AddressPolicy,
    /// Folders whose files may be read, at any depth. Absolute or relative; symbolic links in them are followed to
    /// allowed folders only.
    pub folders: Vec<PathBuf>,
    /// Where sockets and timers live, shared by all sources; each has its own if `None`. Needs I/O and time enabled, and
    /// threads that drive it; outlives the sources.
    pub runtime: Option<Handle>,
    /// From looking up a name to the server's first useful word.
    pub connect_timeout: Duration,
    /// Longest time without a picture.
    pub stall_timeout: Duration,
    /// Reads untrusted files; they are refused if `None`.
    pub untrusted: Option<Arc<dyn OpenUntrusted>>,
    /// Where publishers come to; streams of theirs are refused if `None`.
    pub publish: Option<PublishHub>,
    /// Where pictures are posted; nowhere if `None`.
    pub frames: Option<Arc<FrameHub>>,
}

impl OpenerOptions {
    /// No files, a runtime for each source, 10 s each for the connection and between pictures, nothing untrusted, no publishers,
    /// nothing posted.
    pub fn new(policy: AddressPolicy) -> Self {
        let patience = Duration::from_secs(10);
        Self {
            policy,
            folders: Vec::new(),
            runtime: None,
            connect_timeout: patience,
            stall_timeout: patience,
            untrusted: None,
            publish: None,
            frames: None,
        }
    }
}

/// A configured folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the media folder {}", path.display())]
pub struct OpenerError {
    /// As configured.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: io::Error,
}

/// Opens every kind of source, within what is allowed.
#[derive(Debug)]
pub struct Opener {
    options: OpenerOptions,
    /// Without symbolic links.
    folders: Vec<PathBuf>,
    client: OnceLock<Client>,
    sounds: Sounds,
}

impl Opener {
    /// The folders must be there.
    pub fn new(options: OpenerOptions) -> Result<Self, OpenerError> {
        let real = |path: &PathBuf| match path.canonicalize() {
            Ok(real) if real.is_dir() => Ok(real),
            Ok(_) => Err(OpenerError { path: path.clone(), cause: io::ErrorKind::NotADirectory.into() }),
            Err(cause) => Err(OpenerError { path: path.clone(), cause }),
        };
        let folders = options.folders.iter().map(real).collect::<Result<_, _>>()?;
        Ok(Self { options, folders, client: OnceLock::new(), sounds: Sounds::default() })
    }

    /// Refuses what opening would refuse whatever is there: files outside of the folders, addresses that are not allowed. Looks at
    /// no network; a name may lead to a refused address later, and is refused then.
    pub fn check(&self, spec: &SourceSpec) -> Result<(), SourceError> {
        let host = match spec.url.place() {
            Place::File(path) => return self.real(path).map(|_path| ()),
            Place::Publish(_) => return self.hub().map(|_hub| ()),
            Place::Frames(_) => return self.frames().map(|_hub| ()),
            Place::Device(_) | Place::Synthetic(_) => return Ok(()),
            Place::Rtsp(url) => url.target().0.to_owned(),
            Place::Http(url) | Place::Hls(url) => {
                url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
            }
        };
        let local = host.eq_ignore_ascii_case("localhost").then_some(IpAddr::from([127, 0, 0, 1]));
        let address = host.parse::<IpAddr>().ok().or(local);
        address.map_or(Ok(()), |address| self.options.policy.check(address)).map_err(SourceError::Address)
    }

    fn open_at_once(&self, spec: &SourceSpec, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        match spec.url.place() {
            // A process without rights gives pictures only.
            Place::File(path) => self.open_file(path, spec.untrusted, stop),
            _ if spec.untrusted => Err(SourceError::NoSandbox),
            Place::Rtsp(url) => {
                let options = RtspOptions {
                    policy: self.options.policy.clone(),
                    connect_timeout: self.options.connect_timeout,
                    stall_timeout: self.options.stall_timeout,
                    transport: spec.transport,
                    sound: self.sounds.of(spec.url.expose()),
                    stop: stop.clone(),
                    runtime: self.options.runtime.clone(),
                };
                Ok(Box::new(RtspSource::open(url, options)?))
            }
            Place::Http(url) => Ok(Box::new(HttpSource::open(url, self.http(spec, stop)?)?)),
            Place::Hls(url) => Ok(Box::new(HlsSource::open(url, self.http(spec, stop)?)?)),
            Place::Device(options) => {
                let (patience, runtime) = (self.options.stall_timeout, self.options.runtime.as_ref());
                Ok(Box::new(DeviceSource::open(options, patience, stop, runtime)?))
            }
            Place::Frames(key) => {
                Ok(Box::new(FrameSource::open(self.frames()?, key, stop, self.options.runtime.as_ref())?))
            }
            Place::Publish(key) => {
                Ok(Box::new(self.hub()?.accept(key, stop, self.options.runtime.as_ref())?))
            }
            Place::Synthetic(options) => Ok(Box::new(SyntheticSource::open(*options, stop)?)),
        }
    }

    fn hub(&self) -> Result<&PublishHub, SourceError> {
        Ok(self.options.publish.as_ref().ok_or(PublishError::NoServer)?)
    }

    fn frames(&self) -> Result<&Arc<FrameHub>, SourceError> {
        Ok(self.options.frames.as_ref().ok_or(FramesError::NoHub)?)
    }

    fn http(&self, spec: &SourceSpec, stop: &Stop) -> Result<HttpOptions, HttpError> {
        Ok(HttpOptions {
            client: self.client()?,
            connect_timeout: self.options.connect_timeout,
            stall_timeout: self.options.stall_timeout,
            is_live: spec.is_live(),
            stop: stop.clone(),
            runtime: self.options.runtime.clone(),
        })
    }

    /// One for all, made when it is first needed: it reads the certificates of this machine.
    fn client(&self) -> Result<Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = Client::new(self.options.policy.clone())?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// Where a file of an allowed folder really is.
    fn real(&self, path: &Path) -> Result<PathBuf, SourceError> {
        // By its name first: whether a file is there is nobody's business elsewhere.
        let named = self.options.folders.iter().any(|folder| path.starts_with(folder));
        if !named && !self.holds(path) {
            return Err(SourceError::Outside);
        }
        let real = path.canonicalize().map_err(SourceError::Open)?;
        if self.holds(&real) { Ok(real) } else { Err(SourceError::Outside) }
    }

    fn open_file(&self, path: &Path, untrusted: bool, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        let real = self.real(path)?;
        let file = open_regular(&real)?;
        // A name may have come to lead elsewhere since.
        if !place_of(&file).is_some_and(|place| self.holds(&place)) {
            return Err(SourceError::Outside);
        }
        if untrusted {
            let reader = self.options.untrusted.as_ref().ok_or(SourceError::NoSandbox)?;
            return reader.open(file, stop);
        }
        Ok(Box::new(FileSource::of(file)?))
    }

    fn holds(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder))
    }
}

/// Where an open file lies, as the system knows it.
fn place_of(file: &File) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

impl OpenSource for Opener {
    fn open(&self, spec: &SourceSpec, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        if stop.is_asked() {
            return Err(SourceError::Stopped);
        }
        let source = self.open_at_once(spec, stop)?;
        let stop = stop.clone();
        Ok(match spec.url.kind() {
            // Its own waits end.
            SourceKind::Rtsp | SourceKind::Publish | SourceKind::Frames | SourceKind::Device => source,
            SourceKind::File | SourceKind::Http | SourceKind::Hls if spec.pace == Pace::Fast => {
                Box::new(Paced::fast(source, stop))
            }
            SourceKind::File | SourceKind::Http | SourceKind::Hls | SourceKind::Synthetic => {
                Box::new(Paced::real_time(source, stop))
            }
        })
    }
}
