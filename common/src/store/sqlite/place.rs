//! The database's file: where it stands, and that one server at a time has it.
//!
//! The lock is a file of its own beside the database. SQLite's own locks let two programs write
//! in turns, which is not enough: each server believes it is the only one to give out numbers.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The lock, held until the value is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Makes the folder if it is missing and answers the file's one true path: two names of one file
/// (a symbolic link, a relative path) must meet the same lock.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |what: &Path, error: &io::Error| {
        StoreError::Unreachable(format!("{}: {error}", what.display()))
    };
    if let Ok(found) = path.canonicalize() {
        return Ok(found);
    }
    let Some(name) = path.file_name() else {
        let error = io::Error::from(io::ErrorKind::InvalidFilename);
        return Err(failed(path, &error));
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_folder(folder).map_err(|error| failed(folder, &error))?;
    let folder = folder
        .canonicalize()
        .map_err(|error| failed(folder, &error))?;
    Ok(folder.join(name))
}

/// Makes a folder so that it is still there after a power cut: the name of a new folder is safe
/// once the folder around it is synchronized. (SQLite does this for its own files.)
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .collect();
    std::fs::create_dir_all(folder)?;
    for made in missing {
        let around = match made.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(around)?.sync_all()?;
    }
    Ok(())
}

/// Takes the lock of the database at `path`.
pub(super) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let failed =
        |error: io::Error| StoreError::Unreachable(format!("{}: {error}", lock_path.display()));
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
