//! Giving up every right, for good.

use std::io;

use rustix::{
    param::page_size,
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::set_no_new_privs,
};

use super::{ChildLimits, filter};

/// Why rights could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum LockDownError {
    /// A limit of the system.
    #[error("a limit cannot be set")]
    Limit(#[source] io::Error),
    /// How much the program itself takes.
    #[error("the size of the process cannot be read")]
    Size(#[source] io::Error),
    /// No filter of system calls.
    #[error("the kernel takes no filter of system calls (seccomp)")]
    Filter(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Leaves this process memory, time, and what it has open as descriptors 0 (to read), 1 and 2: no file can be opened, no
/// socket, process or thread made. There is no way back. Only for a process of one thread.
pub fn lock_down(limits: &ChildLimits) -> Result<(), LockDownError> {
    // Where memory runs out, this process goes first. Where it cannot be said, the limit below still holds.
    std::fs::write("/proc/self/oom_score_adj", "1000").ok();
    let own = address_space().map_err(LockDownError::Size)?;
    let limit = |resource, most: u64| {
        let hard = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
        setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) })
    };
    // Of processor time the parent moves the soft limit on, which takes no right as long as the hard one stays.
    let most = getrlimit(Resource::Cpu).maximum;
    let cpu = Rlimit { current: Some(limits.cpu.as_secs().max(1)), maximum: most };
    setrlimit(Resource::Cpu, cpu)
        .and_then(|()| limit(Resource::As, own.saturating_add(limits.memory_bytes)))
        .and_then(|()| limit(Resource::Core, 0))
        .and_then(|()| limit(Resource::Fsize, 0))
        .and_then(|()| limit(Resource::Memlock, 0))
        .and_then(|()| limit(Resource::Nofile, 3))
        .and_then(|()| limit(Resource::Nproc, 0))
        .and_then(|()| set_no_new_privs(true))
        .map_err(|error| LockDownError::Limit(error.into()))?;
    match filter_calls() {
        Err(error) if limits.require_filter => Err(LockDownError::Filter(error)),
        _ => Ok(()),
    }
}

fn filter_calls() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for program in filter::programs()? {
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

/// Bytes, from the first field of `statm`.
fn address_space() -> io::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split_whitespace().next().and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or(io::ErrorKind::InvalidData)?;
    Ok(pages.saturating_mul(page_size() as u64))
}
