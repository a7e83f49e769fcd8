//! A network behind a link on which packets are lost, late, doubled and swapped.
//!
//! The link is a program, `rough_link.py`: few kernels have `netem`, which would do the same.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{self, Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Namespace;
use crate::foreign::root;

/// What becomes of packets, in either direction. One that is late may be overtaken by those behind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Faults {
    pub lost_percent: u8,
    pub doubled_percent: u8,
    /// Each is late by a time between these.
    pub late_ms: (u32, u32),
}

/// What became of packets for a while.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Counts {
    pub carried: u64,
    pub lost: u64,
    pub late: u64,
    pub doubled: u64,
    /// Arrived behind one that was sent later.
    pub overtaken: u64,
}

/// See the module's description. Dropping it takes it away.
#[derive(Debug)]
pub struct RoughNetwork {
    /// First: with it the link is gone.
    program: LinkProgram,
    pub namespace: Namespace,
}

impl RoughNetwork {
    /// What a machine must have for it.
    pub(crate) const NEEDS: &str = "root, ip, python3 and /dev/net/tun";

    /// One for this process, which has no other one. Nothing happens to packets at first.
    ///
    /// # Errors
    /// When this machine lets nobody make one; says what is missing.
    pub fn new(seed: u64) -> io::Result<Self> {
        let namespace = Namespace::new()?;
        let inside = format!("myin{}", process::id());
        let program = LinkProgram::start(seed, &namespace.link, &inside)?;
        namespace.outside(&["link", "set", &inside, "netns", &namespace.name])?;
        namespace.connect(&inside)?;
        Ok(Self { program, namespace })
    }

    /// From now on this happens to packets; answers what happened to them since it was called last.
    ///
    /// # Errors
    /// When the link has ended; says why.
    pub fn becomes(&mut self, faults: Faults) -> io::Result<Counts> {
        self.program.ask(&serde_json::to_string(&faults)?)
    }

    /// Waits until so many packets were lost, or time is over; answers as [`Self::becomes`].
    ///
    /// # Errors
    /// When the link has ended; says why.
    pub fn loses(&mut self, packets: u64, patience: Duration) -> io::Result<Counts> {
        let question = json!({ "until_lost": packets, "within_s": patience.as_secs() });
        self.program.ask(&question.to_string())
    }
}

/// The program that is the link.
#[derive(Debug)]
struct LinkProgram {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: ChildStderr,
}

impl LinkProgram {
    fn start(seed: u64, outside: &str, inside: &str) -> io::Result<Self> {
        let mut child = Command::new("python3")
            .arg(root().join("tests/src/network/rough_link.py"))
            .args([&seed.to_string(), outside, inside])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut program = Self {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            errors: child.stderr.take().expect("piped"),
            child,
        };
        program.answer()?;
        Ok(program)
    }

    fn ask(&mut self, words: &str) -> io::Result<Counts> {
        // One that has ended says why instead of an answer.
        let _gone = writeln!(self.input, "{words}");
        Ok(serde_json::from_str(&self.answer()?)?)
    }

    /// The next line that it says.
    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? > 0 {
            return Ok(line);
        }
        let mut why = String::new();
        self.errors.read_to_string(&mut why)?;
        let last = why.lines().last().unwrap_or("it ended without a word");
        Err(io::Error::other(last.to_owned()))
    }
}

impl Drop for LinkProgram {
    fn drop(&mut self) {
        // Both fail only if it has ended; the devices are gone when it is.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
