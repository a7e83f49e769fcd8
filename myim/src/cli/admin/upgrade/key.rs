//! `myim upgrade key`, and reading the key again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use common::config::PersonalEnvironment;
use common::upgrade::PublisherKey;
use serde_json::json;

use crate::account::Place;
use crate::cli::admin::output::Output;
use crate::cli::admin::trouble::Trouble;

#[derive(Args)]
pub(super) struct KeyArgs {
    /// Where the key is [default: upgrade-key.pem beside the sign-ins of myim login]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Makes the key if there is none yet.
pub(super) fn run(args: &KeyArgs, json: bool) -> Result<(), Trouble> {
    let path = path_of(args.key.as_deref(), true)?;
    let (key, is_new) = match make(&path) {
        Ok(key) => (key, true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (open(&path)?, false),
        Err(error) => return Err(failed(&path, &error)),
    };
    let value = json!({
        "key": key.public(),
        "pem": key.public_pem(),
        "path": path,
        "created": is_new,
    });
    Output { json }.line(&value, &key.public())
}

/// Reads the key at the given place, or at the usual one.
pub(super) fn read(given: Option<&Path>) -> Result<PublisherKey, Trouble> {
    open(&path_of(given, false)?)
}

fn path_of(given: Option<&Path>, make: bool) -> Result<PathBuf, Trouble> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let place = Place::of(&PersonalEnvironment::read());
    let place = place.map_err(|error| Trouble::usage(format!("{error}; give --key")))?;
    if make {
        let made = place.make_config();
        made.map_err(|error| Trouble::refused(error.to_string()))?;
    }
    Ok(place.publisher_key())
}

/// Readable for its owner only from the first moment on, and never half written.
fn make(path: &Path) -> io::Result<PublisherKey> {
    let key = PublisherKey::generate().map_err(io::Error::other)?;
    let pem = key.to_pem().map_err(io::Error::other)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".upgrade-key-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(pem.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()?;
    Ok(key)
}

fn open(path: &Path) -> Result<PublisherKey, Trouble> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.display();
            let sentence = format!("there is no key {path}: myim upgrade key makes one");
            return Err(Trouble::usage(sentence));
        }
        Err(error) => return Err(failed(path, &error)),
    };
    let shown = path.display();
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(Trouble::not_allowed(format!(
            "{shown} signs what all clients install, and others can read it: chmod 600 {shown}"
        )));
    }
    let pem = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
    PublisherKey::from_pem(&pem).map_err(|fault| Trouble::usage(format!("{shown}: {fault}")))
}

fn failed(path: &Path, error: &io::Error) -> Trouble {
    Trouble::refused(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_and_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        assert_eq!(open(&path).unwrap_err().code(), 2);
        let key = make(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(open(&path).unwrap().public(), key.public());
        let again = make(&path).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(open(&path).unwrap_err().code(), 4);
    }
}
