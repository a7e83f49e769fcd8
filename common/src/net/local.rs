//! The admin socket, for whoever runs the machine: a Unix-domain socket, a file that only its owner
//! can open.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 16;

/// Why the admin socket cannot be opened.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The system takes no longer path for a socket, whatever the file system allows.
    #[error(
        "the path of the socket {} is longer than the system takes, about 100 bytes; choose a \
         shorter one",
        .0.display()
    )]
    TooLong(PathBuf),
    #[error("another server answers at {}; stop that one first, or choose another path", .0.display())]
    InUse(PathBuf),
    #[error("there is a file at {} that is no socket; move it away, or choose another path", .0.display())]
    Foreign(PathBuf),
    #[error("the socket {} cannot be opened: {reason}", .path.display())]
    Io { path: PathBuf, reason: io::Error },
}

/// An open admin socket. Its file goes away with it.
#[derive(Debug)]
pub struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it made, by device and number: it takes away no other one.
    file: (u64, u64),
}

/// Somebody who could open the file.
#[derive(Debug)]
pub struct LocalConnection {
    pub socket: UnixStream,
    /// The user that the other program runs as, by the system's word.
    pub uid: u32,
}

impl LocalListener {
    /// Opens it. The folder is made if it is not there, for its owner only; a socket that a
    /// dead server left behind is replaced. Needs a runtime.
    ///
    /// # Errors
    /// See [`LocalError`].
    pub fn bind(path: &Path) -> Result<Self, LocalError> {
        let failed = |reason| LocalError::Io {
            path: path.to_owned(),
            reason,
        };
        let address = SockAddr::unix(path).map_err(|_| LocalError::TooLong(path.to_owned()))?;
        let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
        if let Some(folder) = folder {
            let mut builder = fs::DirBuilder::new();
            let made = builder.mode(0o700).recursive(true).create(folder);
            made.map_err(failed)?;
        }
        clear(path, &address)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
        // Before it has a name, so that nobody can open it in between.
        fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
        socket.bind(&address).map_err(failed)?;
        let listening = || -> io::Result<Self> {
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            socket.listen(BACKLOG)?;
            socket.set_nonblocking(true)?;
            let made = fs::symlink_metadata(path)?;
            Ok(Self {
                listener: UnixListener::from_std(socket.into())?,
                path: path.to_owned(),
                file: (made.dev(), made.ino()),
            })
        };
        listening().map_err(failed)
    }

    /// The next one who opens the file. Cancel-safe.
    ///
    /// # Errors
    /// If the system gives no connection.
    pub async fn accept(&self) -> io::Result<LocalConnection> {
        let (socket, _unnamed) = self.listener.accept().await?;
        let uid = socket.peer_cred()?.uid();
        Ok(LocalConnection { socket, uid })
    }

    /// Where its file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the socket file stays behind");
        }
    }
}

/// Takes a socket away that nobody listens on any more.
fn clear(path: &Path, address: &SockAddr) -> Result<(), LocalError> {
    let failed = |reason| LocalError::Io {
        path: path.to_owned(),
        reason,
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !found.file_type().is_socket() {
        return Err(LocalError::Foreign(path.to_owned()));
    }
    let asking = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    // A server whose queue is full lets wait; that is an answer too.
    asking.set_nonblocking(true).map_err(failed)?;
    match asking.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(()) | Err(_) => Err(LocalError::InUse(path.to_owned())),
    }
}

/// The user that this program runs as.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens the admin socket of a server.
///
/// # Errors
/// `NotFound` and `ConnectionRefused` if no server runs there, `PermissionDenied` if it is not the
/// caller's.
pub async fn connect_local(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_its_owners_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/admin.sock");
        let listener = LocalListener::bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let (asked, answered) = tokio::join!(connect_local(&path), listener.accept());
        asked.unwrap();
        assert_eq!(
            answered.unwrap().uid,
            rustix::process::geteuid().as_raw(),
            "the other end is this program"
        );
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_a_dead_servers_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let alive = LocalListener::bind(&path).unwrap();
        let second = LocalListener::bind(&path);
        assert!(matches!(second, Err(LocalError::InUse(_))), "{second:?}");
        // As after kill -9: the file stays, nobody listens.
        let left = folder.path().join("left.sock");
        fs::rename(&path, &left).unwrap();
        drop(alive);
        assert!(left.exists(), "a file of another name is not taken away");
        let again = LocalListener::bind(&left).unwrap();
        drop(again);
        fs::write(&path, "something else").unwrap();
        let foreign = LocalListener::bind(&path);
        assert!(matches!(foreign, Err(LocalError::Foreign(_))));
        let long = folder.path().join("x".repeat(200));
        assert!(matches!(
            LocalListener::bind(&long),
            Err(LocalError::TooLong(_))
        ));
    }
}
