//! Which system calls a locked-down child may make: what libav's software decoders and demuxers need on memory and on
//! the descriptors that are there. seccomp looks at every call; with nothing to open and no descriptor to make, file
//! systems and networks are out of reach, those of other namespaces too.

use std::{collections::BTreeMap, env::consts::ARCH};

use seccompiler::{
    BpfProgram,
    SeccompAction::{self, Allow, Errno, KillProcess},
    SeccompCmpArgLen::Dword,
    SeccompCmpOp::{self, Eq, MaskedEq},
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

type Calls = BTreeMap<i64, Vec<SeccompRule>>;
type Made<T> = Result<T, seccompiler::BackendError>;

/// The media file, the socket to the parent, last words. Descriptors that leaked into the child are of no use to it.
const MEDIA: u64 = 0;
const SOCKET: u64 = 1;
const WORDS: u64 = 2;

/// No decoder makes these: who does was taken over, and is killed. What is in neither list fails (`EPERM`) and goes on, for libraries
/// do try what they can do without: a thread, a locale's file, the machine's description.
const HOSTILE: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_setuid,
    libc::SYS_setgid,
];

/// Memory, time and the end.
const HARMLESS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
];

/// The two programs, to be applied in this order: the kernel takes the stricter answer.
pub(super) fn programs() -> Made<[BpfProgram; 2]> {
    let hostile = HOSTILE.iter().map(|call| (*call, Vec::new())).collect();
    Ok([program(hostile, Allow, KillProcess)?, program(allowed()?, Errno(libc::EPERM as u32), Allow)?])
}

fn program(calls: Calls, others: SeccompAction, these: SeccompAction) -> Made<BpfProgram> {
    let arch: TargetArch = ARCH.try_into()?;
    SeccompFilter::new(calls, others, these, arch)?.try_into()
}

fn allowed() -> Made<Calls> {
    let mut calls: Calls = HARMLESS.iter().map(|call| (*call, Vec::new())).collect();
    let on = |descriptor| rule(&[(0, Eq, descriptor)]);
    let no_code = (2, MaskedEq(libc::PROT_EXEC as u64), 0);
    let anonymous = (3, MaskedEq(libc::MAP_ANONYMOUS as u64), libc::MAP_ANONYMOUS as u64);
    calls.insert(libc::SYS_read, vec![on(MEDIA)?, on(SOCKET)?]);
    calls.insert(libc::SYS_lseek, vec![on(MEDIA)?]);
    calls.insert(libc::SYS_write, vec![on(SOCKET)?, on(WORDS)?]);
    calls.insert(libc::SYS_mmap, vec![rule(&[no_code.clone(), anonymous])?]);
    calls.insert(libc::SYS_mprotect, vec![rule(&[no_code])?]);
    // `abort` signals itself.
    calls.insert(libc::SYS_tgkill, vec![rule(&[(0, Eq, u64::from(std::process::id()))])?]);
    Ok(calls)
}

/// Holds where all of its conditions on arguments do.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Made<SeccompRule> {
    let made = conditions
        .iter()
        .map(|(argument, is, value)| SeccompCondition::new(*argument, Dword, is.clone(), *value));
    SeccompRule::new(made.collect::<Made<_>>()?)
}
