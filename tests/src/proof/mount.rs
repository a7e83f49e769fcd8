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
        let directory = TempDir::with_prefix("myim-disk-")?;
        let image = directory.path().join("image");
        File::create(&image)?.set_len(DISK_BYTES)?;
        fs::create_dir(directory.path().join("mnt"))?;
        let image = image.to_string_lossy().into_owned();
        match format {
            Format::Ext4 => run(&["mkfs.ext4", "-q", "-F", &image])?,
            Format::Xfs => run(&["mkfs.xfs", "-q", "-f", &image])?,
        }
        let mut mount = Self {
            directory,
            is_mounted: false,
        };
        mount.mount()?;
        // Whether the power can be cut is better known before the play.
        run(&["xfs_io", "-V"])?;
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
    match Mount::new(format) {
        Ok(mount) => Some(mount),
        Err(error) => {
            let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
            assert!(!is_ci, "{what} needs a disk on a loop device: {error}");
            eprintln!("NOT TESTED: {what}, which needs root and loop devices: {error}");
            None
        }
    }
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
