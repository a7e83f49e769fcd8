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

/// Nothing there, or something that is no file: a link, a socket.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || [rustix::io::Errno::LOOP, rustix::io::Errno::NXIO]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
