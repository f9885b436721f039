//! Integration tests of the media crate, against FFmpeg where it is installed.

// Says to clippy what cargo knows: unwrapping is a way to fail here.
#[cfg(test)]
mod bitstream;
#[cfg(test)]
mod cmaf;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod hardware;
#[cfg(test)]
mod sampling;
#[cfg(test)]
mod sound;
#[cfg(test)]
mod times;
#[cfg(test)]
mod transcode;
