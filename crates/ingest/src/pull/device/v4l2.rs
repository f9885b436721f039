//! A camera through Video for Linux (version 2): its driver fills buffers that are mapped here, one after the other.
//!
//! The one native part of this crate. Arguments of requests are blocks of bytes with the sizes that the requests themselves say;
//! fields lie where linux/videodev2.h of 64-bit machines has them. A library would bring a second bindgen, and generates the same.
#![expect(
    unsafe_code,
    reason = "requests to a driver, and memory that it shares; each block states why it is sound"
)]

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd as _, AsRawFd as _, BorrowedFd},
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
    path::Path,
    ptr, slice,
};

use ocelli_model::Rate;
use tokio::io::{Interest, unix::AsyncFd};

use super::{Capture, Captured, DeviceError, Format};
use crate::{DeviceFormat, DeviceOptions};

/// Buffers that the driver fills: a moment of patience with whoever reads.
const BUFFERS: u32 = 4;
/// Largest buffer: 8K, raw.
const MOST_BYTES: usize = 128 << 20;
/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`, `V4L2_MEMORY_MMAP`, `V4L2_BUF_FLAG_ERROR`.
const CAPTURE: u32 = 1;
const MAPPED: u32 = 1;
const FLAWED: u32 = 0x40;
/// `V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING`, and `V4L2_CAP_DEVICE_CAPS`.
const ABILITIES: u32 = 0x0400_0001;
const HAS_OWN: u32 = 0x8000_0000;
const MJPEG: u32 = u32::from_le_bytes(*b"MJPG");
const YUYV: u32 = u32::from_le_bytes(*b"YUYV");

/// A request, and what is done with it in words. Its number says how large its argument is.
type Request = (u32, &'static str);

const QUERYCAP: Request = (0x8068_5600, "say what it is");
const S_FMT: Request = (0xc0d0_5605, "set a format");
const S_PARM: Request = (0xc0cc_5616, "set a rate");
const REQBUFS: Request = (0xc014_5608, "make buffers");
const QUERYBUF: Request = (0xc058_5609, "show a buffer");
const QBUF: Request = (0xc058_560f, "take a buffer");
const DQBUF: Request = (0xc058_5611, "give a buffer");
const STREAMON: Request = (0x4004_5612, "start");
const STREAMOFF: Request = (0x4004_5613, "stop");

/// An argument, aligned as its structure is.
#[repr(C, align(8))]
struct Argument<const N: usize>([u8; N]);

impl<const N: usize> Argument<N> {
    fn new() -> Self {
        Self([0; N])
    }

    fn get(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[at..at + 4].try_into().expect("4 bytes are 4"))
    }

    fn get_long(&self, at: usize) -> i64 {
        i64::from_ne_bytes(self.0[at..at + 8].try_into().expect("8 bytes are 8"))
    }

    fn set(mut self, at: usize, value: u32) -> Self {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    /// Asks the driver.
    fn ask(&mut self, device: &File, (number, what): Request) -> Result<(), DeviceError> {
        self.try_ask(device, number).map_err(|cause| DeviceError::of(what, cause))
    }

    fn try_ask(&mut self, device: &File, number: u32) -> io::Result<()> {
        assert_eq!(number as usize >> 16 & 0x3fff, N, "a request has its argument");
        loop {
            // SAFETY: an open file; a driver reads and writes as many bytes there as the request's number says, which are as
            // many as there are. The structures asked with hold no pointers that it would follow.
            let done = unsafe { libc::ioctl(device.as_raw_fd(), number.into(), self.0.as_mut_ptr()) };
            if done >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// Waits until something can be taken, or never again will be.
pub(super) async fn ready(device: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: what is borrowed stays open, and the same, until the registration ends with this function.
    let registered = unsafe { AsyncFd::register_with_interest(device, Interest::READABLE) };
    registered.map_err(io::Error::from)?.readable().await?.retain_ready();
    Ok(())
}

/// A buffer of the driver's, mapped.
#[derive(Debug)]
struct Mapped {
    start: ptr::NonNull<libc::c_void>,
    bytes: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread; it is read through its owner alone.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(device: &File, offset: u32, bytes: usize) -> Result<Self, DeviceError> {
        let what = "share a buffer";
        if bytes == 0 || bytes > MOST_BYTES {
            return Err(DeviceError::of(what, io::ErrorKind::InvalidData.into()));
        }
        // SAFETY: a new mapping, wherever the system likes; the driver checks offset and size.
        let start = unsafe {
            let access = libc::PROT_READ;
            libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, device.as_raw_fd(), offset.into())
        };
        let failed = || DeviceError::of(what, io::Error::last_os_error());
        if start == libc::MAP_FAILED {
            return Err(failed());
        }
        Ok(Self { start: ptr::NonNull::new(start).ok_or_else(failed)?, bytes })
    }

    /// What the driver wrote. Only while the buffer is ours: between its taking from the queue and its return.
    fn copy(&self, bytes: usize) -> Vec<u8> {
        // SAFETY: mapped, readable, alive until drop; the driver does not write to a buffer that is not in its queue.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast::<u8>(), bytes.min(self.bytes)) }.to_vec()
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped by us, unmapped once.
        unsafe { libc::munmap(self.start.as_ptr(), self.bytes) };
    }
}

/// A camera that sends.
#[derive(Debug)]
pub(super) struct Camera {
    /// Before the device goes, which would keep them alive.
    buffers: Vec<Mapped>,
    device: File,
    format: Format,
    sequence: Option<u32>,
}

impl Camera {
    /// Opens, agrees on a format, and starts.
    pub(super) fn open(options: &DeviceOptions) -> Result<Self, DeviceError> {
        let device = open(&options.path)?;
        let mut about = Argument::<104>::new();
        about.ask(&device, QUERYCAP)?;
        let all = about.get(84);
        let able = if all & HAS_OWN == 0 { all } else { about.get(88) };
        if able & ABILITIES != ABILITIES {
            return Err(DeviceError::NotCamera);
        }
        let mut format = agree(&device, options)?;
        format.rate = rate(&device, options.rate);
        let mut wanted = Argument::<20>::new().set(0, BUFFERS).set(4, CAPTURE).set(8, MAPPED);
        wanted.ask(&device, REQBUFS)?;
        let mut camera = Self { buffers: Vec::new(), device, format, sequence: None };
        // It may give more or fewer.
        for index in 0..wanted.get(0).min(32) {
            let mut buffer = buffer(index);
            buffer.ask(&camera.device, QUERYBUF)?;
            let (offset, bytes) = (buffer.get(64), buffer.get(72) as usize);
            camera.buffers.push(Mapped::new(&camera.device, offset, bytes)?);
            camera.give_back(index)?;
        }
        Argument::<4>::new().set(0, CAPTURE).ask(&camera.device, STREAMON)?;
        Ok(camera)
    }

    fn give_back(&self, index: u32) -> Result<(), DeviceError> {
        buffer(index).ask(&self.device, QBUF)
    }
}

/// `struct v4l2_buffer`.
fn buffer(index: u32) -> Argument<88> {
    Argument::new().set(0, index).set(4, CAPTURE).set(60, MAPPED)
}

/// Looked at before it is used: opening anything else might wait, or do something.
fn open(path: &Path) -> Result<File, DeviceError> {
    let failed = |cause| DeviceError::of("open", cause);
    if !path.metadata().map_err(failed)?.file_type().is_char_device() {
        return Err(DeviceError::NotCamera);
    }
    let device = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
    device.map_err(|cause| match DeviceError::of("open", cause) {
        DeviceError::Gone => DeviceError::Missing,
        error => error,
    })
}

/// The first format of those that are wanted that the driver agrees to.
fn agree(device: &File, options: &DeviceOptions) -> Result<Format, DeviceError> {
    let formats = match options.format {
        Some(format) => vec![format],
        None => vec![DeviceFormat::Mjpeg, DeviceFormat::Yuyv],
    };
    for format in formats {
        let code = if format == DeviceFormat::Mjpeg { MJPEG } else { YUYV };
        let (width, height) = options.size.unwrap_or((1280, 720));
        let mut asked = Argument::<208>::new().set(0, CAPTURE).set(8, width).set(12, height).set(16, code);
        match asked.ask(device, S_FMT) {
            // Some refuse what they do not know, others answer with what they do.
            Err(DeviceError::Driver { cause, .. }) if cause.raw_os_error() == Some(libc::EINVAL) => continue,
            agreed => agreed?,
        }
        let (width, height, stride) = (asked.get(8), asked.get(12), asked.get(24) as usize);
        if asked.get(16) != code {
            continue;
        }
        if let Some((wanted_width, wanted_height)) = options.size.filter(|size| *size != (width, height)) {
            return Err(DeviceError::Size { wanted_width, wanted_height, width, height });
        }
        return Ok(Format { coding: format, width, height, stride, rate: None });
    }
    Err(DeviceError::Format)
}

/// What it will send, as far as it says: not every driver has rates.
fn rate(device: &File, wanted: Option<Rate>) -> Option<f64> {
    let (num, den) = wanted.map_or((0, 0), |rate| (rate.num(), rate.den()));
    // Seconds for a picture; none leaves it to the driver.
    let mut asked = Argument::<204>::new().set(0, CAPTURE).set(12, den).set(16, num);
    asked.try_ask(device, S_PARM.0).ok()?;
    let (seconds, pictures) = (asked.get(12), asked.get(16));
    (seconds > 0 && pictures > 0).then(|| f64::from(pictures) / f64::from(seconds))
}

impl Capture for Camera {
    fn format(&self) -> Format {
        self.format
    }

    fn readiness(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }

    fn take(&mut self) -> Result<Option<Captured>, DeviceError> {
        let mut filled = buffer(0);
        match filled.try_ask(&self.device, DQBUF.0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(cause) => return Err(DeviceError::of(DQBUF.1, cause)),
        }
        let (index, bytes, flags) = (filled.get(0), filled.get(8) as usize, filled.get(12));
        let number = filled.get(56);
        let lost = self.sequence.map_or(0, |before| number.wrapping_sub(before).saturating_sub(1));
        self.sequence = Some(number);
        let micros = filled.get_long(24).saturating_mul(1_000_000).saturating_add(filled.get_long(32));
        let none = || DeviceError::of(DQBUF.1, io::ErrorKind::InvalidData.into());
        let data = self.buffers.get(index as usize).ok_or_else(none)?.copy(bytes);
        self.give_back(index)?;
        Ok(Some(Captured { data, micros, flawed: flags & FLAWED != 0, lost: lost.into() }))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Whoever opens it next finds it still; where it is gone there is nothing to stop.
        Argument::<4>::new().set(0, CAPTURE).ask(&self.device, STREAMOFF).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn refused(path: &str) -> DeviceError {
        let path = PathBuf::from(path);
        Camera::open(&DeviceOptions { path, size: None, rate: None, format: None }).unwrap_err()
    }

    #[test]
    fn what_is_no_camera_is_told_apart() {
        assert!(matches!(refused("/dev/video987"), DeviceError::Missing));
        assert!(matches!(refused("/etc/passwd"), DeviceError::NotCamera), "a file");
        assert!(matches!(refused("/dev"), DeviceError::NotCamera), "a folder");
        assert!(
            matches!(refused("/dev/zero"), DeviceError::NotCamera),
            "a device that knows no such request"
        );
    }

    #[test]
    fn failures_of_drivers_have_their_meaning() {
        let of = |code| DeviceError::of("start", io::Error::from_raw_os_error(code)).to_string();
        assert!(of(libc::EBUSY).contains("in use"));
        assert!(of(libc::ENODEV).contains("gone"));
        assert!(of(libc::EACCES).contains("group 'video'"));
        assert_eq!(of(libc::EIO), "the camera's driver refuses to start");
    }

    #[test]
    fn memory_is_mapped_for_reading_and_let_go() {
        use std::io::Write as _;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a picture").unwrap();
        let mapped = Mapped::new(&file, 0, 9).unwrap();
        assert_eq!(mapped.copy(9), b"a picture");
        assert_eq!(mapped.copy(100).len(), 9, "never more than is there");
        assert!(Mapped::new(&file, 0, 0).is_err() && Mapped::new(&file, 0, MOST_BYTES + 1).is_err());
    }
}
