//! Takes every right from this process that decoding does not need.
//!
//! Twice over: a process that got past one of these still meets the others. What a system does not
//! have is left out, and told.

use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

use super::message::Confinement;
use super::orders::Orders;

/// Processor time beside that for pictures: to start, and to end.
const SPARE: Duration = Duration::from_secs(10);

/// Why a process would not be safe to give a picture to.
#[derive(Debug, Error)]
pub(super) enum ConfineError {
    #[error("it cannot tell its own size: {0}")]
    Size(std::io::Error),
    #[error("it cannot limit itself ({resource:?}): {errno}")]
    Limit { resource: Resource, errno: Errno },
    #[error("this system has no seccomp")]
    Calls,
}

/// Gives rights up for good. What cannot be had is said in the answer; limits can be had anywhere.
pub(super) fn confine(orders: &Orders) -> Result<Confinement, ConfineError> {
    let own = own_address_bytes().map_err(ConfineError::Size)?;
    let addresses = own.saturating_add(orders.limits.address_bytes_max());
    let pictures = orders.time.saturating_mul(orders.pictures);
    limit(Resource::As, addresses)?;
    let time = pictures.saturating_add(SPARE).as_secs();
    limit_softly(Resource::Cpu, time, time.saturating_add(1))?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nproc, 0)?;
    limit(Resource::Memlock, 0)?;
    let files = open_nothing();
    // Whoever opens no file needs no number for one; the walls need some while they are built.
    limit(Resource::Nofile, 0)?;
    let calls = call_little();
    if orders.only_confined && !calls {
        return Err(ConfineError::Calls);
    }
    Ok(Confinement { calls, files })
}

/// Neither this process nor anybody for it can raise the limit again.
fn limit(resource: Resource, to: u64) -> Result<(), ConfineError> {
    limit_softly(resource, to, to)
}

/// The same, with an end that is told a little before the one that is not: at the first limit of
/// processor time comes SIGXCPU, at the second SIGKILL.
fn limit_softly(resource: Resource, first: u64, last: u64) -> Result<(), ConfineError> {
    // What the system allows may already be less.
    let allowed = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limits = Rlimit {
        current: Some(first.min(allowed)),
        maximum: Some(last.min(allowed)),
    };
    setrlimit(resource, limits).map_err(|errno| ConfineError::Limit { resource, errno })
}

#[cfg(target_os = "linux")]
use linux::{call_little, open_nothing, own_address_bytes};

#[cfg(target_os = "linux")]
mod linux {
    //! What Linux has beside limits.

    use std::ffi::CStr;
    use std::{fs, io};

    use landlock::{
        ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetError,
        RulesetStatus, Scope,
    };
    use rustix::process::{Signal, set_parent_process_death_signal};
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_name};

    use crate::worker::calls;

    /// The newest rights that are known here; a kernel that knows fewer withholds those it knows.
    const RIGHTS: ABI = ABI::V6;

    /// What lists of processes show; no more than 15 bytes.
    const NAME: &CStr = c"picture-worker";

    /// When memory is short, the system takes this process first (0 is usual, 1000 the most).
    const FIRST_TO_GO: &str = "500";

    /// The addresses that the program and its libraries take.
    pub(super) fn own_address_bytes() -> io::Result<u64> {
        let status = fs::read_to_string("/proc/self/status")?;
        let size = status.lines().find_map(|line| {
            let size = line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")?;
            size.parse::<u64>().ok()
        });
        size.map(|kib| kib * 1024)
            .ok_or_else(|| io::Error::other("no VmSize in /proc/self/status"))
    }

    /// No file and no network, from now on and for ever. Whether the kernel sees to it.
    pub(super) fn open_nothing() -> bool {
        // These four are worth having and no walls: a system may withhold them.
        let _ = set_name(NAME);
        let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
        let none = CapabilitySet::empty();
        let _ = set_capabilities(
            None,
            CapabilitySets {
                effective: none,
                permitted: none,
                inheritable: none,
            },
        );
        // The server's end ends the input too, but that is noticed only between two pictures.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        matches!(
            restricted(),
            Ok(RestrictionStatus {
                ruleset: RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
                ..
            })
        )
    }

    /// A set of rules that allows nothing. `no_new_privs` comes with it, whatever the kernel has.
    pub(super) fn restricted() -> Result<RestrictionStatus, RulesetError> {
        Ruleset::default()
            .handle_access(AccessFs::from_all(RIGHTS))?
            .handle_access(AccessNet::from_all(RIGHTS))?
            .scope(Scope::from_all(RIGHTS))?
            .create()?
            .restrict_self()
    }

    /// Whether the kernel ends this process if it calls anything that it does not need.
    pub(super) fn call_little() -> bool {
        calls::forbid_others().is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
use elsewhere::{call_little, open_nothing, own_address_bytes};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    //! Systems that have nothing of the kind, or in another way.

    /// What a program of this size takes, generously.
    pub(super) fn own_address_bytes() -> std::io::Result<u64> {
        Ok(1 << 30)
    }

    pub(super) fn open_nothing() -> bool {
        false
    }

    pub(super) fn call_little() -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
