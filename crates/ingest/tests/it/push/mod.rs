//! Publishers over sockets: the real `ffmpeg`, and one that does as it is told.

mod faults;
mod publisher;
mod real;
mod stand;
mod tags;
