//! Custom I/O: libav reads through a Rust reader, and writes through a Rust writer; it opens nothing itself.

use std::{
    ffi::{c_int, c_void},
    io::{self, Read, Seek, SeekFrom, Write},
    ptr::NonNull,
    slice,
};

use ffmpeg_sys_next as ffi;

use super::AvError;

const BUFFER_BYTES: usize = 64 << 10;

/// What a demuxer may read of an input: so many times its size and a constant for probing, and more for each unit
/// it gives. Damaged indexes send some of libav's demuxers over the same bytes for ever.
const TIMES_SIZE: u64 = 16;
const PROBING_BYTES: u64 = 256 << 20;
const UNIT_BYTES: u64 = 1 << 20;
/// A seek costs as much, so that seeking to and fro ends too.
const SEEK_BYTES: u64 = 1 << 10;

/// What a demuxer reads: a file, or bytes in memory.
pub trait Input: Read + Seek + Send {}
impl<T: Read + Seek + Send> Input for T {}

/// What a muxer writes.
pub trait Output: Write + Seek + Send {}
impl<T: Write + Seek + Send> Output for T {}

/// An `AVIOContext` over a reader or a writer. Keeps the first error, which libav would flatten to a number.
pub(super) struct Io<T: ?Sized> {
    context: *mut ffi::AVIOContext,
    /// From a box, and freed with the context. A raw pointer, since libav holds a copy of it.
    state: NonNull<State<T>>,
}

struct State<T: ?Sized> {
    failed: Option<io::Error>,
    /// Bytes that may still be read, and how many at first.
    allowance: u64,
    full_allowance: u64,
    stream: Box<T>,
}

// SAFETY: the context is used only through its owner, which is borrowed mutably for every call into libav.
unsafe impl<T: ?Sized + Send> Send for Io<T> {}

impl Io<dyn Input> {
    pub(super) fn reader(mut stream: Box<dyn Input>) -> Result<Self, AvError> {
        let size = seek_to(&mut *stream, 0, ffi::AVSEEK_SIZE);
        let mut io = Self::open(stream, false, Some(read), None, Some(seek_input))?;
        if size.is_err() {
            // What cannot tell its size is read from front to back.
            // SAFETY: the context is ours, and nothing runs on it yet.
            unsafe { (*io.context).seekable = 0 };
        }
        let size = size.unwrap_or(0).unsigned_abs();
        let state = io.state();
        state.full_allowance = size.saturating_mul(TIMES_SIZE).saturating_add(PROBING_BYTES);
        state.allowance = state.full_allowance;
        Ok(io)
    }

    /// Probing is over: what failed in it, such as a bad end that was searched for a duration, may be far from the
    /// pictures.
    pub(super) fn begin_anew(&mut self) {
        let state = self.state();
        state.failed = None;
        state.allowance = state.full_allowance;
        // SAFETY: the context is ours, and nothing else runs on it now.
        unsafe { ((*self.context).error, (*self.context).eof_reached) = (0, 0) };
    }

    /// The demuxer made progress: it may read on.
    pub(super) fn allow_another_unit(&mut self) {
        let state = self.state();
        state.allowance = state.allowance.saturating_add(UNIT_BYTES);
    }
}

impl Io<dyn Output> {
    pub(super) fn writer(stream: Box<dyn Output>) -> Result<Self, AvError> {
        Self::open(stream, true, None, Some(write), Some(seek_output))
    }

    /// Passes on what the writer itself buffers.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.state().stream.flush()
    }
}

type Transfer = unsafe extern "C" fn(*mut c_void, *mut u8, c_int) -> c_int;
type SeekTo = unsafe extern "C" fn(*mut c_void, i64, c_int) -> i64;

impl<T: ?Sized> Io<T> {
    fn open(
        stream: Box<T>,
        writes: bool,
        read: Option<Transfer>,
        write: Option<Transfer>,
        seek: Option<SeekTo>,
    ) -> Result<Self, AvError> {
        // SAFETY: the buffer comes from av_malloc as the context requires, and is the context's once that exists.
        unsafe {
            let buffer: *mut u8 = ffi::av_malloc(BUFFER_BYTES).cast();
            if buffer.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            let state = NonNull::from(Box::leak(Box::new(State {
                failed: None,
                allowance: u64::MAX,
                full_allowance: u64::MAX,
                stream,
            })));
            let (size, writes) = (BUFFER_BYTES as c_int, c_int::from(writes));
            let opaque = state.as_ptr().cast();
            let context = ffi::avio_alloc_context(buffer, size, writes, opaque, read, write, seek);
            if context.is_null() {
                ffi::av_free(buffer.cast());
                drop(Box::from_raw(state.as_ptr()));
                return Err(AvError::NO_MEMORY);
            }
            Ok(Self { context, state })
        }
    }

    /// The state, which libav does not touch meanwhile: it runs only in calls that borrow this mutably.
    fn state(&mut self) -> &mut State<T> {
        // SAFETY: valid until drop; callbacks, the only other users, run only inside calls into libav.
        unsafe { self.state.as_mut() }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }

    /// The first error of the reader or writer itself.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.state().failed.take()
    }
}

impl<T: ?Sized> Drop for Io<T> {
    fn drop(&mut self) {
        // SAFETY: the context is ours; libav may have replaced its buffer, so the current one is freed. Nobody uses the
        // state after the context.
        unsafe {
            ffi::av_freep((&raw mut (*self.context).buffer).cast());
            ffi::avio_context_free(&raw mut self.context);
            drop(Box::from_raw(self.state.as_ptr()));
        }
    }
}

impl<T: ?Sized> std::fmt::Debug for Io<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io").finish_non_exhaustive()
    }
}

impl<T: ?Sized> State<T> {
    /// Takes from what may be read.
    fn spend(&mut self, bytes: u64) -> Result<(), c_int> {
        self.allowance = self.allowance.saturating_sub(bytes);
        if self.allowance > 0 {
            return Ok(());
        }
        self.keep(Err(io::Error::other("it is damaged: reading goes on and on without a picture")))
    }

    fn keep<R>(&mut self, result: io::Result<R>) -> Result<R, c_int> {
        result.map_err(|error| {
            let code = ffi::AVERROR(error.raw_os_error().unwrap_or(ffi::EIO));
            self.failed.get_or_insert(error);
            code
        })
    }
}

fn position(offset: i64, whence: c_int) -> Option<SeekFrom> {
    match whence {
        0 => u64::try_from(offset).ok().map(SeekFrom::Start),
        1 => Some(SeekFrom::Current(offset)),
        2 => Some(SeekFrom::End(offset)),
        _ => None,
    }
}

fn seek_to<T: Seek + ?Sized>(stream: &mut T, offset: i64, whence: c_int) -> io::Result<i64> {
    let to = |at: u64| i64::try_from(at).map_err(io::Error::other);
    if whence & ffi::AVSEEK_SIZE != 0 {
        let here = stream.stream_position()?;
        let size = stream.seek(SeekFrom::End(0))?;
        stream.seek(SeekFrom::Start(here))?;
        return to(size);
    }
    let target = position(offset, whence & 3).ok_or(io::ErrorKind::InvalidInput)?;
    to(stream.seek(target)?)
}

unsafe extern "C" fn read(opaque: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    // SAFETY: opaque is the State this context was made with; libav lends a writable buffer of `size` bytes.
    let (state, buffer) = unsafe {
        (&mut *opaque.cast::<State<dyn Input>>(), slice::from_raw_parts_mut(buffer, size.max(0) as usize))
    };
    let read = loop {
        match state.stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    let kept = state.keep(read);
    match kept.and_then(|bytes| state.spend(bytes as u64).map(|()| bytes)) {
        Ok(0) => ffi::AVERROR_EOF,
        Ok(bytes) => bytes as c_int,
        Err(code) => code,
    }
}

unsafe extern "C" fn write(opaque: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    // SAFETY: as in `read`, with a readable buffer.
    let (state, buffer) = unsafe {
        (&mut *opaque.cast::<State<dyn Output>>(), slice::from_raw_parts(buffer, size.max(0) as usize))
    };
    let written = state.stream.write_all(buffer);
    state.keep(written).map_or_else(|code| code, |()| size)
}

unsafe extern "C" fn seek_input(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let state = unsafe { &mut *opaque.cast::<State<dyn Input>>() };
    // Only reading fails: probing must be able to go back to where it began.
    state.allowance = state.allowance.saturating_sub(SEEK_BYTES);
    // A seek that cannot be done is an answer, not a failure of the reader.
    seek_to(&mut *state.stream, offset, whence).unwrap_or(i64::from(ffi::AVERROR(ffi::EINVAL)))
}

unsafe extern "C" fn seek_output(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let state = unsafe { &mut *opaque.cast::<State<dyn Output>>() };
    let sought = seek_to(&mut *state.stream, offset, whence);
    state.keep(sought).unwrap_or_else(i64::from)
}
