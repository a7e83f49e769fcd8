//! A disk whose power can be cut: a file system on a loop device, shut down in the middle as the
//! kernel does it for tests of file systems. What was not synced is gone.
//!
//! Needs root, loop devices, and the programs of xfsprogs and e2fsprogs; `scripts/test` installs
//! them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::machine::{Need, skip};

/// Room for a database and some files; no less, because xfs wants 300 MiB.
const DISK_BYTES: u64 = 320 << 20;
/// Where Debian keeps these programs, which is not in everybody's path.
const SYSTEM_PROGRAMS: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

/// Which file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ext4,
    Xfs,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        })
    }
}

/// A mounted disk. Dropping it unmounts it.
#[derive(Debug)]
pub struct Mount {
    directory: TempDir,
    is_mounted: bool,
}

impl Mount {
    /// A fresh disk.
    ///
    /// # Errors
    /// When this machine lets nobody mount one; says what is missing.
    pub fn new(format: Format) -> io::Result<Self> {
        let mount = match format {
            Format::Ext4 => Self::made(DISK_BYTES, &["mkfs.ext4", "-q", "-F"])?,
            Format::Xfs => Self::made(DISK_BYTES, &["mkfs.xfs", "-q", "-f"])?,
        };
        // Whether the power can be cut is better known before the play.
        run(&["xfs_io", "-V"])?;
        Ok(mount)
    }

    /// A fresh ext4 disk that is small: of so many bytes, and with room for so many names.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn small(bytes: u64, names: u64) -> io::Result<Self> {
        let names = names.to_string();
        // Nothing of it is kept back for root.
        let mut format = vec!["mkfs.ext4", "-q", "-F", "-m", "0", "-N", &names];
        // As installers of Linux set it.
        format.extend(["-e", "remount-ro"]);
        Self::made(bytes, &format)
    }

    fn made(bytes: u64, format: &[&str]) -> io::Result<Self> {
        let directory = TempDir::with_prefix("myim-disk-")?;
        let image = directory.path().join("image");
        File::create(&image)?.set_len(bytes)?;
        fs::create_dir(directory.path().join("mnt"))?;
        let image = image.to_string_lossy().into_owned();
        run(&[format, &[image.as_str()]].concat())?;
        let mut mount = Self {
            directory,
            is_mounted: false,
        };
        mount.mount()?;
        Ok(mount)
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("mnt")
    }

    /// From now on nothing reaches the disk: what was not synced is lost.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn cut(&self) -> io::Result<()> {
        let path = self.path();
        run(&["xfs_io", "-x", "-c", "shutdown", &path.to_string_lossy()])
    }

    /// The file system finds that it is damaged, and lets nobody write any more: what ext4 does when
    /// its disk fails. From then on it can be read until it is mounted anew.
    ///
    /// # Errors
    /// When it is no ext4, or the kernel has no such switch.
    pub fn fail(&self) -> io::Result<()> {
        let path = self.path();
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let mut mounts = mounts.lines().filter_map(|line| line.split_once(' '));
        let is_here = |rest: &str| rest.split(' ').next() == path.to_str();
        let device = mounts.find(|(_, rest)| is_here(rest));
        let device = device.and_then(|(device, _)| device.strip_prefix("/dev/"));
        let device = device.ok_or_else(|| io::Error::other("it is not mounted"))?;
        let switch = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        fs::write(switch, "a test")
    }

    /// Everything so far is on the disk.
    ///
    /// # Errors
    /// When it is not.
    pub fn sync(&self) -> io::Result<()> {
        let path = self.path();
        run(&["sync", "-f", &path.to_string_lossy()])
    }

    /// The power is back: the file system recovers as after a real cut.
    ///
    /// # Errors
    /// When somebody still uses it, or it cannot be recovered.
    pub fn power_up(&mut self) -> io::Result<()> {
        self.unmount()?;
        self.mount()
    }

    fn mount(&mut self) -> io::Result<()> {
        let (image, path) = (self.directory.path().join("image"), self.path());
        run(&[
            "mount",
            "-o",
            "loop",
            &image.to_string_lossy(),
            &path.to_string_lossy(),
        ])?;
        self.is_mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> io::Result<()> {
        run(&["umount", &self.path().to_string_lossy()])?;
        self.is_mounted = false;
        Ok(())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.is_mounted
            && let Err(error) = self.unmount()
        {
            eprintln!("{}: {error}", self.path().display());
            // Lazily, so that nothing of it is left when its last user ends.
            let path = self.path();
            let _told = run(&["umount", "-l", &path.to_string_lossy()]);
        }
    }
}

/// A disk, or nothing where this machine has none: then it says loudly what was not tested.
///
/// # Panics
/// In continuous integration (`CI` is set) there must be one.
pub fn or_skip(format: Format, what: &str) -> Option<Mount> {
    let need = match format {
        Format::Ext4 => Need::Ext4,
        Format::Xfs => Need::Xfs,
    };
    made_or_skip(need, Mount::new(format), what)
}

/// A small disk, see [`Mount::small`]; nothing as with [`or_skip`].
///
/// # Panics
/// As [`or_skip`].
pub fn small_or_skip(bytes: u64, names: u64, what: &str) -> Option<Mount> {
    made_or_skip(Need::Ext4, Mount::small(bytes, names), what)
}

fn made_or_skip(need: Need, made: io::Result<Mount>, what: &str) -> Option<Mount> {
    let told = |error| skip(need, what, &format!("root and loop devices: {error}"));
    made.map_err(told).ok()
}

fn run(words: &[&str]) -> io::Result<()> {
    let output = Command::new(words[0])
        .args(&words[1..])
        .env("PATH", path())
        .output()
        .map_err(|error| io::Error::other(format!("{}: {error}", words[0])))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!(
        "{}: {}",
        words.join(" "),
        said.trim()
    )))
}

fn path() -> String {
    let own = std::env::var("PATH").unwrap_or_default();
    format!("{SYSTEM_PROGRAMS}:{own}")
}

/// A library that lets a program believe that its files are synced when they are not: made here, to
/// prove that a cut loses what such a disk promised.
///
/// # Errors
/// When there is no C compiler.
pub fn lying_library(folder: &Path) -> io::Result<PathBuf> {
    let (source, library) = (folder.join("lies.c"), folder.join("lies.so"));
    fs::write(
        &source,
        "int fsync(int file) { return 0; }\n\
         int fdatasync(int file) { return 0; }\n\
         int sync_file_range(int file, long from, long count, unsigned flags) { return 0; }\n",
    )?;
    run(&[
        "cc",
        "-shared",
        "-fPIC",
        "-o",
        &library.to_string_lossy(),
        &source.to_string_lossy(),
    ])?;
    Ok(library)
}
