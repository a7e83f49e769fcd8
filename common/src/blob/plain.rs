//! Plain names, and opening what they stand for without being led astray.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::BlobError;

/// The longest file name of the usual file systems, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// A name of letters, digits, `.`, `_` and `-` that does not begin with a dot: it names one entry
/// of one folder, whatever it is joined to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainName(String);

impl PlainName {
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = (1..=NAME_BYTES_MAX).contains(&bytes.len());
        if !fits || bytes.first() == Some(&b'.') || !bytes.iter().all(plain) {
            return None;
        }
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Opens a regular file and tells its length. A symbolic link is not followed, and a pipe does not
/// make us wait for its other end.
pub(super) fn open_regular(path: &Path) -> Result<Option<(File, u64)>, BlobError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let Ok(flags) = i32::try_from(flags.bits()) else {
        return Ok(None);
    };
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(BlobError::disk("open", path)(error)),
    };
    let about = file.metadata().map_err(BlobError::disk("open", path))?;
    Ok(about.is_file().then_some((file, about.len())))
}

/// The same at once, where the system has the way to the file in memory and no disk has to be
/// waited for: opening costs less than a step to a blocking thread. `None` says nothing.
#[cfg(target_os = "linux")]
pub(super) fn open_at_hand(path: &Path) -> Option<(File, u64)> {
    use rustix::fs::{CWD, Mode, ResolveFlags, openat2};

    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    let file = File::from(opened);
    let about = file.metadata().ok()?;
    about.is_file().then_some((file, about.len()))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_at_hand(_: &Path) -> Option<(File, u64)> {
    None
}

/// Nothing there, or something that is no file: a link, a socket.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || [rustix::io::Errno::LOOP, rustix::io::Errno::NXIO]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_at_hand_is_a_regular_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "content").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        for other in ["link", "folder", "missing"] {
            assert!(open_at_hand(&path(other)).is_none(), "{other}");
        }
        // An old system, or one that forbids the call, has nothing at hand.
        if let Some((mut file, len)) = open_at_hand(&path("file")) {
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            assert_eq!((content.as_str(), len), ("content", 7));
        }
    }

    #[test]
    fn a_plain_name_never_leaves_its_folder() {
        for good in ["update.version", "Flamingo.zip", "a", "A_b-c.1"] {
            assert_eq!(PlainName::new(good.as_bytes()).unwrap().as_str(), good);
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            ".",
            "..",
            ".gitignore",
            "../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a b",
            "日本",
            &long,
        ] {
            assert_eq!(PlainName::new(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(PlainName::new(&[0xff, 0xfe]), None);
    }
}
