//! The process's own figures, as Linux tells them in `/proc` (proc(5)).

use std::{fs, io};

use crate::ProcessMetrics;

/// Ticks per second of the times in `/proc`: part of Linux's binary interface, 100 on every architecture we build for.
const TICKS: f64 = 100.0;

impl ProcessMetrics {
    /// Of this process, now; all 0 where there is no `/proc`.
    pub fn read() -> Self {
        Self::try_read().unwrap_or_else(|error| {
            tracing::debug!(%error, "the process's own figures cannot be read");
            Self::default()
        })
    }

    fn try_read() -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/self/stat")?;
        let status = fs::read_to_string("/proc/self/status")?;
        // The one that reads the folder is in it.
        let open_fds = fs::read_dir("/proc/self/fd")?.count().saturating_sub(1) as u64;
        parse(&stat, &status, open_fds)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self has another form"))
    }
}

fn parse(stat: &str, status: &str, open_fds: u64) -> Option<ProcessMetrics> {
    // The name of the program stands in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.split_ascii_whitespace().next()?.parse().ok()?;
    let cpu_seconds = (user + system) as f64 / TICKS;
    Some(ProcessMetrics { resident_bytes: kilobytes * 1024, cpu_seconds, open_fds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let stat = "7 (a) (b) R 1 7 7 0 -1 4194304 200 0 0 0 150 50 0 0 20 0 1 0 99 1000 300";
        let found = parse(stat, "Name:\tx\nVmRSS:\t    2048 kB\n", 9).unwrap();
        assert_eq!(found, ProcessMetrics { resident_bytes: 2 << 20, cpu_seconds: 2.0, open_fds: 9 });
        assert_eq!(parse("7 (a) R 1", "VmRSS: 1 kB", 0), None);
        assert_eq!(parse(stat, "Name:\tx", 0), None);
    }

    #[test]
    fn this_process_has_memory_and_files() {
        let now = ProcessMetrics::read();
        assert!(now.resident_bytes > 1 << 20 && now.open_fds >= 3, "{now:?}");
    }
}
