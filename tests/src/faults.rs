//! A library between a server and the system, made from `faults.c`: counts the steps with which the
//! server changes the disk or says something to somebody, and lets one of them fail.
//!
//! A debugger could stop the server at a system call too, but counts for each thread alone, and may
//! not be had everywhere. This counts all of a server's steps in one row.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::server::Setup;

const SOURCE: &str = include_str!("faults.c");

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'a> {
    /// Nothing; steps are counted.
    None,
    /// The server dies in place of this step; the first is 1.
    Kill(u64),
    /// The first sync of a file with this in its path fails, and does nothing.
    FailSync(&'a str),
    /// The same, of the first one behind a write of these words (without blanks) to any file: so it
    /// is theirs, and not that of something else which the server notes at the same time.
    FailSyncOf { words: &'a str, file: &'a str },
    /// Each such sync does nothing and succeeds.
    LieAbout(&'a str),
    /// Each such sync takes so much longer.
    SlowSync { file: &'a str, ms: u64 },
    /// This step on files and folders with this in their path goes wrong; the first is 1. With 0 those
    /// that could are counted.
    Spoil {
        how: Spoilt,
        step: u64,
        within: &'a str,
    },
}

/// How a step on a disk goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// EIO, of whatever opens or changes something.
    Failed,
    /// ENOSPC, of whatever may need room.
    WithoutRoom,
    /// EINTR, of what the system may interrupt: it has done nothing, and wants to be asked again.
    Interrupted,
    /// A write takes half of the bytes, and says so.
    Short,
}

impl Spoilt {
    fn verb(self) -> &'static str {
        match self {
            Self::Failed => "eio",
            Self::WithoutRoom => "enospc",
            Self::Interrupted => "eintr",
            Self::Short => "short",
        }
    }
}

/// The library, and the order that it has.
#[derive(Debug)]
pub struct Faults {
    directory: TempDir,
    serial: AtomicU64,
}

impl Faults {
    /// # Panics
    /// Without a C compiler, which Rust needs too.
    pub fn new() -> Self {
        let directory = TempDir::with_prefix("myim-faults-").expect("a directory");
        let faults = Self {
            directory,
            serial: AtomicU64::new(0),
        };
        let source = faults.path("faults.c");
        fs::write(&source, SOURCE).expect("a file in an own directory");
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([faults.path("faults.so"), source])
            .output()
            .expect("a C compiler");
        let said = String::from_utf8_lossy(&compiler.stderr);
        assert!(compiler.status.success(), "{said}");
        faults
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts with the library.
    #[must_use]
    pub fn under(&self, setup: Setup) -> Setup {
        setup
            .variable("LD_PRELOAD", &self.path("faults.so").to_string_lossy())
            .variable("FAULTS_ORDER", &self.path("order").to_string_lossy())
    }

    /// Lets a program that is not a server start with the library, in front of those that it starts
    /// with anyway.
    pub fn load_into(&self, command: &mut Command) {
        let mut libraries = self.path("faults.so").into_os_string();
        let others = command.get_envs().find(|(name, _)| *name == "LD_PRELOAD");
        if let Some((_, Some(others))) = others {
            libraries.push(":");
            libraries.push(others);
        }
        command.env("LD_PRELOAD", libraries);
        command.env("FAULTS_ORDER", self.path("order"));
    }

    /// From now on; counting begins again.
    pub fn order(&self, fault: Fault<'_>) {
        let serial = 1 + self.serial.fetch_add(1, Ordering::Relaxed);
        let order = match fault {
            Fault::None => "kill 0 - -".to_owned(),
            Fault::Kill(step) => format!("kill {step} - -"),
            Fault::FailSync(file) => format!("sync 1 {file} -"),
            Fault::FailSyncOf { words, file } => format!("sync 1 {file} {words}"),
            Fault::LieAbout(file) => format!("lie 0 {file} -"),
            Fault::SlowSync { file, ms } => format!("slow {ms} {file} -"),
            Fault::Spoil { how, step, within } => format!("{} {step} {within} -", how.verb()),
        };
        self.over();
        fs::write(self.path("order.steps"), "").expect("a file in an own directory");
        let new = self.path("order.new");
        fs::write(&new, format!("{serial} {order}\n")).expect("a file in an own directory");
        fs::rename(new, self.path("order")).expect("a file in an own directory");
    }

    /// Nothing fails any more, and nothing is counted.
    pub fn over(&self) {
        // There may be none.
        let _gone = fs::remove_file(self.path("order"));
    }

    /// What was counted since the last order: number, call, file.
    pub fn steps(&self) -> Vec<String> {
        let steps = fs::read_to_string(self.path("order.steps")).unwrap_or_default();
        steps.lines().map(str::to_owned).collect()
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::new()
    }
}
