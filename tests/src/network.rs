//! A network of its own for a server: a network namespace, and a link to it that can be taken down.
//!
//! Needs root and the program `ip`; `scripts/test` installs it.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::machine::{Need, program, skip};

/// Addresses that are nobody's, for measurements between networks (RFC 2544). Four are a network.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const NETWORKS: u32 = 1 << 15;
/// What the end of the link is called inside.
const INSIDE: &str = "inside";

/// A network. Dropping it takes it away.
#[derive(Debug)]
pub struct Network {
    name: String,
    /// What the end of the link is called outside.
    link: String,
    address: Ipv4Addr,
    /// The program `ip`.
    ip: PathBuf,
}

impl Network {
    /// One for this process, which has no other one.
    ///
    /// # Errors
    /// When this machine lets nobody make one; says what is missing.
    pub fn new() -> io::Result<Self> {
        let first = FIRST + process::id() % NETWORKS * 4;
        let name = format!("myim-{}", process::id());
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let ip = program("ip").ok_or_else(missing)?;
        run(&ip, &["netns", "add", &name])?;
        // From here on whatever fails takes it away.
        let network = Self {
            ip,
            name,
            link: format!("myim{}", process::id()),
            address: Ipv4Addr::from(first + 2),
        };
        let end = ["peer", "name", INSIDE, "netns", &network.name];
        let link = ["link", "add", &network.link, "type", "veth"];
        network.outside(&[&link[..], &end[..]].concat())?;
        let of = |address: Ipv4Addr| format!("{address}/30");
        let here = of(Ipv4Addr::from(first + 1));
        network.outside(&["addr", "add", &here, "dev", &network.link])?;
        network.outside(&["link", "set", &network.link, "up"])?;
        network.inside(&["addr", "add", &of(network.address), "dev", INSIDE])?;
        network.inside(&["link", "set", "lo", "up"])?;
        network.up()?;
        Ok(network)
    }

    /// Where a server in it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The words in front of a program that is to run in it.
    pub fn wrapper(&self) -> [&str; 4] {
        let ip = self.ip.to_str().expect("its folder is one of a few");
        [ip, "netns", "exec", &self.name]
    }

    /// From now on nothing gets through, in neither direction, and nobody is told.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn down(&self) -> io::Result<()> {
        self.inside(&["link", "set", INSIDE, "down"])
    }

    /// # Errors
    /// When the kernel refuses.
    pub fn up(&self) -> io::Result<()> {
        self.inside(&["link", "set", INSIDE, "up"])
    }

    fn inside(&self, words: &[&str]) -> io::Result<()> {
        run(&self.ip, &[&["-n", self.name.as_str()], words].concat())
    }

    fn outside(&self, words: &[&str]) -> io::Result<()> {
        run(&self.ip, words)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The link goes with either of its ends; by itself, because a program that still runs inside
        // keeps the namespace.
        let _gone = self.outside(&["link", "del", &self.link]);
        if let Err(error) = self.outside(&["netns", "del", &self.name]) {
            eprintln!("{error}");
        }
    }
}

/// A network, or nothing where this machine has none: then it says loudly what was not tested.
///
/// # Panics
/// In continuous integration (`CI` is set) there must be one.
pub fn or_skip(what: &str) -> Option<Network> {
    let told = |error| skip(Need::Network, what, &format!("root and ip: {error}"));
    Network::new().map_err(told).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_network() {
        let Some(network) = or_skip("that networks of tests are taken away") else {
            return;
        };
        let traces = [
            format!("/run/netns/{}", network.name),
            format!("/sys/class/net/{}", network.link),
        ];
        let are_there = || traces.each_ref().map(|path| Path::new(path).exists());
        assert_eq!(are_there(), [true, true]);
        drop(network);
        assert_eq!(are_there(), [false, false]);
    }
}
