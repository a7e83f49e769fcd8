//! A server that may not have more memory than so much: a control group, of the first or the second
//! kind. What reaches further is ended by the kernel.
//!
//! Needs root, and a system on which the test may make control groups.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Instant;

use crate::machine::{Need, skip};
use crate::peer::PATIENCE;

const ROOT: &str = "/sys/fs/cgroup";

/// A limit. Dropping it takes it away; whatever ran under it must have ended.
#[derive(Debug)]
pub struct MemoryCap {
    group: PathBuf,
    /// How often the kernel ended something, by the file that tells.
    kills: PathBuf,
    wrapper: [String; 3],
}

impl MemoryCap {
    /// One for this process, which has no other one.
    ///
    /// # Errors
    /// When this machine lets nobody make one; says what is missing.
    pub fn new(bytes: u64) -> io::Result<Self> {
        let first = Path::new(ROOT).join("memory");
        let (parent, limit, kills) = if first.is_dir() {
            (first, "memory.limit_in_bytes", "memory.oom_control")
        } else {
            (PathBuf::from(ROOT), "memory.max", "memory.events")
        };
        let group = parent.join(format!("myim-test-{}", process::id()));
        fs::create_dir(&group)?;
        // From here on whatever fails takes it away.
        let enter = format!(
            "echo $$ > {}/cgroup.procs && exec \"$0\" \"$@\"",
            group.display()
        );
        let cap = Self {
            kills: group.join(kills),
            wrapper: ["sh".to_owned(), "-c".to_owned(), enter],
            group,
        };
        fs::write(cap.group.join(limit), bytes.to_string())?;
        cap.kills()?;
        Ok(cap)
    }

    /// The words in front of a program that is to have no more.
    pub fn wrapper(&self) -> [&str; 3] {
        self.wrapper.each_ref().map(String::as_str)
    }

    /// How often the kernel ended something because of it.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn kills(&self) -> io::Result<u64> {
        let told = fs::read_to_string(&self.kills)?;
        let kills = told.lines().find_map(|line| line.strip_prefix("oom_kill "));
        let kills = kills.and_then(|number| number.trim().parse().ok());
        kills.ok_or_else(|| io::Error::other(format!("no oom_kill in {told}")))
    }
}

impl Drop for MemoryCap {
    fn drop(&mut self) {
        // What a server started ends a moment after it.
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = fs::remove_dir(&self.group) {
            if Instant::now() > deadline {
                eprintln!("{}: {error}", self.group.display());
                return;
            }
            thread::yield_now();
        }
    }
}

/// A limit, or nothing where this machine has none: then it says loudly what was not tested.
///
/// # Panics
/// In continuous integration (`CI` is set) there must be one.
pub fn or_skip(bytes: u64, what: &str) -> Option<MemoryCap> {
    let told = |error| skip(Need::MemoryCap, what, &format!("root and cgroups: {error}"));
    MemoryCap::new(bytes).map_err(told).ok()
}
