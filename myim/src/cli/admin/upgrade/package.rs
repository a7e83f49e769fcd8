//! The file that is to be published: what it is, before anybody is asked.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use common::id::BlobId;
use sha2::{Digest, Sha256};

use crate::cli::admin::trouble::Trouble;

/// What every zip file that holds something begins with.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// A file and its content's hash.
pub(super) struct Package {
    pub(super) path: PathBuf,
    pub(super) file: BlobId,
    pub(super) size: u64,
    pub(super) is_zip: bool,
}

impl Package {
    /// Reads the whole file once.
    pub(super) async fn read(path: PathBuf) -> Result<Self, Trouble> {
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        match read {
            Ok(Ok(package)) if package.size == 0 => {
                Err(Trouble::usage(format!("{shown} is empty")))
            }
            Ok(Ok(package)) => Ok(package),
            Ok(Err(error)) => Err(Trouble::usage(format!("{shown}: {error}"))),
            Err(_) => Err(Trouble::refused(format!("{shown} was not read to its end"))),
        }
    }
}

fn read(path: &Path) -> io::Result<Package> {
    let mut file = File::open(path)?;
    let (mut hash, mut size, mut begin) = (Sha256::new(), 0, Vec::new());
    let mut piece = vec![0; 256 << 10];
    loop {
        let count = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let read = &piece[..count];
        hash.update(read);
        size += u64::try_from(count).unwrap_or(u64::MAX);
        let missing = ZIP.len().saturating_sub(begin.len());
        begin.extend_from_slice(&read[..missing.min(count)]);
    }
    Ok(Package {
        path: path.to_owned(),
        file: BlobId(hash.finalize().into()),
        size,
        is_zip: begin == ZIP,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_package_is_known_by_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let file = |content: &[u8]| {
            let path = directory.path().join("x");
            std::fs::write(&path, content).unwrap();
            Package::read(path)
        };
        let package = file(b"abc").await.ok().unwrap();
        assert_eq!((package.size, package.is_zip), (3, false));
        assert!(package.file.to_string().starts_with("ba7816bf8f01cfea"));
        assert!(
            file(b"PK\x03\x04 and more")
                .await
                .is_ok_and(|file| file.is_zip)
        );
        assert_eq!(file(b"").await.err().unwrap().code(), 2);
        let gone = Package::read(directory.path().join("gone")).await;
        assert_eq!(gone.err().unwrap().code(), 2);
    }
}
