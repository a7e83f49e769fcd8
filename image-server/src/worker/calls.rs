//! The system calls that decoding needs; any other one ends the process at once.
//!
//! Numbers of files are checked too: 0 is where pictures come from, 1 where answers go, 2 leads
//! nowhere. Whatever else the server may have left open cannot be used.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule,
};

/// What is allowed with any arguments: memory that is there already, clocks, chance, locks, and
/// what the runtime does when it ends or aborts. None reaches beyond this process; `sysinfo` says how
/// much memory the machine has, which the sorting of the GNU C library wants to know.
const ALWAYS: [c_long; 19] = [
    libc::SYS_brk,
    libc::SYS_clock_gettime,
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
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
];

/// Allows the calls above and those of [`rules`], for this thread, for ever.
pub(super) fn forbid_others() -> Result<(), Error> {
    let filter = SeccompFilter::new(
        rules()?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}

/// What has to be true of the arguments of a call: one of several rules, and all of one's.
fn rules() -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<_, _> = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_read, vec![all([is(0, 0)])?]);
    rules.insert(libc::SYS_write, vec![all([is(0, 1)])?, all([is(0, 2)])?]);
    // Memory of its own, and never such as can be executed.
    let own = libc::MAP_ANONYMOUS;
    rules.insert(
        libc::SYS_mmap,
        vec![all([bits(2, libc::PROT_EXEC, 0), bits(3, own, own)])?],
    );
    rules.insert(
        libc::SYS_mprotect,
        vec![all([bits(2, libc::PROT_EXEC, 0)])?],
    );
    // A program that aborts sends itself a signal. It has one thread, whose number is its own.
    let oneself = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![all([is(0, oneself)])?]);
    rules.insert(libc::SYS_tkill, vec![all([is(0, oneself)])?]);
    Ok(rules)
}

type Condition = Result<SeccompCondition, BackendError>;

fn all<const N: usize>(conditions: [Condition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

/// The argument of this number, counted from 0, is this. The kernel takes 32 bits of it.
fn is(argument: u8, value: u64) -> Condition {
    let length = SeccompCmpArgLen::Dword;
    SeccompCondition::new(argument, length, SeccompCmpOp::Eq, value)
}

/// Of these bits of an argument exactly those are set.
fn bits(argument: u8, mask: c_int, set: c_int) -> Condition {
    let [mask, set] = [mask, set].map(|bits| u64::from(bits.cast_unsigned()));
    let length = SeccompCmpArgLen::Dword;
    SeccompCondition::new(argument, length, SeccompCmpOp::MaskedEq(mask), set)
}
