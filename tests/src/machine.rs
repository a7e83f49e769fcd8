//! What a machine must have so that everything can be tested: disks whose power can be cut, programs
//! of others that judge the suite from outside, a kernel that confines.
//!
//! A test that needs any of it asks here, and so does `prove machine`, with which `scripts/test` says
//! before the run what will not be tested: whatever may be skipped is a [`Need`]. `scripts/test`
//! installs the programs.

use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::confinement;
use crate::memory_cap::MemoryCap;
use crate::network::{Network, RoughNetwork};
use crate::proof::mount::{Format, Mount};

/// Where Debian keeps programs, also those that are not in everybody's path.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// Any limit tells whether there can be one.
const CAP_BYTES: u64 = 64 << 20;

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Need {
    Ext4,
    Xfs,
    FakeTime,
    SslScan,
    OpenSsl,
    SystemdAnalyze,
    PromTool,
    Strace,
    Sqlite3,
    Seccomp,
    Landlock,
    OuterAddress,
    Network,
    RoughNetwork,
    MemoryCap,
}

impl Need {
    /// What is tested with it.
    pub fn rows(self) -> &'static str {
        match self {
            Self::Ext4 => "power cuts of ext4, of a disk that lies, and of the files; full disks",
            Self::Xfs => "power cuts of xfs, of MariaDB, and behind a failed sync",
            Self::FakeTime => "what a wrong clock does; kills while old orphans are deleted",
            Self::SslScan => "what a scanner thinks of TLS",
            Self::OpenSsl => "that the scanner would find weak TLS",
            Self::SystemdAnalyze => "what systemd thinks of the units",
            Self::PromTool => "what Prometheus thinks of the metrics",
            Self::Strace => "how often a message calls the kernel",
            Self::Sqlite3 => "a backup under load, and the restored server",
            Self::Seccomp => "what a process that decodes pictures may call",
            Self::Landlock => {
                "that a process that decodes pictures reaches neither files nor the network nor \
                 other processes, whatever it may call"
            }
            Self::OuterAddress => "that plain text from elsewhere is refused where TLS is required",
            Self::Network => "what a link that goes down and comes back costs",
            Self::RoughNetwork => "what packets cost that are lost, late, doubled and swapped",
            Self::MemoryCap => "what a server does that has little memory",
        }
    }

    /// What this machine lacks for it.
    pub fn lacks(self) -> Option<String> {
        let lacks = match self {
            Self::Ext4 => return disk(Format::Ext4),
            Self::Xfs => return disk(Format::Xfs),
            Self::Network => {
                let error = Network::new().err()?;
                return Some(format!("root and ip: {error}"));
            }
            Self::RoughNetwork => {
                let error = RoughNetwork::new(1).err()?;
                return Some(format!("{}: {error}", self.name()));
            }
            Self::MemoryCap => {
                let error = MemoryCap::new(CAP_BYTES).err()?;
                return Some(format!("root and cgroups: {error}"));
            }
            Self::Seccomp => return confinement::lacks_seccomp(),
            Self::Landlock => return confinement::lacks_landlock(),
            Self::FakeTime => fake_time().is_none(),
            Self::SslScan
            | Self::OpenSsl
            | Self::SystemdAnalyze
            | Self::PromTool
            | Self::Strace
            | Self::Sqlite3 => program(self.name()).is_none(),
            Self::OuterAddress => outer_address().is_none(),
        };
        lacks.then(|| self.name().to_owned())
    }

    /// How it is called, and where it comes from.
    fn name(self) -> &'static str {
        match self {
            Self::Ext4 | Self::Xfs => "root, loop devices, xfs_io, and mkfs",
            Self::FakeTime => "libfaketimeMT.so.1 (Debian: package faketime)",
            Self::SslScan => "sslscan",
            Self::OpenSsl => "openssl",
            Self::SystemdAnalyze => "systemd-analyze",
            Self::PromTool => "promtool",
            Self::Strace => "strace",
            Self::Sqlite3 => "sqlite3",
            Self::Seccomp => "a kernel with seccomp",
            Self::Landlock => "a kernel with Landlock",
            Self::OuterAddress => "an address that is not loopback",
            Self::Network => "root and ip (Debian: package iproute2)",
            Self::RoughNetwork => RoughNetwork::NEEDS,
            Self::MemoryCap => "root and cgroups",
        }
    }
}

/// A line for everything: what this machine tests, and what it does not.
pub fn report() -> Vec<String> {
    let line = |need: &Need| match need.lacks() {
        None => format!("tested:     {}", need.rows()),
        Some(missing) => format!("NOT TESTED: {}; needs {missing}", need.rows()),
    };
    Need::value_variants().iter().map(line).collect()
}

/// Says that this machine cannot test something.
///
/// # Panics
/// In continuous integration (`CI` is set), where everything has to be there.
pub fn skip(need: Need, what: &str, missing: &str) {
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!is_ci, "{what} needs {missing} ({need:?})");
    eprintln!("NOT TESTED: {what}, which needs {missing}");
}

/// Whether this machine can test it; otherwise it says what was not tested.
///
/// # Panics
/// As [`skip`].
pub fn has_or_skip(need: Need) -> bool {
    let lacks = need.lacks();
    if let Some(missing) = &lacks {
        skip(need, need.rows(), missing);
    }
    lacks.is_none()
}

/// A program, or nothing where this machine has none: then it says what was not tested.
///
/// # Panics
/// As [`skip`].
pub fn program_or_skip(need: Need, what: &str) -> Option<PathBuf> {
    let found = program(need.name());
    if found.is_none() {
        skip(need, what, need.name());
    }
    found
}

/// Where a program is, if this machine has it.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&own).chain(FOLDERS.map(PathBuf::from));
    let mut paths = folders.map(|folder| folder.join(name));
    paths.find(|path| path.is_file())
}

/// The library that changes the clock of a program that it is loaded into.
///
/// # Panics
/// As [`skip`].
pub fn fake_time_or_skip() -> Option<PathBuf> {
    has_or_skip(Need::FakeTime).then(fake_time).flatten()
}

fn fake_time() -> Option<PathBuf> {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    let library = |place| {
        Path::new("/usr/lib")
            .join(place)
            .join("faketime/libfaketimeMT.so.1")
    };
    places.map(library).into_iter().find(|path| path.is_file())
}

/// An address of this machine that is not loopback.
///
/// # Panics
/// As [`skip`].
pub fn outer_address_or_skip() -> Option<IpAddr> {
    has_or_skip(Need::OuterAddress)
        .then(outer_address)
        .flatten()
}

fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent; the system only chooses a way.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Why this machine lets nobody mount such a disk.
fn disk(format: Format) -> Option<String> {
    let error = Mount::new(format).err()?;
    Some(format!("root and loop devices: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_may_be_skipped_is_told_before() {
        let report = report().join("\n");
        for need in Need::value_variants() {
            assert!(report.contains(need.rows()), "{need:?}\n{report}");
            let told = format!("NOT TESTED: {}", need.rows());
            assert_eq!(report.contains(&told), need.lacks().is_some(), "{need:?}");
        }
    }
}
