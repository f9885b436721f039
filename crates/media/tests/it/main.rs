//! Integration tests of the media crate, against FFmpeg where it is installed.

mod bitstream;
