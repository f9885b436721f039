//! Streams from servers on 127.0.0.1, a real one and one that lies; files in children, honest ones and liars; publishers that come to us.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod child;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hls;
#[cfg(test)]
mod http;
#[cfg(test)]
mod look;
#[cfg(test)]
mod push;
#[cfg(test)]
mod real;
#[cfg(test)]
mod relayed;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sound;
#[cfg(test)]
mod web;
