//! A certificate of one's own, for a network without names: made at the first start and kept.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use thiserror::Error;
use tokio::net::UdpSocket;

/// The key and the certificate in one file, so that they always belong together.
const KEY_FILE: &str = "self-signed.pem";

/// The certificate alone, for clients that are to trust it.
const CERTIFICATE_FILE: &str = "certificate.pem";

/// Where packets would have to go to leave this machine: addresses for documentation, and nothing
/// is sent there.
const ELSEWHERE: [&str; 2] = ["192.0.2.1:9", "[2001:db8::1]:9"];

#[derive(Debug, Error)]
pub enum SelfSignedError {
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("cannot keep a certificate in {}: {source}", path.display())]
    Keep { path: PathBuf, source: io::Error },
}

/// The file in `folder` with certificate and key. Made if it is not there; several servers that
/// start together agree on one.
pub async fn self_signed(folder: &Path) -> Result<PathBuf, SelfSignedError> {
    let path = folder.join(KEY_FILE);
    if path.exists() {
        return Ok(path);
    }
    let mut params = CertificateParams::new(names().await)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "myim");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    let both = format!("{certificate}{}", key.serialize_pem());
    keep(folder, &path, &certificate, &both).map_err(|source| SelfSignedError::Keep {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

fn keep(folder: &Path, path: &Path, certificate: &str, both: &str) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    let half = folder.join(format!(".{}.{KEY_FILE}", std::process::id()));
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .open(&half)?;
    file.write_all(both.as_bytes())?;
    file.sync_all()?;
    // Unlike a rename this fails if another server was faster; then that one's is used.
    let linked = fs::hard_link(&half, path);
    fs::remove_file(&half)?;
    match linked {
        Ok(()) => fs::write(folder.join(CERTIFICATE_FILE), certificate),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// How this machine may be called by others.
async fn names() -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let own = rustix::system::uname();
    let own = own.nodename().to_string_lossy();
    if !own.is_empty() && own != "localhost" && own.is_ascii() {
        names.push(own.into_owned());
    }
    let mut addresses: Vec<IpAddr> =
        vec![[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()];
    for elsewhere in ELSEWHERE {
        addresses.extend(address_towards(elsewhere).await);
    }
    names.extend(addresses.iter().map(ToString::to_string));
    names
}

/// Which of its addresses this machine would use; the system knows without sending anything.
async fn address_towards(elsewhere: &str) -> Option<IpAddr> {
    let elsewhere: SocketAddr = elsewhere.parse().ok()?;
    let any = match elsewhere {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(elsewhere).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::tls::TlsKeys;
    use super::*;

    #[tokio::test]
    async fn it_is_made_once_and_only_its_owner_can_read_the_key() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("tls");
        let path = self_signed(&folder).await.unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let made = fs::read(&path).unwrap();
        assert_eq!(self_signed(&folder).await.unwrap(), path);
        assert_eq!(fs::read(&path).unwrap(), made);
        TlsKeys::load(&path, &path).unwrap();
        let certificate = fs::read_to_string(folder.join(CERTIFICATE_FILE)).unwrap();
        assert!(!certificate.contains("PRIVATE"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn the_certificate_of_a_faster_server_stays() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join(KEY_FILE);
        keep(outer.path(), &path, "first", "first both").unwrap();
        keep(outer.path(), &path, "second", "second both").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first both");
        let certificate = fs::read_to_string(outer.path().join(CERTIFICATE_FILE)).unwrap();
        assert_eq!(certificate, "first");
    }
}
