//! A network namespace: a network with nothing in it, and addresses for the ends of a link to it.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::machine::program;

/// Addresses that are nobody's, for measurements between networks (RFC 2544). Four are a network.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const NETWORKS: u32 = 1 << 15;

/// See the module's description. Dropping it takes it away.
#[derive(Debug)]
pub struct Namespace {
    pub(super) name: String,
    /// What the end of a link to it is called outside.
    pub(super) link: String,
    first: u32,
    /// The program `ip`.
    ip: PathBuf,
}

impl Namespace {
    /// One for this process, which has no other one.
    pub(super) fn new() -> io::Result<Self> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let ip = program("ip").ok_or_else(missing)?;
        let name = format!("myim-{}", process::id());
        run(&ip, &["netns", "add", &name])?;
        // From here on whatever fails takes it away.
        let first = FIRST + process::id() % NETWORKS * 4;
        let namespace = Self {
            name,
            link: format!("myim{}", process::id()),
            first,
            ip,
        };
        namespace.inside(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Where a server in it listens.
    pub fn address(&self) -> String {
        Ipv4Addr::from(self.first + 2).to_string()
    }

    /// The words in front of a program that is to run in it.
    pub fn wrapper(&self) -> [&str; 4] {
        let ip = self.ip.to_str().expect("its folder is one of a few");
        [ip, "netns", "exec", &self.name]
    }

    /// Gives the ends of the link their addresses; the one inside is called so.
    pub(super) fn connect(&self, inside: &str) -> io::Result<()> {
        let here = format!("{}/30", Ipv4Addr::from(self.first + 1));
        self.outside(&["addr", "add", &here, "dev", &self.link])?;
        self.outside(&["link", "set", &self.link, "up"])?;
        let there = format!("{}/30", self.address());
        self.inside(&["addr", "add", &there, "dev", inside])?;
        self.inside(&["link", "set", inside, "up"])
    }

    pub(super) fn inside(&self, words: &[&str]) -> io::Result<()> {
        run(&self.ip, &[&["-n", self.name.as_str()], words].concat())
    }

    pub(super) fn outside(&self, words: &[&str]) -> io::Result<()> {
        run(&self.ip, words)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = self.outside(&["netns", "del", &self.name]) {
            eprintln!("{error}");
        }
    }
}

fn run(ip: &Path, words: &[&str]) -> io::Result<()> {
    let output = Command::new(ip).args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let words = words.join(" ");
    Err(io::Error::other(format!("ip {words}: {}", said.trim())))
}
