//! Integration tests: one suite for every backend, faults of the embedded one.

#[cfg(test)]
mod age;
#[cfg(test)]
mod appender;
#[cfg(test)]
mod backend;
#[cfg(test)]
mod child;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
