//! Processor time and memory of a process and all that it started, and of the system, out of `/proc`.

use std::collections::HashMap;
use std::fs;

use anyhow::Context;

/// The kernel counts in hundredths of a second (USER_HZ) whatever its own clock.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time of a process, its descendants, and those of its children that ended.
pub(crate) fn processor_s(root: u32) -> anyhow::Result<f64> {
    let family = family(root)?;
    Ok(family.iter().map(|process| process.ticks).sum::<f64>() / TICKS_A_SECOND)
}

/// Processor time of this process alone, without those it started.
pub(crate) fn own_processor_s() -> anyhow::Result<f64> {
    let own = Process::read("self").context("no /proc/self/stat")?;
    Ok(own.own_ticks / TICKS_A_SECOND)
}

/// Memory in bytes that the system has for objects of its own, of which sockets are some.
pub(crate) fn slab() -> anyhow::Result<u64> {
    let told = fs::read_to_string("/proc/meminfo")?;
    let line = told.lines().find_map(|line| line.strip_prefix("Slab:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no Slab in /proc/meminfo")?.parse::<u64>()? * 1024)
}

/// Resident memory in bytes of a process and its descendants.
pub(crate) fn resident(root: u32) -> anyhow::Result<u64> {
    family(root)?
        .iter()
        .filter_map(|process| resident_of(process.id).transpose())
        .sum()
}

/// `None` for one that ended meanwhile.
fn resident_of(id: u32) -> anyhow::Result<Option<u64>> {
    let Ok(status) = fs::read_to_string(format!("/proc/{id}/status")) else {
        return Ok(None);
    };
    // A process that ended and was not waited for has no such line.
    let Some(line) = status.lines().find(|line| line.starts_with("VmRSS:")) else {
        return Ok(None);
    };
    let kib = line.split_whitespace().nth(1).context("no size in VmRSS")?;
    Ok(Some(kib.parse::<u64>()? * 1024))
}

/// A process and its descendants.
fn family(root: u32) -> anyhow::Result<Vec<Process>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut all: HashMap<u32, Process> = HashMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(process) = name
            .to_str()
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(Process::read)
        else {
            continue;
        };
        children.entry(process.parent).or_default().push(process.id);
        all.insert(process.id, process);
    }
    let mut family = Vec::new();
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        family.extend(all.remove(&id));
        next.extend(children.remove(&id).unwrap_or_default());
    }
    anyhow::ensure!(!family.is_empty(), "process {root} has ended");
    Ok(family)
}

struct Process {
    id: u32,
    parent: u32,
    own_ticks: f64,
    /// With its children that ended.
    ticks: f64,
}

impl Process {
    fn read(name: &str) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
        let id = stat.split_whitespace().next()?.parse().ok()?;
        // The program's name in parentheses may hold blanks: count behind it.
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let times: Vec<f64> = fields
            .get(11..15)?
            .iter()
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        Some(Self {
            id,
            parent: fields.get(1)?.parse().ok()?,
            own_ticks: times.iter().take(2).sum(),
            ticks: times.iter().sum(),
        })
    }
}
