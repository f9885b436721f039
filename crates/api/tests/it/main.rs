//! What the interface promises, over HTTP and real sockets, an engine in memory and a real store.

#[cfg(test)]
mod analyzer;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod document;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod native;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod playback;
#[cfg(test)]
mod posted;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod results;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod stand;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod walk;
