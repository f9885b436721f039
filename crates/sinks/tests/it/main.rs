//! Sinks against the real file system.

#[cfg(test)]
mod child;
#[cfg(test)]
mod clean_up;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod folder_faults;
#[cfg(test)]
mod json_lines;
#[cfg(test)]
mod readers;
