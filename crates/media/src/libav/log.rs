//! libav reports damage by logging it: its lines go to `tracing`, bounded, and errors are counted per thread, so
//! that a decoder knows which unit was damaged even where libav returns success (5.1 does for H.265).

use std::{
    cell::{Cell, RefCell},
    ffi::{CStr, c_char, c_int, c_void},
    sync::Once,
};

use ffmpeg_sys_next as ffi;

use crate::decode::DecodeError;

/// Lines read per thread between two looks; a damaged stream repeats itself without end.
const LINES_PER_LOOK: u32 = 16;

/// Logged as errors although the picture is right: an H.264 stream may tell a decoder to let go of a reference
/// that is gone already, as it does after every start at an open GOP.
const HARMLESS: [&str; 1] = ["mmco: unref short failure"];

/// A reference was never received. H.265: libav puts a grey picture in its place, which later pictures then find
/// without a word.
const REFERENCE_LOST: &str = "Could not find ref with POC";

/// Whose errors count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// Those of a container: libavformat also reads pictures a little, and what its parsers complain of may be whole.
    Container,
    /// All.
    Any,
    /// All, and what is said on the way: libav hides there why a device cannot be opened.
    Device,
}

thread_local! {
    static COUNTED: Cell<Lines> = const { Cell::new(Lines::Any) };
    static ERRORS: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

static ROUTED: Once = Once::new();

/// Sends libav's log to `tracing` instead of standard error. Called by everything here that opens something.
pub fn route_logs() {
    ROUTED.call_once(|| {
        // SAFETY: the callback is thread-safe and lives as long as the program.
        unsafe { ffi::av_log_set_callback(Some(on_line)) };
    });
}

/// Forgets this thread's errors so far; from here on only `lines` count.
pub(super) fn forget(lines: Lines) {
    COUNTED.set(lines);
    ERRORS.set(0);
}

/// This thread's errors since the last look: the last line, but the first of a lost reference.
pub(super) fn take_errors() -> Option<String> {
    (ERRORS.replace(0) > 0).then(|| LAST.with_borrow(Clone::clone))
}

/// The same as what a decoder says of a unit.
pub(super) fn take_damage() -> Option<DecodeError> {
    let line = take_errors()?;
    let lost = line.contains(REFERENCE_LOST);
    Some(if lost { DecodeError::ReferenceLost(line) } else { DecodeError::Damaged(line) })
}

unsafe extern "C" fn on_line(
    source: *mut c_void,
    level: c_int,
    format: *const c_char,
    arguments: *mut ffi::__va_list_tag,
) {
    let most = if COUNTED.get() == Lines::Device { ffi::AV_LOG_VERBOSE } else { ffi::AV_LOG_ERROR };
    if level > most {
        return;
    }
    let seen = ERRORS.get();
    // SAFETY: libav passes null or an object that starts with its class.
    let counts = COUNTED.get() != Lines::Container || unsafe { is_container(source) };
    if seen >= LINES_PER_LOOK || !counts {
        return;
    }
    let mut line = [0; 512];
    // Without the prefix, which holds an address: reasons must be the same on every run.
    let mut prefix = 0;
    // SAFETY: libav passes a valid format with its arguments; the line is cut at its length and ends with a zero.
    let text = unsafe {
        let size = line.len() as c_int;
        ffi::av_log_format_line2(source, level, format, arguments, line.as_mut_ptr(), size, &raw mut prefix);
        CStr::from_ptr(line.as_ptr()).to_string_lossy().trim().to_owned()
    };
    if HARMLESS.iter().any(|harmless| text.contains(harmless)) {
        return;
    }
    ERRORS.set(seen + 1);
    tracing::debug!(target: "libav", "{text}");
    // A line logged while the thread ends finds no storage; the count above is enough.
    LAST.try_with(|last| {
        let graver = seen > 0 && last.borrow().contains(REFERENCE_LOST);
        if !graver {
            last.replace(text);
        }
    })
    .ok();
}

/// Whether a line comes from a demuxer or its context.
///
/// # Safety
/// `source` must be null or point to an object whose first member is a pointer to its `AVClass`.
unsafe fn is_container(source: *const c_void) -> bool {
    const DEMUXER: c_int = ffi::AVClassCategory::AV_CLASS_CATEGORY_DEMUXER as c_int;
    // SAFETY: the caller's; classes are constants with zero-ended names. A category is read as the integer it is.
    unsafe {
        let Some(class) = source.cast::<*const ffi::AVClass>().as_ref().filter(|class| !class.is_null())
        else {
            return false;
        };
        let name = (**class).class_name;
        let category = (&raw const (**class).category).cast::<c_int>().read();
        category == DEMUXER || (!name.is_null() && CStr::from_ptr(name) == c"AVFormatContext")
    }
}
