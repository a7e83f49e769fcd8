//! Which core the servers run on and which one the load generator.

use anyhow::ensure;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Two cores that this process may use.
#[derive(Clone, Copy)]
pub(super) struct Cores {
    pub servers: usize,
    pub generator: usize,
}

impl Cores {
    pub(super) fn of_this_machine() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|core| allowed.is_set(*core))
            .collect();
        ensure!(
            all.len() >= 2,
            "two cores are needed: one for the servers, one for the load"
        );
        Ok(Self {
            servers: all[0],
            generator: all[1],
        })
    }
}

/// Has this thread, and whatever it starts from now on, run on this core only.
pub(super) fn move_to(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set)?;
    Ok(())
}
