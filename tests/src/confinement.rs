//! What the kernel has to confine a process with that decodes pictures: seccomp and Landlock.
//!
//! Written a second time, on purpose: the servers' own look could be wrong.

use std::fs;
use std::thread;

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetError, Scope,
};

/// Where the kernel says what it does about calls that are forbidden.
const SECCOMP: &str = "/proc/sys/kernel/seccomp/actions_avail";
/// The end of the process.
const KILL: &str = "kill_process";

/// The first Landlock that knows the network, and the first that knows signals.
const NETWORK: ABI = ABI::V4;
const SIGNALS: ABI = ABI::V6;

pub(crate) fn lacks_seccomp() -> Option<String> {
    let Ok(actions) = fs::read_to_string(SECCOMP) else {
        return Some(format!("a kernel with seccomp: there is no {SECCOMP}"));
    };
    let ends = actions.split_whitespace().any(|action| action == KILL);
    (!ends).then(|| format!("a seccomp that knows {KILL} (Linux 4.14): this one knows {actions}"))
}

pub(crate) fn lacks_landlock() -> Option<String> {
    // It holds for the thread that asks.
    let asked = thread::spawn(status).join().expect("asking does not panic");
    let lacks = match asked {
        Err(error) => format!("Landlock: {error}"),
        Ok(LandlockStatus::NotImplemented) => {
            "Landlock (Linux 5.13), without which this kernel was built".to_owned()
        }
        Ok(LandlockStatus::NotEnabled) => {
            "Landlock, which this kernel has and does not use (lsm= at its start)".to_owned()
        }
        Ok(LandlockStatus::Available { effective_abi, .. }) => match effective_abi {
            abi if abi >= SIGNALS => return None,
            abi if abi >= NETWORK => knows("files and the network, but not signals"),
            _ => knows("files, but neither the network nor signals"),
        },
    };
    Some(lacks)
}

fn knows(what: &str) -> String {
    format!("the Landlock of Linux 6.12: that of this kernel knows {what}")
}

/// What comes of giving up all rights.
fn status() -> Result<LandlockStatus, RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(SIGNALS))?
        .handle_access(AccessNet::from_all(SIGNALS))?
        .scope(Scope::from_all(SIGNALS))?;
    Ok(rules.create()?.restrict_self()?.landlock)
}
